"""The gateway's clock: subscribers who take too long, sessions that a dead process left, and old logs."""

import asyncio
from datetime import timedelta

from makola.core.ussd.service.gateway import UssdGateway
from makola.core.ussd.store import reading, writing
from makola.kit.background import Background
from makola.kit.clock import now
from makola.kit.database import Database

_TICK_S = 0.25
_LOOK_FOR_LEFT_S = 5.0
_PURGE_S = 600.0
_LEFT_AT_ONCE = 500
_PURGED_AT_ONCE = 2_000
#: A process that still lives is given this much longer than the subscriber.
_GRACE_S = 5.0


def run_in(background: Background, gateway: UssdGateway, database: Database, *, subscriber_timeout_s: float) -> None:
    """Time sessions out: this process's own, and those that nobody goes on with."""
    expiring: set[asyncio.Task[None]] = set()

    async def tick() -> bool:
        for live in gateway.sessions.due():
            gateway.sessions.busy(live)
            task = asyncio.create_task(gateway.expire(live))
            expiring.add(task)
            task.add_done_callback(expiring.discard)
        return False

    async def look_for_left() -> bool:
        at = now()
        left = await reading.find_left(
            database, asked_before=at - timedelta(seconds=gateway.patience_s),
            shown_before=at - timedelta(seconds=subscriber_timeout_s + _GRACE_S), limit=_LEFT_AT_ONCE)
        for connector, operator_session_id in left:
            await gateway.take_over(connector, operator_session_id)
        # Later than any process that still knows such a session, and would end it itself.
        await writing.end_orphans(
            database, limit=_LEFT_AT_ONCE,
            begun_before=at - timedelta(seconds=subscriber_timeout_s + gateway.patience_s + _GRACE_S))
        return False

    background.every("ussd-clock", tick, idle_s=_TICK_S)
    background.every("ussd-left", look_for_left, idle_s=_LOOK_FOR_LEFT_S)


def run_purge_in(background: Background, database: Database, *, keep_days: int) -> None:
    """Delete sessions and errors that are older than `keep_days`."""

    async def purge() -> bool:
        return await writing.purge(database, now() - timedelta(days=keep_days), _PURGED_AT_ONCE) > 0

    background.every("ussd-log", purge, idle_s=_PURGE_S)
