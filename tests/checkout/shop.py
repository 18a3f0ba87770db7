"""The whole program with the demonstration world, and a merchant that calls it: what the tests of the API stand on."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from makola.core.checkout.desk import Desk
from makola.wiring import checkout as wiring
from tests.unity.asgi_client import Client, Reply
from tests.unity.hub import Hub

INITIATE = "/v2/pos/onlinecheckout/items/initiate"
#: Nothing listens there: the program is called from inside.
BASE_URL = "http://127.0.0.1:8099"
_HOST = {"host": "127.0.0.1:8099"}
CALLBACK = "http://127.0.0.1:9/callback"
_PIN = "1234"


@dataclass
class Shop:
    """The demonstration merchant."""

    hub: Hub
    client: Client
    sandbox: Client
    account: str
    handsets: dict[str, str]

    @property
    def desk(self) -> Desk:
        """The same services as the server's."""
        return wiring.open_desk(self.hub.runtime.parts)

    def request(self, **changes: object) -> dict[str, Any]:
        """The document's sample with another reference; None leaves a field out."""
        whole: dict[str, Any] = {
            "items": [{"name": "Harry Potter", "quantity": 1, "unitPrice": 50},
                      {"name": "Chinua Achebe", "quantity": 1, "unitPrice": 50}],
            "totalAmount": 100, "description": "Book Shop Checkout", "callbackUrl": CALLBACK,
            "returnUrl": "http://hubtel.com/online", "merchantBusinessLogoUrl": "http://hubtel.com/online",
            "merchantAccountNumber": self.account, "cancellationUrl": "http://hubtel.com/online",
            "clientReference": uuid4().hex[:10]} | changes
        return {name: value for name, value in whole.items() if value is not None}

    async def initiate(self, **changes: object) -> Reply:
        return await self.client.send_json("POST", INITIATE, self.request(**changes))

    async def checkout(self, **changes: object) -> UUID:
        """A checkout that must be made."""
        reply = await self.initiate(**changes)
        assert reply.status == 200, reply.body
        return UUID(reply.json["data"]["checkoutId"])

    async def direct(self, what: str, **values: object) -> Reply:
        return await self.client.send_json("POST", f"/v1/merchantaccount/merchants/{self.account}/{what}", values)

    async def receive(self, channel: str, **changes: object) -> Reply:
        whole: dict[str, object] = {
            "CustomerName": "Ama", "CustomerMsisdn": self.handsets[channel], "CustomerEmail": "a@example.com",
            "Channel": channel, "Amount": 10, "PrimaryCallbackUrl": CALLBACK, "Description": "T Shirt",
            "ClientReference": uuid4().hex[:10]}
        return await self.direct("receive/mobilemoney", **whole | changes)

    async def received(self, channel: str = "mtn-gh", amount: float = 10) -> str:
        """Receive and have it approved; return the transaction's id."""
        reply = await self.receive(channel, Amount=amount)
        assert reply.json["ResponseCode"] == "0001", reply.body
        transaction_id: str = reply.json["Data"]["TransactionId"]
        await self.approve(channel, transaction_id)
        assert (await self.told(transaction_id))["ResponseCode"] == "0000"
        return transaction_id

    async def wallet(self, channel: str, **changes: object) -> None:
        """Change a handset's wallet."""
        reply = await self.sandbox.send_json("PATCH", f"/sandbox/handsets/{self.handsets[channel]}/wallet", changes)
        assert reply.status == 200, reply.body

    async def power(self, channel: str, state: str) -> None:
        """Switch a handset off or on."""
        reply = await self.sandbox.send_json("PATCH", f"/sandbox/handsets/{self.handsets[channel]}", {"state": state})
        assert reply.status == 200, reply.body

    async def approve(self, channel: str, transaction_id: str, pin: str = _PIN) -> None:
        """Answer the prompt on the handset."""
        reply = await self.sandbox.send_json(
            "POST", f"/sandbox/handsets/{self.handsets[channel]}/prompts/{transaction_id}", {"pin": pin})
        assert reply.status == 200, reply.body

    async def decline(self, channel: str, transaction_id: str) -> None:
        reply = await self.sandbox.delete(f"/sandbox/handsets/{self.handsets[channel]}/prompts/{transaction_id}")
        assert reply.status == 200, reply.body

    async def told(self, transaction_id: str) -> dict[str, Any]:
        """Wait for the callback of a direct call's transaction; return its body."""
        return await self._callback("$1 = body_json->'Data'->>'TransactionId'", transaction_id)

    async def told_of(self, checkout_id: UUID) -> dict[str, Any]:
        """Wait for the callback of a checkout; return its body."""
        return await self._callback("$1 = body_json->'Data'->>'CheckoutId'", str(checkout_id))

    async def _callback(self, condition: str, value: str) -> dict[str, Any]:
        sql = f"""
            SELECT body FROM (SELECT body, convert_from(body, 'UTF8')::jsonb AS body_json FROM callbacks.delivery
                              WHERE event LIKE 'checkout.%' OR event LIKE 'payments.%') d WHERE {condition}
        """
        async with asyncio.timeout(30):
            while True:
                rows = await self.hub.database.fetch(sql, value)
                if rows:
                    assert len(rows) == 1, "told twice"
                    body: dict[str, Any] = json.loads(rows[0]["body"])
                    return body
                await asyncio.sleep(0.02)

    async def status(self, **query: str) -> Mapping[str, Any]:
        """What the later status call says."""
        reply = await self.client.get(f"/transactions/{self.account}/status", **query)
        assert reply.status == 200, reply.body
        data: Mapping[str, Any] = reply.json["data"]
        return data


def make_shop(hub: Hub) -> Shop:
    """Return the merchant of the demonstration world."""
    mtn, vodafone, tigo, _, airtel, _ = hub.world["handsets"]
    numbers = {"mtn-gh": mtn, "vodafone-gh": vodafone, "tigo-gh": tigo, "airtel-gh": airtel}
    return Shop(hub, hub.demo("merchant"), hub.client("", "", extra_headers=_HOST),
                hub.world["merchant_account_number"], numbers)
