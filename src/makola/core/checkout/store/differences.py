"""SQL for reconciliation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from makola.core.checkout.types import Difference
from makola.kit.database import Connection, Database

_UPSERT = """
INSERT INTO checkout.difference (provider, day, kind, subject, transaction_id, provider_reference, ours_units,
                                 theirs_units, detail, found_at)
SELECT $1, $2, d.kind, d.subject, d.transaction_id, d.provider_reference, d.ours_units, d.theirs_units, d.detail, $10
FROM unnest($3::text[], $4::text[], $5::uuid[], $6::text[], $7::bigint[], $8::bigint[], $9::text[])
     AS d (kind, subject, transaction_id, provider_reference, ours_units, theirs_units, detail)
ON CONFLICT ON CONSTRAINT difference_once DO UPDATE SET ours_units = excluded.ours_units,
    theirs_units = excluded.theirs_units, detail = excluded.detail
"""

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
UPDATE checkout.difference SET resolved_at = $2, resolution = $3 WHERE id = $1 AND resolved_at IS NULL
"""

_COMPARED = """
INSERT INTO checkout.reconciled_day (provider, day, compared_at, ours_count, theirs_count, difference_count)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (provider, day) DO UPDATE SET compared_at = excluded.compared_at, ours_count = excluded.ours_count,
    theirs_count = excluded.theirs_count, difference_count = excluded.difference_count
"""


@dataclass(frozen=True, slots=True)
class NewDifference:
    """A difference that was found; `subject` tells it from others of its kind and day."""

    kind: str
    subject: str
    transaction_id: UUID | None
    provider_reference: str
    ours_units: int | None
    theirs_units: int | None
    detail: str


async def save(connection: Connection, provider: str, day: date, found: Sequence[NewDifference], at: datetime) -> None:
    """Store what was found; what was found before is not stored again."""
    await connection.execute(
        _UPSERT, provider, day, [one.kind for one in found], [one.subject for one in found],
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


async def compared(connection: Connection, provider: str, day: date, at: datetime,
                   counts: tuple[int, int, int]) -> None:
    """Remember that a day was compared; `counts` are ours, theirs and the differences."""
    await connection.execute(_COMPARED, provider, day, at, *counts)


async def compared_days(connection: Connection | Database, provider: str, since: date) -> set[date]:
    """Return which days have been compared."""
    rows = await connection.fetch(
        "SELECT day FROM checkout.reconciled_day WHERE provider = $1 AND day >= $2", provider, since)
    return {row["day"] for row in rows}
