"""SQL for reconciliation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from makola.core.checkout.comparing import NewDifference
from makola.core.checkout.types import Difference
from makola.kit.database import Connection, Database

#: What somebody has explained is found again every day; with other amounts it is not what was explained.
_STAYS = """(difference.resolved_by_person AND difference.ours_units IS NOT DISTINCT FROM excluded.ours_units
        AND difference.theirs_units IS NOT DISTINCT FROM excluded.theirs_units)"""

_UPSERT = f"""
INSERT INTO checkout.difference (provider, day, kind, subject, transaction_id, provider_reference, ours_units,
                                 theirs_units, detail, found_at)
SELECT $1, $2, d.kind, d.subject, d.transaction_id, d.provider_reference, d.ours_units, d.theirs_units, d.detail, $10
FROM unnest($3::text[], $4::text[], $5::uuid[], $6::text[], $7::bigint[], $8::bigint[], $9::text[])
     AS d (kind, subject, transaction_id, provider_reference, ours_units, theirs_units, detail)
ON CONFLICT ON CONSTRAINT difference_once DO UPDATE SET ours_units = excluded.ours_units,
    theirs_units = excluded.theirs_units, detail = excluded.detail,
    resolved_at = CASE WHEN {_STAYS} THEN difference.resolved_at END,
    resolution = CASE WHEN {_STAYS} THEN difference.resolution ELSE '' END,
    resolved_by_person = {_STAYS}
"""  # noqa: S608 - made of this module's own condition

# What a slower process has found meanwhile may be repaired, and resolved, already.
_INSERT_NEW = f"{_UPSERT[:_UPSERT.index('DO UPDATE')]}DO NOTHING"

_RESOLVE_OTHERS = """
UPDATE checkout.difference SET resolved_at = $4, resolution = $5
WHERE provider = $1 AND day = $2 AND resolved_at IS NULL AND NOT (kind || ' ' || subject) = ANY($3::text[])
"""

_LIST = """
SELECT id, provider, day, kind, transaction_id, provider_reference, ours_units, theirs_units, detail, found_at,
       resolved_at, resolution
FROM checkout.difference WHERE $1 OR resolved_at IS NULL ORDER BY id LIMIT $2
"""

_RESOLVE = """
UPDATE checkout.difference SET resolved_at = $2, resolution = $3, resolved_by_person = true
WHERE id = $1 AND resolved_at IS NULL
"""

_RESOLVE_DECIDED = """
UPDATE checkout.difference d SET resolved_at = $1, resolution = $2 FROM checkout.transaction t
WHERE d.resolved_at IS NULL AND t.id = d.transaction_id
  AND (d.kind = 'undecided' AND t.state <> 'undecided' OR d.kind = 'not_returned' AND t.state <> 'failed')
"""

_COMPARED = """
INSERT INTO checkout.reconciled_day (provider, day, compared_at, ours_count, theirs_count, difference_count, open_count)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (provider, day) DO UPDATE SET compared_at = excluded.compared_at, ours_count = excluded.ours_count,
    theirs_count = excluded.theirs_count, difference_count = excluded.difference_count,
    open_count = excluded.open_count
WHERE reconciled_day.compared_at <= $8 RETURNING day
"""

_FIRST_DAY = """
SELECT least((SELECT min(day) FROM checkout.reconciled_day WHERE provider = $1),
             (SELECT (min(created_at) AT TIME ZONE 'UTC')::date FROM checkout.transaction WHERE provider = $1))
"""


@dataclass(frozen=True, slots=True)
class ComparedDay:
    """A day that was compared with a provider's list; `open_count` of ours were still open then."""

    day: date
    compared_at: datetime
    ours_count: int
    theirs_count: int
    difference_count: int
    open_count: int


async def save(connection: Connection, provider: str, day: date, found: Sequence[NewDifference], at: datetime, *,
               only_new: bool = False) -> None:
    """Store what was found; what was found before is brought up to date, or, with `only_new`, left as it is."""
    await connection.execute(
        _INSERT_NEW if only_new else _UPSERT, provider, day,
        [one.kind for one in found], [one.subject for one in found],
        [one.transaction_id for one in found], [one.provider_reference for one in found],
        [one.ours_units for one in found], [one.theirs_units for one in found], [one.detail for one in found], at)


async def resolve_others(connection: Connection, provider: str, day: date, found: Sequence[NewDifference],
                         at: datetime, resolution: str) -> None:
    """Resolve the day's differences that are none any more."""
    await connection.execute(_RESOLVE_OTHERS, provider, day, [f"{one.kind} {one.subject}" for one in found], at,
                             resolution)


async def list_all(connection: Connection | Database, *, resolved: bool, limit: int) -> list[Difference]:
    """Return differences, the first one first."""
    return [Difference(*row) for row in await connection.fetch(_LIST, resolved, limit)]


async def resolve(connection: Connection | Database, difference_id: int, at: datetime, resolution: str) -> bool:
    """Resolve one; False when there is no such open one."""
    return await connection.execute(_RESOLVE, difference_id, at, resolution) == "UPDATE 1"


async def resolve_decided(connection: Connection | Database, at: datetime, resolution: str) -> None:
    """Resolve what was listed because nobody knew, or could pay back, and that has come to an end since."""
    await connection.execute(_RESOLVE_DECIDED, at, resolution)


async def compared(connection: Connection, provider: str, day: ComparedDay, began_at: datetime) -> bool:
    """Remember that a day was compared; False where it has been compared since this comparison began."""
    return await connection.fetchval(
        _COMPARED, provider, day.day, day.compared_at, day.ours_count, day.theirs_count, day.difference_count,
        day.open_count, began_at) is not None


async def compared_days(connection: Connection | Database, provider: str, since: date) -> dict[date, ComparedDay]:
    """Return which days have been compared, by day."""
    rows = await connection.fetch("""
        SELECT day, compared_at, ours_count, theirs_count, difference_count, open_count FROM checkout.reconciled_day
        WHERE provider = $1 AND day >= $2""", provider, since)
    return {row["day"]: ComparedDay(*row) for row in rows}


async def first_day(connection: Connection | Database, provider: str) -> date | None:
    """Return the first day of which there is anything of a provider."""
    day: date | None = await connection.fetchval(_FIRST_DAY, provider)
    return day
