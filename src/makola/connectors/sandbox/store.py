"""SQL of what passes through the virtual operator: submissions, deliveries, receipts, inbound messages."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from makola.connectors.sandbox.types import OperatorDefaults, OperatorStatus
from makola.core.messaging.ports import OutgoingMessage
from makola.kit.database import Connection, Database, Record

#: Where a read may run: in a transaction, or on a connection of its own.
Source: TypeAlias = "Connection | Database"

#: Notified when there is something to deliver or to tell.
DUE_CHANNEL = "sandbox_due"
#: Notified when something changed that a page may show.
NEWS_CHANNEL = "sandbox"

#: Held by every transaction that puts messages on handsets or changes a handset, so that message ids become
#: visible in their order (the cursor of an event stream) and no message is put to wait for a handset that
#: is being switched on.
_SWITCH_LOCK = 0x73616E64626F78


class Progress(enum.IntEnum):
    """How far a submission has come. The numbers are stored."""

    WAITING = 0
    BUFFERED = 1
    DONE = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the operator answered to one submission; `submission_id` is None when it did not take it."""

    message_id: UUID
    submission_id: int | None
    units: int
    refusal: int | None
    available: bool


@dataclass(frozen=True, slots=True)
class DueSubmission:
    """A submission whose time has come, and the handset it is for (state None: there is none)."""

    submission_id: int
    units: int
    progress: Progress
    valid_until: datetime
    expires_at: datetime | None
    handset_state: str | None
    receipt_status: int | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What was decided about a due submission. `expires_at` is when waiting for the handset ends."""

    submission_id: int
    units: int
    progress: Progress
    outcome: int
    expires_at: datetime | None
    on_handset: bool


@dataclass(frozen=True, slots=True)
class Unreported:
    """An outcome that the core has to be told."""

    submission_id: int
    units: int
    outcome: int
    at: datetime


_SUBMIT = """
WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::text[], $6::text[], $7::smallint[],
                         $8::boolean[], $9::timestamptz[])
        AS g (message_id, sender, recipient, kind, content, udh, units, flash, valid_until)
), judged AS (
    SELECT g.*, o.available, coalesce(o.delivery_delay_ms, $11::integer) AS delay_ms, h.refusal,
           o.available AND (coalesce(h.refusal IS NULL AND NOT h.deferral, true) OR EXISTS (
               SELECT 1 FROM sandbox.submission s WHERE s.message_id = g.message_id)) AS takes
      FROM given g CROSS JOIN sandbox.operator o LEFT JOIN sandbox.handset h ON h.number = g.recipient
), taken AS (
    INSERT INTO sandbox.submission
        (message_id, sender, recipient, kind, content, udh, units, flash, valid_until, accepted_at, due_at)
    SELECT message_id, sender, recipient, kind, content, udh, units, flash, valid_until, $10::timestamptz,
           $10::timestamptz + delay_ms * interval '1 millisecond'
      FROM judged WHERE takes ORDER BY message_id
        ON CONFLICT (message_id) DO UPDATE SET message_id = excluded.message_id
    RETURNING submission_id, message_id, units
), woken AS MATERIALIZED (
    SELECT pg_notify('sandbox_due', '') WHERE EXISTS (SELECT 1 FROM taken)
)
SELECT j.message_id, j.available, j.refusal, t.submission_id, t.units, (SELECT count(*) FROM woken)
  FROM judged j LEFT JOIN taken t USING (message_id)
"""


async def insert_submissions(database: Database, batch: Sequence[OutgoingMessage], at: datetime,
                             defaults: OperatorDefaults) -> Sequence[Verdict]:
    """Take what the operator takes of `batch` (no message id twice) in one statement and one commit."""
    rows = await database.fetch(
        _SUBMIT, [m.message_id for m in batch], [m.sender for m in batch], [m.recipient for m in batch],
        [m.kind for m in batch], [m.content for m in batch], [m.udh for m in batch], [m.units for m in batch],
        [m.flash for m in batch], [m.valid_until for m in batch], at, defaults.delivery_delay_ms)
    return [Verdict(row["message_id"], row["submission_id"], row["units"] or 0, row["refusal"], row["available"])
            for row in rows]


async def lock_switch(connection: Connection) -> None:
    """Wait for the operator's switch; held until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _SWITCH_LOCK)


async def fetch_status(source: Source, defaults: OperatorDefaults) -> OperatorStatus:
    """Return how the operator behaves now."""
    row = await source.fetchrow("""
        SELECT available, coalesce(delivery_delay_ms, $1::integer) AS delivery_delay_ms,
               coalesce(buffer_expiry_s, $2::integer) AS buffer_expiry_s, revision
          FROM sandbox.operator""", defaults.delivery_delay_ms, defaults.buffer_expiry_s)
    if row is None:
        raise RuntimeError("sandbox.operator has lost its only row")
    return OperatorStatus(row["available"], row["delivery_delay_ms"], row["buffer_expiry_s"], row["revision"])


async def fetch_due(connection: Connection, at: datetime, limit: int) -> Sequence[DueSubmission]:
    """Claim at most `limit` submissions whose time has come, for this transaction."""
    rows = await connection.fetch("""
        SELECT s.submission_id, s.units, s.state, s.valid_until, s.expires_at, h.state AS handset_state,
               h.receipt_status
          FROM sandbox.submission s LEFT JOIN sandbox.handset h ON h.number = s.recipient
         WHERE s.state < 2 AND s.due_at <= $1
         ORDER BY s.due_at, s.submission_id LIMIT $2
           FOR UPDATE OF s SKIP LOCKED""", at, limit)
    return [DueSubmission(row["submission_id"], row["units"], Progress(row["state"]), row["valid_until"],
                          row["expires_at"], row["handset_state"], row["receipt_status"]) for row in rows]


_SETTLE = """
WITH settled AS (
    SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::timestamptz[], $5::boolean[])
        WITH ORDINALITY AS d (submission_id, state, outcome, expires_at, on_handset, position)
), changed AS (
    UPDATE sandbox.submission s
       SET state = d.state, outcome = d.outcome, outcome_at = $6, unreported = true, lease_until = $7,
           due_at = coalesce(d.expires_at, s.due_at), expires_at = d.expires_at
      FROM settled d WHERE s.submission_id = d.submission_id
    RETURNING d.position, d.on_handset, s.recipient, s.sender, s.kind, s.content, s.udh, s.units, s.flash,
              s.message_id
)
INSERT INTO sandbox.message (number, direction, peer, kind, content, udh, units, flash, message_id, at)
SELECT recipient, 'received', sender, kind, content, udh, units, flash, message_id, $6
  FROM changed WHERE on_handset ORDER BY position
"""


async def settle(connection: Connection, settled: Sequence[Settled], at: datetime, lease_s: float) -> None:
    """Record outcomes, put what arrived on the handsets, and lease the reports to this process."""
    await connection.execute(
        _SETTLE, [s.submission_id for s in settled], [s.progress for s in settled], [s.outcome for s in settled],
        [s.expires_at for s in settled], [s.on_handset for s in settled], at, at + timedelta(seconds=lease_s))
    if any(s.progress is Progress.BUFFERED for s in settled):
        await bump_revision(connection)
    await connection.execute(f"NOTIFY {NEWS_CHANNEL}")


async def bump_revision(connection: Connection) -> None:
    """Tell the pages that the operator or a handset changed."""
    await connection.execute("UPDATE sandbox.operator SET revision = revision + 1")
    await connection.execute(f"NOTIFY {NEWS_CHANNEL}")


async def wake_all(connection: Connection) -> None:
    """Wake the pages and the loops when this transaction is committed."""
    await connection.execute(f"NOTIFY {NEWS_CHANNEL}")
    await connection.execute(f"NOTIFY {DUE_CHANNEL}")


async def fetch_next_due(database: Database) -> datetime | None:
    """Return when the next submission is due."""
    at: datetime | None = await database.fetchval(
        "SELECT min(due_at) FROM sandbox.submission WHERE state < 2")
    return at


async def release_buffered(connection: Connection, number: str, at: datetime) -> None:
    """Make due what waits for `number`."""
    await connection.execute(
        "UPDATE sandbox.submission SET due_at = $2 WHERE recipient = $1 AND state = 1", number, at)
    await connection.execute(f"NOTIFY {DUE_CHANNEL}")


async def claim_unreported(database: Database, at: datetime, lease_s: float, limit: int) -> Sequence[Unreported]:
    """Take over reports whose process seems to have died."""
    rows = await database.fetch("""
        UPDATE sandbox.submission SET lease_until = $2
         WHERE submission_id IN (SELECT submission_id FROM sandbox.submission
                                  WHERE unreported AND lease_until <= $1
                                  ORDER BY lease_until LIMIT $3 FOR UPDATE SKIP LOCKED)
        RETURNING submission_id, units, outcome, outcome_at""", at, at + timedelta(seconds=lease_s), limit)
    return [Unreported(row["submission_id"], row["units"], row["outcome"], row["outcome_at"]) for row in rows]


async def mark_reported(database: Database, reports: Sequence[Unreported]) -> None:
    """Record that these outcomes were told; one that changed in the meantime stays to be told."""
    await database.execute("""
        UPDATE sandbox.submission s SET unreported = false
          FROM unnest($1::bigint[], $2::smallint[]) AS r (submission_id, outcome)
         WHERE s.submission_id = r.submission_id AND s.outcome = r.outcome AND s.unreported""",
        [report.submission_id for report in reports], [report.outcome for report in reports])


async def claim_mobile_originated(database: Database, at: datetime, lease_s: float,
                                  limit: int) -> Sequence[Record]:
    """Claim what handsets sent and the core was not told."""
    return await database.fetch("""
        UPDATE sandbox.mobile_originated SET lease_until = $2
         WHERE id IN (SELECT id FROM sandbox.mobile_originated WHERE lease_until <= $1
                       ORDER BY lease_until, id LIMIT $3 FOR UPDATE SKIP LOCKED)
        RETURNING id, sender, recipient, content, network_id, at""", at, at + timedelta(seconds=lease_s), limit)


async def delete_mobile_originated(database: Database, ids: Sequence[int]) -> None:
    """Forget what the core was told."""
    await database.execute("DELETE FROM sandbox.mobile_originated WHERE id = ANY($1::bigint[])", ids)


async def trim_messages(database: Database, keep: int, limit: int) -> bool:
    """Leave `keep` messages for each number among the next `limit` messages; True when there may be more.

    Looks at every message once, and at the messages of its number as far as `keep`, by index.
    """
    newer = await database.fetch("""
        SELECT number, max(id) AS last_id, sum(count(*)) OVER () AS seen
          FROM (SELECT id, number FROM sandbox.message
                 WHERE id > (SELECT trimmed_to FROM sandbox.operator) ORDER BY id LIMIT $1) newer
         GROUP BY number""", limit)
    if not newer:
        return False
    full = await database.fetch("""
        SELECT n.number, cut.id
          FROM unnest($1::text[]) AS n (number)
         CROSS JOIN LATERAL (SELECT m.id FROM sandbox.message m WHERE m.number = n.number
                              ORDER BY m.id DESC OFFSET $2 LIMIT 1) cut""",
        [row["number"] for row in newer], keep)
    async with database.transaction() as connection:
        await connection.executemany("DELETE FROM sandbox.message WHERE number = $1 AND id <= $2",
                                     [(row["number"], row["id"]) for row in full])
        await connection.execute("UPDATE sandbox.operator SET trimmed_to = greatest(trimmed_to, $1)",
                                 max(row["last_id"] for row in newer))
    return bool(newer[0]["seen"] == limit)


async def forget_old(database: Database, *, submissions_before: datetime, messages_before: datetime,
                     limit: int) -> bool:
    """Remove old reported submissions and old messages, oldest first; True when there may be more."""
    removed = await database.fetchval("""
        WITH oldest AS (
            SELECT submission_id, accepted_at, state, unreported FROM sandbox.submission
             ORDER BY submission_id LIMIT $3
        ), gone AS (
            DELETE FROM sandbox.submission s USING oldest o
             WHERE s.submission_id = o.submission_id AND o.accepted_at < $1 AND o.state = 2 AND NOT o.unreported
            RETURNING 1
        ), read AS (
            SELECT id, at FROM sandbox.message ORDER BY id LIMIT $3
        ), dropped AS (
            DELETE FROM sandbox.message m USING read r WHERE m.id = r.id AND r.at < $2 RETURNING 1
        )
        SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM dropped)""",
        submissions_before, messages_before, limit)
    return bool(removed)
