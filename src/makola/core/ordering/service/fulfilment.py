"""Who may say what becomes of an order: the organisation that fulfils, at the top of the tree.

What is said has money at every tier, and so is nobody's in between: a tier that could accept or ship its customers'
orders would spend the credit of those above it.
"""

from makola.core.ordering.queries import visible_order
from makola.core.ordering.service.changes import Locked, lock_order
from makola.core.ordering.types import Origin, OriginKind
from makola.core.organisations import audit
from makola.core.organisations.errors import PermissionDeniedError
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Connection


async def lock_to_fulfil(connection: Connection, actor: Actor, order_id: int, deed: str) -> tuple[Locked, Origin]:
    """Lock an order for the warehouse's side, and note in the audit log what is done to it.

    Args:
        connection: an open transaction.
        actor: who says so.
        order_id: which order.
        deed: what is done, such as `ship`.

    Returns:
        The order, and the origin of what is done.

    Raises:
        PermissionDeniedError: the actor may not fulfil orders, or is not of the organisation at the top.
        UnknownOrderError: there is no such order in the actor's sight.
    """
    actor.require(Permission.ORDER_FULFIL)
    seen = await visible_order(connection, actor, order_id)
    if not actor.is_platform:
        raise PermissionDeniedError("Orders are fulfilled by the organisation at the top of the tree alone.")
    await audit.record(connection, actor, f"order:{deed}", f"order:{order_id}", organisation_id=seen.organisation_id)
    origin = Origin(OriginKind.WAREHOUSE, actor.organisation_id, actor.user_id, actor.real_user_id)
    return await lock_order(connection, order_id), origin
