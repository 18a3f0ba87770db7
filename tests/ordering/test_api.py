"""Baskets, orders and shipping types over HTTP, as clients use them."""

import asyncio
import json

from makola.core.ordering.types import ShippedItem
from tests.ordering.hub_shop import ADDRESS, PHONE_PRICES, Shop
from tests.ordering.world import FRANCE, UNITED_KINGDOM
from tests.statements import logged

PROBLEM = "application/problem+json"


async def test_a_published_client_makes_a_basket(shop: Shop) -> None:
    """It finds the country and the shipping type by name, and makes a basket."""
    countries = (await shop.hub.get("e", "/country_codes")).json()
    country = next(each for each in countries if each["name"] == "United Kingdom")
    types = (await shop.hub.get("e", "/shipping_types")).json()
    shipping_type = next(each for each in types if each["name"] == "UK Standard Next Day Delivery")
    assert country["id"] in shipping_type["countries"]
    answer = await shop.post("e", "/baskets", {
        "purchase_order_number": "PO-77",
        "shipping_address": {**ADDRESS, "country_code": country["id"]},
        "shipping_type": shipping_type["id"],
        "provisioning_instructions": "",
        "name": "My basket",
        "line_items": [{"product_code": "PHONE", "quantity": 1, "prov_product_code": "PHONE-PROV"}]})
    assert answer.status_code == 201
    basket = answer.json()
    assert isinstance(basket["id"], int)
    assert (await shop.hub.get("e", f"/baskets/{basket['id']}")).json() == basket
    assert basket["line_items"] == [
        {"product_code": "PHONE", "quantity": 1, "prov_product_code": "PHONE-PROV", "product": None}]
    assert basket["order"] is None


async def test_shipping_types_are_answered_as_the_document_says(shop: Shop) -> None:
    answer = await shop.hub.get("e", "/shipping_types")
    assert answer.headers["x-total-count"] == "2"
    assert {each["name"]: (each["countries"], each["exclude_countries"]) for each in answer.json()} == {
        "UK Standard Next Day Delivery": ([UNITED_KINGDOM], False), "Not France": ([FRANCE], True)}
    first = answer.json()[0]
    assert (await shop.hub.get("e", f"/shipping_types/{first['id']}")).json() == first
    assert (await shop.hub.get("e", "/shipping_types/999999")).status_code == 404


async def test_a_basket_is_changed_ordered_and_then_stays(shop: Shop) -> None:
    basket_id = (await shop.post("e", "/baskets", {"name": "Draft"})).json()["id"]
    path = f"/baskets/{basket_id}"
    refused = await shop.post("e", f"{path}/order")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "line_items")
    changed = await shop.hub.call("e", "PATCH", path, json={
        "line_items": [{"product_code": "PHONE", "quantity": 3}], "shipping_address": ADDRESS})
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["line_items"][0]["quantity"]) == ("Draft", 3)
    refused = await shop.post("e", f"{path}/order")
    assert [each["field"] for each in refused.json()["errors"]] == ["shipping_type"]
    await shop.hub.call("e", "PATCH", path, json={"shipping_type": shop.shipping_types["Not France"]})
    ordered = await shop.post("e", f"{path}/order")
    assert ordered.status_code == 201
    order = ordered.json()
    assert (order["status"], order["line_items"][0]["quantity"]) == ("CREATED", 3)
    for method, where in (("POST", f"{path}/order"), ("PATCH", path), ("DELETE", path)):
        again = await shop.hub.call("e", method, where, json={"name": "x"} if method == "PATCH" else None)
        assert again.status_code == 409
        assert str(order["id"]) in again.json()["detail"]
    assert (await shop.hub.get("e", path)).json()["order"] == order["id"]


async def test_a_basket_is_deleted(shop: Shop) -> None:
    basket_id = (await shop.post("e", "/baskets", {})).json()["id"]
    assert (await shop.hub.call("e", "DELETE", f"/baskets/{basket_id}")).status_code == 204
    assert (await shop.hub.get("e", f"/baskets/{basket_id}")).status_code == 404
    assert (await shop.hub.get("e", "/baskets")).json() == []


async def test_an_order_is_followed_to_its_end(shop: Shop) -> None:
    order_id = await shop.placed(purchase_order_number="PO-9", line_items=[
        {"product_code": "PHONE", "quantity": 3}, {"product_code": "LICENCE", "quantity": 1}])
    path = f"/orders/{order_id}"
    order = (await shop.hub.get("e", path)).json()
    assert (order["status"], order["purchase_order_number"], order["currency"]) == ("CREATED", "PO-9", "GBP")
    assert order["line_items"][0]["price"] == PHONE_PRICES["e"]
    await shop.accept(order_id)
    await shop.ship(order_id, ShippedItem(1, 2, ("S1", "S2"), ("00:11:22:33:44:55",)))
    order = (await shop.hub.get("e", path)).json()
    assert order["status"] == "PART_SHIPPED"
    assert order["line_items"][0]["shipped_quantity"] == 2
    shipment = order["shipments"][0]
    assert (shipment["carrier"], shipment["tracking_number"]) == ("Courier", "T-1")
    assert shipment["line_items"] == [{
        "line": 1, "product_code": "PHONE", "quantity": 2, "serial_numbers": ["S1", "S2"],
        "mac_addresses": ["00:11:22:33:44:55"]}]
    await shop.ship(order_id)
    order = (await shop.hub.get("e", path)).json()
    assert [entry["status"] for entry in order["history"]] == [
        "CREATED", "PROCESSING", "ACCEPTED", "PART_SHIPPED", "SHIPPED"]
    assert order["history"][0]["user"] == shop.hub["e"].user_id
    assert order["total"] == round(sum(line["price"] * line["quantity"] for line in order["line_items"]), 4)


async def test_a_duplicate_purchase_order_number_names_the_earlier_order(shop: Shop) -> None:
    order_id = await shop.placed(purchase_order_number="PO-5")
    answer = await shop.post("e", "/orders", shop.order(purchase_order_number=" PO-5 "))
    assert answer.status_code == 409
    assert answer.headers["content-type"] == PROBLEM
    assert f"Order {order_id} " in answer.json()["detail"]
    assert answer.json()["errors"][0]["field"] == "purchase_order_number"
    await shop.post("e", f"/orders/{order_id}/cancel")
    assert (await shop.post("e", "/orders", shop.order(purchase_order_number="PO-5"))).status_code == 409
    assert (await shop.post("d", "/orders", shop.order(purchase_order_number="PO-5"))).status_code == 201


async def test_cancel_and_resubmit(shop: Shop) -> None:
    order_id = await shop.placed()
    early = await shop.post("e", f"/orders/{order_id}/resubmit")
    assert (early.status_code, "CREATED" in early.json()["detail"]) == (409, True)
    await shop.attention(order_id, "There is no such street.")
    order = (await shop.hub.get("e", f"/orders/{order_id}")).json()
    assert (order["status"], order["history"][-1]["reason"]) == ("ATTENTION_REQUIRED", "There is no such street.")
    assert "secret" not in json.dumps(order)
    wrong = await shop.post("e", f"/orders/{order_id}/resubmit", {"shipping_address": {**ADDRESS, "country_code": 1}})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "shipping_address.country_code")
    again = await shop.post("e", f"/orders/{order_id}/resubmit",
                            {"shipping_address": {**ADDRESS, "addr_line_1": "2 High Street"}})
    assert (again.status_code, again.json()["status"]) == (200, "PROCESSING")
    assert again.json()["shipping_address"]["addr_line_1"] == "2 High Street"
    cancelled = await shop.post("e", f"/orders/{order_id}/cancel", {"reason": "too late"})
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "CANCELLED")
    assert cancelled.json()["history"][-1]["reason"] == "too late"
    assert (await shop.post("e", f"/orders/{order_id}/cancel")).status_code == 409


async def test_an_accepted_order_is_final(shop: Shop) -> None:
    order_id = await shop.placed()
    await shop.accept(order_id)
    for what in ("cancel", "resubmit"):
        answer = await shop.post("e", f"/orders/{order_id}/{what}")
        assert (answer.status_code, "ACCEPTED" in answer.json()["detail"]) == (409, True)


async def test_the_same_key_orders_once(shop: Shop) -> None:
    body = shop.order(purchase_order_number="")
    answers = await asyncio.gather(*(shop.post("e", "/orders", body, Idempotency_Key="k1") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    await shop.accept(answers[0].json()["id"])
    later = await shop.post("e", "/orders", body, Idempotency_Key="k1")
    assert later.content == answers[0].content
    other = await shop.post("e", "/orders", shop.order(name="other"), Idempotency_Key="k1")
    assert other.status_code == 409
    assert (await shop.hub.get("e", "/orders")).headers["x-total-count"] == "1"
    # Another client's key is another key, and a refused request leaves its key free.
    assert (await shop.post("d", "/orders", body, Idempotency_Key="k1")).json()["id"] != answers[0].json()["id"]
    assert (await shop.post("e", "/orders", shop.order(line_items=[]), Idempotency_Key="k2")).status_code == 400
    assert (await shop.post("e", "/orders", body, Idempotency_Key="k2")).status_code == 201
    assert (await shop.post("e", "/orders", body, Idempotency_Key="k" * 256)).status_code == 400


async def test_the_same_key_makes_one_basket(shop: Shop) -> None:
    answers = [await shop.post("e", "/baskets", {"name": "B"}, Idempotency_Key="k") for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert (await shop.post("e", "/orders", {"name": "B"}, Idempotency_Key="k")).status_code == 409
    assert (await shop.hub.get("e", "/baskets")).headers["x-total-count"] == "1"


async def test_lists_are_filtered_sorted_and_paged(shop: Shop) -> None:
    ids = [await shop.placed("e", purchase_order_number=f"PO-{number}") for number in range(5)]
    of_d = await shop.placed("d", purchase_order_number="PO-D")
    await shop.accept(ids[0])

    async def found(query: str, who: str = "d") -> list[int]:
        answer = await shop.hub.get(who, f"/orders?{query}")
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()]

    assert await found("") == [of_d, *reversed(ids)]
    assert await found("sort_by=%2Bcreated") == [*ids, of_d]
    assert await found("sort_by=+created") == [*ids, of_d]
    assert await found("status=ACCEPTED") == [ids[0]]
    assert await found("status=ACCEPTED&status=CREATED&per_page=2&page=2") == [ids[3], ids[2]]
    assert await found(f"organisation={shop.hub['d'].id}") == [of_d]
    assert await found("purchase_order_number=PO-1&purchase_order_number=PO-D") == [of_d, ids[1]]
    assert await found("", "e") == list(reversed(ids))
    assert await found("status=COMPLETE") == []


async def test_a_list_costs_the_same_statements_whatever_its_length(shop: Shop) -> None:
    seen: list[str] = []

    async def statements(path: str) -> int:
        seen.clear()
        async with logged(shop.hub.database, log):
            await shop.hub.get("b", path)
        return len(seen)

    def log(query: object) -> None:
        text = str(getattr(query, "query", ""))
        if "ordering." in text or "organisations." in text:
            seen.append(text)

    for path, make in (("/orders", shop.placed), ("/baskets", lambda: shop.post("e", "/baskets", {"name": "B"}))):
        await make()
        await shop.hub.get("b", path)
        one = await statements(path)
        for _ in range(6):
            await make()
        assert await statements(path) == one
        assert 2 <= one <= 8
