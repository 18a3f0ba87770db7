"""A worker's part: new orders are looked at and handed over to the warehouse, cancelled ones are taken back.

A worker claims an order until a moment; if it dies, another takes the order up then. What is handed over is recorded
before it leaves, so that a warehouse that gets it twice can tell (`WarehouseOrder.submission`).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from makola.core.ledger import service as ledger
from makola.core.ordering.ports import Fulfilment, Handover, Outcome, PriceSource, WarehouseLine, WarehouseOrder
from makola.core.ordering.service.acceptance import (
    Objection,
    accept,
    begin_processing,
    explain_lack,
    find_terms,
    require_attention,
)
from makola.core.ordering.service.changes import Locked, lock_order
from makola.core.ordering.service.warehouse import fail
from makola.core.ordering.store import orders, settings
from makola.core.ordering.store.orders import Claim
from makola.core.ordering.types import SYSTEM, Origin, OriginKind
from makola.kit.clock import now
from makola.kit.database import OUTAGE, Connection, Database

_log = structlog.get_logger(__name__)

_BATCH = 8
_UNREACHABLE = "The warehouse cannot be reached at present."


@dataclass(frozen=True, slots=True)
class HandoverPolicy:
    """How hard an order is handed over.

    Attributes:
        retry_delays_s: seconds before the second, third, … attempt; one attempt more than there are delays.
        lease_s: how long a claimed order is left to its worker; well above the longest hand-over.
    """

    retry_delays_s: Sequence[float] = (5.0, 60.0, 300.0, 1_800.0, 7_200.0)
    lease_s: float = 60.0


class Processing:
    """Takes orders from CREATED to where the warehouse has them.

    Args:
        database: where the orders are.
        prices: what products are offered at.
        fulfilment: who ships.
        policy: how hard to try.
    """

    def __init__(self, database: Database, prices: PriceSource, fulfilment: Fulfilment,
                 policy: HandoverPolicy | None = None) -> None:
        self._database = database
        self._prices = prices
        self._fulfilment = fulfilment
        self._policy = policy or HandoverPolicy()
        self._origin = Origin(OriginKind.WAREHOUSE, name=fulfilment.name)

    async def step(self) -> bool:
        """Do what is due, several orders at a time; True when there may be more at once."""
        async with self._database.connection() as connection:
            claims = await orders.claim(connection, now(), self._policy.lease_s, _BATCH)
        results = await asyncio.gather(*map(self._do, claims), return_exceptions=True)
        for claim, error in zip(claims, results, strict=True):
            if isinstance(error, OUTAGE):
                raise error
            if error is not None:  # a defect of ours: the lease is left to lapse, and the other orders go on
                _log.error("order_processing_broken", order=claim.order_id, exc_info=error)
        return len(claims) == _BATCH

    async def _do(self, claim: Claim) -> None:
        handed = await self._prepare(claim)
        if handed is None:
            return
        if claim.errand == "cancel":
            answer = await self._fulfilment.cancel(handed)
        else:
            answer = await self._fulfilment.submit(handed)
        if answer.note:
            _log.info("order_handed_over", order=claim.order_id, errand=claim.errand, outcome=answer.outcome.value,
                      note=answer.note)
        async with self._database.transaction() as connection:
            order = await lock_order(connection, claim.order_id)
            if (order.errand, order.due_at) == (claim.errand, claim.due_at):  # nobody has been here meanwhile
                await self._conclude(connection, order, claim, answer)

    async def _prepare(self, claim: Claim) -> WarehouseOrder | None:
        """Return what to hand over; None when there is nothing to do any more, or somebody must attend to it."""
        async with self._database.transaction() as connection:
            order = await lock_order(connection, claim.order_id)
            if (order.errand, order.due_at) != (claim.errand, claim.due_at):
                return None
            if claim.errand == "process":
                order = await begin_processing(connection, order, SYSTEM)
                if await self._objects(connection, order):
                    return None
                await orders.mark_handed_over(connection, order.order_id)
            return await find_warehouse_order(connection, claim.order_id)

    async def _objects(self, connection: Connection, order: Locked) -> bool:
        """Put an order aside that could not be accepted now; the warehouse is not troubled with it."""
        whole = await orders.find(connection, order.order_id)
        if whole is None:
            return True
        terms = await find_terms(connection, whole, self._prices)
        if not isinstance(terms, Objection):
            if await ledger.can_reserve(connection, terms.legs):
                return False
            terms = await explain_lack(connection, whole.organisation_id, terms)
        await require_attention(connection, order, SYSTEM, reason=terms.reason, note=terms.note)
        return True

    async def _conclude(self, connection: Connection, order: Locked, claim: Claim, answer: Handover) -> None:
        if answer.outcome is Outcome.RETRY:
            await self._retry(connection, order, claim, answer)
        elif claim.errand == "cancel" or answer.outcome is Outcome.TAKEN:
            await orders.set_errand(connection, order.order_id, "", None)
        elif answer.outcome is Outcome.ACCEPTED:
            await accept(connection, order, self._prices, self._origin)
        elif answer.outcome is Outcome.ATTENTION:
            await require_attention(connection, order, self._origin, reason=answer.reason, note=answer.note)
        else:
            await fail(connection, order, self._origin, reason=answer.reason, note=answer.note)

    async def _retry(self, connection: Connection, order: Locked, claim: Claim, answer: Handover) -> None:
        delays = self._policy.retry_delays_s
        if claim.attempt_count <= len(delays):
            due_at = now() + timedelta(seconds=delays[claim.attempt_count - 1])
            await orders.postpone(connection, order.order_id, due_at)
        elif claim.errand == "cancel":
            _log.error("order_cancellation_not_told", order=order.order_id, note=answer.note)
            await orders.set_errand(connection, order.order_id, "", None)
        else:
            await require_attention(connection, order, SYSTEM, reason=_UNREACHABLE, note=answer.note)


async def find_warehouse_order(connection: Connection, order_id: int) -> WarehouseOrder | None:
    """Return an order as the warehouse needs it; None when there is none."""
    row, order = await orders.lock(connection, order_id), await orders.find(connection, order_id)
    if row is None or order is None:
        return None
    content = order.content
    shipping_type = await settings.find_type(connection, content.shipping_type_id or 0)
    return WarehouseOrder(
        order.order_id, order.reference, row["submission_count"], order.organisation_id,
        content.purchase_order_number, content.shipping_address,
        shipping_type.name if shipping_type is not None else "", content.provisioning_instructions,
        tuple(WarehouseLine(line.number, line.product_id, line.product_code, line.vendor_id, line.name,
                            line.prov_product_code, line.quantity, line.is_shippable) for line in order.line_items))
