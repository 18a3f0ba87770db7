"""Reads of baskets and orders. An actor sees its own organisation's and those of the organisations below it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from makola.core.ordering.errors import (
    InvalidContentError,
    UnknownBasketError,
    UnknownOrderError,
    UnknownShippingTypeError,
)
from makola.core.ordering.store import baskets, orders, settings
from makola.core.ordering.types import Basket, LineItem, Order, OrderState, ShippingType, TierPrice
from makola.core.organisations.errors import UnknownOrganisationError
from makola.core.organisations.permissions import Permission
from makola.core.organisations.queries import find_chains, is_in_subtree, subtree_ids
from makola.core.organisations.types import Actor
from makola.kit.database import Connection


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders: those that match every field that is not empty."""

    organisation_ids: Sequence[int] = ()
    states: Sequence[OrderState] = ()
    purchase_order_numbers: Sequence[str] = ()
    newest_first: bool = True


@dataclass(frozen=True, slots=True)
class SeenPrices:
    """What an actor sees of the prices of an order; never what a tier above it pays, nor who sells on for what.

    Attributes:
        prices: for each line what the actor's organisation pays for one; None where it pays nothing, or nothing yet.
        sold_prices: for each line what it sells one for to the tier below it; None where it sells nothing.
    """

    prices: Sequence[TierPrice | None] = field(default=())
    sold_prices: Sequence[TierPrice | None] = field(default=())


async def list_orders(connection: Connection, actor: Actor, wanted: OrderFilter, *, skip: int,
                      limit: int) -> tuple[list[Order], int]:
    """Return a page of the orders in the actor's sight, and how many there are in all.

    Raises:
        PermissionDeniedError: the actor may not see orders.
        InvalidContentError: an organisation that is asked for is not in the actor's sight.
    """
    actor.require(Permission.ORDER_VIEW)
    organisation_ids = await _sight(connection, actor, wanted.organisation_ids)
    return await orders.find_page(connection, organisation_ids, [str(state) for state in wanted.states],
                                  list(wanted.purchase_order_numbers), newest_first=wanted.newest_first, skip=skip,
                                  limit=limit)


async def find_order(connection: Connection, actor: Actor, order_id: int) -> Order:
    """Return one order.

    Raises:
        PermissionDeniedError: the actor may not see orders.
        UnknownOrderError: there is none in the actor's sight.
    """
    actor.require(Permission.ORDER_VIEW)
    return await visible_order(connection, actor, order_id)


async def visible_order(connection: Connection, actor: Actor, order_id: int) -> Order:
    """Return one order in the actor's sight, whatever the actor may do.

    Raises:
        UnknownOrderError: there is none.
    """
    order = await orders.find(connection, order_id)
    if order is None or not await is_in_subtree(connection, actor, order.organisation_id):
        raise UnknownOrderError("There is no such order.")
    return order


async def list_all_orders(connection: Connection, wanted: OrderFilter, *, skip: int,
                          limit: int) -> tuple[list[Order], int]:
    """Return a page of everybody's orders, for the platform's own commands."""
    return await orders.find_page(connection, list(wanted.organisation_ids) or None,
                                  [str(state) for state in wanted.states], list(wanted.purchase_order_numbers),
                                  newest_first=wanted.newest_first, skip=skip, limit=limit)


async def find_any_order(connection: Connection, order_id: int) -> Order:
    """Return one order, for the platform's own commands.

    Raises:
        UnknownOrderError: there is none.
    """
    order = await orders.find(connection, order_id)
    if order is None:
        raise UnknownOrderError(f"There is no order {order_id}.")
    return order


async def list_baskets(connection: Connection, actor: Actor, organisation_ids: Sequence[int] = (), *, skip: int,
                       limit: int) -> tuple[list[Basket], int]:
    """Return a page of the baskets in the actor's sight, the newest first, and how many there are in all.

    Raises:
        PermissionDeniedError: the actor may not see baskets.
        InvalidContentError: an organisation that is asked for is not in the actor's sight.
    """
    actor.require(Permission.BASKET_VIEW)
    return await baskets.find_page(connection, await _sight(connection, actor, organisation_ids), skip, limit)


async def find_basket(connection: Connection, actor: Actor, basket_id: int) -> Basket:
    """Return one basket.

    Raises:
        PermissionDeniedError: the actor may not see baskets.
        UnknownBasketError: there is none in the actor's sight.
    """
    actor.require(Permission.BASKET_VIEW)
    return await visible_basket(connection, actor, basket_id)


async def visible_basket(connection: Connection, actor: Actor, basket_id: int, *, lock: bool = False) -> Basket:
    """Return one basket in the actor's sight, whatever the actor may do.

    Raises:
        UnknownBasketError: there is none.
    """
    basket = await baskets.find(connection, basket_id, lock=lock)
    if basket is None or not await is_in_subtree(connection, actor, basket.organisation_id):
        raise UnknownBasketError("There is no such basket.")
    return basket


async def list_shipping_types(connection: Connection, *, skip: int, limit: int) -> tuple[list[ShippingType], int]:
    """Return a page of the shipping types by id, and how many there are in all."""
    return await settings.find_types(connection, skip, limit)


async def find_shipping_type(connection: Connection, shipping_type_id: int) -> ShippingType:
    """Return one shipping type.

    Raises:
        UnknownShippingTypeError: there is none.
    """
    found = await settings.find_type(connection, shipping_type_id)
    if found is None:
        raise UnknownShippingTypeError("There is no such shipping type.")
    return found


async def visible_chain(connection: Connection, actor: Actor, organisation_id: int | None) -> tuple[int, ...]:
    """Return the chain, root first, of an organisation in the actor's sight: its own when None.

    Raises:
        UnknownOrganisationError: there is none.
    """
    if organisation_id is None or organisation_id == actor.organisation_id:
        return actor.chain
    chain = (await find_chains(connection, [organisation_id])).get(organisation_id, ())
    if actor.organisation_id not in chain:
        raise UnknownOrganisationError("There is no such organisation.", field="organisation")
    return chain


def seen_prices(order: Order, actor: Actor) -> SeenPrices:
    """Return what an actor sees of an order's prices."""
    seen = [_seen(order, line, actor.organisation_id) for line in order.line_items]
    return SeenPrices([price for price, _ in seen], [sold for _, sold in seen])


def _seen(order: Order, line: LineItem, organisation_id: int) -> tuple[TierPrice | None, TierPrice | None]:
    if not line.tiers:  # nothing is frozen yet, and what the buyer was quoted is the buyer's alone
        own = order.organisation_id == organisation_id
        return (TierPrice(organisation_id, line.currency, line.quoted_units) if own else None), None
    for index, tier in enumerate(line.tiers):
        if tier.organisation_id == organisation_id:
            return tier, next(iter(line.tiers[index + 1:index + 2]), None)
    return None, None


async def _sight(connection: Connection, actor: Actor, wanted: Sequence[int]) -> list[int] | None:
    """Return the organisations that are asked for, or all that the actor sees; None for everybody."""
    if wanted:
        chains = await find_chains(connection, wanted)
        unknown = [each for each in wanted if actor.organisation_id not in chains.get(each, ())]
        if unknown:
            raise InvalidContentError([("organisation", f"{unknown[0]} is not an organisation that you see")])
        return list(wanted)
    return None if actor.is_platform else await subtree_ids(connection, actor)
