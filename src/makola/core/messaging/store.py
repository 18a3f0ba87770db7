"""Messaging's SQL for messages: each statement takes a whole batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from makola.core.messaging.ports import OutgoingMessage
from makola.core.messaging.types import (
    Accepted,
    Direction,
    Draft,
    Message,
    MessageKind,
    MessageStatus,
    RequestKey,
    RequestKeyKind,
)
from makola.kit.database import Connection, Database, Record

#: Workers listen here for rows that no process has leased.
CHANNEL = "messages"

_INSERT = """
INSERT INTO messaging.message (
    id, organisation_id, application_id, inbound, pending, scheduled, registered_delivery, flash, kind, status, units,
    price_units, "time", created_at, updated_at, valid_until, due_at, sender, recipient, network_id, connector,
    content, udh, client_reference, billing_info)
SELECT m.id, m.organisation_id, m.application_id, false, m.pending, m.pending, m.registered_delivery, m.flash, m.kind,
       CASE WHEN m.pending THEN 1 ELSE 2 END, m.units, m.price_units, m."time", $1, $1, m."time" + $2, m.due_at,
       m.sender, m.recipient, m.network_id, m.connector, m.content, m.udh, m.client_reference, m.billing_info
FROM unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::boolean[], $7::boolean[], $8::boolean[], $9::smallint[],
            $10::smallint[], $11::bigint[], $12::timestamptz[], $13::timestamptz[], $14::text[], $15::text[],
            $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[])
     AS m (id, organisation_id, application_id, pending, registered_delivery, flash, kind, units, price_units, "time",
           due_at, sender, recipient, network_id, connector, content, udh, client_reference, billing_info)
"""

_KEYS = """
SELECT k.application_id, k.kind, k.key, k.request_sha256, k.message_id, k.price_units, k.network_id, k.client_reference
FROM messaging.request_key k
JOIN unnest($1::bigint[], $2::smallint[], $3::text[]) AS wanted (application_id, kind, key)
  USING (application_id, kind, key)
"""

_INSERT_KEYS = """
INSERT INTO messaging.request_key (
    application_id, kind, key, request_sha256, message_id, price_units, network_id, client_reference, created_at)
SELECT *, $9 FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::bytea[], $5::uuid[], $6::bigint[], $7::text[],
                         $8::text[])
"""

#: The columns of a message, in the order in which `message_of` and `due_of` expect them by name.
COLUMNS = """id, organisation_id, application_id, inbound, pending, scheduled, registered_delivery, flash, submitting,
    kind, status, units, attempt_count, price_units, "time", created_at, updated_at, valid_until, due_at, sender,
    recipient, network_id, connector, content, udh, client_reference, billing_info, detail"""

# Schedules are taken up to $2 ahead; a lease or a retry, never before its time. What is leased ahead of its time still
# waits for it, and is known by the end of its lease.
_DUE = f"""
SELECT {COLUMNS} FROM messaging.message
WHERE due_at <= $1::timestamptz + $2 AND (due_at <= $1 OR (pending AND due_at = "time"))
ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - made of this module's own column names

_BY_IDS = f"SELECT {COLUMNS} FROM messaging.message WHERE id = ANY($1::uuid[])"  # noqa: S608 - own column names

_CLAIM = """
UPDATE messaging.message m SET status = c.status, submitting = c.submitting, due_at = c.due_at, connector = c.connector,
       price_units = c.price_units, detail = c.detail, pending = c.status = 1, updated_at = $1
FROM unnest($2::uuid[], $3::smallint[], $4::boolean[], $5::timestamptz[], $6::text[], $7::bigint[], $8::text[])
     AS c (id, status, submitting, due_at, connector, price_units, detail)
WHERE m.id = c.id
"""

# The lease that a process holds is known by its end: whoever took the row over has moved it. It begins anew when the
# message leaves, for it may have waited long. A message that is deferred for days is tried more often than a smallint
# counts.
# A lease that is still nearly whole is left as it is, for `due_at` is in an index: then the row changes in place.
_SUBMITTING = """
UPDATE messaging.message m SET submitting = true, pending = false, status = greatest(m.status, 3), updated_at = $3,
       attempt_count = least(m.attempt_count + 1, 32767),
       due_at = CASE WHEN m.due_at < $4::timestamptz - ($4::timestamptz - $3::timestamptz) / 10 THEN $4
                     ELSE m.due_at END
FROM unnest($1::uuid[], $2::timestamptz[]) AS leased (id, until)
WHERE m.id = leased.id AND m.due_at = leased.until AND m.status < 20
RETURNING m.id
"""

# What was taken ahead of its time is due at its time; the rest, at once.
_GIVE_BACK = """
UPDATE messaging.message m SET due_at = greatest(m."time", $3)
FROM unnest($1::uuid[], $2::timestamptz[]) AS leased (id, until)
WHERE m.id = leased.id AND m.due_at = leased.until AND NOT m.submitting AND m.status < 20
"""

# 5 is `Sent`: what an operator has taken is not tried again and has not failed, whatever another attempt says, which
# there is when a lease ran out while its holder still waited for an answer.
_OUTCOME = """
UPDATE messaging.message m SET status = greatest(m.status, o.status), submitting = false, due_at = o.due_at,
       price_units = CASE WHEN o.void THEN 0 ELSE m.price_units END, detail = o.detail, updated_at = $1
FROM unnest($2::uuid[], $3::smallint[], $4::timestamptz[], $5::boolean[], $6::text[])
     AS o (id, status, due_at, void, detail)
WHERE m.id = o.id AND m.status < 20 AND (m.status < 5 OR o.status = 5)
RETURNING m.id
"""


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A row that a worker must look at, with what it needs to decide. `due_at`: its moment."""

    message: Message
    due_at: datetime
    status: MessageStatus
    submitting: bool
    attempt_count: int
    connector: str
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """What a due row becomes. `due_at` is the end of the lease, or None when nothing is left to do.

    `submitting` stays true where an earlier attempt is in doubt.
    """

    message_id: UUID
    status: MessageStatus
    submitting: bool
    due_at: datetime | None
    connector: str
    price_units: int
    detail: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a submission led to. `void`: nothing is charged."""

    message_id: UUID
    status: MessageStatus
    due_at: datetime | None
    void: bool
    detail: str


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A request that was made before, and its answer."""

    request_sha256: bytes
    accepted: Accepted


async def insert_drafts(connection: Connection, drafts: Sequence[Draft], *, at: datetime, validity_s: float,
                        due_at: Sequence[datetime]) -> None:
    """Store messages; `due_at[n]` says when a worker must look at `drafts[n]`."""
    await connection.execute(
        _INSERT, at, timedelta(seconds=validity_s),
        [d.message_id for d in drafts], [d.organisation_id for d in drafts], [d.application_id for d in drafts],
        [d.time is not None for d in drafts], [d.registered_delivery for d in drafts], [d.flash for d in drafts],
        [int(d.kind) for d in drafts], [d.units for d in drafts],
        [d.price_units if d.time is None else 0 for d in drafts], [d.time or at for d in drafts], due_at,
        [d.sender for d in drafts], [d.recipient for d in drafts], [d.network_id for d in drafts],
        [d.connector for d in drafts], [d.content for d in drafts], [d.udh for d in drafts],
        [d.client_reference for d in drafts], [d.billing_info for d in drafts])


async def find_existing(database: Database, message_ids: Sequence[UUID]) -> set[UUID]:
    """Return those of `message_ids` that are stored."""
    rows = await database.fetch("SELECT id FROM messaging.message WHERE id = ANY($1::uuid[])", message_ids)
    return {row["id"] for row in rows}


async def find_messages(connection: Connection, message_ids: Sequence[UUID]) -> list[Message]:
    """Return messages by their ids."""
    rows = await connection.fetch(_BY_IDS, message_ids)
    return [message_of(row) for row in rows]


async def find_keys(connection: Connection, keys: Sequence[RequestKey]) -> dict[RequestKey, StoredKey]:
    """Return the requests that were made before with any of `keys`."""
    rows = await connection.fetch(_KEYS, [k.application_id for k in keys], [int(k.kind) for k in keys],
                                  [k.key for k in keys])
    return {
        RequestKey(row["application_id"], RequestKeyKind(row["kind"]), row["key"]): StoredKey(
            row["request_sha256"],
            Accepted(row["message_id"], row["price_units"], row["network_id"], row["client_reference"]))
        for row in rows}


async def insert_keys(connection: Connection, drafts: Sequence[Draft], at: datetime) -> None:
    """Remember the requests that have keys, with their answers."""
    pairs = [(draft, key) for draft in drafts for key in draft.keys]
    await connection.execute(
        _INSERT_KEYS, [k.application_id for _, k in pairs], [int(k.kind) for _, k in pairs], [k.key for _, k in pairs],
        [d.request_sha256 for d, _ in pairs], [d.message_id for d, _ in pairs],
        [d.price_units if d.time is None else 0 for d, _ in pairs], [d.network_id for d, _ in pairs],
        [d.client_reference for d, _ in pairs], at)


async def lock_due(connection: Connection, at: datetime, ahead: timedelta, limit: int) -> list[DueMessage]:
    """Lock up to `limit` rows whose moment has come, or comes within `ahead`, and that nobody else has locked."""
    return [DueMessage(message_of(row), row["due_at"], MessageStatus(row["status"]), row["submitting"],
                       row["attempt_count"], row["connector"], row["valid_until"])
            for row in await connection.fetch(_DUE, at, ahead, limit)]


async def claim(connection: Connection, claims: Sequence[Claim], at: datetime) -> None:
    """Record what locked rows become."""
    await connection.execute(
        _CLAIM, at, [c.message_id for c in claims], [int(c.status) for c in claims], [c.submitting for c in claims],
        [c.due_at for c in claims], [c.connector for c in claims], [c.price_units for c in claims],
        [c.detail for c in claims])


async def mark_submitting(connection: Connection, leases: Sequence[tuple[UUID, datetime]], *, lease_until: datetime,
                          at: datetime) -> set[UUID]:
    """Record that leased messages are about to leave; return those whose lease still holds.

    Args:
        connection: any.
        leases: each message with the end of the lease under which it was handed over.
        lease_until: the end of a whole lease from now, for those whose own is no longer nearly whole.
        at: now.
    """
    rows = await connection.fetch(_SUBMITTING, [message_id for message_id, _ in leases], [until for _, until in leases],
                                  at, lease_until)
    return {row["id"] for row in rows}


async def give_back(connection: Connection, leases: Sequence[tuple[UUID, datetime]], at: datetime) -> None:
    """End leases, so that another process sends what this one no longer will.

    Args:
        connection: any.
        leases: each message with the end of its lease; one that has been taken over since is left alone.
        at: now.
    """
    await connection.execute(_GIVE_BACK, [message_id for message_id, _ in leases], [until for _, until in leases], at)


async def record_outcomes(connection: Connection, outcomes: Sequence[Outcome], at: datetime) -> set[UUID]:
    """Record what submissions led to; return the messages that were not final already."""
    rows = await connection.fetch(
        _OUTCOME, at, [o.message_id for o in outcomes], [int(o.status) for o in outcomes],
        [o.due_at for o in outcomes], [o.void for o in outcomes], [o.detail for o in outcomes])
    return {row["id"] for row in rows}


def message_of(row: Record) -> Message:
    """Build a `Message` from a row with `COLUMNS`."""
    return Message(
        message_id=row["id"], organisation_id=row["organisation_id"],
        direction=Direction.IN if row["inbound"] else Direction.OUT, kind=MessageKind(row["kind"]),
        sender=row["sender"], recipient=row["recipient"], content=row["content"], udh=row["udh"], flash=row["flash"],
        network_id=row["network_id"], units=row["units"], price_units=row["price_units"],
        status=MessageStatus(row["status"]), detail=row["detail"], scheduled=row["pending"], time=row["time"],
        updated_at=row["updated_at"], client_reference=row["client_reference"],
        registered_delivery=row["registered_delivery"], billing_info=row["billing_info"])


def outgoing_of(message: Message, valid_until: datetime) -> OutgoingMessage:
    """Return what a connector needs of a message."""
    return OutgoingMessage(
        message.message_id, message.sender, message.recipient, message.network_id, message.kind, message.content,
        message.udh, message.units, message.flash, message.registered_delivery, valid_until)

