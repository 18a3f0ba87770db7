"""The loop that takes orders on. Any number of processes may run it over one database."""

import asyncio
from datetime import timedelta

from makola.core.ordering.service.processing import Processing
from makola.core.ordering.store import settings
from makola.kit.background import Background
from makola.kit.clock import now
from makola.kit.database import Database

#: The channel that is notified when there is something to do.
CHANNEL = "orders"

_IDLE_S = 1.0
_SWEEP_S = 3_600.0
#: For so long a repeated request or notice is recognised.
_KEYS_KEPT = timedelta(days=7)


def run_in(background: Background, database: Database, processing: Processing, wake: asyncio.Event) -> None:
    """Have `background` take orders on, and forget by what repeated requests and notices are recognised."""

    async def sweep() -> bool:
        async with database.connection() as connection:
            await settings.forget(connection, now() - _KEYS_KEPT)
        return False

    background.every("orders", processing.step, idle_s=_IDLE_S, wake=wake)
    background.every("order-request-keys", sweep, idle_s=_SWEEP_S)
