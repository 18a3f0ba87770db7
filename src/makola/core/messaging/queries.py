"""Reads of messages. An actor sees its own organisation's and its descendants'."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makola.core.messaging.errors import UnknownMessageError
from makola.core.messaging.store import COLUMNS, message_of
from makola.core.messaging.types import Direction, Message
from makola.core.organisations.queries import is_in_subtree
from makola.core.organisations.types import Actor
from makola.kit.database import Database

_FIND = f"SELECT {COLUMNS} FROM messaging.message WHERE id = $1"  # noqa: S608 - the store's own column names

# One organisation, one order: `message_list` (organisation_id, pending, time, id) serves every form of this.
_WHERE = """
WHERE organisation_id = $1 AND pending = $2 AND (NOT pending OR status = 1) AND "time" >= $3 AND "time" <= $4
  AND ($5::boolean IS NULL OR inbound = $5)
"""
_LIST = f"""
SELECT {COLUMNS} FROM messaging.message {_WHERE} ORDER BY "time", id OFFSET $6 LIMIT $7
"""  # noqa: S608 - the store's own column names
_COUNT = f"SELECT count(*) FROM messaging.message {_WHERE}"  # noqa: S608 - the conditions above

_FIRST = datetime.fromisoformat("0001-01-01T00:00:00+00:00")
_LAST = datetime.fromisoformat("9999-12-31T23:59:59+00:00")


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages: `pending` ones wait for their time, the others have left or arrived."""

    pending: bool = False
    direction: Direction | None = None
    start: datetime | None = None
    end: datetime | None = None


async def find_message(database: Database, actor: Actor, message_id: UUID) -> Message:
    """Return one message.

    Raises:
        UnknownMessageError: there is none in the actor's sight.
    """
    row = await database.fetchrow(_FIND, message_id)
    if row is None or not await is_in_subtree(database, actor, row["organisation_id"]):
        raise UnknownMessageError("There is no such message.", field="message_id")
    return message_of(row)


async def list_messages(database: Database, actor: Actor, wanted: MessageFilter, *, skip: int,
                        limit: int) -> tuple[list[Message], int]:
    """Return a page of the actor's own messages, oldest first, and how many there are in all."""
    inbound = None if wanted.direction is None else wanted.direction is Direction.IN
    conditions = (actor.organisation_id, wanted.pending, wanted.start or _FIRST, wanted.end or _LAST, inbound)
    rows = await database.fetch(_LIST, *conditions, skip, limit)
    total = await database.fetchval(_COUNT, *conditions)
    return [message_of(row) for row in rows], int(total)
