"""The warehouse's side of orders (ours): what `makola orders` does, over the API, for the organisation at the top."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from makola.api.hub.baskets import PRICES
from makola.api.hub.orders import Order, written
from makola.api.hub.reading import Id, from_body, from_optional_body
from makola.core.ordering import queries
from makola.core.ordering.service import acceptance, warehouse
from makola.core.ordering.service.changes import Locked
from makola.core.ordering.service.fulfilment import lock_to_fulfil
from makola.core.ordering.types import Origin, Parcel, ShippedItem
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database

_TAGS = ["Fulfilment"]

_Text = Annotated[str, Meta(max_length=1000)]
_Deed = Callable[[Connection, Locked, Origin], Awaitable[object]]


class WhyNot(msgspec.Struct):
    """Why an order cannot go on."""

    reason: Annotated[str, Meta(min_length=1, max_length=1000, description="For the reseller.")]
    note: Annotated[_Text, Meta(description="For the operator alone: no API answers it.")] = ""


class Completion(msgspec.Struct):
    """How an order ended."""

    reason: _Text = ""


class ParcelLine(msgspec.Struct):
    """What of one line is in a parcel."""

    line: Annotated[int, Meta(ge=1, le=10_000)]
    quantity: Id
    serial_numbers: list[str] = []
    mac_addresses: list[str] = []


class NewShipment(msgspec.Struct):
    """A parcel that has left. The same `external_id` twice is one shipment."""

    line_items: Annotated[list[ParcelLine] | None, Meta(description="Everything that is left, if null.")] = None
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""
    external_id: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


@post("/orders/{order_id:int}/accept", status_code=200, tags=_TAGS,
      opt={"permission": Permission.ORDER_FULFIL, "errors": (409,)})
async def accept_order(actor: NamedDependency[Actor], database: NamedDependency[Database],
                       order_id: FromPath[int]) -> Order:
    """Accept an order (ours).

    The price of every tier is frozen, the money reserved, and what is to be shipped taken from stock. The order may
    turn out to need attention instead: see the `status` that is answered.
    """
    async def deed(connection: Connection, order: Locked, origin: Origin) -> None:
        await acceptance.accept(connection, order, PRICES, origin)

    return await _done(database, actor, order_id, "accept", deed)


@post("/orders/{order_id:int}/attention", status_code=200, dependencies={"sent": from_body(WhyNot)}, tags=_TAGS,
      opt={"permission": Permission.ORDER_FULFIL, "errors": (409,)})
async def put_order_aside(actor: NamedDependency[Actor], database: NamedDependency[Database],
                          order_id: FromPath[int], sent: NamedDependency[WhyNot]) -> Order:
    """Put an order aside until its reseller has resolved something (ours)."""
    async def deed(connection: Connection, order: Locked, origin: Origin) -> None:
        await acceptance.require_attention(connection, order, origin, reason=sent.reason, note=sent.note)

    return await _done(database, actor, order_id, "attention", deed)


@post("/orders/{order_id:int}/shipments", dependencies={"sent": from_optional_body(NewShipment)}, tags=_TAGS,
      opt={"permission": Permission.ORDER_FULFIL, "errors": (409,)})
async def ship_order(actor: NamedDependency[Actor], database: NamedDependency[Database],
                     order_id: FromPath[int], sent: NamedDependency[NewShipment]) -> Order:
    """Record that a parcel has left, and post its money at every tier (ours)."""
    items = None if sent.line_items is None else tuple(
        ShippedItem(line.line, line.quantity, tuple(line.serial_numbers), tuple(line.mac_addresses))
        for line in sent.line_items)
    parcel = Parcel(items, sent.carrier, sent.tracking_number, sent.tracking_url, sent.external_id)

    async def deed(connection: Connection, order: Locked, origin: Origin) -> None:
        await warehouse.ship(connection, order, parcel, origin)

    return await _done(database, actor, order_id, "ship", deed)


@post("/orders/{order_id:int}/complete", status_code=200, dependencies={"sent": from_optional_body(Completion)},
      tags=_TAGS, opt={"permission": Permission.ORDER_FULFIL, "errors": (409,)})
async def complete_order(actor: NamedDependency[Actor], database: NamedDependency[Database],
                         order_id: FromPath[int], sent: NamedDependency[Completion]) -> Order:
    """End an order well (ours).

    What cannot be shipped, such as a licence, counts as delivered.
    """
    async def deed(connection: Connection, order: Locked, origin: Origin) -> None:
        await warehouse.complete(connection, order, origin, reason=sent.reason)

    return await _done(database, actor, order_id, "complete", deed)


@post("/orders/{order_id:int}/fail", status_code=200, dependencies={"sent": from_body(WhyNot)}, tags=_TAGS,
      opt={"permission": Permission.ORDER_FULFIL, "errors": (409,)})
async def fail_order(actor: NamedDependency[Actor], database: NamedDependency[Database],
                     order_id: FromPath[int], sent: NamedDependency[WhyNot]) -> Order:
    """Give an order up (ours).

    What was shipped stays owed; the rest of the money, and of the goods, is given back.
    """
    async def deed(connection: Connection, order: Locked, origin: Origin) -> None:
        await warehouse.fail(connection, order, origin, reason=sent.reason, note=sent.note)

    return await _done(database, actor, order_id, "fail", deed)


async def _done(database: Database, actor: Actor, order_id: int, name: str, deed: _Deed) -> Order:
    """Do something to an order in one transaction; return how it stands then."""
    async with database.transaction() as connection:
        order, origin = await lock_to_fulfil(connection, actor, order_id, name)
        await deed(connection, order, origin)
        return written(await queries.visible_order(connection, actor, order_id), actor)


route_handlers = [accept_order, put_order_aside, ship_order, complete_order, fail_order]
