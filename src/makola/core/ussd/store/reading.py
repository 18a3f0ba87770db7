"""What is read back of sessions: to go on after a restart or in another process, and to find what was left."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import asyncpg

from makola.core.ussd.store.rows import SavedSession, SavedStep, StepFlag
from makola.core.ussd.types import EndReason, StepKind
from makola.kit.database import Connection, Database, Record

# A session and its steps are read by one statement: read one after the other, a session that ends in between would be
# open, with a last step that says otherwise.
_COLUMNS = """s.id, s.service_id, s.connector, s.operator_session_id, s.mobile, s.operator, s.service_code,
    s.started_at, s.ended_at, s.end_reason, t."position", t.sequence, t.kind, t.flags, t.push_id, t.asked_at,
    t.answered_at, t.input, t.screen, t.pages, t.client_state, t.error"""

_BY_OPERATOR = f"""
SELECT {_COLUMNS}, t.recorded_at, (SELECT since FROM ussd.continuity)
FROM ussd.session s LEFT JOIN ussd.step t ON t.session_id = s.id
WHERE s.connector = $1 AND s.operator_session_id = $2
ORDER BY t."position"
"""  # noqa: S608 - own column names

_RESUMABLE = f"""
SELECT {_COLUMNS}
FROM (SELECT * FROM ussd.session WHERE service_id = $1 AND mobile = $2 AND end_reason = 3 AND ended_at > $3
      ORDER BY ended_at DESC LIMIT 1) AS s
LEFT JOIN ussd.step t ON t.session_id = s.id
ORDER BY t."position"
"""  # noqa: S608 - own column names

# An unlogged table is empty after the server ended out of order: from now on, what was written before may miss its end.
# Whoever is second waits for the first and gets its row, which no other statement of the same snapshot would see. The
# clock is the database's own, as that of `recorded_at` is: those of the hub's processes differ.
_CONTINUE = """
INSERT INTO ussd.continuity (since) VALUES (clock_timestamp())
ON CONFLICT (single) DO UPDATE SET since = continuity.since
RETURNING since
"""
_NOTE = "INSERT INTO ussd.continuity (since) VALUES (clock_timestamp()) ON CONFLICT (single) DO NOTHING"

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
    rows = await database.fetch(_BY_OPERATOR, connector, operator_session_id)
    saved = _saved(rows)
    if saved is None or not saved.steps:
        return saved
    since = rows[0]["since"] or await unbroken_since(database)
    return replace(saved, is_whole=rows[-1]["recorded_at"] >= since)


async def unbroken_since(database: Database) -> datetime:
    """Return since when the database has not broken down; now, where nobody has noticed yet that it has."""
    since: datetime = await database.fetchval(_CONTINUE)
    return since


async def note_breakdown(connection: Connection) -> None:
    """Mark that the database has broken down, unless that is marked already or it has not."""
    with suppress(asyncpg.UndefinedTableError):  # not migrated yet, and nothing recorded
        await connection.execute(_NOTE)


async def find_resumable(database: Database, service_id: int, mobile: str, after: datetime) -> SavedSession | None:
    """Return the subscriber's last session of a service that timed out after a moment."""
    return _saved(await database.fetch(_RESUMABLE, service_id, mobile, after))


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


def _saved(rows: Sequence[Record]) -> SavedSession | None:
    """Build a session from its rows, one for each step, or one without."""
    if not rows:
        return None
    row = rows[0]
    steps = rows if row["position"] is not None else ()
    return SavedSession(
        row["id"], row["service_id"], row["connector"], row["operator_session_id"], row["mobile"], row["operator"],
        row["service_code"], row["started_at"], row["ended_at"],
        None if row["end_reason"] is None else EndReason(row["end_reason"]),
        tuple(SavedStep(step["position"], step["sequence"], StepKind(step["kind"]), StepFlag(step["flags"]),
                        step["push_id"], step["asked_at"], step["answered_at"], step["input"], step["screen"],
                        step["pages"], step["client_state"], step["error"]) for step in steps))
