"""Reads of the tree of organisations."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from makola.core.organisations.errors import UnknownOrganisationError
from makola.core.organisations.permissions import Module
from makola.core.organisations.types import Actor, FinanceType, Organisation
from makola.kit.database import Connection, Database, Record

#: Notified when an organisation is added or moved.
TREE_CHANNEL = "organisations_tree"

_COLUMNS = "o.id, o.parent_id, o.chain, o.name, o.linked_account, o.finance_type, o.modules, o.suspended_at"

# $1 the actor's organisation; an empty array or text means any.
_VISIBLE = """
FROM organisations.organisation o
WHERE o.chain @> ARRAY[$1::bigint]
  AND (cardinality($2::bigint[]) = 0 OR o.id = ANY($2::bigint[]))
  AND (cardinality($3::bigint[]) = 0 OR o.parent_id = ANY($3::bigint[]))
  AND ($4 = '' OR strpos(lower(o.name), lower($4)) > 0)
"""

_PLACE = """
SELECT o.chain, coalesce(s.country_code, 'GH') AS country_code, coalesce(s.time_zone, 'GMT') AS time_zone,
       array(SELECT m FROM unnest(o.modules) m
             WHERE NOT EXISTS (SELECT FROM organisations.organisation above
                               WHERE above.id = ANY(o.chain) AND NOT m = ANY(above.modules))) AS modules
FROM organisations.organisation o LEFT JOIN organisations.account_settings s ON s.organisation_id = o.id
WHERE o.id = $1 AND NOT EXISTS (SELECT FROM organisations.organisation above
                                WHERE above.id = ANY(o.chain) AND above.suspended_at IS NOT NULL)
"""

_ACTIVE_CHAINS = """
SELECT o.id, o.chain FROM organisations.organisation o
WHERE o.id = ANY($1::bigint[]) AND NOT EXISTS (SELECT FROM organisations.organisation above
                                               WHERE above.id = ANY(o.chain) AND above.suspended_at IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an organisation stands: its chain from the root, what its account has chosen, and what it has.

    `modules` are those that it and every organisation above it has.
    """

    chain: tuple[int, ...]
    country_code: str
    time_zone: str
    modules: frozenset[Module]


async def find_place(database: Database | Connection, organisation_id: int) -> Place | None:
    """Return where an organisation stands; None when it, or a tier above it, is suspended or unknown."""
    row = await database.fetchrow(_PLACE, organisation_id)
    return Place(tuple(row["chain"]), row["country_code"], row["time_zone"],
                 frozenset(map(Module, row["modules"]))) if row is not None else None


async def find_organisation(connection: Connection, organisation_id: int) -> Organisation | None:
    """Return one organisation, for the platform's own commands."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM organisations.organisation o WHERE o.id = $1", organisation_id)  # noqa: S608 - own text
    return organisation_of(row) if row is not None else None


def organisation_of(row: Record) -> Organisation:
    """Build an `Organisation` from a row of its table."""
    return Organisation(row["id"], row["parent_id"], tuple(row["chain"]), row["name"], row["linked_account"],
                        FinanceType(row["finance_type"]), frozenset(map(Module, row["modules"])), row["suspended_at"])


async def find_visible_organisation(connection: Connection, actor: Actor, organisation_id: int, *,
                                    field: str = "") -> Organisation:
    """Return the actor's own organisation or one below it.

    Args:
        connection: to read with.
        actor: who asks.
        organisation_id: which one.
        field: the input that names it, for the refusal.

    Raises:
        UnknownOrganisationError: there is none, or it stands elsewhere in the tree.
    """
    found = await find_organisation(connection, organisation_id)
    if found is None or actor.organisation_id not in found.chain:
        raise UnknownOrganisationError("There is no such organisation.", field=field)
    return found


async def list_organisations(database: Database, actor: Actor, *, organisation_ids: Sequence[int] = (),
                             parent_ids: Sequence[int] = (), text: str = "", limit: int,
                             offset: int) -> tuple[list[Organisation], int]:
    """Return a page of the actor's subtree, by id, and how many organisations match.

    Args:
        database: where they are.
        actor: who asks.
        organisation_ids: only these; empty for all.
        parent_ids: only direct children of these; empty for all.
        text: a part of the name, in any case; empty for all.
        limit: the most to return.
        offset: how many to pass over.
    """
    arguments = (actor.organisation_id, list(organisation_ids), list(parent_ids), text)
    total = await database.fetchval(f"SELECT count(*) {_VISIBLE}", *arguments)
    rows = await database.fetch(
        f"SELECT {_COLUMNS} {_VISIBLE} ORDER BY o.id LIMIT $5 OFFSET $6", *arguments, limit, offset)
    return [organisation_of(row) for row in rows], total


async def unknown_among(database: Database, actor: Actor, organisation_ids: Collection[int]) -> list[int]:
    """Return those of the ids that name no organisation in the actor's sight."""
    if not organisation_ids:
        return []
    rows = await database.fetch(
        "SELECT id FROM organisations.organisation WHERE id = ANY($2::bigint[]) AND chain @> ARRAY[$1::bigint]",
        actor.organisation_id, list(organisation_ids))
    return sorted(set(organisation_ids) - {row["id"] for row in rows})


async def subtree_ids(connection: Connection, actor: Actor) -> list[int]:
    """Return the ids of the actor's organisation and of everything below it."""
    rows = await connection.fetch(
        "SELECT id FROM organisations.organisation WHERE chain @> ARRAY[$1::bigint] ORDER BY id",
        actor.organisation_id)
    return [row["id"] for row in rows]


async def find_chains(connection: Connection, organisation_ids: Collection[int]) -> dict[int, tuple[int, ...]]:
    """Return the chains, root first, of organisations by their ids."""
    rows = await connection.fetch(
        "SELECT id, chain FROM organisations.organisation WHERE id = ANY($1::bigint[])", list(organisation_ids))
    return {row["id"]: tuple(row["chain"]) for row in rows}


async def find_active_chains(connection: Connection, organisation_ids: Collection[int]) -> dict[int, tuple[int, ...]]:
    """Return the chains, root first, of organisations by their ids; without those suspended at any tier."""
    rows = await connection.fetch(_ACTIVE_CHAINS, list(organisation_ids))
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


async def is_in_subtree(database: Database | Connection, actor: Actor, organisation_id: int) -> bool:
    """Say whether an organisation is the actor's own or below it."""
    if organisation_id == actor.organisation_id:
        return True
    return bool(await database.fetchval(
        "SELECT EXISTS (SELECT FROM organisations.organisation WHERE id = $1 AND chain @> ARRAY[$2::bigint])",
        organisation_id, actor.organisation_id))


async def whole_tree(connection: Connection) -> list[Organisation]:
    """Return every organisation, each after its parent, for the platform's own commands."""
    rows = await connection.fetch(f"SELECT {_COLUMNS} FROM organisations.organisation o ORDER BY chain")  # noqa: S608 - own text
    return [organisation_of(row) for row in rows]


async def ids_after(database: Database | Connection, organisation_id: int, limit: int) -> list[int]:
    """Return ids of organisations in their order, suspended or not: those that follow one, to go through all."""
    rows = await database.fetch(
        "SELECT id FROM organisations.organisation WHERE id > $1 ORDER BY id LIMIT $2", organisation_id, limit)
    return [row["id"] for row in rows]
