"""`hubtel` 0.0.4 from PyPI, with nothing changed but the base URL."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import hubtel
import pytest
import requests

from tests.clients.test_hubtelmobilepayment import approve
from tests.serving import Serving


@pytest.fixture
def client(server: Serving, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The client; it has its server's address written into every call."""
    class Moved:
        """`requests`, but the address."""

        @staticmethod
        def post(url: str, **options: Any) -> requests.Response:
            return requests.post(url.replace("https://api.hubtel.com", server.url), timeout=30, **options)

        @staticmethod
        def get(url: str, **options: Any) -> requests.Response:
            return requests.get(url.replace("https://api.hubtel.com", server.url), timeout=30, **options)

    monkeypatch.setattr(hubtel, "requests", Moved)
    merchant = server.world.merchant
    yield hubtel.Hubtel(merchant.client_id, merchant.client_secret, server.world.merchant_account_number)


def _receive(client: Any, server: Serving) -> Any:
    return client.receive("Kojo", server.world.handsets[0], "kojo@example.com", "mtn-gh", 50,
                          f"{server.url}/callbacks/receiver", "for lola rae", uuid4().hex[:10], fees=True)


def test_receive_status_refund_and_send(client: Any, server: Serving) -> None:
    answer = _receive(client, server)
    assert answer["ResponseCode"] == "0001", answer
    assert answer["Data"]["AmountCharged"] == 50.98  # the fees are the customer's
    transaction_id = answer["Data"]["TransactionId"]
    status = client.trans_status(hubtel_trans=transaction_id)
    assert (status["ResponseCode"], status["Data"][0]["TransactionCycle"][-1]["Status"]) == ("0000", "Pending")
    approve(server, server.world.handsets[0], transaction_id)
    status = client.trans_status(hubtel_trans=transaction_id)
    assert status["Data"][0]["TransactionCycle"][-1]["Status"] == "Success"
    assert client.trans_status(network_trans=status["Data"][0]["NetworkTransactionId"]) == status
    assert client.trans_status(invoice=status["Data"][0]["InvoiceToken"]) == status
    back = client.refund(transaction_id, "Over paid", uuid4().hex[:10], "description", 10, False)
    assert (back["ResponseCode"], back["Data"]["Amount"]) == ("0000", 10)
    sent = client.send("Ama", server.world.handsets[0], "ama@example.com", "mtn-gh", 5,
                       f"{server.url}/callbacks/receiver", "Change", uuid4().hex[:10])
    assert (sent["ResponseCode"], sent["Data"]["Amount"]) == ("0000", 5)


def test_what_a_send_costs(client: Any) -> None:
    assert client.smc("mtn-gh", 5)["Data"]["Charges"] == 0.1


def test_invoice(client: Any) -> None:
    """The client sends a form in which its items are lost."""
    client.add_to_items("Book", 2, 20.0)
    answer = client.create_invoice(40, "love", "http://shop.example/callback", "http://shop.example/",
                                   "http://shop.example/logo.png", uuid4().hex[:10])
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["checkoutUrl"].startswith("http://")


def test_unknown_transaction(client: Any) -> None:
    answer = client.trans_status(hubtel_trans=uuid4().hex)
    assert (answer["ResponseCode"], answer["Errors"][0]["Field"]) == ("4000", "HubtelTransactionId")
