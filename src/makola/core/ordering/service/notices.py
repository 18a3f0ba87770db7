"""What a warehouse's program says of an order, each notice once."""

import enum
from dataclasses import dataclass
from uuid import UUID

from makola.core.ordering.errors import UnknownOrderError
from makola.core.ordering.ports import PriceSource
from makola.core.ordering.service import acceptance, warehouse
from makola.core.ordering.service.changes import Locked, lock_order
from makola.core.ordering.store import orders, settings
from makola.core.ordering.types import Origin, Parcel
from makola.kit.clock import now
from makola.kit.database import Connection


class NoticeKind(enum.StrEnum):
    """What a notice says."""

    ACCEPTED = "accepted"
    ATTENTION_REQUIRED = "attention_required"
    SHIPPED = "shipped"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Notice:
    """A message about one order.

    Attributes:
        notice_id: the same one twice is one notice.
        reference: the order's.
        reason: why, for the reseller.
        note: why, for the operator.
        parcel: what left, of a notice of that kind.
    """

    notice_id: str
    kind: NoticeKind
    reference: UUID
    reason: str = ""
    note: str = ""
    parcel: Parcel | None = None


async def take_notice(connection: Connection, notice: Notice, prices: PriceSource, origin: Origin) -> Locked:
    """Do what a notice says, unless that was done before; return how the order stands then.

    Args:
        connection: an open transaction.
        notice: what is said.
        prices: what products are offered at.
        origin: who says it.

    Raises:
        UnknownOrderError: there is no such order.
        WrongStateError: the order is in a state in which this cannot be.
        InvalidShipmentError: the parcel does not fit the order.
    """
    order_id = await orders.find_id(connection, notice.reference)
    if order_id is None:
        raise UnknownOrderError("There is no such order.", field="data.reference")
    order = await lock_order(connection, order_id)
    if await settings.insert_notice(connection, notice.notice_id, now()):
        await _do(connection, order, notice, prices, origin)
    return await lock_order(connection, order_id)


async def _do(connection: Connection, order: Locked, notice: Notice, prices: PriceSource, origin: Origin) -> None:
    match notice.kind:
        case NoticeKind.ACCEPTED:
            await acceptance.accept(connection, order, prices, origin)
        case NoticeKind.ATTENTION_REQUIRED:
            await acceptance.require_attention(connection, order, origin, reason=notice.reason, note=notice.note)
        case NoticeKind.SHIPPED:
            await warehouse.ship(connection, order, notice.parcel or Parcel(None), origin)
        case NoticeKind.COMPLETE:
            await warehouse.complete(connection, order, origin, reason=notice.reason)
        case NoticeKind.FAILED:
            await warehouse.fail(connection, order, origin, reason=notice.reason, note=notice.note)
