"""What is read back of sessions: to go on after a restart or in another process, and to find what was left."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from makola.core.ussd.store.rows import SavedSession, SavedStep, StepFlag
from makola.core.ussd.types import EndReason, StepKind
from makola.kit.clock import now
from makola.kit.database import Database, Record

_COLUMNS = """id, service_id, connector, operator_session_id, mobile, operator, service_code, started_at, ended_at,
    end_reason"""

_BY_OPERATOR = f"""
SELECT {_COLUMNS}, (SELECT since FROM ussd.continuity)
FROM ussd.session WHERE connector = $1 AND operator_session_id = $2
"""  # noqa: S608 - own column names

_RESUMABLE = f"""
SELECT {_COLUMNS} FROM ussd.session
WHERE service_id = $1 AND mobile = $2 AND end_reason = 3 AND ended_at > $3
ORDER BY ended_at DESC LIMIT 1
"""  # noqa: S608 - own column names

_STEPS = """
SELECT "position", sequence, kind, flags, push_id, asked_at, answered_at, input, screen, pages, client_state, error
FROM ussd.step WHERE session_id = $1 ORDER BY "position"
"""

# An unlogged table is empty after the server ended out of order: from now on, what was written before may miss its end.
_CONTINUE = """
WITH marked AS (INSERT INTO ussd.continuity (since) VALUES ($1) ON CONFLICT DO NOTHING RETURNING since)
SELECT since FROM marked UNION ALL SELECT since FROM ussd.continuity LIMIT 1
"""
#: The clocks of processes differ by less.
_CLOCKS_DIFFER = timedelta(seconds=5)

# The last step says since when a session has been waiting, and for whom. With a service that was removed nobody can go
# on; such sessions would be found first for ever, and stand before the others.
_LEFT = """
SELECT s.connector, s.operator_session_id
FROM ussd.session s
CROSS JOIN LATERAL (SELECT asked_at, answered_at FROM ussd.step WHERE session_id = s.id
                    ORDER BY "position" DESC LIMIT 1) AS last
WHERE s.ended_at IS NULL AND s.started_at < $1
  AND (last.answered_at < $2 OR (last.answered_at IS NULL AND last.asked_at < $1))
  AND EXISTS (SELECT FROM ussd.service WHERE id = s.service_id)
ORDER BY s.started_at LIMIT $3
"""


async def find_session(database: Database, connector: str, operator_session_id: str) -> SavedSession | None:
    """Return the session that an operator knows by this id."""
    row = await database.fetchrow(_BY_OPERATOR, connector, operator_session_id)
    saved = await _with_steps(database, row)
    if row is None or saved is None or not saved.steps:
        return saved
    since = row["since"] or await unbroken_since(database)
    last = saved.steps[-1].answered_at or saved.steps[-1].asked_at
    return replace(saved, is_whole=last >= since + _CLOCKS_DIFFER)


async def unbroken_since(database: Database) -> datetime:
    """Return since when the database has not broken down; now, where nobody has noticed yet that it has."""
    since: datetime = await database.fetchval(_CONTINUE, now())
    return since


async def find_resumable(database: Database, service_id: int, mobile: str, after: datetime) -> SavedSession | None:
    """Return the subscriber's last session of a service that timed out after a moment."""
    return await _with_steps(database, await database.fetchrow(_RESUMABLE, service_id, mobile, after))


async def find_left(database: Database, *, asked_before: datetime, shown_before: datetime,
                    limit: int) -> list[tuple[str, str]]:
    """Return open sessions that nobody goes on with: asked or shown too long ago.

    Args:
        database: where they are.
        asked_before: an application that was asked before this has not answered, and will not.
        shown_before: a subscriber who saw a screen before this has not answered in time.
        limit: the most to return, the oldest first.
    """
    rows = await database.fetch(_LEFT, asked_before, shown_before, limit)
    return [(row["connector"], row["operator_session_id"]) for row in rows]


async def _with_steps(database: Database, row: Record | None) -> SavedSession | None:
    if row is None:
        return None
    steps: Sequence[Record] = await database.fetch(_STEPS, row["id"])
    session_id: UUID = row["id"]
    return SavedSession(
        session_id, row["service_id"], row["connector"], row["operator_session_id"], row["mobile"], row["operator"],
        row["service_code"], row["started_at"], row["ended_at"],
        None if row["end_reason"] is None else EndReason(row["end_reason"]),
        tuple(SavedStep(step["position"], step["sequence"], StepKind(step["kind"]), StepFlag(step["flags"]),
                        step["push_id"], step["asked_at"], step["answered_at"], step["input"], step["screen"],
                        step["pages"], step["client_state"], step["error"]) for step in steps))
