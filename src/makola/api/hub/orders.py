"""Orders: what was ordered, and what became of it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from makola.api.hub.baskets import (
    PRICES,
    NewBasket,
    ShippingAddress,
    address_of,
    content_of,
    once,
    written_address,
)
from makola.api.hub.errors import refused
from makola.api.hub.money import number_of
from makola.api.hub.paging import Paging
from makola.api.hub.reading import HubRequest, Id, from_body, from_optional_body, from_query
from makola.core.ordering import queries
from makola.core.ordering import types as core
from makola.core.ordering.queries import OrderFilter, SeenPrices, seen_prices
from makola.core.ordering.service import placing, reseller
from makola.core.ordering.types import OrderState
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database

_TAGS = ["Orders"]
_SORTS = {"-created": True, "+created": False}


class NewOrder(NewBasket):
    """An order in one call. What is shipped needs an address and a shipping type that fits its country."""


class OrderLine(msgspec.Struct):
    """One product of an order.

    `price` is what the caller's organisation pays for one, `sold_price` what it sells one for to the tier below it; of
    other tiers nothing is told. Until the order is accepted the price is what was offered when it was ordered.
    """

    line: Annotated[int, Meta(description="Its place in the order, from 1.")]
    product: int
    product_code: str
    vendor: int | None
    name: str
    prov_product_code: str
    quantity: int
    shipped_quantity: int
    price: float | None
    sold_price: float | None
    shipping_cost: Annotated[float, Meta(description="For the line; the same for every tier.")]


class HistoryEntry(msgspec.Struct):
    """One change of status: when, by whom, and why. `user` is null where it is none of the caller's organisations'."""

    sequence: int
    status: OrderState
    at: datetime
    by: Annotated[str, Meta(description="reseller, seller (a tier above it), warehouse or system.")]
    user: int | None
    reason: str


class ShippedLine(msgspec.Struct):
    """What of one line was in a shipment."""

    line: int
    product_code: str
    quantity: int
    serial_numbers: list[str]
    mac_addresses: list[str]


class Shipment(msgspec.Struct):
    """What left the warehouse in one go."""

    id: int
    carrier: str
    tracking_number: str
    tracking_url: str
    shipped_at: datetime
    line_items: list[ShippedLine]


class Order(msgspec.Struct):
    """An order with everything that happened to it. `total` and `sold_total` are of the lines, shipping included."""

    id: int
    organisation: int
    user: int | None
    status: OrderState
    purchase_order_number: str
    name: str
    shipping_address: ShippingAddress | None
    shipping_type: int | None
    provisioning_instructions: str
    currency: str
    total: float | None
    sold_total: float | None
    line_items: list[OrderLine]
    shipments: list[Shipment]
    history: list[HistoryEntry]
    created_at: datetime
    updated_at: datetime


class OrderQuery(Paging, frozen=True, kw_only=True):
    """Which orders are wanted."""

    status: Annotated[tuple[OrderState, ...], Meta(description="Only those in these (ours).")] = ()
    organisation: Annotated[tuple[Id, ...], Meta(description="Only those of these organisations (ours).")] = ()
    purchase_order_number: Annotated[tuple[Annotated[str, Meta(max_length=100)], ...], Meta(
        description="Only those with these (ours).")] = ()
    sort_by: Annotated[tuple[Annotated[str, Meta(max_length=50)], ...], Meta(
        description="`-created` (the newest first, the default) or `+created` (ours).")] = ()


class Cancellation(msgspec.Struct):
    """Why an order is cancelled."""

    reason: Annotated[str, Meta(max_length=1000)] = ""


class Correction(msgspec.Struct):
    """What is put right before an order is submitted again; what is left out stays."""

    shipping_address: ShippingAddress | None = None
    shipping_type: Id | None = None
    provisioning_instructions: Annotated[str, Meta(max_length=4000)] | None = None


@get("/orders", dependencies={"filters": from_query(OrderQuery)}, tags=_TAGS, opt={"permission": Permission.ORDER_VIEW})
async def list_orders(actor: NamedDependency[Actor], database: NamedDependency[Database],
                      filters: NamedDependency[OrderQuery]) -> Response[list[Order]]:
    """Get a list of orders.

    Those of one's own organisation and of its descendants.
    """
    wanted = OrderFilter(filters.organisation, filters.status, filters.purchase_order_number,
                         newest_first=_newest_first(filters.sort_by))
    async with database.connection() as connection:
        found, total = await queries.list_orders(
            connection, actor, wanted, skip=filters.offset, limit=filters.per_page)
    return Response([written(each, actor) for each in found], headers=filters.headers(total))


@get("/orders/{order_id:int}", tags=_TAGS, opt={"permission": Permission.ORDER_VIEW})
async def get_order(actor: NamedDependency[Actor], database: NamedDependency[Database],
                    order_id: FromPath[int]) -> Order:
    """Get one order.

    Poll it for its `status`, or have every change called back: `PUT /order_settings`.
    """
    async with database.connection() as connection:
        return written(await queries.find_order(connection, actor, order_id), actor)


@post("/orders", dependencies={"sent": from_body(NewOrder)}, tags=_TAGS,
      opt={"permission": Permission.ORDER_CREATE, "errors": (404, 409)})
async def create_order(request: HubRequest, actor: NamedDependency[Actor], database: NamedDependency[Database],
                       sent: NamedDependency[NewOrder]) -> Response[Order]:
    """Order in one call.

    A purchase order number that the organisation has used is refused with 409, which names the earlier order. With the
    header `Idempotency-Key`, the same request again is answered as the first time, and orders nothing.
    """
    async def work(connection: Connection) -> Order:
        order_id = await placing.place_order(
            connection, actor, content_of(sent), PRICES, organisation_id=sent.organisation)
        return written(await queries.visible_order(connection, actor, order_id), actor)

    return await once(request, actor, database, work)


@post("/baskets/{basket_id:int}/order", tags=["Baskets"],
      opt={"permission": Permission.ORDER_CREATE, "errors": (400, 409)})
async def order_basket(request: HubRequest, actor: NamedDependency[Actor], database: NamedDependency[Database],
                       basket_id: FromPath[int]) -> Response[Order]:
    """Order what is in a basket (ours).

    As `POST /orders`; a basket can be ordered once.
    """
    async def work(connection: Connection) -> Order:
        order_id = await placing.order_basket(connection, actor, basket_id, PRICES)
        return written(await queries.visible_order(connection, actor, order_id), actor)

    return await once(request, actor, database, work)


@post("/orders/{order_id:int}/resubmit", status_code=200, dependencies={"sent": from_optional_body(Correction)},
      tags=_TAGS, opt={"permission": Permission.ORDER_RESUBMIT, "errors": (409,)})
async def resubmit_order(actor: NamedDependency[Actor], database: NamedDependency[Database],
                         order_id: FromPath[int], sent: NamedDependency[Correction]) -> Order:
    """Send an order on its way again once what needed attention is resolved.

    From ATTENTION_REQUIRED, at the present prices. An optional body (ours) puts right `shipping_address`,
    `shipping_type` or `provisioning_instructions`.
    """
    correction = reseller.Correction(address_of(sent.shipping_address), sent.shipping_type,
                                     sent.provisioning_instructions)
    async with database.transaction() as connection:
        await reseller.resubmit_order(connection, actor, order_id, PRICES, correction)
        return written(await queries.visible_order(connection, actor, order_id), actor)


@post("/orders/{order_id:int}/cancel", status_code=200, dependencies={"sent": from_optional_body(Cancellation)},
      tags=_TAGS, opt={"permission": Permission.ORDER_CANCEL, "errors": (409,)})
async def cancel_order(actor: NamedDependency[Actor], database: NamedDependency[Database],
                       order_id: FromPath[int], sent: NamedDependency[Cancellation]) -> Order:
    """Cancel an order that is not accepted yet (ours).

    An optional body gives the `reason`.
    """
    async with database.transaction() as connection:
        await reseller.cancel_order(connection, actor, order_id, reason=sent.reason)
        return written(await queries.visible_order(connection, actor, order_id), actor)


def _newest_first(sort_by: Sequence[str]) -> bool:
    for given in sort_by:
        if given.replace(" ", "+", 1) not in _SORTS:  # a bare + in a query is a space
            raise refused("sort_by", f"This is none of {', '.join(_SORTS)}.")
    return _SORTS[sort_by[0].replace(" ", "+", 1)] if sort_by else True


def written(order: core.Order, actor: Actor) -> Order:
    """Return an order as the actor sees it."""
    content, seen = order.content, seen_prices(order, actor)
    history = [_entry(entry, {order.organisation_id, actor.organisation_id}) for entry in order.history]
    return Order(
        order.order_id, order.organisation_id, history[0].user, order.state, content.purchase_order_number,
        content.name, written_address(content.shipping_address), content.shipping_type_id,
        content.provisioning_instructions, order.line_items[0].currency, _total(order, seen.prices),
        _total(order, seen.sold_prices), _lines(order, seen),
        [_shipment(order, shipment) for shipment in order.shipments], history, order.created_at, order.updated_at)


def _entry(entry: core.HistoryEntry, seen: Collection[int]) -> HistoryEntry:
    """Return an entry as it is answered to those that see the organisations `seen`."""
    user_id = entry.origin.user_id if entry.origin.organisation_id in seen else None
    return HistoryEntry(entry.number, entry.state, entry.at, str(entry.origin.kind), user_id, entry.reason)


def _lines(order: core.Order, seen: SeenPrices) -> list[OrderLine]:
    return [OrderLine(
        line.number, line.product_id, line.product_code, line.vendor_id, line.name, line.prov_product_code,
        line.quantity, line.shipped_quantity, _number(price), _number(sold_price), number_of(line.shipping_units))
        for line, price, sold_price in zip(order.line_items, seen.prices, seen.sold_prices, strict=True)]


def _number(price: core.TierPrice | None) -> float | None:
    return None if price is None else number_of(price.price_units)


def _total(order: core.Order, prices: Sequence[core.TierPrice | None]) -> float | None:
    known = [(line, price) for line, price in zip(order.line_items, prices, strict=True) if price is not None]
    if len(known) < len(prices):
        return None
    return number_of(sum(price.price_units * line.quantity + line.shipping_units for line, price in known))


def _shipment(order: core.Order, shipment: core.Shipment) -> Shipment:
    codes = {line.number: line.product_code for line in order.line_items}
    return Shipment(
        shipment.shipment_id, shipment.carrier, shipment.tracking_number, shipment.tracking_url, shipment.shipped_at,
        [ShippedLine(item.line_number, codes[item.line_number], item.quantity, list(item.serial_numbers),
                     list(item.mac_addresses)) for item in shipment.items])


route_handlers = [list_orders, get_order, create_order, order_basket, resubmit_order, cancel_order]
