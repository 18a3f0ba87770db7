"""Messaging's SQL for submissions and receipts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makola.core.messaging.ports import Receipt, Taken
from makola.core.messaging.store import COLUMNS, message_of
from makola.core.messaging.types import Message, MessageStatus
from makola.kit.database import Connection

_INSERT_SUBMISSIONS = """
INSERT INTO messaging.submission (connector, provider_id, message_id, segment)
SELECT $1, s.provider_id, s.message_id, s.segment
FROM unnest($2::text[], $3::uuid[], $4::smallint[]) AS s (provider_id, message_id, segment)
ON CONFLICT ON CONSTRAINT submission_pkey DO NOTHING
"""

_FIND = """
SELECT provider_id, message_id FROM messaging.submission WHERE connector = $1 AND provider_id = ANY($2::text[])
"""

_LOCK_MESSAGES = f"""
SELECT {COLUMNS} FROM messaging.message WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE
"""  # noqa: S608 - made of the store's own column names

_SEGMENT_STATUS = """
UPDATE messaging.submission s SET status = r.status
FROM unnest($2::text[], $3::smallint[]) AS r (provider_id, status)
WHERE s.connector = $1 AND s.provider_id = r.provider_id AND coalesce(s.status, 0) < least(r.status, 20)
"""

_SEGMENTS = """
SELECT message_id, status FROM messaging.submission WHERE message_id = ANY($1::uuid[])
ORDER BY message_id, segment, provider_id
"""

# What has ended is not tried again, should another process hold a lease on it.
_ADVANCE = """
UPDATE messaging.message m SET status = r.status, detail = r.detail, updated_at = greatest(m.updated_at, r.at),
       due_at = CASE WHEN r.status < 20 THEN m.due_at END
FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::timestamptz[]) AS r (id, status, detail, at)
WHERE m.id = r.id
"""

_PARK = """
INSERT INTO messaging.parked_receipt (connector, provider_id, status, at, detail)
SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[], $4::timestamptz[], $5::text[])
ON CONFLICT ON CONSTRAINT parked_receipt_pkey DO NOTHING
"""

_TAKE_PARKED = """
DELETE FROM messaging.parked_receipt p USING messaging.submission s
WHERE p.connector = $1 AND p.provider_id = ANY($2::text[])
  AND s.connector = p.connector AND s.provider_id = p.provider_id
RETURNING p.connector, p.provider_id, p.status, p.at, p.detail
"""

_FIND_MATCHED = """
SELECT p.connector, p.provider_id FROM messaging.parked_receipt p
JOIN messaging.submission s USING (connector, provider_id) LIMIT $1
"""


@dataclass(frozen=True, slots=True)
class Advance:
    """A message's step forward."""

    message_id: UUID
    status: MessageStatus
    detail: str
    at: datetime


async def insert_submissions(connection: Connection, connector: str, taken: Sequence[Taken]) -> None:
    """Store the operator's id of each segment."""
    rows = [(provider_id, outcome.message_id, segment)
            for outcome in taken for segment, provider_id in enumerate(outcome.provider_ids)]
    if rows:
        await connection.execute(_INSERT_SUBMISSIONS, connector, [r[0] for r in rows], [r[1] for r in rows],
                                 [r[2] for r in rows])


async def find_submissions(connection: Connection, connector: str, provider_ids: Collection[str]) -> dict[str, UUID]:
    """Return the messages that the operator's ids belong to."""
    rows = await connection.fetch(_FIND, connector, list(provider_ids))
    return {row["provider_id"]: row["message_id"] for row in rows}


async def lock_messages(connection: Connection, message_ids: Collection[UUID]) -> dict[UUID, Message]:
    """Lock messages in the order of their ids."""
    rows = await connection.fetch(_LOCK_MESSAGES, list(message_ids))
    return {row["id"]: message_of(row) for row in rows}


async def record_segment_statuses(connection: Connection, connector: str, receipts: Sequence[Receipt]) -> None:
    """Keep the furthest status of each segment."""
    await connection.execute(_SEGMENT_STATUS, connector, [r.provider_id for r in receipts],
                             [int(r.status) for r in receipts])


async def segment_statuses(connection: Connection, message_ids: Collection[UUID]) -> dict[UUID, list[int | None]]:
    """Return the statuses of every segment of messages."""
    statuses: dict[UUID, list[int | None]] = {}
    for row in await connection.fetch(_SEGMENTS, list(message_ids)):
        statuses.setdefault(row["message_id"], []).append(row["status"])
    return statuses


async def advance(connection: Connection, steps: Sequence[Advance]) -> None:
    """Record steps forward of messages that are locked."""
    await connection.execute(_ADVANCE, [s.message_id for s in steps], [int(s.status) for s in steps],
                             [s.detail for s in steps], [s.at for s in steps])


async def park(connection: Connection, receipts: Sequence[Receipt]) -> None:
    """Keep receipts whose submission is not known yet; in one order, so that no two writers deadlock."""
    receipts = sorted(receipts, key=lambda receipt: (receipt.connector, receipt.provider_id, receipt.status))
    await connection.execute(_PARK, [r.connector for r in receipts], [r.provider_id for r in receipts],
                             [int(r.status) for r in receipts], [r.at for r in receipts],
                             [r.detail for r in receipts])


async def take_parked(connection: Connection, connector: str, provider_ids: Collection[str]) -> list[Receipt]:
    """Remove and return the parked receipts whose submission is known now."""
    rows = await connection.fetch(_TAKE_PARKED, connector, list(provider_ids))
    receipts = [Receipt(row["connector"], row["provider_id"], MessageStatus(row["status"]), row["at"], row["detail"])
                for row in rows]
    return sorted(receipts, key=lambda receipt: (receipt.at, receipt.status))


async def find_matched(connection: Connection, limit: int) -> dict[str, list[str]]:
    """Return up to `limit` parked receipts that have found their submission, as provider ids by connector."""
    matched: dict[str, list[str]] = {}
    for row in await connection.fetch(_FIND_MATCHED, limit):
        matched.setdefault(row["connector"], []).append(row["provider_id"])
    return matched
