"""A shop that sells through the running program, and the phones of its customers."""

import itertools
from dataclasses import dataclass, field

import httpx

from tests.serving import Serving

NETWORKS = {"MTN": "62001", "Vodafone": "62002", "Tigo": "62003", "Airtel": "62006"}
_numbers = itertools.count(1)


@dataclass
class Shop:
    """One merchant.

    Attributes:
        numbers: of the handsets, by network.
    """

    server: Serving
    client: httpx.AsyncClient
    numbers: dict[str, str] = field(default_factory=dict)

    async def learn(self) -> None:
        """Learn the handsets' numbers."""
        handsets = (await self.client.get("/sandbox/handsets")).json()["handsets"]
        self.numbers = {handset["network"]: handset["number"] for handset in handsets}

    async def sell(self, amount: float = 50, **changed: object) -> str:
        """Make a checkout; return its page's address."""
        return str((await self.invoice(amount, **changed))["checkoutUrl"])

    async def invoice(self, amount: float = 50, **changed: object) -> dict[str, str]:
        """Make a checkout; return what the API answers."""
        body: dict[str, object] = {
            "items": [{"name": "Harry Potter", "quantity": 1, "unitPrice": amount}], "totalAmount": amount,
            "description": "Book Shop Checkout", "callbackUrl": f"{self.server.url}/callbacks/receiver",
            "returnUrl": f"{self.server.url}/docs", "cancellationUrl": f"{self.server.url}/handset",
            "merchantBusinessLogoUrl": "", "merchantAccountNumber": self.server.world.merchant_account_number,
            "clientReference": f"sale{next(_numbers)}", **changed}
        answer = await self.client.post("/v2/pos/onlinecheckout/items/initiate", json=body,
                                        auth=self.server.world.merchant.pair)
        assert answer.status_code in {200, 201}, answer.text
        data: dict[str, str] = answer.json()["data"]
        return data

    async def status(self, reference: str) -> dict[str, object]:
        """Ask the API how a sale stands."""
        account = self.server.world.merchant_account_number
        answer = await self.client.get(f"/transactions/{account}/status", params={"clientReference": reference},
                                       auth=self.server.world.merchant.pair)
        found: dict[str, object] = answer.json()
        return found

    async def wallet(self, network: str, **changed: object) -> dict[str, object]:
        """Change the wallet of a handset, or look at it."""
        path = f"/sandbox/handsets/{self.numbers[network]}/wallet"
        answer = await (self.client.patch(path, json=changed) if changed else self.client.get(path))
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.json()
        return found

    async def balance(self, network: str) -> float:
        """What is in a handset's wallet."""
        return float(str((await self.wallet(network))["balance"]))

    async def prompts(self, network: str) -> list[dict[str, object]]:
        """The payments that wait on a handset."""
        answer = await self.client.get(f"/sandbox/handsets/{self.numbers[network]}/prompts")
        found: list[dict[str, object]] = answer.json()["prompts"]
        return found

    async def approve(self, network: str, pin: str = "1234") -> dict[str, object]:
        """Approve the newest payment that waits on a handset."""
        prompt = (await self.prompts(network))[-1]
        answer = await self.client.post(f"/sandbox/handsets/{self.numbers[network]}/prompts/{prompt['id']}",
                                        json={"pin": pin})
        found: dict[str, object] = answer.json()
        return found

    async def refill(self) -> None:
        """Put everything about phones and wallets back to what it is at first."""
        for network, number in self.numbers.items():
            if network in NETWORKS:
                await self.client.patch(f"/sandbox/handsets/{number}", json={"state": "on"})
                await self.wallet(network, balance=1_000, registered=True, limit_per_payment=5_000,
                                  limit_per_day=100_000_000, pin="1234")
                for prompt in await self.prompts(network):
                    await self.client.delete(f"/sandbox/handsets/{number}/prompts/{prompt['id']}")
