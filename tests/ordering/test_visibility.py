"""Who sees which order, and which of its prices."""

import json
from itertools import product

import pytest

from makola.core.ordering.types import ShippedItem
from makola.core.organisations.permissions import Permission
from tests.ordering.hub_shop import CHAIN, PHONE_PRICES, Shop

_EVERYBODY = (*CHAIN, "c2", "stranger")
_ABOVE = {"platform": (), "a": ("platform",), "b": ("platform", "a"), "c": ("platform", "a", "b"),
          "c2": ("platform", "a", "b"), "d": ("platform", "a", "b", "c"), "e": ("platform", "a", "b", "c", "d"),
          "stranger": ("platform", "a")}

#: Method and path of each route that names one thing, what is sent, and what comes of it where it may be.
_OF_ORDERS = [("GET", "/orders/{}", None, 200), ("POST", "/orders/{}/cancel", None, 200)]
_OF_BASKETS = [("GET", "/baskets/{}", None, 200), ("PATCH", "/baskets/{}", {"name": "x"}, 200),
               ("POST", "/baskets/{}/order", None, 400), ("DELETE", "/baskets/{}", None, 204)]


@pytest.mark.parametrize("owner", ["c", "e"])
async def test_what_one_does_not_see_is_like_what_does_not_exist(shared_shop: Shop, owner: str) -> None:
    shop = shared_shop
    for who, (method, path, body, status) in product(_EVERYBODY, [*_OF_ORDERS, *_OF_BASKETS]):
        sees = who == owner or who in _ABOVE[owner]
        thing = await shop.placed(owner) if "order" in path.split("/")[1] else (
            await shop.post(owner, "/baskets", {})).json()["id"]
        answer = await shop.hub.call(who, method, path.format(thing), json=body)
        assert answer.status_code == (status if sees else 404), (who, method, path)
        if not sees:
            nothing = await shop.hub.call(who, method, path.format(999_999), json=body)
            assert nothing.content == answer.content
            assert (await shop.hub.get(owner, path.removesuffix("/cancel").removesuffix("/order").format(thing))
                    ).status_code == 200


async def test_a_list_holds_ones_own_and_what_is_below(shop: Shop) -> None:
    orders = {who: await shop.placed(who) for who in _EVERYBODY}
    baskets = {who: (await shop.post(who, "/baskets", {})).json()["id"] for who in _EVERYBODY}
    for who in _EVERYBODY:
        for path, made in (("/orders", orders), ("/baskets", baskets)):
            expected = {made[one] for one in _EVERYBODY if one == who or who in _ABOVE[one]}
            answer = await shop.hub.get(who, path)
            assert {each["id"] for each in answer.json()} == expected
            assert answer.headers["x-total-count"] == str(len(expected))


async def test_each_tier_sees_its_own_price_and_what_it_sells_for(shop: Shop) -> None:
    order_id = await shop.placed("e")
    await shop.accept(order_id)
    await shop.ship(order_id, ShippedItem(1, 1))
    for position, who in enumerate(CHAIN):
        answer = await shop.hub.get(who, f"/orders/{order_id}")
        line = answer.json()["line_items"][0]
        below = CHAIN[position + 1] if who != "e" else None
        assert line["price"] == PHONE_PRICES[who]
        assert line["sold_price"] == (PHONE_PRICES[below] if below is not None else None)
        hidden = {price for tier, price in PHONE_PRICES.items() if tier not in {who, below}}
        numbers = _numbers(answer.json())
        assert not numbers & hidden
        assert not numbers & {round(2 * price, 4) for price in hidden}
        assert (await shop.hub.get(who, "/orders")).json() == [answer.json()]


async def test_until_it_is_accepted_the_offer_is_the_buyers_alone(shop: Shop) -> None:
    order_id = await shop.placed("e")
    assert (await shop.hub.get("e", f"/orders/{order_id}")).json()["total"] == round(2 * PHONE_PRICES["e"], 4)
    for who in CHAIN[:-1]:
        order = (await shop.hub.get(who, f"/orders/{order_id}")).json()
        assert (order["total"], order["sold_total"]) == (None, None)
        assert not _numbers(order) & set(PHONE_PRICES.values())


async def test_somebody_above_orders_for_somebody_below(shop: Shop) -> None:
    answer = await shop.post("c", "/orders", shop.order(organisation=shop.hub["e"].id))
    assert answer.status_code == 201
    order_id = answer.json()["id"]
    assert answer.json()["organisation"] == shop.hub["e"].id
    own = (await shop.hub.get("e", f"/orders/{order_id}")).json()
    assert own["line_items"][0]["price"] == PHONE_PRICES["e"]
    assert (own["history"][0]["by"], own["history"][0]["user"], own["user"]) == ("seller", None, None)
    assert (await shop.hub.get("c", f"/orders/{order_id}")).json()["user"] == shop.hub["c"].user_id
    for who in ("e", "c2", "stranger"):
        refused = await shop.post(who, "/orders", shop.order(organisation=shop.hub["d"].id))
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (404, "organisation")


@pytest.mark.parametrize(("permission", "allowed"), [
    (Permission.ORDER_VIEW, {"GET /orders", "GET /orders/1"}),
    (Permission.ORDER_CREATE, {"POST /orders", "POST /baskets/1/order"}),
    (Permission.ORDER_CANCEL, {"POST /orders/1/cancel"}),
    (Permission.ORDER_RESUBMIT, {"POST /orders/1/resubmit"}),
    (Permission.BASKET_VIEW, {"GET /baskets", "GET /baskets/1"}),
    (Permission.BASKET_CREATE, {"POST /baskets"}),
    (Permission.BASKET_CHANGE, {"PATCH /baskets/1", "DELETE /baskets/1"}),
    (Permission.SHIPPING_TYPE_VIEW, {"GET /shipping_types", "GET /shipping_types/1"}),
    (Permission.ORGANISATION_CHANGE, {"GET /order_settings", "PUT /order_settings"}),
])
async def test_each_route_needs_its_permission(shared_shop: Shop, permission: Permission, allowed: set[str]) -> None:
    routes = ["GET /orders", "GET /orders/1", "POST /orders", "POST /baskets/1/order", "POST /orders/1/cancel",
              "POST /orders/1/resubmit", "GET /baskets", "GET /baskets/1", "POST /baskets", "PATCH /baskets/1",
              "DELETE /baskets/1", "GET /shipping_types", "GET /shipping_types/1", "GET /order_settings",
              "PUT /order_settings"]
    _, token = await shared_shop.hub.user_of("e", permission, email=f"{permission}@e.example")
    for route in routes:
        method, path = route.split(" ")
        answer = await shared_shop.hub.call(None, method, path, json={} if method in {"POST", "PATCH", "PUT"} else None,
                                            token=token)
        assert (answer.status_code == 403) is (route not in allowed), (route, answer.text)


def _numbers(answer: object) -> set[float]:
    """Return every number in an answer."""
    found: set[float] = set()
    json.loads(json.dumps(answer), parse_float=lambda text: found.add(float(text)))
    return found
