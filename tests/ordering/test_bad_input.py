"""What cannot be is refused with 400 or 404, names its field, and leaves nothing behind."""

from typing import Any

import pytest

from tests.ordering.hub_shop import ADDRESS, Shop
from tests.ordering.world import FRANCE

_HUGE = 2**63


def _line(**changes: Any) -> dict[str, Any]:
    return {"line_items": [{"product_code": "PHONE", "quantity": 1} | changes]}


def _address(**changes: Any) -> dict[str, Any]:
    return {"shipping_address": ADDRESS | changes}


_QUANTITIES: list[object] = [0, -1, 1_000_001, _HUGE, -_HUGE, 10**30, "1", 1.5, None, [], True]
_CODES: list[object] = ["NO SUCH", "phone", "", " PHONE", "SECRET", "TWIN", "P" * 201, "PH\0NE", 5, None, {}]
#: What is sent besides what would be right, and the field that is named.
_BAD: list[tuple[dict[str, Any], str]] = [
    *((_line(quantity=quantity), "line_items[0].quantity") for quantity in _QUANTITIES),
    *((_line(product_code=code), "line_items[0].product_code") for code in _CODES),
    ({"line_items": [{"product_code": "PHONE", "quantity": 1}, {"product_code": "NO SUCH", "quantity": 1}]},
     "line_items[1].product_code"),
    (_line(prov_product_code="NO SUCH"), "line_items[0].prov_product_code"),
    *((_line(product=number), "line_items[0].product") for number in (0, -1, _HUGE, 10**30, "x", 1.5)),
    (_line(product=999_999), "line_items[0].product_code"),
    ({"line_items": [{"product_code": "PHONE"}]}, "line_items[0].quantity"),
    ({"line_items": "PHONE"}, "line_items"),
    ({"line_items": [None]}, "line_items[0]"),
    ({"line_items": [{"product_code": "PHONE", "quantity": 1}] * 501}, "line_items"),
    *(({"shipping_type": number}, "shipping_type") for number in (0, -1, 999_999, _HUGE, 10**30, "1", 1.5, [1])),
    *((_address(country_code=number), "shipping_address.country_code")
      for number in (0, -1, 1, 2**31 - 1, _HUGE, 10**30, "GB", 1.5)),
    (_address(city="x" * 201), "shipping_address.city"),
    (_address(city=5), "shipping_address.city"),
    ({"shipping_address": "London"}, "shipping_address"),
    ({"name": "x" * 201}, "name"),
    ({"name": "a\0b"}, "name"),
    ({"purchase_order_number": "x" * 101}, "purchase_order_number"),
    ({"purchase_order_number": 5}, "purchase_order_number"),
    ({"purchase_order_number": "\x1b]0;title\x07"}, "purchase_order_number"),  # an order to the warehouse's terminal
    ({"name": "a\r\nb"}, "name"),
    (_address(city="a\u2028b"), "shipping_address.city"),
    ({"provisioning_instructions": "two\nlines\x1b[2J"}, "provisioning_instructions"),
    ({"provisioning_instructions": "x" * 4001}, "provisioning_instructions"),
    ({"organisation": 0}, "organisation"),
    ({"organisation": _HUGE}, "organisation"),
]
#: What an order needs and a basket may still lack.
_LACKING: list[tuple[dict[str, Any], list[str]]] = [
    ({"line_items": []}, ["line_items"]),
    ({"line_items": None}, ["line_items"]),
    ({"shipping_address": None}, ["shipping_address"]),
    ({"shipping_type": None}, ["shipping_type"]),
    ({"shipping_address": None, "shipping_type": None}, ["shipping_address", "shipping_type"]),
    (_address(city="", addr_line_1=""), ["shipping_address.addr_line_1", "shipping_address.city"]),
    (_address(company_name="", recipient_name=" "), ["shipping_address.recipient_name"]),
    (_address(country_code=None), ["shipping_address.country_code"]),
]


async def _rows(shop: Shop) -> tuple[int, int]:
    fetch = shop.hub.database.fetchval
    return (await fetch('SELECT count(*) FROM ordering."order"'), await fetch("SELECT count(*) FROM ordering.basket"))


@pytest.mark.parametrize(("changes", "field"), _BAD)
async def test_what_cannot_be_is_named(shared_shop: Shop, changes: dict[str, Any], field: str) -> None:
    shop = shared_shop
    before = await _rows(shop)
    for path in ("/orders", "/baskets"):
        answer = await shop.post("e", path, {**shop.order(purchase_order_number=""), **changes})
        assert answer.status_code == 400, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert field in [each["field"] for each in answer.json()["errors"]], answer.text
        assert all(each["message"] for each in answer.json()["errors"])
    assert await _rows(shop) == before


@pytest.mark.parametrize(("changes", "fields"), _LACKING)
async def test_an_order_needs_what_a_basket_may_lack(shared_shop: Shop, changes: dict[str, Any],
                                                     fields: list[str]) -> None:
    shop = shared_shop
    body = shop.order(**{"purchase_order_number": "", **changes})
    answer = await shop.post("e", "/orders", body)
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (400, fields)
    assert (await shop.post("e", "/baskets", body)).status_code == 201


async def test_everything_that_is_wrong_is_told_at_once(shared_shop: Shop) -> None:
    answer = await shared_shop.post("e", "/orders", shared_shop.order(
        line_items=[{"product_code": "NO SUCH", "quantity": 1}, {"product_code": "SECRET", "quantity": 1}],
        shipping_type=999_999, shipping_address={"country_code": 1}))
    assert [each["field"] for each in answer.json()["errors"]] == [
        "line_items[0].product_code", "line_items[1].product_code", "shipping_address.country_code", "shipping_type"]


async def test_the_shipping_type_must_reach_the_country(shared_shop: Shop) -> None:
    shop = shared_shop
    uk, not_france = (shop.shipping_types[name] for name in ("UK Standard Next Day Delivery", "Not France"))
    to_france = ADDRESS | {"country_code": FRANCE}
    for shipping_type, address, status in ((uk, to_france, 400), (not_france, to_france, 400),
                                           (not_france, ADDRESS, 201), (uk, ADDRESS, 201)):
        answer = await shop.post("e", "/orders", shop.order(
            purchase_order_number="", shipping_type=shipping_type, shipping_address=address))
        assert answer.status_code == status
        if status == 400:
            assert [each["field"] for each in answer.json()["errors"]] == ["shipping_type"]


async def test_what_is_not_shipped_needs_no_address(shared_shop: Shop) -> None:
    answer = await shared_shop.post("e", "/orders", {"line_items": [{"product_code": "LICENCE", "quantity": 1}]})
    assert answer.status_code == 201


async def test_a_product_is_named_by_its_id_where_its_code_is_not_enough(shared_shop: Shop) -> None:
    shop = shared_shop
    for name in ("TWIN", "ANOTHER TWIN"):
        answer = await shop.post("e", "/orders", shop.order(
            purchase_order_number="", line_items=[{"product": shop.products[name], "product_code": "TWIN",
                                                   "quantity": 1}]))
        assert answer.json()["line_items"][0]["product"] == shop.products[name]
    answer = await shop.post("e", "/baskets", _line(product=shop.products["TWIN"]))
    assert answer.json()["errors"][0]["field"] == "line_items[0].product_code"


async def test_a_product_that_is_withheld_is_like_one_that_does_not_exist(shared_shop: Shop) -> None:
    shop = shared_shop
    answers = [await shop.post("e", "/orders", {**shop.order(), **_line(product_code=code)})
               for code in ("SECRET", "NO SUCH")]
    assert answers[0].json() == answers[1].json()
    assert (await shop.post("c", "/baskets", _line(product_code="SECRET"))).status_code == 201


@pytest.mark.parametrize("number", [0, 999_999_999, _HUGE, 10**30, -1])
@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/orders/{}"), ("POST", "/orders/{}/cancel"), ("POST", "/orders/{}/resubmit"), ("GET", "/baskets/{}"),
    ("PATCH", "/baskets/{}"), ("DELETE", "/baskets/{}"), ("POST", "/baskets/{}/order"), ("GET", "/shipping_types/{}"),
])
async def test_an_id_that_is_none_is_not_found(shared_shop: Shop, method: str, path: str, number: int) -> None:
    answer = await shared_shop.hub.call("e", method, path.format(number), json={} if method == "PATCH" else None)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("query", [
    "status=NONE", "status=accepted", "organisation=x", f"organisation={_HUGE}", "organisation=0",
    "sort_by=name", "sort_by=-created&sort_by=x", "per_page=1001", "page=0", "purchase_order_number=" + "x" * 101,
    "purchase_order_number=%00"])
async def test_an_impossible_filter_is_named(shared_shop: Shop, query: str) -> None:
    answer = await shared_shop.hub.get("e", f"/orders?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].partition("[")[0] == query.partition("=")[0]


async def test_an_organisation_out_of_sight_is_no_filter(shared_shop: Shop) -> None:
    for path in ("/orders", "/baskets"):
        answers = [await shared_shop.hub.get("e", f"{path}?organisation={number}")
                   for number in (shared_shop.hub["d"].id, 999_999)]
        assert {answer.status_code for answer in answers} == {400}
        assert {answer.json()["errors"][0]["field"] for answer in answers} == {"organisation"}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"5", b'"x"', b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_object_is_refused(shared_shop: Shop, body: bytes) -> None:
    for path in ("/orders", "/baskets"):
        answer = await shared_shop.hub.call("e", "POST", path, content=body,
                                            headers={"Content-Type": "application/json"})
        assert answer.status_code == 400


@pytest.mark.parametrize(("url", "status"), [
    ("https://shop.example/orders", 200), ("", 200), ("ftp://shop.example", 400), ("http://127.0.0.1/", 400),
    ("http://[::1]/", 400), ("https://user:secret@shop.example", 400), ("https://" + "x" * 2050, 400), ("no", 400)])
async def test_a_callback_url_must_be_callable(shared_shop: Shop, url: str, status: int) -> None:
    answer = await shared_shop.hub.call("d", "PUT", "/order_settings", json={"callback_url": url})
    assert answer.status_code == status
    if status == 200:
        assert (await shared_shop.hub.get("d", "/order_settings")).json() == answer.json()
        assert answer.json()["callback_url"] == url
        assert answer.json()["callback_secret"].startswith("whsec_")
    else:
        assert answer.json()["errors"][0]["field"] == "callback_url"
