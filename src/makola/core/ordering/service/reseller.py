"""What the reseller's side may do with an order: cancel it, or resubmit it, until it is accepted."""

from dataclasses import dataclass, replace

from makola.core.ordering.ports import PriceSource
from makola.core.ordering.queries import visible_chain, visible_order
from makola.core.ordering.service.changes import change_state, lock_order, wrong_state
from makola.core.ordering.service.checks import check_content
from makola.core.ordering.states import CANCELLABLE
from makola.core.ordering.store import orders
from makola.core.ordering.types import Address, OrderState, Origin
from makola.core.organisations import audit
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.clock import now
from makola.kit.database import Connection


@dataclass(frozen=True, slots=True)
class Correction:
    """What a reseller puts right before it resubmits; None leaves a value as it is."""

    shipping_address: Address | None = None
    shipping_type_id: int | None = None
    provisioning_instructions: str | None = None


async def cancel_order(connection: Connection, actor: Actor, order_id: int, *, reason: str = "") -> None:
    """Cancel an order that is not accepted yet; the warehouse is told where it may know of it.

    Raises:
        PermissionDeniedError: the actor may not cancel orders.
        UnknownOrderError: there is none in the actor's sight.
        WrongStateError: it is accepted, or has ended.
    """
    actor.require(Permission.ORDER_CANCEL)
    await visible_order(connection, actor, order_id)
    order = await lock_order(connection, order_id)
    if order.state not in CANCELLABLE:
        raise wrong_state(order, "be cancelled any more")
    await orders.set_errand(connection, order_id, "cancel" if order.handed_over else "",
                            now() if order.handed_over else None)
    await change_state(connection, order, OrderState.CANCELLED, Origin.of(actor, order.organisation_id), reason=reason)
    await audit.record(connection, actor, "order:cancel", f"order:{order_id}", {"reason": reason},
                       organisation_id=order.organisation_id)


async def resubmit_order(connection: Connection, actor: Actor, order_id: int, prices: PriceSource,
                         correction: Correction | None = None) -> None:
    """Send an order on its way again once what needed attention is resolved, at the present prices.

    Args:
        connection: an open transaction.
        actor: who resubmits.
        order_id: which order.
        prices: what products are offered at.
        correction: what is put right with it.

    Raises:
        PermissionDeniedError: the actor may not resubmit orders.
        UnknownOrderError: there is none in the actor's sight.
        WrongStateError: it does not require attention.
        InvalidContentError: it still cannot be; names every problem.
    """
    actor.require(Permission.ORDER_RESUBMIT)
    await visible_order(connection, actor, order_id)
    locked = await lock_order(connection, order_id)
    if locked.state is not OrderState.ATTENTION_REQUIRED:
        raise wrong_state(locked, "be resubmitted")
    order = await visible_order(connection, actor, order_id)
    content = order.content
    if correction is not None:
        content = replace(
            content, shipping_address=correction.shipping_address or content.shipping_address,
            shipping_type_id=correction.shipping_type_id or content.shipping_type_id,
            provisioning_instructions=content.provisioning_instructions
            if correction.provisioning_instructions is None else correction.provisioning_instructions)
    chain = await visible_chain(connection, actor, locked.organisation_id)
    offers = await check_content(connection, chain, order.line_items[0].currency, content, prices, complete=True)
    await orders.save_changes(connection, order_id, content)
    await orders.requote(connection, order_id, dict(enumerate(offers, 1)))
    await orders.set_errand(connection, order_id, "process", now())
    await change_state(connection, locked, OrderState.PROCESSING, Origin.of(actor, locked.organisation_id),
                       reason="Resubmitted.")
    await audit.record(connection, actor, "order:resubmit", f"order:{order_id}", organisation_id=locked.organisation_id)
