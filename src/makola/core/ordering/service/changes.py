"""A change of state: the row, its history, and the callback that tells of it, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from makola.core.callbacks.service import enqueue
from makola.core.callbacks.types import NewCallback
from makola.core.ordering.errors import UnknownOrderError, WrongStateError
from makola.core.ordering.states import may_follow
from makola.core.ordering.store import orders, settings
from makola.core.ordering.types import OrderState, Origin
from makola.kit.clock import now
from makola.kit.database import Connection


@dataclass(frozen=True, slots=True)
class Locked:
    """An order whose row is locked until the transaction ends.

    Attributes:
        submission: how often it was taken up: a new number for each time that it is submitted.
        handed_over: whether the warehouse may know of it.
        errand: what a worker has to do with it; empty for nothing.
        due_at: when, or until when a worker has it in hand.
    """

    order_id: int
    reference: UUID
    organisation_id: int
    purchase_order_number: str
    state: OrderState
    submission: int
    handed_over: bool
    errand: str
    due_at: datetime | None


async def lock_order(connection: Connection, order_id: int) -> Locked:
    """Lock an order and return how it stands.

    Raises:
        UnknownOrderError: there is none.
    """
    row = await orders.lock(connection, order_id)
    if row is None:
        raise UnknownOrderError(f"There is no order {order_id}.")
    return Locked(row["id"], row["reference"], row["organisation_id"], row["purchase_order_number"],
                  OrderState(row["state"]), row["submission_count"], row["handed_over"], row["errand"], row["due_at"])


async def change_state(connection: Connection, order: Locked, state: OrderState, origin: Origin, *, reason: str = "",
                       note: str = "") -> None:
    """Move a locked order on, and tell its organisation.

    Args:
        connection: the transaction that has locked the order.
        order: as it was locked, in the state that it leaves.
        state: the state that it enters.
        origin: who does it.
        reason: why, for the reseller.
        note: why, for the warehouse alone.

    Raises:
        WrongStateError: this state cannot follow.
    """
    if not may_follow(order.state, state):
        raise wrong_state(order, f"become {state}")
    await record(connection, order, state, origin, reason=reason, note=note)


async def record(connection: Connection, order: Locked, state: OrderState, origin: Origin, *, reason: str = "",
                 note: str = "") -> None:
    """Store a state that is known to be allowed, with its history and its callback."""
    at = now()
    number = await orders.change_state(connection, order.order_id, state, at, reason, note, origin)
    url = await settings.find_callback_url(connection, order.organisation_id)
    if url:
        await enqueue(connection, [NewCallback(
            order.organisation_id, f"order.{state.lower()}", "POST", url, subject_id=order.reference,
            body=_event(order, state, number, at, reason))])


def wrong_state(order: Locked, what: str) -> WrongStateError:
    """Return the refusal of what cannot be done to an order as it stands."""
    return WrongStateError(f"Order {order.order_id} is {order.state} and cannot {what}.", order.state)


class _EventData(msgspec.Struct):
    """What a callback says about the order; `sequence` puts the callbacks of one order in order."""

    id: int
    organisation: int
    purchase_order_number: str
    status: str
    reason: str
    sequence: int


class _Event(msgspec.Struct):
    """The body of a callback, in the form that Standard Webhooks recommends."""

    type: str
    timestamp: datetime
    data: _EventData


def _event(order: Locked, state: OrderState, number: int, at: datetime, reason: str) -> bytes:
    return msgspec.json.encode(_Event(
        f"order.{state.lower()}", at,
        _EventData(order.order_id, order.organisation_id, order.purchase_order_number, state, reason, number)))
