"""Direct calls to wallets: every code of the document's table, refunds, payouts, and how it all stands."""

import json
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from makola.api.unity.payment_codes import MEANINGS, Code
from makola.core.checkout.service import closing
from makola.core.checkout.service.payments import start_payment
from makola.core.checkout.types import Channel, Failure, PaymentChoice
from tests.checkout.shop import CALLBACK, Shop


async def test_receive_answers_as_documented(shop: Shop) -> None:
    reply = await shop.receive("mtn-gh", Amount=0.8, ClientReference="pay1", FeesOnCustomer=True)
    assert reply.status == 200
    transaction_id = reply.json["Data"]["TransactionId"]
    assert reply.json == {
        "ResponseCode": "0001", "Message": MEANINGS[Code.ACCEPTED], "Data": {
            "TransactionId": transaction_id, "Description": MEANINGS[Code.ACCEPTED], "ClientReference": "pay1",
            "Amount": 0.8, "Charges": 0.02, "AmountAfterCharges": 0.8, "AmountCharged": 0.82,
            "ExternalTransactionId": reply.json["Data"]["ExternalTransactionId"]}}
    await shop.approve("mtn-gh", transaction_id)
    body = await shop.told(transaction_id)
    assert (body["ResponseCode"], body["Message"]) == ("0000", "success")
    assert (body["Data"]["Amount"], body["Data"]["Charges"], body["Data"]["AmountAfterCharges"]) == (0.8, 0.02, 0.8)


Prepare = Callable[[Shop], Awaitable[None]]


async def _nothing(shop: Shop) -> None:
    del shop


def _wallet(channel: str, **changes: object) -> Prepare:
    async def prepare(shop: Shop) -> None:
        await shop.wallet(channel, **changes)
    return prepare


def _off(channel: str) -> Prepare:
    async def prepare(shop: Shop) -> None:
        await shop.power(channel, "off")
    return prepare


@pytest.mark.parametrize(("channel", "prepare", "pin", "code"), [
    ("mtn-gh", _wallet("mtn-gh", balance=1), "1234", "2050"),
    ("mtn-gh", _wallet("mtn-gh", registered=False), None, "2051"),
    ("mtn-gh", _off("mtn-gh"), None, "2100"),
    ("airtel-gh", _off("airtel-gh"), None, "2100"),
    ("airtel-gh", _nothing, "9999", "2101"),
    ("airtel-gh", _wallet("airtel-gh", balance=1), "1234", "2102"),
    ("airtel-gh", _wallet("airtel-gh", registered=False), None, "2103"),
    ("tigo-gh", _wallet("tigo-gh", registered=False), None, "2152"),
    ("tigo-gh", _wallet("tigo-gh", limit_per_payment=5), None, "2153"),
    ("tigo-gh", _wallet("tigo-gh", limit_per_day=5), None, "2154"),
    ("vodafone-gh", _wallet("vodafone-gh", registered=False), None, "2201"),
    ("mtn-gh", _nothing, "9999", "2001"),
])
async def test_every_reason_why_a_payment_fails(shop: Shop, channel: str, prepare: Prepare, pin: str | None,
                                                code: str) -> None:
    await prepare(shop)
    try:
        reply = await shop.receive(channel)
        transaction_id = reply.json["Data"]["TransactionId"]
        if pin is None:
            assert reply.json["ResponseCode"] == code, reply.body
        else:
            assert reply.json["ResponseCode"] == "0001", reply.body
            await shop.approve(channel, transaction_id, pin)
        body = await shop.told(transaction_id)
        assert (body["ResponseCode"], body["Message"]) == (code, "failed")
        assert body["Data"]["Description"]
        assert (await shop.status(hubtelTransactionId=transaction_id))["status"] == "Unpaid"
    finally:
        await shop.power(channel, "on")
        await shop.wallet(channel, registered=True, balance=1000, limit_per_payment=5000, limit_per_day=10000)


async def test_recipient_who_is_not_registered(shop: Shop) -> None:
    await shop.received(amount=50)
    await shop.wallet("vodafone-gh", registered=False)
    reply = await shop.direct("send/mobilemoney", RecipientName="Kofi", RecipientMsisdn=shop.handsets["vodafone-gh"],
                              Channel="vodafone-gh", Amount=1, PrimaryCallbackUrl=CALLBACK, Description="Change")
    await shop.wallet("vodafone-gh", registered=True)
    assert reply.json["ResponseCode"] == "2200"
    assert (await shop.told(reply.json["Data"]["TransactionId"]))["ResponseCode"] == "2200"


async def test_declined(shop: Shop) -> None:
    transaction_id = (await shop.receive("mtn-gh")).json["Data"]["TransactionId"]
    await shop.decline("mtn-gh", transaction_id)
    assert (await shop.told(transaction_id))["ResponseCode"] == "2001"


async def test_the_same_call_again_asks_once(shop: Shop) -> None:
    first = await shop.receive("mtn-gh", ClientReference="again")
    second = await shop.receive("mtn-gh", ClientReference="again")
    assert second.json["Data"]["TransactionId"] == first.json["Data"]["TransactionId"]
    other = await shop.receive("mtn-gh", ClientReference="again", Amount=11)
    assert (other.status, other.json["ResponseCode"]) == (400, "4000")
    assert other.json["Errors"][0]["Field"] == "ClientReference"


@pytest.mark.parametrize(("change", "status", "code", "field"), [
    ({"Channel": "sika-gh"}, 403, "4103", "Channel"),
    ({"Channel": "card"}, 403, "4103", "Channel"),
    ({"CustomerMsisdn": "123"}, 400, "4000", "CustomerMsisdn"),
    ({"Amount": 0.01}, 400, "4070", "Amount"),
    ({"Amount": "x"}, 400, "4000", "Amount"),
    ({"Amount": None}, 400, "4000", "Amount"),
    ({"Amount": 2_000_000}, 400, "4000", "Amount"),
    ({"PrimaryCallbackUrl": ""}, 400, "4000", "PrimaryCallbackUrl"),
    ({"PrimaryCallbackUrl": "file:///etc/passwd"}, 400, "4000", "PrimaryCallbackUrl"),
    ({"ClientReference": "x" * 40}, 400, "4000", "ClientReference"),
    ({"Description": ""}, 400, "4000", "Description"),
    ({"Description": "x" * 2_001}, 400, "4000", "Description"),
    ({"Description": "Book \u202e00.05"}, 400, "4000", "Description"),
])
async def test_receive_refuses(shop: Shop, change: dict[str, object], status: int, code: str, field: str) -> None:
    reply = await shop.receive("mtn-gh", **change)
    assert (reply.status, reply.json["ResponseCode"]) == (status, code), reply.body
    assert [error["Field"] for error in reply.json["Errors"]] == [field]


async def test_refunds_in_parts_until_nothing_is_left(shop: Shop) -> None:
    await shop.received(amount=30)  # what pays the fees of what is paid back whole
    transaction_id = await shop.received(amount=20)

    async def refund(**values: object) -> tuple[int, str]:
        reply = await shop.direct("transactions/refund", TransactionId=transaction_id, Reason="Over paid", **values)
        return reply.status, reply.json["ResponseCode"]

    assert await refund(Amount=5, Full=False, ClientReference="back1") == (200, "0000")
    assert await refund(Amount=5, Full=False, ClientReference="back1") == (200, "0000")
    assert await refund(Amount=6, Full=False, ClientReference="back1") == (400, "4000")
    assert (await shop.status(hubtelTransactionId=transaction_id))["status"] == "Paid"
    assert await refund(Amount=15.01) == (400, "4000")
    assert await refund(Full="True", Amount=1) == (200, "0000")
    assert (await shop.status(hubtelTransactionId=transaction_id))["status"] == "Refunded"
    assert await refund(Amount=0.5) == (400, "4000")
    query = await shop.client.get(f"/v1/merchantaccount/merchants/{shop.account}/transactions/status",
                                  hubtelTransactionId=transaction_id, invoiceToken="None")
    cycle = [step["Status"] for step in query.json["Data"][0]["TransactionCycle"]]
    assert cycle == ["Pending", "Success", "Refunded", "Refunded"]


async def test_refund_of_what_is_not_there(shop: Shop) -> None:
    for wrong in (uuid4().hex, "e8erU8Y383Uilfwrnv333", ""):
        reply = await shop.direct("transactions/refund", TransactionId=wrong, Full=True)
        assert (reply.status, reply.json["ResponseCode"]) == (404, "4000")
    open_one = (await shop.receive("mtn-gh")).json["Data"]["TransactionId"]
    reply = await shop.direct("transactions/refund", TransactionId=open_one, Full=True)
    assert (reply.status, reply.json["Errors"][0]["Field"]) == (400, "TransactionId")


async def test_what_does_not_exist(shop: Shop) -> None:
    reply = await shop.client.get(f"/transactions/{shop.account}/status", clientReference="never")
    assert (reply.status, reply.json["ResponseCode"]) == (404, "4000")
    reply = await shop.client.get("/transactions/HM0000000000/status", clientReference="never")
    assert (reply.status, reply.json["ResponseCode"]) == (404, "3900")
    stranger = shop.hub.demo("penniless")
    reply = await stranger.get(f"/transactions/{shop.account}/status", clientReference="never")
    assert (reply.status, reply.json["ResponseCode"]) == (403, "4105")


async def test_status_by_every_id(shop: Shop) -> None:
    reference = uuid4().hex[:10]
    checkout_id = await shop.checkout(clientReference=reference)
    assert await shop.status(clientReference=reference) == {
        **await shop.status(clientReference=reference), "status": "Unpaid", "transactionId": "", "amount": 100,
        "clientReference": reference, "currencyCode": "GHS", "isFulfilled": None}
    started = await start_payment(shop.desk, checkout_id, PaymentChoice(Channel.MTN, shop.handsets["mtn-gh"]))
    await shop.approve("mtn-gh", started.payment.transaction_id.hex)
    await shop.told_of(checkout_id)
    paid = await shop.status(clientReference=reference)
    assert (paid["status"], paid["paymentMethod"], paid["amountAfterCharges"]) == ("Paid", "mobilemoney", 98.05)
    assert await shop.status(hubtelTransactionId=paid["transactionId"]) == paid
    assert await shop.status(networkTransactionId=paid["externalTransactionId"]) == paid
    path = f"/v1/merchantaccount/merchants/{shop.account}/transactions/status"
    for query in ({"checkoutId": checkout_id.hex}, {"invoiceToken": str(checkout_id)}, {"clientReference": reference}):
        none = {"hubtelTransactionId": "None", "networkTransactionId": "None"}
        reply = await shop.client.get(path, **none, **query)
        assert reply.json["ResponseCode"] == "0000"
        found, = reply.json["Data"]
        assert (found["TransactionStatus"], found["ClientReference"]) == ("Success", reference)
        assert [step["Status"] for step in found["TransactionCycle"]] == ["Pending", "Success"]


async def test_callback_of_a_payment_is_the_sample(shop: Shop) -> None:
    """Names, their order and their kinds, to the byte."""
    checkout_id = await shop.checkout(totalAmount=600, items=[{"name": "A", "quantity": 1, "unitPrice": 600}],
                                      clientReference="9246158385")
    started = await start_payment(shop.desk, checkout_id, PaymentChoice(Channel.MTN, shop.handsets["mtn-gh"]))
    await shop.approve("mtn-gh", started.payment.transaction_id.hex)
    body = await shop.told_of(checkout_id)
    number = shop.handsets["mtn-gh"]
    sales_invoice_id = body["Data"]["SalesInvoiceId"]
    token, _, stamp = sales_invoice_id.partition("-")
    assert UUID(token).hex == token
    assert (len(stamp), stamp.isdigit()) == (17, True)
    raw = await shop.hub.database.fetchrow(
        "SELECT body, method, content_type FROM callbacks.delivery WHERE subject_id = $1", checkout_id)
    assert raw is not None
    assert (raw["method"], raw["content_type"]) == ("POST", "application/json")
    assert raw["body"].decode() == json.dumps({
        "ResponseCode": "0000", "Status": "Success", "Data": {
            "CheckoutId": str(checkout_id), "SalesInvoiceId": sales_invoice_id, "ClientReference": "9246158385",
            "Status": "Success", "Amount": 600, "CustomerPhoneNumber": number,
            "PaymentDetails": {"MobileMoneyNumber": number, "PaymentType": "MobileMoney"},
            "Description": "Invoice paid successfully"}}, separators=(",", ":"))


async def test_callback_of_an_order_is_the_sample(shop: Shop) -> None:
    checkout_id = await shop.checkout(totalAmount=1, items=[{"name": "A", "quantity": 1, "unitPrice": 1}],
                                      clientReference="32weqewa")
    await closing.order_pay_on_delivery(shop.desk, checkout_id, "+233243019231")
    body = await shop.told_of(checkout_id)
    raw = await shop.hub.database.fetchval("SELECT body FROM callbacks.delivery WHERE subject_id = $1", checkout_id)
    data = body["Data"]
    assert (len(data["OrderNumber"]), data["OrderNumber"].isdigit()) == (7, True)
    assert UUID(data["OrderToken"].partition("-")[0]).version == 4
    assert raw.decode() == json.dumps({
        "ResponseCode": "0002", "Status": "Success", "Data": {
            "CheckoutId": str(checkout_id), "SalesInvoiceId": data["SalesInvoiceId"], "ClientReference": "32weqewa",
            "Status": "Ordered", "Amount": 1.0, "CustomerPhoneNumber": "+233243019231", "PaymentDetails": None,
            "Description": "customer has placed an order", "OrderNumber": data["OrderNumber"],
            "OrderToken": data["OrderToken"]}}, separators=(",", ":"))


async def test_callback_of_what_was_not_paid(shop: Shop) -> None:
    """A page's customer may try again: the merchant is told once, at the end, with the last reason."""
    checkout_id = await shop.checkout()
    started = await start_payment(shop.desk, checkout_id, PaymentChoice(Channel.AIRTEL, shop.handsets["airtel-gh"]))
    await shop.approve("airtel-gh", started.payment.transaction_id.hex, "9999")
    async with shop.hub.database.transaction() as connection:
        await connection.execute("UPDATE checkout.transaction SET due_at = now() WHERE id = $1",
                                 started.payment.transaction_id)
    for _ in range(200):
        code = await shop.hub.database.fetchval("SELECT failure_code FROM checkout.invoice WHERE id = $1", checkout_id)
        if code:
            break
        await closing.expire_due(shop.desk)
    assert code == Failure.AIRTEL_WRONG_PIN
    assert not await shop.hub.database.fetchval(
        "SELECT count(*) FROM callbacks.delivery WHERE subject_id = $1", checkout_id)
    await closing.cancel(shop.desk, checkout_id)
    body = await shop.told_of(checkout_id)
    assert (body["ResponseCode"], body["Status"], body["Data"]["Status"]) == ("2101", "Failed", "Cancelled")
    assert body["Data"]["Description"] == MEANINGS[Code.AIRTEL_WRONG_PIN]
    untouched = await shop.checkout()
    await closing.cancel(shop.desk, untouched)
    body = await shop.told_of(untouched)
    assert (body["ResponseCode"], body["Data"]["Status"], body["Data"]["PaymentDetails"]) == (
        "2001", "Cancelled", None)


async def test_charges_of_a_send(shop: Shop) -> None:
    reply = await shop.client.form("POST", f"/v1/merchantaccount/merchants/{shop.account}/charges/mobile/send",
                                   channel="mtn-gh", amount="5")
    assert reply.json["Data"] == {"Channel": "mtn-gh", "Amount": 5, "Charges": 0.1, "AmountCharged": 5.1}


@pytest.mark.parametrize(("amount", "code"), [(-5, "4070"), (0, "4070"), (1.001, "4000"), (None, "4000")])
async def test_charges_of_what_cannot_be_sent(shop: Shop, amount: object, code: str) -> None:
    reply = await shop.direct("charges/mobile/send", Channel="mtn-gh", Amount=amount)
    assert (reply.status, reply.json["ResponseCode"]) == (400, code)
