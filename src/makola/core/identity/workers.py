"""Loops: who must hear of sessions hears of them, and what is over is forgotten."""

import asyncio
from collections.abc import Sequence

from makola.core.identity import challenges, links, sessions, throttle
from makola.core.identity.ports import SessionObserver
from makola.core.identity.sessions import CHANNEL, SessionPolicy
from makola.core.identity.types import SessionEvent
from makola.kit.background import Background
from makola.kit.database import Database

__all__ = ["CHANNEL", "run_in", "tell_observers"]

_BATCH = 100
_TELL_TICK_S = 30.0
_PURGE_TICK_S = 60.0

_CLAIM = """
DELETE FROM identity.session_event WHERE id IN
    (SELECT id FROM identity.session_event ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING id, session_id, user_id, organisation_id, at
"""


async def tell_observers(database: Database, observers: Sequence[SessionObserver]) -> bool:
    """Tell of sessions that ended; True when there may be more."""
    async with database.transaction() as connection:
        rows = await connection.fetch(_CLAIM, _BATCH)
        for row in sorted(rows, key=lambda each: int(each["id"])):
            event = SessionEvent(row["session_id"], row["user_id"], row["organisation_id"], row["at"])
            for observer in observers:
                await observer(connection, event)
    return len(rows) == _BATCH


def run_in(background: Background, database: Database, policy: SessionPolicy, observers: Sequence[SessionObserver],
           wake: asyncio.Event) -> None:
    """Start the loops.

    Args:
        background: of the process.
        database: where sessions are.
        policy: when a session is over.
        observers: who is told; the list may still grow.
        wake: set when a session ended.
    """
    async def tell() -> bool:
        return await tell_observers(database, observers)

    async def forget() -> bool:
        more = [await sessions.end_lapsed(database, policy), await challenges.purge(database),
                await links.purge(database), await throttle.purge(database)]
        return any(more)

    background.every("session-events", tell, idle_s=_TELL_TICK_S, wake=wake)
    background.every("signing-in-is-over", forget, idle_s=_PURGE_TICK_S)
