"""Reads of services, sessions and errors. What was masked is not there to be read.

`organisation_ids` says who asks: what belongs to these organisations and to those below them is seen, and all of it
where it is None.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from makola.core.ussd.errors import UnknownSessionError
from makola.core.ussd.store import services as services_store
from makola.core.ussd.store.rows import StepFlag
from makola.core.ussd.types import (
    EndReason,
    FailureRecord,
    Service,
    ServiceCounts,
    SessionHistory,
    SessionRecord,
    StepKind,
    StepRecord,
)
from makola.kit.clock import now
from makola.kit.database import Database, Record

# $1: the organisations that are asked for, NULL for all.
_VISIBLE = """($1::bigint[] IS NULL OR organisation_id IN
    (SELECT id FROM organisations.organisation WHERE chain && $1::bigint[]))"""

_SESSION = """id, service_id, organisation_id, service_code, mobile, operator, connector, started_at, ended_at,
    end_reason, error, (SELECT count(*) FROM ussd.step WHERE session_id = session.id) AS step_count"""

_SESSIONS = f"""
SELECT {_SESSION} FROM ussd.session
WHERE {_VISIBLE} AND ($2::bigint IS NULL OR service_id = $2) AND ($3 = '' OR mobile = $3) AND ($4 = '' OR error = $4)
  AND ($5::timestamptz IS NULL OR (started_at, id) < ($5, $6))
ORDER BY started_at DESC, id DESC LIMIT $7
"""  # noqa: S608 - own text

_ONE = f"SELECT {_SESSION} FROM ussd.session WHERE {_VISIBLE} AND id = $2"  # noqa: S608 - own text

_STEPS = """
SELECT session_id, "position", sequence, kind, flags, status, duration_ms, asked_at, answered_at, input, screen,
       client_state, error, cause, body
FROM ussd.step WHERE session_id = ANY($1::uuid[]) ORDER BY session_id, "position"
"""

_FAILURES = f"""
SELECT id, organisation_id, service_id, session_id, service_code, code, cause, status, body, at
FROM ussd.failure
WHERE {_VISIBLE} AND ($2::bigint IS NULL OR service_id = $2) AND ($3 = '' OR code = $3)
  AND ($4::timestamptz IS NULL OR at >= $4) AND ($5::bigint IS NULL OR id < $5)
ORDER BY at DESC, id DESC LIMIT $6
"""  # noqa: S608 - own text

_COUNTS = f"""
SELECT service_id, count(*) AS sessions, count(*) FILTER (WHERE ended_at IS NULL) AS open,
       count(*) FILTER (WHERE end_reason = 1) AS application, count(*) FILTER (WHERE end_reason = 2) AS subscriber,
       count(*) FILTER (WHERE end_reason = 3) AS timed_out
FROM ussd.session WHERE {_VISIBLE} AND started_at >= $2 GROUP BY service_id
"""  # noqa: S608 - own text

_FAILURE_COUNTS = f"""
SELECT service_id, code, count(*) AS count FROM ussd.failure WHERE {_VISIBLE} AND at >= $2 GROUP BY service_id, code
ORDER BY code
"""  # noqa: S608 - own text


async def list_services(database: Database, *, organisation_ids: Sequence[int] | None) -> Sequence[Service]:
    """Return the services that may be seen, by their code."""
    async with database.connection() as connection:
        return await services_store.fetch_visible(connection, organisation_ids)


async def list_sessions(database: Database, *, organisation_ids: Sequence[int] | None, service_id: int | None = None,
                        mobile: str = "", error: str = "", before: UUID | None = None,
                        limit: int = 25) -> list[SessionHistory]:
    """Return sessions with their steps, the newest first.

    Args:
        database: where they are.
        organisation_ids: who asks.
        service_id: only of this service.
        mobile: only of this subscriber; empty for all.
        error: only those that ended with this code; empty for all.
        before: only those that began before this session did.
        limit: the most to return.
    """
    last = None if before is None else await database.fetchrow(
        "SELECT started_at, id FROM ussd.session WHERE id = $1", before)
    rows = await database.fetch(
        _SESSIONS, _ids(organisation_ids), service_id, mobile.lstrip("+"), error,
        None if last is None else last["started_at"], None if last is None else last["id"], limit)
    return await _with_steps(database, rows)


async def get_session(database: Database, session_id: UUID, *,
                      organisation_ids: Sequence[int] | None) -> SessionHistory:
    """Return one session with its steps.

    Raises:
        UnknownSessionError: there is none that may be seen.
    """
    row = await database.fetchrow(_ONE, _ids(organisation_ids), session_id)
    if row is None:
        raise UnknownSessionError("There is no such session.", field="session_id")
    return (await _with_steps(database, [row]))[0]


async def list_failures(database: Database, *, organisation_ids: Sequence[int] | None, service_id: int | None = None,
                        code: str = "", since: datetime | None = None, before: int | None = None,
                        limit: int = 50) -> list[FailureRecord]:
    """Return the errors that subscribers saw, the newest first, each with its cause.

    Args:
        database: where they are.
        organisation_ids: who asks.
        service_id: only of this service.
        code: only this error; empty for all.
        since: only from this moment on.
        before: only those with a smaller id: the last one of the page before.
        limit: the most to return.
    """
    rows = await database.fetch(_FAILURES, _ids(organisation_ids), service_id, code, since, before, limit)
    return [FailureRecord(row["id"], row["organisation_id"], row["service_id"], row["session_id"],
                          row["service_code"], row["code"], row["cause"], row["status"], row["body"], row["at"])
            for row in rows]


async def count_failures(database: Database, *, organisation_ids: Sequence[int] | None, last_s: int,
                         service_id: int | None = None) -> dict[str, int]:
    """Return how often each error was shown in the last `last_s` seconds."""
    counts: dict[str, int] = {}
    since = now() - timedelta(seconds=last_s)
    for row in await database.fetch(_FAILURE_COUNTS, _ids(organisation_ids), since):
        if service_id is None or row["service_id"] == service_id:
            counts[row["code"]] = counts.get(row["code"], 0) + row["count"]
    return counts


async def count_sessions(database: Database, *, organisation_ids: Sequence[int] | None,
                         since: datetime) -> dict[int, ServiceCounts]:
    """Return what became of the sessions that began since a moment, and which errors were shown, by service."""
    ids = _ids(organisation_ids)
    errors: dict[int, dict[str, int]] = {}
    for row in await database.fetch(_FAILURE_COUNTS, ids, since):
        errors.setdefault(row["service_id"] or 0, {})[row["code"]] = row["count"]
    counts = {row["service_id"]: ServiceCounts(
        row["service_id"], row["sessions"], row["open"], row["application"], row["subscriber"], row["timed_out"],
        errors.pop(row["service_id"], {})) for row in await database.fetch(_COUNTS, ids, since)}
    without = {service_id: ServiceCounts(service_id, 0, 0, 0, 0, 0, of_it) for service_id, of_it in errors.items()}
    return counts | without


def _ids(organisation_ids: Sequence[int] | None) -> list[int] | None:
    return None if organisation_ids is None else list(organisation_ids)


async def _with_steps(database: Database, rows: Sequence[Record]) -> list[SessionHistory]:
    steps: dict[UUID, list[StepRecord]] = {}
    for row in await database.fetch(_STEPS, [row["id"] for row in rows]):
        steps.setdefault(row["session_id"], []).append(_step_of(row))
    return [SessionHistory(_session_of(row), tuple(steps.get(row["id"], ()))) for row in rows]


def _session_of(row: Record) -> SessionRecord:
    return SessionRecord(
        row["id"], row["service_id"], row["organisation_id"], row["service_code"], row["mobile"], row["operator"],
        row["connector"], row["started_at"], row["ended_at"],
        None if row["end_reason"] is None else EndReason(row["end_reason"]), row["error"], row["step_count"])


def _step_of(row: Record) -> StepRecord:
    flags = StepFlag(row["flags"])
    return StepRecord(
        session_id=row["session_id"], position=row["position"], sequence=row["sequence"], kind=StepKind(row["kind"]),
        input=row["input"], input_masked=StepFlag.INPUT_MASKED in flags, asked_at=row["asked_at"],
        answered_at=row["answered_at"], duration_ms=row["duration_ms"], status=row["status"], screen=row["screen"],
        screen_masked=StepFlag.SCREEN_MASKED in flags, ends=StepFlag.ENDS in flags, error=row["error"],
        cause=row["cause"], body=row["body"], client_state=row["client_state"],
        hides_input=StepFlag.HIDES_INPUT in flags, private=StepFlag.PRIVATE in flags)
