"""The checkout call in its three generations: the documents' requests, answers and refusals."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from makola.api.unity.payment_errors import TABLE
from makola.core.checkout.service.merchants import create_merchant_account, suspend
from tests.checkout.shop import BASE_URL, CALLBACK, INITIATE, Shop


async def test_documented_request_gets_the_documented_answer(shop: Shop) -> None:
    reply = await shop.initiate(clientReference="inv0012")
    assert reply.status == 200
    checkout_id = reply.json["data"]["checkoutId"]
    assert str(UUID(checkout_id)) == checkout_id
    assert reply.body.decode() == (
        '{"responseCode":null,"status":"Success","data":{"checkoutUrl":"' + BASE_URL + '/checkout/' + checkout_id
        + '","checkoutId":"' + checkout_id + '","clientReference":"inv0012","message":""}}')


async def test_third_generation(shop: Shop) -> None:
    reply = await shop.client.send_json("POST", "/items/initiate", shop.request(
        payeeName="Ama", payeeMobileNumber="0244123456", payeeEmail="ama@example.com"))
    assert reply.status == 200, reply.body
    assert (reply.json["responseCode"], reply.json["status"]) == ("0000", "Success")
    data = reply.json["data"]
    assert data["checkoutDirectUrl"] == f"{data['checkoutUrl']}/direct"
    assert UUID(data["checkoutId"]).hex == data["checkoutId"]


async def test_first_generation(shop: Shop) -> None:
    invoice: dict[str, Any] = {
        "invoice": {"items": {"item_0": {"name": "T Shirt", "quantity": 2, "unit_price": "35.0", "total_price": "70.0",
                                         "description": "Two shirts"},
                              "item_1": {"name": "Polo", "quantity": 1, "unit_price": "25.0"}},
                    "taxes": {"vat": 5, "other": {"name": "Levy", "amount": "1.50"}}, "total_amount": 101.5,
                    "description": "Shirts"},
        "store": {"name": "Shirts", "logo_url": "http://example.com/logo.png"}, "custom_data": {"order": [7]},
        "actions": {"cancel_url": "http://example.com/no", "return_url": "http://example.com/yes"}}
    made = await shop.client.send_json("POST", "/v1/merchantaccount/onlinecheckout/invoice/create", invoice)
    assert made.status == 200, made.body
    assert list(made.json) == ["response_code", "response_text", "description", "token"]
    token = made.json["token"]
    assert (made.json["response_code"], made.json["response_text"]) == (
        "00", f"{BASE_URL}/checkout/{UUID(token)}")
    status = (await shop.client.get(f"/v1/merchantaccount/onlinecheckout/invoice/status/{token}")).json
    assert (status["response_code"], status["status"], status["custom_data"]) == ("00", "pending", {"order": [7]})
    assert status["invoice"]["items"]["item_0"]["total_price"] == 70
    unknown = await shop.client.get(f"/v1/merchantaccount/onlinecheckout/invoice/status/{uuid4().hex}")
    assert (unknown.status, unknown.json["response_code"]) == (404, "4000")
    wrong = await shop.client.send_json("POST", "/v1/merchantaccount/onlinecheckout/invoice/create",
                                        {"invoice": {**invoice["invoice"], "total_amount": 100}})
    assert (wrong.status, wrong.json["response_code"]) == (400, "4000")
    assert "1.50" in wrong.json["response_text"]


async def test_form_of_a_client_that_loses_the_items(shop: Shop) -> None:
    """`hubtel` 0.0.4 posts a form whose items are only their names."""
    body = (f"items=name&items=quantity&totalAmount=40&description=love&callbackUrl={CALLBACK}"
            f"&returnUrl=http://x.example/&merchantBusinessLogoUrl=http://logo.example"
            f"&merchantAccountNumber={shop.account}&clientReference={uuid4().hex}")
    reply = await shop.client.request("POST", "/v2/pos/onlinecheckout", body.encode(),
                                      "application/x-www-form-urlencoded")
    assert reply.status == 200, reply.body
    assert reply.json["status"] == "Success"


async def test_names_in_any_case_and_unit_price(shop: Shop) -> None:
    reply = await shop.client.send_json("POST", "/v2/pos//onlinecheckout/items/initiate/", {
        name.upper(): value for name, value in shop.request(
            items=[{"Name": "Book", "QUANTITY": "2", "unit_price": "50.00", "itemImageUrl": "http://x.example/a.png"}],
            totalAmount="100").items()})
    assert reply.status == 200, reply.body


@pytest.mark.parametrize(("change", "status", "code", "field"), [
    ({"items": None}, 400, "4000", "items"),
    ({"items": []}, 400, "4000", "items"),
    ({"items": "[1"}, 400, "4000", "items"),
    ({"items": "[" * 20_000}, 400, "4000", "items"),
    ({"items": [5]}, 400, "4000", "items[0]"),
    ({"items": [{"name": "", "quantity": 1, "unitPrice": 100}]}, 400, "4000", "items[0].name"),
    ({"items": [{"name": "Book", "quantity": 0, "unitPrice": 100}]}, 400, "4000", "items[0].quantity"),
    ({"items": [{"name": "Book", "quantity": 1.5, "unitPrice": 100}]}, 400, "4000", "items[0].quantity"),
    ({"items": [{"name": "Book", "quantity": 1}]}, 400, "4000", "items[0].unitPrice"),
    ({"items": [{"name": "Book", "quantity": 1, "unitPrice": -100}]}, 400, "4000", "items[0].unitPrice"),
    ({"items": [{"name": "Book", "quantity": 1, "unitPrice": 100, "itemImageUrl": "x:y"}]}, 400, "4000",
     "items[0].itemImageUrl"),
    ({"totalAmount": None}, 400, "4000", "totalAmount"),
    ({"totalAmount": "a lot"}, 400, "4000", "totalAmount"),
    ({"totalAmount": True}, 400, "4000", "totalAmount"),
    ({"totalAmount": 100.00001}, 400, "4000", "totalAmount"),
    ({"totalAmount": 99.99}, 400, "4000", "totalAmount"),
    ({"totalAmount": 1e300}, 400, "4000", "totalAmount"),
    ({"totalAmount": "1e999999999"}, 400, "4000", "totalAmount"),
    ({"totalAmount": "1_00"}, 400, "4000", "totalAmount"),
    ({"totalAmount": "\u0661\u0660\u0660"}, 400, "4000", "totalAmount"),
    ({"items": [{"name": "Book", "quantity": "1_0", "unitPrice": 10}]}, 400, "4000", "items[0].quantity"),
    ({"totalAmount": 100.005, "items": [{"name": "Book", "quantity": 1, "unitPrice": 100.005}]}, 400, "4000",
     "totalAmount"),
    ({"totalAmount": 2_000_000, "items": [{"name": "Car", "quantity": 1, "unitPrice": 2_000_000}]}, 400, "4000",
     "totalAmount"),
    ({"totalAmount": 0.05, "items": [{"name": "Pin", "quantity": 1, "unitPrice": 0.05}]}, 400, "4070", "totalAmount"),
    ({"totalAmount": 0}, 400, "4070", "totalAmount"),
    ({"totalAmount": -100}, 400, "4070", "totalAmount"),
    ({"description": None}, 400, "4000", "description"),
    ({"description": " "}, 400, "4000", "description"),
    ({"callbackUrl": None}, 400, "4000", "callbackUrl"),
    ({"callbackUrl": "ftp://shop.example"}, 400, "4000", "callbackUrl"),
    ({"returnUrl": None}, 400, "4000", "returnUrl"),
    ({"returnUrl": "javascript:alert(1)"}, 400, "4000", "returnUrl"),
    ({"cancellationUrl": "javascript:alert(1)"}, 400, "4000", "cancellationUrl"),
    ({"merchantBusinessLogoUrl": "data:text/html,x"}, 400, "4000", "merchantBusinessLogoUrl"),
    ({"merchantAccountNumber": None}, 400, "4000", "merchantAccountNumber"),
    ({"merchantAccountNumber": "HM0000000000"}, 404, "3900", "merchantAccountNumber"),
    ({"clientReference": ""}, 400, "4000", "clientReference"),
    ({"clientReference": "x" * 37}, 400, "4000", "clientReference"),
    ({"clientReference": "a\0b"}, 400, "4000", "clientReference"),
])
async def test_what_cannot_be_is_refused_with_its_field(shop: Shop, change: dict[str, object], status: int, code: str,
                                                        field: str) -> None:
    reply = await shop.initiate(**change)
    assert (reply.status, reply.json["responseCode"]) == (status, code), reply.body
    assert list(reply.json) == ["responseCode", "status", "message", "errors", "data"]
    assert [one["field"] for one in reply.json["errors"]] == [field], reply.body
    assert (reply.json["status"], reply.json["data"]) == ("Error", None)


async def test_the_difference_is_named(shop: Shop) -> None:
    reply = await shop.initiate(totalAmount=99.5)
    assert reply.json["message"] == "The items come to 100.00, the total is 99.50: a difference of -0.50."


async def test_binary_fractions_do_not_matter(shop: Shop) -> None:
    """0.1 + 0.2 is 0.30000000000000004 in most clients."""
    items = [{"name": "A", "quantity": 1, "unitPrice": 0.1}, {"name": "B", "quantity": 1, "unitPrice": 0.2}]
    assert (await shop.initiate(items=items, totalAmount=0.1 + 0.2)).status == 200
    assert (await shop.initiate(items=items, totalAmount=0.3)).status == 200
    thirds = [{"name": "A", "quantity": 3, "unitPrice": 0.1}]
    assert (await shop.initiate(items=thirds, totalAmount=0.3)).status == 200
    assert (await shop.initiate(items=thirds, totalAmount=0.31)).status == 400


async def test_repeated_reference(shop: Shop) -> None:
    request = shop.request()
    first = await shop.client.send_json("POST", INITIATE, request)
    reordered = {name: request[name] for name in reversed(request)}
    assert (await shop.client.send_json("POST", INITIATE, reordered)).json == first.json
    other = await shop.client.send_json("POST", INITIATE, {**request, "description": "Another"})
    assert (other.status, other.json["responseCode"]) == (400, "4000")
    assert other.json["errors"][0]["field"] == "clientReference"


async def test_whose_account_it_is(shop: Shop) -> None:
    stranger = shop.hub.demo("penniless")
    reply = await stranger.send_json("POST", INITIATE, shop.request())
    assert (reply.status, reply.json["responseCode"]) == (403, "4105")
    assert reply.json["message"] == "Authenticated hubtel organisation not owner of specified account number."
    nobody = shop.hub.client("nobody", "nothing")
    reply = await nobody.send_json("POST", INITIATE, shop.request())
    assert (reply.status, reply.json["responseCode"]) == (401, "4101")
    assert reply.headers["www-authenticate"].startswith("Basic")


async def test_account_that_is_not_active(shop: Shop) -> None:
    organisation = shop.hub.world["clients"]["merchant"]["organisation"]
    async with shop.hub.database.transaction() as connection:
        waiting = await create_merchant_account(connection, organisation, name="New")
        ended = await create_merchant_account(connection, organisation, name="Old")
        await suspend(connection, ended.number, "It sold nothing.")
    for number in (waiting.number, ended.number):
        reply = await shop.initiate(merchantAccountNumber=number)
        assert (reply.status, reply.json["responseCode"]) == (403, "0001")
        assert reply.json["message"] == "Merchant account is not available."
        direct = await shop.client.send_json(
            "POST", f"/v1/merchantaccount/merchants/{number}/receive/mobilemoney", {
                "CustomerMsisdn": shop.handsets["mtn-gh"], "Channel": "mtn-gh", "Amount": 1,
                "PrimaryCallbackUrl": CALLBACK})
        assert (direct.status, direct.json["ResponseCode"]) == (403, "3009")


async def test_a_token_needs_its_scope(shop: Shop) -> None:
    pair = shop.client
    answer = await pair.form("POST", "/oauth/token", grant_type="client_credentials", scope="payments.read")
    assert answer.status == 200, answer.body
    token = dict(part.split("=") for part in answer.body.decode().split("&"))["access_token"] \
        if not answer.body.startswith(b"{") else json.loads(answer.body)["access_token"]
    bearer = shop.hub.client("", "", authorization=f"Bearer {token}")
    reply = await bearer.send_json("POST", INITIATE, shop.request())
    assert (reply.status, reply.json["responseCode"]) == (403, "4101")
    assert (await bearer.get("/v1/merchantaccount/merchants")).status == 200


async def test_bodies_that_are_none(shop: Shop) -> None:
    for body, content_type in ((b"", None), (b"{", "application/json"), (b"[]", "application/json"),
                               (b"\xff", "application/x-www-form-urlencoded")):
        reply = await shop.client.request("POST", INITIATE, body, content_type)
        assert (reply.status, reply.json["responseCode"]) == (400, "4000"), reply.body


def test_every_refusal_has_a_code_of_the_documents() -> None:
    codes: dict[str, Any] = {code: None for _, code in TABLE.values()}
    assert set(codes) == {"0001", "2001", "3900", "4000", "4070", "4101", "4103", "4105"}
