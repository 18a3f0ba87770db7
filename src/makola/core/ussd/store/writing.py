"""What sessions write. One statement takes a whole batch and is its own transaction where nothing is charged."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from makola.core.ledger import service as ledger
from makola.core.ledger.errors import InsufficientFundsError
from makola.core.ussd.store.rows import Intent, LoneFailure, Outcome, StepFlag
from makola.core.ussd.types import TRANSFER_KIND, EndReason, ErrorCode
from makola.kit.clock import now
from makola.kit.database import Connection, Database, Record

# Steps are visible to every process at once, and on disk with the next outcome at the latest: nothing is shown to a
# subscriber before. What a breakdown of the database takes back in between is noticed by `ussd.continuity`.
_UNFLUSHED = "unflushed AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))"
# What ends a session by itself is shown, and told to the application, with no other record: it waits for the disk.
_UNFLUSHED_BUT_ENDS = """unflushed AS MATERIALIZED (
    SELECT CASE WHEN cardinality($18::uuid[]) = 0 THEN set_config('synchronous_commit', 'off', true) END
)"""

# A session is opened only by whoever is first with the operator's id of it, and a step only by whoever is first with
# its position: what is not returned was somebody else's. Only what is returned is charged, and only that ends sessions.
_STORE_INTENTS = f"""
WITH {_UNFLUSHED_BUT_ENDS}, opened AS (
    INSERT INTO ussd.session (id, service_id, organisation_id, service_code, connector, operator_session_id, mobile,
                              operator, started_at)
    SELECT s.* FROM unflushed, unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                                      $7::text[], $8::text[], $9::timestamptz[]) AS s
    ON CONFLICT (connector, operator_session_id) DO NOTHING
    RETURNING id
), stored AS (
    INSERT INTO ussd.step (session_id, position, sequence, kind, flags, push_id, input, asked_at)
    SELECT s.session_id, s.position, s.sequence, s.kind, s.flags, s.push_id, s.input, s.asked_at
    FROM unnest($10::uuid[], $11::smallint[], $12::smallint[], $13::smallint[], $14::smallint[], $15::text[],
                $16::text[], $17::timestamptz[])
         AS s (session_id, position, sequence, kind, flags, push_id, input, asked_at)
    WHERE s.session_id IN (SELECT id FROM opened) OR NOT s.session_id = ANY($1::uuid[])
    ON CONFLICT (session_id, position) DO NOTHING
    RETURNING session_id
), ended AS (
    UPDATE ussd.session s SET ended_at = e.at, end_reason = e.reason, error = e.error
    FROM unnest($18::uuid[], $19::timestamptz[], $20::smallint[], $21::text[]) AS e (id, at, reason, error)
    WHERE s.id = e.id AND s.id IN (SELECT session_id FROM stored) AND s.ended_at IS NULL
), paid AS (
    SELECT ledger.transfer_all(array_agg(l.debit_id), array_agg(l.credit_id), array_agg(l.units),
                               array_agg(l.session_id), $26, $27, true)
    FROM unnest($22::uuid[], $23::bigint[], $24::bigint[], $25::bigint[]) AS l (session_id, debit_id, credit_id, units)
    WHERE l.session_id IN (SELECT session_id FROM stored)
    HAVING count(*) > 0
)"""  # noqa: S608 - made of this module's own text
_WHAT_IS_STORED = "SELECT stored.session_id FROM stored LEFT JOIN paid ON true"
_INTENTS = f"{_STORE_INTENTS} {_WHAT_IS_STORED}"
# Where a session ends with an error, that is counted with its end: the process may die before the application is told.
_INTENTS_AND_ERRORS = f"""{_STORE_INTENTS}, counted AS (
    INSERT INTO ussd.failure (organisation_id, service_id, session_id, service_code, code, cause, body, at)
    SELECT s.organisation_id, s.service_id, s.id, s.service_code, e.error, e.cause, '', e.at
    FROM unnest($18::uuid[], $19::timestamptz[], $21::text[], $28::text[]) AS e (id, at, error, cause)
    JOIN stored ON stored.session_id = e.id JOIN ussd.session s ON s.id = e.id
    WHERE e.error <> '' AND s.ended_at IS NULL
) {_WHAT_IS_STORED}"""  # noqa: S608 - made of this module's own text

_STEPS = f"""
WITH {_UNFLUSHED}
INSERT INTO ussd.step (session_id, position, sequence, kind, flags, push_id, input, asked_at)
SELECT s.* FROM unflushed, unnest($1::uuid[], $2::smallint[], $3::smallint[], $4::smallint[], $5::smallint[],
                                  $6::text[], $7::text[], $8::timestamptz[]) AS s
ON CONFLICT (session_id, position) DO NOTHING
RETURNING session_id
"""  # noqa: S608 - made of this module's own text

# The same for one step: below some thousand a second a batch seldom has two, and arrays cost more than the row.
_STEP = f"""
WITH {_UNFLUSHED}
INSERT INTO ussd.step (session_id, position, sequence, kind, flags, push_id, input, asked_at)
SELECT $1::uuid, $2::smallint, $3::smallint, $4::smallint, $5::smallint, $6::text, $7::text, $8::timestamptz
FROM unflushed
ON CONFLICT (session_id, position) DO NOTHING
"""  # noqa: S608 - made of this module's own text

_ANSWER_ONE = """
UPDATE ussd.step SET answered_at = $3, duration_ms = $4, status = $5, flags = flags | $6, screen = $7, pages = $8,
       client_state = $9
WHERE session_id = $1 AND position = $2 AND answered_at IS NULL
"""

_UNPAID = """
WITH step AS (
    UPDATE ussd.step s SET answered_at = $2, flags = s.flags | $3, screen = $4, error = $5, cause = $6
    FROM unnest($1::uuid[], $7::smallint[]) AS u (session_id, position)
    WHERE s.session_id = u.session_id AND s.position = u.position
), session AS (
    UPDATE ussd.session SET ended_at = $2, end_reason = $8, error = $5 WHERE id = ANY($1::uuid[])
    RETURNING id, organisation_id, service_id, service_code
)
INSERT INTO ussd.failure (organisation_id, service_id, session_id, service_code, code, cause, body, at)
SELECT organisation_id, service_id, id, service_code, $5, $6, '', $2 FROM session
"""

_ANSWER = """
UPDATE ussd.step s SET answered_at = o.at, duration_ms = o.duration_ms, status = o.status, flags = s.flags | o.flags,
       screen = o.screen, pages = o.pages, client_state = o.client_state, error = o.error, cause = o.cause,
       body = o.body
FROM unnest($1::uuid[], $2::smallint[], $3::timestamptz[], $4::integer[], $5::smallint[], $6::smallint[], $7::text[],
            $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])
     AS o (session_id, position, at, duration_ms, status, flags, screen, pages, client_state, error, cause, body)
WHERE s.session_id = o.session_id AND s.position = o.position AND s.answered_at IS NULL
RETURNING s.session_id, s.position
"""

# The session ends, and its failure is counted, in the statement that answers the step.
_END = f"""
WITH answered AS ({_ANSWER}), outcome AS (
    SELECT o.* FROM answered
    JOIN unnest($1::uuid[], $2::smallint[], $3::timestamptz[], $5::smallint[], $10::text[], $11::text[], $12::text[],
                $13::smallint[])
         AS o (session_id, position, at, status, error, cause, body, reason) USING (session_id, position)
), failed AS (
    INSERT INTO ussd.failure (organisation_id, service_id, session_id, service_code, code, cause, status, body, at)
    SELECT s.organisation_id, s.service_id, s.id, s.service_code, o.error, o.cause, o.status, o.body, o.at
    FROM outcome o JOIN ussd.session s ON s.id = o.session_id
    WHERE o.error <> '' AND o.reason > 0
), ended AS (
    UPDATE ussd.session s SET ended_at = o.at, end_reason = o.reason, error = o.error
    FROM outcome o WHERE s.id = o.session_id AND o.reason > 0 AND s.ended_at IS NULL
)"""  # noqa: S608 - made of this module's own text
_ANSWER_AND_END = f"{_END} SELECT session_id, position FROM answered"  # noqa: S608 - made of this module's own text
# An error that was counted when its step ended the session; the application has been told of that, and has answered.
_ANSWER_AND_COMPLETE = f"""{_END}, completed AS (
    UPDATE ussd.failure f SET status = o.status, cause = o.cause, body = o.body
    FROM outcome o JOIN ussd.step s USING (session_id, position)
    WHERE o.error <> '' AND o.reason = 0 AND f.at = s.asked_at AND f.session_id = o.session_id AND f.code = o.error
) SELECT session_id, position FROM answered"""  # noqa: S608 - made of this module's own text

# Nobody can go on with a session whose service was removed.
_END_ORPHANS = """
UPDATE ussd.session SET ended_at = $1, end_reason = $3, error = $4
WHERE id IN (SELECT id FROM ussd.session s WHERE ended_at IS NULL AND started_at < $2
               AND NOT EXISTS (SELECT FROM ussd.service WHERE id = s.service_id) LIMIT $5)
"""

_FAILURE = """
INSERT INTO ussd.failure (organisation_id, service_id, session_id, service_code, code, cause, body, at)
VALUES ($1, $2, $3, $4, $5, $6, '', $7)
"""

_PUSH_ASIDE = """
UPDATE ussd.session SET operator_session_id = operator_session_id || ' ' || id
WHERE connector = $1 AND operator_session_id = $2 AND ended_at IS NOT NULL
"""

_REOPEN = """
UPDATE ussd.session SET ended_at = NULL, end_reason = NULL, connector = $2, operator_session_id = $3
WHERE id = $1 AND end_reason = $4
"""

_PURGE_SESSIONS = """
WITH old AS (
    SELECT id FROM ussd.session WHERE started_at < $1 AND ended_at IS NOT NULL LIMIT $2
), steps AS (
    DELETE FROM ussd.step WHERE session_id IN (SELECT id FROM old)
)
DELETE FROM ussd.session WHERE id IN (SELECT id FROM old)
"""

_PURGE_FAILURES = "DELETE FROM ussd.failure WHERE id IN (SELECT id FROM ussd.failure WHERE at < $1 LIMIT $2)"


async def insert_intents(connection: Connection, batch: Sequence[Intent]) -> set[UUID]:
    """Store steps, with what they open, end and cost; return the sessions whose step was stored.

    A batch has at most one step of a session. All of it is one transaction, unless the caller has one.

    Raises:
        InsufficientFundsError: an account cannot cover what all of them cost; nothing was stored.
    """
    is_plain = all(intent.opening is None and intent.end_reason is None and not intent.legs for intent in batch)
    if is_plain and len(batch) == 1:
        return await _insert_step(connection, batch[0])
    flags = [int(StepFlag.INPUT_MASKED if intent.input_masked else StepFlag.NONE) for intent in batch]
    steps = ([intent.session_id for intent in batch], [intent.position for intent in batch],
             [intent.sequence for intent in batch], [int(intent.kind) for intent in batch], flags,
             [intent.push_id for intent in batch], [intent.input for intent in batch],
             [intent.asked_at for intent in batch])
    rows: Sequence[Record] = (await connection.fetch(_STEPS, *steps) if is_plain
                              else await _insert_whole(connection, batch, steps))
    return {row["session_id"] for row in rows}


async def _insert_whole(connection: Connection, batch: Sequence[Intent],
                        steps: Sequence[Sequence[object]]) -> Sequence[Record]:
    opened = [(intent, intent.opening) for intent in batch if intent.opening is not None]
    ending = [(intent, intent.end_reason) for intent in batch if intent.end_reason is not None]
    legs = [(intent, leg) for intent in batch for leg in intent.legs]
    with_errors = any(intent.error for intent, _ in ending)
    causes = [[intent.cause for intent, _ in ending]] if with_errors else []
    try:
        return await connection.fetch(
            _INTENTS_AND_ERRORS if with_errors else _INTENTS,
            [intent.session_id for intent, _ in opened], [opening.service_id for _, opening in opened],
            [opening.organisation_id for _, opening in opened], [opening.service_code for _, opening in opened],
            [opening.connector for _, opening in opened], [opening.operator_session_id for _, opening in opened],
            [opening.mobile for _, opening in opened], [opening.operator for _, opening in opened],
            [intent.asked_at for intent, _ in opened], *steps,
            [intent.session_id for intent, _ in ending], [intent.asked_at for intent, _ in ending],
            [int(reason) for _, reason in ending], [intent.error for intent, _ in ending],
            [intent.session_id for intent, _ in legs], [leg.debit_id for _, leg in legs],
            [leg.credit_id for _, leg in legs], [leg.amount_units for _, leg in legs], TRANSFER_KIND, now(),
            *causes)
    except asyncpg.CheckViolationError as error:
        if not ledger.is_uncovered(error):
            raise
        raise InsufficientFundsError("An account on the chain of tiers has no credit left.") from error


async def _insert_step(connection: Connection, intent: Intent) -> set[UUID]:
    flags = StepFlag.INPUT_MASKED if intent.input_masked else StepFlag.NONE
    tag = await connection.execute(
        _STEP, intent.session_id, intent.position, intent.sequence, int(intent.kind), int(flags), intent.push_id,
        intent.input, intent.asked_at)
    return {intent.session_id} if tag == "INSERT 0 1" else set()


async def end_unpaid(connection: Connection, batch: Sequence[Intent], at: datetime, *, screen: str,
                     cause: str) -> None:
    """End sessions whose step an account could not cover, in the transaction that stored it: on disk once it ends."""
    await connection.execute("SET LOCAL synchronous_commit TO DEFAULT")
    await connection.execute(
        _UNPAID, [intent.session_id for intent in batch], at, int(StepFlag.ENDS), screen, ErrorCode.NOCR.value, cause,
        [intent.position for intent in batch], int(EndReason.ERROR))


async def store_outcomes(connection: Connection | Database, batch: Sequence[Outcome]) -> set[tuple[UUID, int]]:
    """Answer steps; a step that has its answer keeps it.

    Returns:
        The session and position of each step that was answered by this.
    """
    if len(batch) == 1 and batch[0].end_reason is None and not batch[0].error and not batch[0].cause:
        one = batch[0]
        tag = await connection.execute(
            _ANSWER_ONE, one.session_id, one.position, one.answered_at, one.duration_ms, one.status, int(one.flags),
            one.screen, one.pages, one.client_state)
        return {(one.session_id, one.position)} if tag == "UPDATE 1" else set()
    columns: list[list[object]] = [
        [outcome.session_id for outcome in batch], [outcome.position for outcome in batch],
        [outcome.answered_at for outcome in batch], [outcome.duration_ms for outcome in batch],
        [outcome.status for outcome in batch], [int(outcome.flags) for outcome in batch],
        [outcome.screen for outcome in batch], [outcome.pages for outcome in batch],
        [outcome.client_state for outcome in batch], [outcome.error for outcome in batch],
        [outcome.cause for outcome in batch], [outcome.body for outcome in batch]]
    reasons = [int(outcome.end_reason or 0) for outcome in batch]
    if any(outcome.error and outcome.end_reason is None for outcome in batch):
        rows = await connection.fetch(_ANSWER_AND_COMPLETE, *columns, reasons)
    elif any(reasons):
        rows = await connection.fetch(_ANSWER_AND_END, *columns, reasons)
    else:
        rows = await connection.fetch(_ANSWER, *columns)
    return {(row["session_id"], row["position"]) for row in rows}


async def insert_failure(database: Database, failure: LoneFailure) -> None:
    """Count an error that has no step."""
    await database.execute(_FAILURE, failure.organisation_id, failure.service_id, failure.session_id,
                           failure.service_code, failure.code, failure.cause, failure.at)


async def end_orphans(database: Database, *, begun_before: datetime, limit: int) -> None:
    """End open sessions of services that were removed."""
    await database.execute(_END_ORPHANS, now(), begun_before, int(EndReason.ERROR), ErrorCode.NOAPP.value, limit)


async def push_aside(database: Database, connector: str, operator_session_id: str) -> None:
    """Free an operator's id that it uses anew; the ended session that had it keeps its log."""
    await database.execute(_PUSH_ASIDE, connector, operator_session_id)


async def reopen(database: Database, session_id: UUID, connector: str, operator_session_id: str) -> bool:
    """Let a session that timed out go on under a new id of the operator's; False when it has changed meanwhile."""
    tag = await database.execute(_REOPEN, session_id, connector, operator_session_id, int(EndReason.TIMEOUT))
    return tag == "UPDATE 1"


async def purge(database: Database, before: datetime, limit: int) -> int:
    """Delete ended sessions that began before a moment, and failures of before; return how many rows went."""
    sessions = await database.execute(_PURGE_SESSIONS, before, limit)
    failures = await database.execute(_PURGE_FAILURES, before, limit)
    return int(sessions.rpartition(" ")[2]) + int(failures.rpartition(" ")[2])
