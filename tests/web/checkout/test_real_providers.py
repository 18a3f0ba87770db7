"""The whole program with MTN MoMo and Paystack in its settings: their doubles take the payments, notices are hints."""

import hashlib
import hmac
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import httpx
import pytest_asyncio

from tests.mtn_momo import double as momo
from tests.paystack import double as paystack
from tests.unity.hub import Hub, eventually, running_hub

URL = "http://127.0.0.1:8099"  # nothing listens there: the program is called from inside


@dataclass
class Street:
    """A shop, and the two providers."""

    hub: Hub
    client: httpx.AsyncClient
    momo: momo.MomoDouble
    paystack: paystack.PaystackDouble
    sales: int = 0

    async def begin(self, **fields: str) -> tuple[str, httpx.Response]:
        """Make a checkout and send its form; return its path and the answer."""
        self.sales += 1
        merchant = self.hub.world["clients"]["merchant"]
        made = await self.client.post("/v2/pos/onlinecheckout/items/initiate", auth=(
            merchant["client_id"], merchant["client_secret"]), json={
                "items": [{"name": "A book", "quantity": 1, "unitPrice": 50}], "totalAmount": 50,
                "description": "Books", "callbackUrl": "http://127.0.0.1:9/", "returnUrl": "https://shop.example/",
                "clientReference": f"r{self.sales}",
                "merchantAccountNumber": self.hub.world["merchant_account_number"]})
        path = "/checkout/" + made.json()["data"]["checkoutId"]
        token = re.search(r'name="token" value="([^"]+)"', (await self.client.get(path)).text)
        assert token is not None
        return path, await self.client.post(path + "/pay", data={"token": token[1], **fields})

    async def shows(self, path: str, words: str) -> None:
        """Wait until a page says something."""
        async def said() -> bool:
            return words in unescape((await self.client.get(path)).text)

        assert await eventually(said)


@pytest_asyncio.fixture
async def street(database_url: str, tmp_path: Path) -> AsyncIterator[Street]:
    async with momo.running_double() as mtn, paystack.running_double() as cards, running_hub(
            database_url, tmp_path, public_url=URL, mtn_momo_url=mtn.url, mtn_momo_collection_user=momo.USER,
            mtn_momo_collection_subscription_key=momo.KEYS["collection"], mtn_momo_collection_key=momo.API_KEY,
            paystack_url=cards.url, paystack_secret_key=paystack.SECRET_KEY) as hub:
        assert hub.runtime.asgi is not None
        transport = httpx.ASGITransport(hub.runtime.asgi)
        async with httpx.AsyncClient(transport=transport, base_url=URL,
                                     headers={"Accept-Language": "en"}) as client:
            yield Street(hub, client, mtn, cards)


async def test_mtn_momo_takes_mtn_and_the_sandbox_the_others(street: Street) -> None:
    path, answer = await street.begin(method="momo", number="+233241234567")
    assert answer.status_code == 303
    (_, reference), = street.momo.made
    assert street.momo.requests[0][2]["X-Callback-Url"] == f"{URL}/payments/mtn-momo/{reference}"
    # A callback that lies changes nothing: MTN is asked.
    await street.client.put(f"/payments/mtn-momo/{reference}", json={"status": "SUCCESSFUL"})
    await street.shows(path, "Approve on your phone")
    street.momo.outcome = {"status": "SUCCESSFUL", "financialTransactionId": "77"}

    async def told() -> bool:  # again and again, because a notice may come while the one before is dealt with
        await street.client.put(f"/payments/mtn-momo/{reference}", json={"status": "FAILED"})
        return "has received GHS" in (await street.client.get(path)).text

    assert await eventually(told)
    other, _ = await street.begin(method="momo", number=street.hub.world["handsets"][1])
    await street.shows(other, "Vodafone PIN")
    assert len(street.momo.made) == 1


async def test_paystack_takes_cards(street: Street) -> None:
    path, answer = await street.begin(method="card")
    assert answer.status_code == 200
    (reference, _), = street.paystack.transactions.items()
    assert f"https://checkout.paystack.com/{reference[:8]}" in answer.text
    street.paystack.outcome = {"status": "success", "authorization": {"last4": "4081"}}
    body = f'{{"event": "charge.success", "data": {{"reference": "{reference}"}}}}'.encode()
    signature = hmac.new(paystack.SECRET_KEY.encode(), body, hashlib.sha512).hexdigest()
    assert (await street.client.post("/payments/paystack", content=body)).status_code == 401
    assert (await street.client.post("/payments/paystack", content=body, headers={
        "x-paystack-signature": signature})).status_code == 200
    await street.shows(path, "Card ending in 4081")


async def test_the_customer_who_comes_back_sees_the_outcome_at_once(street: Street) -> None:
    path, _ = await street.begin(method="card")
    begun = next(body for _, place, _, body in street.paystack.requests if place == "/transaction/initialize")
    assert begun["callback_url"] == f"{URL}{path}/back"
    street.paystack.outcome = {"status": "failed", "gateway_response": "Insufficient Funds"}
    back = await street.client.get(path + "/back?trxref=x&reference=y", follow_redirects=True)
    assert "There is not enough money on the card." in back.text
