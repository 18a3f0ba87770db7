"""The warehouse's side over the API, what orders do to the stock, and how many of a product can be had."""

import asyncio
from typing import Any

import pytest

from makola.core.catalogue.service.products import save_products
from makola.core.catalogue.service.stock import add_up_stock
from makola.core.catalogue.types import BillingFrequency, Product, ProductPrice, RatePlan
from tests.hub.world import Hub
from tests.ordering.hub_shop import Shop
from tests.ordering.world import UNIT


async def _stock(hub: Hub, product_id: int) -> int:
    while await add_up_stock(hub.database):
        pass
    stock: int = await hub.database.fetchval("SELECT stock FROM catalogue.product WHERE id = $1", product_id)
    return stock


async def _set_stock(shop: Shop, stock: int) -> None:
    await shop.hub.database.execute("UPDATE catalogue.product SET stock = $1", stock)


async def test_an_order_goes_its_whole_way_over_the_api(shop: Shop) -> None:
    await _set_stock(shop, 10)
    order_id = await shop.placed(line_items=[{"product_code": "PHONE", "quantity": 3},
                                             {"product_code": "LICENCE", "quantity": 1}])
    accepted = await shop.post("platform", f"/orders/{order_id}/accept")
    assert (accepted.status_code, accepted.json()["status"]) == (200, "ACCEPTED")
    assert await _stock(shop.hub, shop.products["PHONE"]) == 7
    assert await _stock(shop.hub, shop.products["LICENCE"]) == 10  # which is not shipped
    parcel = {"line_items": [{"line": 1, "quantity": 2, "serial_numbers": ["S1", "S2"],
                              "mac_addresses": ["00-11-22-33-44-55"]}],
              "carrier": "Courier", "tracking_number": "T1", "external_id": "first"}
    for _ in range(2):  # the same parcel twice is one
        shipped = await shop.post("platform", f"/orders/{order_id}/shipments", parcel)
        assert (shipped.status_code, shipped.json()["status"]) == (201, "PART_SHIPPED"), shipped.text
    early = await shop.post("platform", f"/orders/{order_id}/complete")
    assert (early.status_code, early.json()["type"]) == (409, "urn:makola:problem:wrong-order-state")
    await shop.post("platform", f"/orders/{order_id}/shipments", {"line_items": [{"line": 1, "quantity": 1}]})
    done = await shop.post("platform", f"/orders/{order_id}/complete", {"reason": "Signed for."})
    assert (done.status_code, done.json()["status"]) == (200, "COMPLETE")
    assert await _stock(shop.hub, shop.products["PHONE"]) == 7
    seen = (await shop.hub.get("e", f"/orders/{order_id}")).json()
    assert [entry["status"] for entry in seen["history"]] == [
        "CREATED", "PROCESSING", "ACCEPTED", "PART_SHIPPED", "PART_SHIPPED", "COMPLETE"]
    assert {entry["by"] for entry in seen["history"][2:]} == {"warehouse"}
    assert {entry["user"] for entry in seen["history"][2:]} == {None}  # whose name is nobody's business below
    assert seen["shipments"][0]["line_items"][0]["mac_addresses"] == ["00:11:22:33:44:55"]
    audited = (await shop.hub.get("platform", "/audit_log?per_page=50")).text
    assert all(f"order:{deed}" in audited for deed in ("accept", "ship", "complete"))


async def test_what_is_given_up_goes_back_into_stock(shop: Shop) -> None:
    await _set_stock(shop, 10)
    order_id = await shop.placed(line_items=[{"product_code": "PHONE", "quantity": 4}])
    await shop.post("platform", f"/orders/{order_id}/accept")
    await shop.post("platform", f"/orders/{order_id}/shipments", {"line_items": [{"line": 1, "quantity": 1}]})
    assert await _stock(shop.hub, shop.products["PHONE"]) == 6
    failed = await shop.post("platform", f"/orders/{order_id}/fail", {"reason": "Lost", "note": "by us"})
    assert (failed.status_code, failed.json()["status"]) == (200, "FAILED")
    assert "by us" not in failed.text
    assert await _stock(shop.hub, shop.products["PHONE"]) == 9


async def test_what_never_was_accepted_takes_nothing(shop: Shop) -> None:
    await _set_stock(shop, 10)
    cancelled, failed, aside = [await shop.placed() for _ in range(3)]
    await shop.post("e", f"/orders/{cancelled}/cancel")
    await shop.post("platform", f"/orders/{failed}/fail", {"reason": "No"})
    answer = await shop.post("platform", f"/orders/{aside}/attention", {"reason": "Which colour?"})
    assert answer.json()["status"] == "ATTENTION_REQUIRED"
    assert await _stock(shop.hub, shop.products["PHONE"]) == 10


async def test_many_acceptances_at_once_take_each_piece_once(shop: Shop) -> None:
    await _set_stock(shop, 3)
    order_ids = [await shop.placed(line_items=[{"product_code": "PHONE", "quantity": 1}]) for _ in range(5)]
    await asyncio.gather(*(shop.post("platform", f"/orders/{order_id}/accept")
                           for order_id in order_ids for _ in range(2)))
    assert await _stock(shop.hub, shop.products["PHONE"]) == -2  # two of them wait for more
    for order_id in order_ids[:3]:
        await shop.post("platform", f"/orders/{order_id}/fail", {"reason": "No"})
    assert await _stock(shop.hub, shop.products["PHONE"]) == 1


@pytest.mark.parametrize("deed", ["accept", "attention", "shipments", "complete", "fail"])
async def test_nobody_in_between_fulfils(shared_shop: Shop, deed: str) -> None:
    order_id = await shared_shop.placed("e")
    for who in ("a", "c", "e"):
        refused = await shared_shop.post(who, f"/orders/{order_id}/{deed}", {"reason": "Mine"})
        assert (refused.status_code, refused.json()["title"]) == (403, "Permission denied")
    assert (await shared_shop.hub.get("e", f"/orders/{order_id}")).json()["status"] in {"CREATED", "PROCESSING"}


@pytest.mark.parametrize(("deed", "body", "field"), [
    ("attention", {}, "reason"), ("attention", {"reason": ""}, "reason"), ("fail", {"reason": "x" * 1001}, "reason"),
    ("shipments", {"line_items": [{"line": 7, "quantity": 1}]}, "line_items[0].line"),
    ("shipments", {"line_items": [{"line": 1, "quantity": 0}]}, "line_items[0].quantity"),
    ("shipments", {"line_items": [{"line": 1, "quantity": 3}]}, "line_items[0].quantity"),
    ("shipments", {"line_items": [{"line": 1, "quantity": 2**64}]}, "line_items[0].quantity"),
    ("shipments", {"line_items": []}, "line_items"),
    ("shipments", {"tracking_url": "javascript:alert(1)"}, "tracking_url"),
    ("shipments", {"line_items": [{"line": 1, "quantity": 1, "mac_addresses": ["x"]}]}, "line_items[0].mac_addresses"),
])
async def test_what_is_wrong_is_named(shared_shop: Shop, deed: str, body: object, field: str) -> None:
    order_id = await shared_shop.placed("e")
    await shared_shop.accept(order_id)
    answer = await shared_shop.post("platform", f"/orders/{order_id}/{deed}", body)
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (400, [field]), answer.text


def _seats(*quantities: int) -> list[dict[str, Any]]:
    return [{"product_code": "SEATS", "quantity": quantity} for quantity in quantities]


@pytest.mark.parametrize(("quantities", "problems"), [
    ((1,), ["line_items[0].quantity: must be at least 2 for this product"]),
    ((6,), ["line_items[0].quantity: must be at most 5 for this product"]),
    ((3, 3), ["line_items[0].quantity: must be at most 5 for this product",
              "line_items[1].quantity: must be at most 5 for this product"]),
    ((2,), []), ((5,), []), ((1, 1), []),
])
async def test_a_rate_plan_bounds_what_can_be_had(shared_shop: Shop, quantities: tuple[int, ...],
                                                  problems: list[str]) -> None:
    for path in ("/baskets", "/orders"):
        answer = await shared_shop.post("e", path, shared_shop.order(
            purchase_order_number="", line_items=_seats(*quantities)))
        assert answer.status_code == (400 if problems else 201)
        assert [f"{each['field']}: {each['message']}" for each in answer.json().get("errors", ())] == problems


async def test_a_bound_that_changes_meanwhile_is_noticed_at_acceptance(shop: Shop) -> None:
    order_id = await shop.placed(line_items=_seats(5))
    async with shop.hub.database.transaction() as connection:
        await save_products(connection, [Product(
            "SEATS", "Some SEATS", "Vendor", is_shippable=False, prices=(ProductPrice("GBP", UNIT),),
            rate_plans=(RatePlan("Monthly", 12, BillingFrequency.MONTHLY, None, True, 2, 4),))])
    answer = (await shop.post("platform", f"/orders/{order_id}/accept")).json()
    assert answer["status"] == "ATTENTION_REQUIRED"
    assert answer["history"][-1]["reason"] == "Line 1 (SEATS) cannot be had in this quantity any more."
