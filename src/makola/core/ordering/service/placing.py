"""Orders come into being: in one call, or from a basket."""

from collections.abc import Sequence

from makola.core.ordering.errors import BasketOrderedError, DuplicatePurchaseOrderError
from makola.core.ordering.ports import PriceSource
from makola.core.ordering.queries import visible_basket, visible_chain
from makola.core.ordering.service.changes import Locked, record
from makola.core.ordering.service.checks import check_content
from makola.core.ordering.store import baskets, orders
from makola.core.ordering.types import Content, OrderState, Origin
from makola.core.organisations import audit
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.clock import now
from makola.kit.database import Connection
from makola.kit.ids import new_id


async def place_order(connection: Connection, actor: Actor, content: Content, prices: PriceSource, *,
                      organisation_id: int | None = None) -> int:
    """Take an order; return its id. It is CREATED, and a worker takes it on from there.

    Args:
        connection: an open transaction.
        actor: who orders.
        content: what.
        prices: what products are offered at.
        organisation_id: for whom, below the actor's own organisation, which it is when None.

    Raises:
        PermissionDeniedError: the actor may not order.
        UnknownOrganisationError: it is not in the actor's sight.
        InvalidContentError: with every problem that was found.
        DuplicatePurchaseOrderError: the organisation has used the number; names the earlier order.
    """
    actor.require(Permission.ORDER_CREATE)
    chain = await visible_chain(connection, actor, organisation_id)
    return await _place(connection, actor, chain, content, prices)


async def order_basket(connection: Connection, actor: Actor, basket_id: int, prices: PriceSource) -> int:
    """Make an order of a basket; return its id. The basket keeps it, and does not change any more.

    Raises:
        UnknownBasketError: there is none in the actor's sight.
        BasketOrderedError: it was ordered before; names the order.
        PermissionDeniedError, InvalidContentError, DuplicatePurchaseOrderError: as in `place_order`.
    """
    actor.require(Permission.ORDER_CREATE)
    basket = await visible_basket(connection, actor, basket_id, lock=True)
    if basket.order_id is not None:
        raise BasketOrderedError(f"Basket {basket_id} was ordered before: it is order {basket.order_id}.")
    chain = await visible_chain(connection, actor, basket.organisation_id)
    order_id = await _place(connection, actor, chain, basket.content, prices)
    await baskets.ordered(connection, basket_id, order_id, now())
    return order_id


async def _place(connection: Connection, actor: Actor, chain: Sequence[int], content: Content,
                 prices: PriceSource) -> int:
    organisation_id = chain[-1]
    # Asked before the rest is checked, so that a repeated order is told what it is; the index has the last word.
    await _refuse_duplicate(connection, organisation_id, content.purchase_order_number)
    offers = await check_content(connection, chain, actor.currency, content, prices, complete=True)
    reference = new_id()
    order_id = await orders.insert(connection, reference, organisation_id, actor.user_id, content, offers, now())
    while order_id is None:
        await _refuse_duplicate(connection, organisation_id, content.purchase_order_number)
        order_id = await orders.insert(connection, reference, organisation_id, actor.user_id, content, offers, now())
    order = Locked(order_id, reference, organisation_id, content.purchase_order_number, OrderState.CREATED, 0,
                   handed_over=False, errand="process", due_at=None)
    await record(connection, order, OrderState.CREATED, Origin.of(actor, organisation_id))
    await orders.wake(connection)
    await audit.record(connection, actor, "order:create", f"order:{order_id}",
                       {"purchase_order_number": content.purchase_order_number}, organisation_id=organisation_id)
    return order_id


async def _refuse_duplicate(connection: Connection, organisation_id: int, number: str) -> None:
    if not number:
        return
    earlier = await orders.find_by_number(connection, organisation_id, number)
    if earlier is not None:
        order_id, created_at = earlier
        raise DuplicatePurchaseOrderError(
            f"Order {order_id} of {created_at:%Y-%m-%d %H:%M} UTC has this purchase order number already.", order_id)
