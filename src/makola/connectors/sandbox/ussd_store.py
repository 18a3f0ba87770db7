"""The virtual operator's USSD rows: which session a handset has, and what it was shown unasked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from makola.connectors.sandbox.store import NEWS_CHANNEL
from makola.kit.database import Database

_KEPT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """The session that a handset has, or had last."""

    session: str
    dialled: str


@dataclass(frozen=True, slots=True)
class UssdEvent:
    """A last screen that nobody asked for."""

    event_id: int
    number: str
    session: str
    text: str


async def put_session(database: Database, number: str, session: OpenSession, at: datetime) -> None:
    """Remember a handset's session."""
    await database.execute(
        "INSERT INTO sandbox.ussd_session (number, session, dialled, at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (number) DO UPDATE SET session = excluded.session, dialled = excluded.dialled, at = excluded.at",
        number, session.session, session.dialled, at)


async def fetch_session(database: Database, number: str) -> OpenSession | None:
    """Return a handset's session."""
    row = await database.fetchrow("SELECT session, dialled FROM sandbox.ussd_session WHERE number = $1", number)
    return None if row is None else OpenSession(row["session"], row["dialled"])


async def insert_event(database: Database, number: str, session: str, text: str, at: datetime) -> None:
    """Store a screen for the event streams, and forget those that every stream has told."""
    async with database.transaction() as connection:
        await connection.execute("DELETE FROM sandbox.ussd_event WHERE at < $1", at - _KEPT)
        await connection.execute(
            "INSERT INTO sandbox.ussd_event (number, session, text, at) VALUES ($1, $2, $3, $4)",
            number, session, text, at)
        await connection.execute("SELECT pg_notify($1, '')", NEWS_CHANNEL)


async def fetch_last_event_id(database: Database) -> int:
    """Return the newest event's id, 0 when there is none."""
    return int(await database.fetchval("SELECT coalesce(max(id), 0) FROM sandbox.ussd_event"))


async def fetch_events(database: Database, number: str | None, after: int) -> Sequence[UssdEvent]:
    """Return what a handset, or any of them for None, was shown after an event."""
    rows = await database.fetch(
        "SELECT id, number, session, text FROM sandbox.ussd_event WHERE id > $1 AND ($2::text IS NULL OR number = $2)"
        " ORDER BY id", after, number)
    return [UssdEvent(row["id"], row["number"], row["session"], row["text"]) for row in rows]
