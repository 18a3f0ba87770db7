"""Looking at callbacks: what was sent, what came back, what happens next."""

from collections.abc import Sequence
from uuid import UUID

from makola.core.callbacks import store
from makola.core.callbacks.errors import DeliveryNotFoundError
from makola.core.callbacks.types import Attempt, Delivery, DeliveryHistory, DeliveryState
from makola.kit.database import Database, Record


async def list_deliveries(database: Database, *, organisation_id: int | None, limit: int = 100,
                          before: UUID | None = None, subject_id: UUID | None = None) -> Sequence[Delivery]:
    """Return callbacks, the newest first.

    Args:
        database: where they are stored.
        organisation_id: only this organisation's; everybody's when None.
        limit: at most so many.
        before: only those older than this one: the last one of the page before.
        subject_id: only those about this message, payment, ….
    """
    async with database.connection() as connection:
        rows = await store.deliveries(connection, organisation_id=organisation_id, subject_id=subject_id,
                                      limit=limit, before=before)
    return [_delivery(row) for row in rows]


async def get_delivery(database: Database, delivery_id: UUID, *, organisation_id: int | None) -> DeliveryHistory:
    """Return one callback with every attempt.

    Args:
        database: where it is stored.
        delivery_id: which one.
        organisation_id: only this organisation's; any when None.

    Raises:
        DeliveryNotFoundError: there is none.
    """
    async with database.connection() as connection:
        row = await store.delivery(connection, delivery_id, organisation_id)
        if row is None:
            raise DeliveryNotFoundError("there is no such callback", field="delivery_id")
        attempts = await store.attempts(connection, delivery_id)
    return DeliveryHistory(_delivery(row), tuple(Attempt(**dict(attempt)) for attempt in attempts))


def _delivery(row: Record) -> Delivery:
    return Delivery(**{**dict(row), "state": DeliveryState(row["state"])})
