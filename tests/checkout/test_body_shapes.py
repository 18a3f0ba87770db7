"""Values of another kind than they should be: each is refused under the name that the call has for it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import pytest

from makola.api.unity.payment_errors import checkout_refusal, direct_refusal, invoice_refusal
from makola.core.checkout.errors import InvalidCheckoutError
from tests.checkout.shop import CALLBACK, INITIATE, Shop
from tests.unity.asgi_client import Reply

_KINDS: tuple[object, ...] = ([], {}, True, [None], {"a": {"b": [1]}})
_TEXTS: tuple[object, ...] = (*_KINDS, 1.5, "a\0b")
_LINKS: tuple[object, ...] = (*_TEXTS, "javascript:alert(1)", "http://[", "http://a b/",
                              "http://x.example/" + "y" * 5_000)
_AMOUNTS: tuple[object, ...] = (*_KINDS, "x", "NaN", "Infinity", 1e30, 10**19, "1e400", "1" * 40, "\0")
_FLAGS: tuple[object, ...] = ([], {}, [None], {"a": 1}, 2, 1.5, "x", "\0")
_LISTS: tuple[object, ...] = (True, 1.5, "abc", "\0", {"a": 1}, "[1", [1], [[[]]], [None])

_URL = "http://shop.example/there"
_INITIATE: Mapping[str, Sequence[object]] = {
    "items": _LISTS, "items.0.name": _TEXTS, "items.0.quantity": (*_AMOUNTS, 1.5, -1), "items.0.unitPrice": _AMOUNTS,
    "items.0.itemImageUrl": _LINKS, "items.0.description": _TEXTS, "totalAmount": _AMOUNTS, "description": _TEXTS,
    "callbackUrl": _LINKS, "returnUrl": _LINKS, "cancellationUrl": _LINKS, "merchantBusinessLogoUrl": _LINKS,
    "merchantAccountNumber": _KINDS, "clientReference": _TEXTS}
_PAYEE: Mapping[str, Sequence[object]] = {"payeeName": _TEXTS, "payeeMobileNumber": _TEXTS, "payeeEmail": _TEXTS}
_INVOICE: Mapping[str, Sequence[object]] = {
    "invoice": (True, 1.5, "x", [1]), "store": (True, 1.5, "x", [1]), "actions": (True, 1.5, "x", [1]),
    "invoice.items": (True, 1.5, "abc", "[]", [1], {"a": 1}), "invoice.items.0.name": _TEXTS,
    "invoice.items.0.quantity": (*_AMOUNTS, -1), "invoice.items.0.unit_price": _AMOUNTS,
    "invoice.items.0.description": _TEXTS, "invoice.taxes": (True, 1.5, "x", [{}], {"vat": []}, {"vat": -1}),
    "invoice.total_amount": _AMOUNTS, "invoice.description": _TEXTS, "store.logo_url": _LINKS,
    "actions.cancel_url": _LINKS, "actions.return_url": _LINKS, "actions.callback_url": _LINKS}
_RECEIVE: Mapping[str, Sequence[object]] = {
    "CustomerName": _TEXTS, "CustomerMsisdn": _TEXTS, "CustomerEmail": _TEXTS, "Channel": _KINDS, "Amount": _AMOUNTS,
    "PrimaryCallbackUrl": _LINKS, "SecondaryCallbackUrl": _LINKS, "Description": _TEXTS, "ClientReference": _TEXTS,
    "FeesOnCustomer": _FLAGS}
_SEND: Mapping[str, Sequence[object]] = {
    "RecipientName": _TEXTS, "RecipientMsisdn": _TEXTS, "Channel": _KINDS, "Amount": _AMOUNTS, "Description": _TEXTS,
    "PrimaryCallbackUrl": _LINKS, "SecondaryCallbackUrl": _LINKS, "ClientReference": _TEXTS}
_REFUND: Mapping[str, Sequence[object]] = {
    "TransactionId": _KINDS, "Reason": _TEXTS, "ClientReference": _TEXTS, "Amount": _AMOUNTS, "Full": _FLAGS,
    "PrimaryCallbackUrl": _LINKS}
_CHARGES: Mapping[str, Sequence[object]] = {"Channel": _KINDS, "Amount": _AMOUNTS}
_MERCHANT: Mapping[str, Sequence[object]] = {
    "Name": _TEXTS, "SweepChannel": _TEXTS, "SweepNumber": _TEXTS, "SweepName": _TEXTS, "PayOnDelivery": _FLAGS,
    "FeesOnCustomer": _FLAGS}
_DOCUMENT: Mapping[str, Sequence[object]] = {"Kind": _TEXTS, "FileName": _KINDS, "Content": (*_TEXTS, "\u20ac", "A")}
_PAYOUT: Mapping[str, Sequence[object]] = {"Amount": _AMOUNTS, "ClientReference": _TEXTS}

_CALLS: Mapping[str, tuple[str, Mapping[str, Sequence[object]]]] = {
    INITIATE: ("POST", _INITIATE), "/items/initiate": ("POST", {**_INITIATE, **_PAYEE}),
    "/v1/merchantaccount/onlinecheckout/invoice/create": ("POST", _INVOICE),
    "{account}/receive/mobilemoney": ("POST", _RECEIVE), "{account}/send/mobilemoney": ("POST", _SEND),
    "{account}/transactions/refund": ("POST", _REFUND), "{account}/charges/mobile/send": ("POST", _CHARGES),
    "{account}/payouts": ("POST", _PAYOUT), "{account}/documents": ("POST", _DOCUMENT), "{account}": ("PUT", _MERCHANT)}


def _body(shop: Shop, path: str, payment_id: str) -> dict[str, Any]:
    """A request that nothing is wrong with."""
    number = shop.handsets["mtn-gh"]
    reference = uuid4().hex[:10]
    money = {"Channel": "mtn-gh", "Amount": 1, "PrimaryCallbackUrl": CALLBACK, "SecondaryCallbackUrl": CALLBACK,
             "Description": "T Shirt", "ClientReference": reference}
    return {
        "create": {"invoice": {"items": [{"name": "Shirt", "quantity": 2, "unit_price": "35.0", "description": "Two"}],
                               "taxes": {"vat": 5}, "total_amount": 75, "description": "Shirts"},
                   "store": {"logo_url": _URL},
                   "actions": {"cancel_url": _URL, "return_url": _URL, "callback_url": CALLBACK}},
        "initiate": shop.request(
            items=[{"name": "Book", "quantity": 2, "unitPrice": 50, "itemImageUrl": _URL, "description": "New"}],
            payeeName="Ama", payeeMobileNumber=number, payeeEmail="ama@example.com"),
        "mobilemoney": money | {"CustomerName": "Ama", "CustomerMsisdn": number, "CustomerEmail": "ama@example.com",
                                "RecipientName": "Ama", "RecipientMsisdn": number, "FeesOnCustomer": False},
        "refund": {"TransactionId": payment_id, "Reason": "Damaged", "Amount": 0.5, "Full": False,
                   "ClientReference": reference, "PrimaryCallbackUrl": CALLBACK},
        "send": money,
        "{account}": {"Name": "Shop", "SweepChannel": "mtn-gh", "SweepNumber": number, "SweepName": "Ama",
                      "PayOnDelivery": True, "FeesOnCustomer": False},
        "documents": {"Kind": "other", "FileName": "paper.pdf", "Content": "JVBERi0xLjQKJSVFT0Y="},
        "payouts": {"Amount": 1, "ClientReference": reference},
    }[path.rpartition("/")[2]]


def _changed(given: Any, field: str, value: object) -> Any:
    first, _, rest = field.partition(".")
    place = int(first) if isinstance(given, list) else first
    inner = _changed(given[place], rest, value) if rest else value
    return [inner, *given[1:]] if isinstance(given, list) else {**given, place: inner}


async def _send(shop: Shop, path: str, body: object) -> Reply:
    account = f"/v1/merchantaccount/merchants/{shop.account}"
    return await shop.client.request(_CALLS[path][0], path.format(account=account), json.dumps(body).encode(),
                                     "application/json")


def _refused(reply: Reply) -> tuple[str, list[str]]:
    answer: dict[str, Any] = {name.lower().replace("_", ""): value for name, value in reply.json.items()}
    return answer["responsecode"], [one.get("field") or one.get("Field") for one in answer["errors"]]


@pytest.mark.parametrize("path", _CALLS)
async def test_values_of_another_kind_are_refused_under_their_names(shop: Shop, path: str) -> None:
    payment_id = await shop.received(amount=30)
    for field, values in _CALLS[path][1].items():
        name = field.replace(".0", "[0]")
        for value in values:
            reply = await _send(shop, path, _changed(_body(shop, path, payment_id), field, value))
            code, fields = _refused(reply)
            assert (reply.status, code) == (400, "4000"), (field, value, reply.body)
            assert len(fields) == 1, (field, value, reply.body)
            assert fields[0].startswith(name), (field, value, reply.body)
    right = await _send(shop, path, _body(shop, path, payment_id))
    assert right.status in {200, 201}, right.body


@pytest.mark.parametrize("raw", [
    b"NaN", b"Infinity", b"1e999", b"1" * 5_000, b'"\\ud800"', b'"\\u12"', b"[" * 100_000, b"\xff"])
async def test_what_is_no_json_is_refused(shop: Shop, raw: bytes) -> None:
    for path in _CALLS:
        account = f"/v1/merchantaccount/merchants/{shop.account}"
        reply = await shop.client.request(_CALLS[path][0], path.format(account=account), b'{"items": ' + raw + b"}",
                                          "application/json")
        assert (reply.status, _refused(reply)[0]) == (400, "4000"), (path, reply.body)
        assert b"not valid JSON" in reply.body


async def test_a_form_has_the_text_of_a_list(shop: Shop) -> None:
    """What has no list in a form is the total as one item; in JSON it is a mistake."""
    given = shop.request(items='[{"name": "Book", "quantity": 1, "unitPrice": 100}]')
    assert (await shop.client.form("POST", INITIATE, **given)).status == 200
    assert (await shop.client.send_json("POST", INITIATE, shop.request(items=given["items"]))).status == 200
    assert (await shop.client.form("POST", INITIATE, **shop.request(items="abc"))).status == 200
    code, fields = _refused(await shop.client.send_json("POST", INITIATE, shop.request(items="abc")))
    assert (code, fields) == ("4000", ["items"])


@pytest.mark.parametrize(("field", "checkout", "invoice", "direct"), [
    ("items[3].unit_units", "items[3].unitPrice", "invoice.items[3].unit_price", "Items[3].UnitPrice"),
    ("items[0].image_url", "items[0].itemImageUrl", "invoice.items[0].item_image_url", "Items[0].ItemImageUrl"),
    ("total_units", "totalAmount", "invoice.total_amount", "TotalUnits"),
    ("payee_number", "payeeMobileNumber", "payee_number", "PayeeNumber"),
    ("logo_url", "merchantBusinessLogoUrl", "store.logo_url", "LogoUrl"),
    ("callback_url", "callbackUrl", "actions.callback_url", "PrimaryCallbackUrl"),
    ("amount_units", "amountUnits", "amount_units", "Amount"),
    ("name", "name", "name", "RecipientName"),
    ("actions.return_url", "actions.returnUrl", "actions.return_url", "Actions.ReturnUrl"),
])
def test_the_names_of_the_core_are_written_as_each_call_has_them(field: str, checkout: str, invoice: str,
                                                                 direct: str) -> None:
    error = InvalidCheckoutError("This is wrong.", field=field)
    answers = (checkout_refusal(error), invoice_refusal(error), direct_refusal(name="recipient_name")(error))
    written = [json.loads(answer.body) for answer in answers]
    assert [one["errors"][0]["field"] for one in written[:2]] == [checkout, invoice]
    assert written[2]["Errors"][0]["Field"] == direct
