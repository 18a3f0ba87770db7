"""The domain's SQL. Private: other domains use `service` and `queries`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from makola.core.callbacks.types import DeliveryState
from makola.kit.database import Connection, Record

_INSERT = """
    WITH fresh AS (
        INSERT INTO callbacks.delivery (delivery_id, organisation_id, application_id, event, subject_id, receiver,
            method, url, query, body, content_type, state, detail, finished_at)
        SELECT n.delivery_id, n.organisation_id, n.application_id, n.event, n.subject_id, n.receiver,
            n.method, n.url, n.query, n.body, n.content_type,
            CASE WHEN n.refusal <> '' OR e.url IS NOT NULL THEN 'not_sent' ELSE 'pending' END,
            CASE WHEN n.refusal <> '' THEN n.refusal ELSE coalesce(e.reason, '') END,
            CASE WHEN n.refusal <> '' OR e.url IS NOT NULL THEN now() END
        FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::uuid[], $6::text[], $7::text[],
                    $8::text[], $9::text[], $10::bytea[], $11::text[], $12::text[])
            AS n(delivery_id, organisation_id, application_id, event, subject_id, receiver, method, url, query,
                 body, content_type, refusal)
        LEFT JOIN callbacks.endpoint e ON e.organisation_id = n.organisation_id AND e.url = n.url
    )
    SELECT pg_notify('callbacks', '')
"""

_CLAIM_FOR = """
    WITH due AS MATERIALIZED (
        SELECT one.delivery_id, one.organisation_id
        FROM unnest($2::text[], $3::integer[]) AS queue(receiver, room) CROSS JOIN LATERAL (
            SELECT delivery_id, organisation_id FROM callbacks.delivery d
            WHERE d.state = 'pending' AND d.receiver = queue.receiver AND d.due_at <= now()
                AND (d.lease_until IS NULL OR d.lease_until <= now())
            ORDER BY d.due_at LIMIT queue.room FOR UPDATE SKIP LOCKED) one
        LIMIT $4
    )
    UPDATE callbacks.delivery d SET lease_until = now() + make_interval(secs => $1)
    FROM due LEFT JOIN callbacks.secret s ON s.organisation_id = due.organisation_id
    WHERE d.delivery_id = due.delivery_id
    RETURNING d.delivery_id, d.organisation_id, d.receiver, d.method, d.url, d.query, d.body, d.content_type,
        d.tries, d.lease_until, s.secret,
        CASE WHEN s.previous_until > now() THEN s.previous_secret END AS previous_secret
"""

# The pending index is walked from receiver to receiver (a "skip scan"), so that the cost follows the number of
# receivers and not the length of anybody's queue. The walk begins after the receiver where the last one ended
# and stops at the limit: everybody gets a turn. $2 maps receivers that we know to what may be claimed for them.
_CLAIM_AROUND = """
    WITH RECURSIVE queue AS (
        (SELECT receiver, due_at FROM callbacks.delivery
         WHERE state = 'pending' AND receiver > $4 ORDER BY receiver, due_at LIMIT 1)
        UNION ALL
        SELECT following.receiver, following.due_at FROM queue CROSS JOIN LATERAL (
            SELECT receiver, due_at FROM callbacks.delivery
            WHERE state = 'pending' AND receiver > queue.receiver ORDER BY receiver, due_at LIMIT 1) following
    ), due AS MATERIALIZED (
        SELECT one.delivery_id, one.organisation_id FROM queue CROSS JOIN LATERAL (
            SELECT delivery_id, organisation_id FROM callbacks.delivery d
            WHERE d.state = 'pending' AND d.receiver = queue.receiver AND d.due_at <= now()
                AND (d.lease_until IS NULL OR d.lease_until <= now())
            ORDER BY d.due_at LIMIT coalesce(($2::jsonb ->> queue.receiver)::integer, $3::integer)
            FOR UPDATE SKIP LOCKED) one
        WHERE queue.due_at <= now()
        LIMIT $5
    )
    UPDATE callbacks.delivery d SET lease_until = now() + make_interval(secs => $1)
    FROM due LEFT JOIN callbacks.secret s ON s.organisation_id = due.organisation_id
    WHERE d.delivery_id = due.delivery_id
    RETURNING d.delivery_id, d.organisation_id, d.receiver, d.method, d.url, d.query, d.body, d.content_type,
        d.tries, d.lease_until, s.secret,
        CASE WHEN s.previous_until > now() THEN s.previous_secret END AS previous_secret
"""

_RELEASE = """
    UPDATE callbacks.delivery d SET lease_until = NULL
    FROM unnest($1::uuid[], $2::timestamptz[]) AS r(delivery_id, lease_until)
    WHERE d.delivery_id = r.delivery_id AND d.lease_until = r.lease_until AND d.state = 'pending'
"""

# An attempt is always written down. It moves the delivery only where the lease is still the one it ran under:
# otherwise another worker has taken the delivery over, or somebody has replayed it.
_RECORD = """
    WITH outcome AS (
        SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::float8[],
                             $6::timestamptz[], $7::integer[], $8::smallint[], $9::text[], $10::text[])
            AS o(delivery_id, lease_until, state, detail, delay_s, started_at, duration_ms, status, error, answer)
    ), locked AS (
        SELECT d.delivery_id, d.state = 'pending' AND d.lease_until = o.lease_until AS ours
        FROM callbacks.delivery d JOIN outcome o USING (delivery_id)
        ORDER BY d.delivery_id FOR UPDATE OF d
    ), moved AS (
        UPDATE callbacks.delivery d SET
            attempt_count = d.attempt_count + 1,
            state = CASE WHEN l.ours THEN o.state ELSE d.state END,
            detail = CASE WHEN l.ours THEN o.detail ELSE d.detail END,
            tries = CASE WHEN l.ours THEN d.tries + 1 ELSE d.tries END,
            due_at = CASE WHEN l.ours AND o.state = 'pending' THEN now() + make_interval(secs => o.delay_s)
                          ELSE d.due_at END,
            lease_until = CASE WHEN l.ours THEN NULL ELSE d.lease_until END,
            finished_at = CASE WHEN l.ours AND o.state <> 'pending' THEN now() ELSE d.finished_at END
        FROM outcome o JOIN locked l USING (delivery_id)
        WHERE d.delivery_id = o.delivery_id
        RETURNING d.delivery_id, d.attempt_count
    )
    INSERT INTO callbacks.attempt (delivery_id, number, started_at, duration_ms, status, error, answer)
    SELECT m.delivery_id, m.attempt_count, o.started_at, o.duration_ms, o.status, o.error, o.answer
    FROM moved m JOIN outcome o USING (delivery_id)
"""

_DISABLE = """
    INSERT INTO callbacks.endpoint (organisation_id, url, reason)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]) ORDER BY 1, 2
    ON CONFLICT (organisation_id, url) DO NOTHING
"""

_CLOSE_QUEUE = """
    UPDATE callbacks.delivery SET state = 'gone', detail = $4, finished_at = now()
    WHERE delivery_id IN (
        SELECT delivery_id FROM callbacks.delivery
        WHERE state = 'pending' AND receiver = $1 AND organisation_id = $2 AND url = $3
            AND (lease_until IS NULL OR lease_until <= now())
        FOR UPDATE SKIP LOCKED)
"""

_MAKE_SECRETS = """
    INSERT INTO callbacks.secret (organisation_id, secret)
    SELECT * FROM unnest($1::bigint[], $2::text[]) ORDER BY 1 ON CONFLICT (organisation_id) DO NOTHING
"""

_SECRETS = "SELECT organisation_id, secret FROM callbacks.secret WHERE organisation_id = ANY($1::bigint[])"

_PRESENT = """
    SELECT secret, created_at, CASE WHEN previous_until > now() THEN previous_until END AS previous_until
    FROM callbacks.secret WHERE organisation_id = $1
"""

# Where there is none yet, there is none to go on. What was left from a rotation before is overwritten.
_ROTATE = """
    INSERT INTO callbacks.secret AS s (organisation_id, secret) VALUES ($1, $2)
    ON CONFLICT (organisation_id) DO UPDATE SET secret = $2, created_at = now(),
        previous_secret = CASE WHEN $3 > 0 THEN s.secret END,
        previous_until = CASE WHEN $3 > 0 THEN now() + $3 * interval '1 second' END
    RETURNING secret, created_at, previous_until
"""

_COLUMNS = """
    SELECT delivery_id, organisation_id, application_id, event, subject_id, method, url, query, body, content_type,
        state, detail, attempt_count, due_at, created_at, finished_at FROM callbacks.delivery d
"""
_OLDER = """
    AND ($2::uuid IS NULL OR (d.created_at, d.delivery_id) <
        (SELECT b.created_at, b.delivery_id FROM callbacks.delivery b WHERE b.delivery_id = $2))
    ORDER BY d.created_at DESC, d.delivery_id DESC LIMIT $1
"""
# One statement for each index that the order can come from.
_LIST_ALL = f"{_COLUMNS} WHERE true {_OLDER}"
_LIST_OF_ORGANISATION = f"{_COLUMNS} WHERE d.organisation_id = $3 {_OLDER}"
_LIST_OF_SUBJECT = f"{_COLUMNS} WHERE d.subject_id = $3 AND ($4::bigint IS NULL OR d.organisation_id = $4) {_OLDER}"
_GET = f"{_COLUMNS} WHERE d.delivery_id = $1 AND ($2::bigint IS NULL OR d.organisation_id = $2)"

_ATTEMPTS = """
    SELECT number, started_at, duration_ms, status, error, answer FROM callbacks.attempt
    WHERE delivery_id = $1 ORDER BY number
"""

_REPLAY = """
    UPDATE callbacks.delivery SET state = 'pending', detail = '', due_at = now(), tries = 0, finished_at = NULL,
        lease_until = CASE WHEN state = 'pending' AND lease_until > now() THEN lease_until END
    WHERE delivery_id = $1 AND ($2::bigint IS NULL OR organisation_id = $2)
    RETURNING pg_notify('callbacks', '')
"""


_ENABLE = "DELETE FROM callbacks.endpoint WHERE organisation_id = $1 AND url = $2"


class NewRow(NamedTuple):
    """One delivery to insert, in the order of the statement's arrays. `refusal`: why it is not to be sent."""

    delivery_id: UUID
    organisation_id: int
    application_id: int | None
    event: str
    subject_id: UUID | None
    receiver: str
    method: str
    url: str
    query: str
    body: bytes | None
    content_type: str
    refusal: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt, and what the delivery becomes by it."""

    delivery_id: UUID
    organisation_id: int
    receiver: str
    url: str = field(repr=False)
    lease_until: datetime
    state: DeliveryState
    detail: str
    delay_s: float | None
    started_at: datetime
    duration_ms: int
    status: int | None
    error: str
    answer: str = field(repr=False)


async def insert(connection: Connection, rows: Sequence[NewRow]) -> None:
    """Insert `rows` and wake the workers when the transaction commits."""
    await connection.execute(_INSERT, *map(list, zip(*rows, strict=True)))


async def claim_for(connection: Connection, *, rooms: dict[str, int], limit: int,
                    lease_s: float) -> Sequence[Record]:
    """Lease what is due for the receivers in `rooms`, at most so many for each and `limit` in all."""
    return await connection.fetch(_CLAIM_FOR, lease_s, list(rooms), list(rooms.values()), limit)


async def claim_around(connection: Connection, *, rooms: dict[str, int], unknown_room: int, after: str, limit: int,
                       lease_s: float) -> Sequence[Record]:
    """Lease what is due for any receiver, in their order after `after`; at most `limit` rows."""
    return await connection.fetch(_CLAIM_AROUND, lease_s, json.dumps(rooms), unknown_room, after, limit)


async def release(connection: Connection, leases: Sequence[tuple[UUID, datetime]]) -> None:
    """Give up leases, so that what they held is due at once."""
    await connection.execute(_RELEASE, [lease[0] for lease in leases], [lease[1] for lease in leases])


async def record(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    """Write down attempts, no delivery twice, and move their deliveries."""
    gone = {(o.organisation_id, o.url): o for o in outcomes if o.state is DeliveryState.GONE}
    if not gone:
        await _record(connection, outcomes)
        return
    async with connection.transaction():
        await _record(connection, outcomes)
        await connection.execute(_DISABLE, [key[0] for key in gone], [key[1] for key in gone],
                                 [o.detail for o in gone.values()])
        for o in gone.values():
            await connection.execute(_CLOSE_QUEUE, o.receiver, o.organisation_id, o.url, o.detail)


async def _record(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    await connection.execute(
        _RECORD, [o.delivery_id for o in outcomes], [o.lease_until for o in outcomes],
        [o.state.value for o in outcomes], [o.detail for o in outcomes], [o.delay_s for o in outcomes],
        [o.started_at for o in outcomes], [o.duration_ms for o in outcomes], [o.status for o in outcomes],
        [o.error for o in outcomes], [o.answer for o in outcomes])


async def present_secret(connection: Connection, organisation_id: int, fresh: str) -> Record:
    """Return the secret of one organisation, storing the one given where there was none."""
    await connection.execute(_MAKE_SECRETS, [organisation_id], [fresh])
    [row] = await connection.fetch(_PRESENT, organisation_id)
    return row


async def rotate_secret(connection: Connection, organisation_id: int, fresh: str, overlap_s: int) -> Record:
    """Replace the secret of one organisation; the present one goes on signing for so many seconds."""
    [row] = await connection.fetch(_ROTATE, organisation_id, fresh, overlap_s)
    return row


async def secrets(connection: Connection, fresh: dict[int, str]) -> dict[int, str]:
    """Return the secret of every organisation in `fresh`, storing the one given there where there was none."""
    await connection.execute(_MAKE_SECRETS, list(fresh), list(fresh.values()))
    rows = await connection.fetch(_SECRETS, list(fresh))
    return {row["organisation_id"]: row["secret"] for row in rows}


async def enable(connection: Connection, organisation_id: int, url: str) -> None:
    """Forget that `url` was disabled."""
    await connection.execute(_ENABLE, organisation_id, url)


async def replay(connection: Connection, delivery_id: UUID, organisation_id: int | None) -> bool:
    """Make a delivery due now, with its whole schedule before it; False when there is none."""
    return await connection.fetchrow(_REPLAY, delivery_id, organisation_id) is not None


async def deliveries(connection: Connection, *, organisation_id: int | None, subject_id: UUID | None, limit: int,
                     before: UUID | None) -> Sequence[Record]:
    """Return deliveries, the newest first."""
    if subject_id is not None:
        return await connection.fetch(_LIST_OF_SUBJECT, limit, before, subject_id, organisation_id)
    if organisation_id is not None:
        return await connection.fetch(_LIST_OF_ORGANISATION, limit, before, organisation_id)
    return await connection.fetch(_LIST_ALL, limit, before)


async def delivery(connection: Connection, delivery_id: UUID, organisation_id: int | None) -> Record | None:
    """Return one delivery."""
    return await connection.fetchrow(_GET, delivery_id, organisation_id)


async def attempts(connection: Connection, delivery_id: UUID) -> Sequence[Record]:
    """Return the attempts of one delivery, the first one first."""
    return await connection.fetch(_ATTEMPTS, delivery_id)
