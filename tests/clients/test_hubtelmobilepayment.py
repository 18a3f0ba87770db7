"""`hubtelmobilepayment` from npm, with nothing changed but the base URL."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.clients.conftest import eventually
from tests.serving import Serving

pytestmark = pytest.mark.skipif(
    os.environ.get("MAKOLA_TEST_SKIP_NODE") == "1", reason="MAKOLA_TEST_SKIP_NODE is set: there is no Node.js")

_DRIVER = Path(__file__).with_name("node") / "payments.js"

Json = dict[str, Any]

#: The client's own example: a list of prices whose totals are not all filled in.
_INVOICE = {
    "invoice": {
        "items": {
            "item_0": {"name": "T Shirt", "quantity": 2, "unit_price": "35.0", "total_price": "70.0",
                       "description": "Order of 2 Shirts"},
            "item_1": {"name": "Polo Shirt", "quantity": 1, "unit_price": "25.0", "total_price": "0.0",
                       "description": "Order of 1 Polo Shirt"},
            "item_2": {"name": "Old Navy Jeans", "quantity": 1, "unit_price": "25.0", "total_price": "0.0",
                       "description": ""}},
        "taxes": {}, "total_amount": 120, "description": "Description of the invoice here"},
    "store": {"name": "T Shirt Company", "tagline": "Tagline of the online store",
              "postal_address": "Box 10770 Accra - Ghana", "phone": "233244124660",
              "logo_url": "http://www.freepngimg.com/download/free/9-2-free-free-download-png.png",
              "website_url": "http://example.com"},
    "custom_data": {}, "actions": {"cancel_url": "http://example.com", "return_url": "http://example.com"}}


class Payments:
    """The client in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]", server: Serving) -> None:
        self._process = process
        self.server = server

    def call(self, method: str, value: object) -> Json:
        """Call a method of the client; return what it answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([method, value]) + "\n")
        self._process.stdin.flush()
        answer: Json = json.loads(self._process.stdout.readline())
        return answer

    def receive(self, **changes: object) -> Json:
        """Ask the first handset for money, as the client's example does."""
        return self.call("ReceiveMobileMoney", {
            "CustomerName": "Customer Name", "CustomerMsisdn": self.handset.removeprefix("+"),
            "CustomerEmail": "customeremail@gmail.com", "Channel": "mtn-gh", "Amount": 50.8,
            "PrimaryCallbackUrl": f"{self.server.url}/callbacks/receiver", "Description": "T Shirt"} | changes)

    @property
    def handset(self) -> str:
        return self.server.world.handsets[0]

    def paid(self) -> str:
        """Receive money that is approved on the handset; return the transaction's id."""
        transaction_id: str = self.receive()["Data"]["TransactionId"]
        approve(self.server, self.handset, transaction_id)
        return transaction_id


def approve(server: Serving, handset: str, transaction_id: str) -> None:
    """Approve a prompt and wait until the hub knows."""
    answer = requests.post(f"{server.url}/sandbox/handsets/{handset}/prompts/{transaction_id}", json={"pin": "1234"},
                           timeout=30)
    assert answer.status_code == 200, answer.text
    url = f"{server.url}/transactions/{server.world.merchant_account_number}/status"
    eventually(lambda: requests.get(url, params={"hubtelTransactionId": transaction_id}, timeout=30,
                                    auth=server.world.merchant.pair).json()["data"]["status"],
               lambda status: status == "Paid")


@pytest.fixture
def payments(server: Serving) -> Iterator[Payments]:
    """The client with the merchant's credentials."""
    node = shutil.which("node") or shutil.which("nodejs")
    assert node is not None, "Node.js is missing; ./dev test installs it, or says that these tests are skipped"
    merchant = server.world.merchant
    variables = {"BASE_URL": server.url, "CLIENT_ID": merchant.client_id, "CLIENT_SECRET": merchant.client_secret,
                 "ACCOUNT": server.world.merchant_account_number, "PATH": os.environ["PATH"]}
    with subprocess.Popen([node, "--no-deprecation", str(_DRIVER)], env=variables, text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        yield Payments(process, server)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def test_receive(payments: Payments) -> None:
    answer = payments.receive()
    assert (answer["ResponseCode"], answer["Data"]["Amount"], answer["Data"]["AmountCharged"]) == ("0001", 50.8, 50.8)
    refused = payments.receive(Channel="sika-gh")
    assert refused["ResponseCode"] == "4103"


def test_refund(payments: Payments) -> None:
    payments.paid()
    transaction_id = payments.paid()
    answer = payments.call("RefundMoney", {
        "RecipientMsisdn": payments.handset, "RecipientName": "Grace Nartey", "Channel": "mtn-gh",
        "PrimaryCallbackUrl": f"{payments.server.url}/callbacks/receiver", "TransactionId": transaction_id,
        "Reason": "Over paid for the item", "ClientReference": "39UyW83iu23", "Description": "description here",
        "Amount": 0.5, "Full": True})
    assert (answer["ResponseCode"], answer["Data"]["Amount"]) == ("0000", 50.8)


def test_send(payments: Payments) -> None:
    payments.paid()
    answer = payments.call("SendMobileMoney", {
        "RecipientName": "Recipient Name", "RecipientMsisdn": payments.handset, "CustomerEmail": "r@gmail.com",
        "Channel": "mtn-gh", "Amount": 0.5, "PrimaryCallbackUrl": f"{payments.server.url}/callbacks/receiver",
        "SecondaryCallbackUrl": "", "Description": "2 boxes of biscuits", "ClientReference": "10652132"})
    assert (answer["ResponseCode"], answer["Data"]["Charges"]) == ("0000", 0.1)


def test_online_checkout_and_its_status(payments: Payments) -> None:
    answer = payments.call("Onlinecheckout", _INVOICE)
    assert answer["response_code"] == "00"
    assert urlsplit(answer["response_text"]).path.startswith("/checkout/")
    status = payments.call("Checkstatus", answer["token"])
    assert (status["response_code"], status["status"], status["invoice"]["total_amount"]) == ("00", "pending", 120)
