"""Baskets: a content kept for later."""

from makola.core.ordering.errors import BasketOrderedError
from makola.core.ordering.ports import PriceSource
from makola.core.ordering.queries import visible_basket, visible_chain
from makola.core.ordering.service.checks import check_content
from makola.core.ordering.store import baskets
from makola.core.ordering.types import Basket, Content
from makola.core.organisations import audit
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.clock import now
from makola.kit.database import Connection


async def create_basket(connection: Connection, actor: Actor, content: Content, prices: PriceSource, *,
                        organisation_id: int | None = None) -> int:
    """Keep a content; return the basket's id. What is given must be possible; what an order needs may still lack.

    Args:
        connection: an open transaction.
        actor: whose basket it is.
        content: what is in it.
        prices: what products are offered at.
        organisation_id: for whom, below the actor's own organisation, which it is when None.

    Raises:
        PermissionDeniedError: the actor may not make baskets.
        UnknownOrganisationError: it is not in the actor's sight.
        InvalidContentError: with every problem that was found.
    """
    actor.require(Permission.BASKET_CREATE)
    chain = await visible_chain(connection, actor, organisation_id)
    await check_content(connection, chain, actor.currency, content, prices, complete=False)
    basket_id = await baskets.insert(connection, chain[-1], actor.user_id, content, now())
    await audit.record(connection, actor, "basket:create", f"basket:{basket_id}", organisation_id=chain[-1])
    return basket_id


async def change_basket(connection: Connection, actor: Actor, basket_id: int, content: Content,
                        prices: PriceSource) -> None:
    """Replace what is in a basket.

    Raises:
        PermissionDeniedError: the actor may not change baskets.
        UnknownBasketError: there is none in the actor's sight.
        BasketOrderedError: it has become an order.
        InvalidContentError: with every problem that was found.
    """
    basket = await lock_basket(connection, actor, basket_id)
    chain = await visible_chain(connection, actor, basket.organisation_id)
    await check_content(connection, chain, actor.currency, content, prices, complete=False)
    await baskets.replace(connection, basket_id, content, now())
    await audit.record(connection, actor, "basket:change", f"basket:{basket_id}",
                       organisation_id=basket.organisation_id)


async def delete_basket(connection: Connection, actor: Actor, basket_id: int) -> None:
    """Remove a basket.

    Raises:
        PermissionDeniedError, UnknownBasketError, BasketOrderedError: as in `change_basket`.
    """
    basket = await lock_basket(connection, actor, basket_id)
    await baskets.delete(connection, basket_id)
    await audit.record(connection, actor, "basket:delete", f"basket:{basket_id}",
                       organisation_id=basket.organisation_id)


async def lock_basket(connection: Connection, actor: Actor, basket_id: int) -> Basket:
    """Return a basket that is about to change, locked until the transaction ends.

    Raises:
        PermissionDeniedError, UnknownBasketError, BasketOrderedError: as in `change_basket`.
    """
    actor.require(Permission.BASKET_CHANGE)
    basket = await visible_basket(connection, actor, basket_id, lock=True)
    if basket.order_id is not None:
        raise BasketOrderedError(f"Basket {basket_id} has become order {basket.order_id} and does not change.")
    return basket
