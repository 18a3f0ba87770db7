"""What the warehouse's side says of an order: shipped, complete, failed. (Acceptance has a module of its own.)

Money that is reserved becomes owed as goods leave: each parcel posts its share of the order's hold at every tier.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from uuid import UUID

from makola.core.catalogue.service.stock import note_stock_changes
from makola.core.ledger import service as ledger
from makola.core.ledger.types import Leg, NewHold
from makola.core.ordering.service.acceptance import begin_processing, unshipped_goods
from makola.core.ordering.service.changes import Locked, change_state, wrong_state
from makola.core.ordering.service.parcels import checked_items
from makola.core.ordering.states import FOLLOWING, HOLDING
from makola.core.ordering.store import orders, shipments
from makola.core.ordering.types import LineItem, OrderState, Origin, Parcel
from makola.core.organisations.credit import trade_accounts_of
from makola.kit.clock import now
from makola.kit.database import Connection
from makola.kit.ids import new_id

#: What the ledger's transfers are for.
_KIND = "order"


async def ship(connection: Connection, order: Locked, parcel: Parcel, origin: Origin) -> OrderState:
    """Record a parcel and post its share of the money. The same parcel (`external_id`) twice is one.

    Args:
        connection: the transaction that has locked the order.
        order: as it was locked.
        parcel: what left.
        origin: who says so.

    Returns:
        The state that the order is in now: SHIPPED once nothing is left, PART_SHIPPED before.

    Raises:
        WrongStateError: it is not accepted, or everything has been shipped.
        InvalidShipmentError: a line is not there, or less of it is left, or there are too many serial numbers.
    """
    if parcel.external_id is not None and await shipments.is_known(connection, order.order_id, parcel.external_id):
        return order.state
    if order.state not in HOLDING:
        raise wrong_state(order, "be shipped")
    lines = {line.number: line for line in await _lines(connection, order)}
    items = checked_items(parcel, lines)
    hold_id = await _post(connection, order, [(lines[item.line_number], item.quantity) for item in items])
    await shipments.insert(connection, order.order_id, parcel, items, hold_id, now())
    for item in items:
        line = lines[item.line_number]
        lines[item.line_number] = replace(line, shipped_quantity=line.shipped_quantity + item.quantity)
    state = OrderState.PART_SHIPPED if _left(lines.values()) else OrderState.SHIPPED
    await change_state(connection, order, state, origin, reason=_told(parcel))
    return state


async def complete(connection: Connection, order: Locked, origin: Origin, *, reason: str = "") -> None:
    """End an order well. What cannot be shipped, such as a licence, counts as delivered: its money is posted.

    Raises:
        WrongStateError: it is not accepted, or something is left to ship.
    """
    if OrderState.COMPLETE not in FOLLOWING[order.state]:
        raise wrong_state(order, "be completed")
    if any(line.is_shippable for line in _left(await _lines(connection, order))):
        raise wrong_state(order, "be completed: something is left to ship")
    await ledger.settle(connection, post=[order.reference], kind=_KIND)
    await change_state(connection, order, OrderState.COMPLETE, origin, reason=reason)


async def fail(connection: Connection, order: Locked, origin: Origin, *, reason: str, note: str = "") -> None:
    """Give an order up: what was shipped stays owed, what is still reserved is given back, and to the stock too.

    Raises:
        WrongStateError: everything was shipped, or it has ended.
    """
    order = await begin_processing(connection, order, origin)
    if OrderState.FAILED not in FOLLOWING[order.state]:
        raise wrong_state(order, "fail")
    if order.state in HOLDING:
        await ledger.settle(connection, void=[order.reference], kind=_KIND)
        await note_stock_changes(connection, unshipped_goods(await _lines(connection, order)))
    await orders.set_errand(connection, order.order_id, "", None)
    await change_state(connection, order, OrderState.FAILED, origin, reason=reason, note=note)


async def _lines(connection: Connection, order: Locked) -> Sequence[LineItem]:
    whole = await orders.find(connection, order.order_id)
    return whole.line_items if whole is not None else ()


def _left(lines: Iterable[LineItem]) -> list[LineItem]:
    return [line for line in lines if line.shipped_quantity < line.quantity]


def _told(parcel: Parcel) -> str:
    return " ".join(part for part in (parcel.carrier, parcel.tracking_number) if part)


async def _post(connection: Connection, order: Locked, shipped: Sequence[tuple[LineItem, int]]) -> UUID | None:
    """Post the price of what is shipped, at every tier; return the hold that did it, None where it costs nothing."""
    amounts: dict[tuple[int, int, str], int] = defaultdict(int)
    for line, quantity in shipped:
        shipping_units = 0 if line.shipped_quantity else line.shipping_units
        for seller, buyer in pairwise(line.tiers):
            amounts[buyer.organisation_id, seller.organisation_id, buyer.currency] += (
                buyer.price_units * quantity + shipping_units)
    owing = {parties: amount for parties, amount in amounts.items() if amount}
    if not owing:
        return None
    accounts = {}
    for currency in {currency for _, _, currency in owing}:
        chain = [tier.organisation_id for tier in shipped[0][0].tiers]
        for organisation_id, account in (await trade_accounts_of(connection, chain, currency)).items():
            accounts[organisation_id, currency] = account.account_id
    legs = tuple(Leg(accounts[buyer_id, currency], accounts[seller_id, currency], amount)
                 for (buyer_id, seller_id, currency), amount in owing.items())
    hold_id = await ledger.split(connection, order.reference, NewHold(new_id(), legs))
    await ledger.settle(connection, post=[hold_id], kind=_KIND)
    return hold_id
