"""Reads of the tree of organisations."""

from collections.abc import Collection
from dataclasses import dataclass

from makola.core.organisations.types import Actor, Organisation
from makola.kit.database import Connection, Database

_PLACE = """
SELECT o.chain, coalesce(s.country_code, 'GH') AS country_code, coalesce(s.time_zone, 'GMT') AS time_zone
FROM organisations.organisation o LEFT JOIN organisations.account_settings s ON s.organisation_id = o.id
WHERE o.id = $1 AND NOT EXISTS (SELECT FROM organisations.organisation above
                                WHERE above.id = ANY(o.chain) AND above.suspended_at IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an organisation stands: its chain from the root, and what its account has chosen."""

    chain: tuple[int, ...]
    country_code: str
    time_zone: str


async def find_place(database: Database, organisation_id: int) -> Place | None:
    """Return where an organisation stands; None when it, or a tier above it, is suspended or unknown."""
    row = await database.fetchrow(_PLACE, organisation_id)
    return Place(tuple(row["chain"]), row["country_code"], row["time_zone"]) if row is not None else None


async def find_organisation(connection: Connection, organisation_id: int) -> Organisation | None:
    """Return one organisation, for the platform's own commands."""
    row = await connection.fetchrow(
        "SELECT id, parent_id, chain, name FROM organisations.organisation WHERE id = $1", organisation_id)
    return Organisation(row["id"], row["parent_id"], tuple(row["chain"]), row["name"]) if row is not None else None


async def find_chains(connection: Connection, organisation_ids: Collection[int]) -> dict[int, tuple[int, ...]]:
    """Return the chains, root first, of organisations by their ids."""
    rows = await connection.fetch(
        "SELECT id, chain FROM organisations.organisation WHERE id = ANY($1::bigint[])", list(organisation_ids))
    return {row["id"]: tuple(row["chain"]) for row in rows}


@dataclass(frozen=True, slots=True)
class ReportTarget:
    """Where an account wants its delivery reports."""

    url: str
    method: str
    time_zone: str


async def find_report_targets(connection: Connection, organisation_ids: Collection[int]) -> dict[int, ReportTarget]:
    """Return where each account that has chosen a URL wants its delivery reports."""
    rows = await connection.fetch(
        "SELECT organisation_id, delivery_report_url, delivery_report_method, time_zone"
        " FROM organisations.account_settings"
        " WHERE organisation_id = ANY($1::bigint[]) AND delivery_report_url <> ''", list(organisation_ids))
    return {row["organisation_id"]: ReportTarget(row["delivery_report_url"], row["delivery_report_method"],
                                                 row["time_zone"]) for row in rows}


async def is_in_subtree(database: Database, actor: Actor, organisation_id: int) -> bool:
    """Say whether an organisation is the actor's own or below it."""
    if organisation_id == actor.organisation_id:
        return True
    return bool(await database.fetchval(
        "SELECT EXISTS (SELECT FROM organisations.organisation WHERE id = $1 AND chain @> ARRAY[$2::bigint])",
        organisation_id, actor.organisation_id))
