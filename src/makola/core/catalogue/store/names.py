"""Vendors and product types: numbers for names."""

from collections.abc import Iterable
from enum import Enum

from makola.core.catalogue.types import Named
from makola.kit.database import Connection


class NameTable(Enum):
    """The two tables of names; their rows are never deleted."""

    VENDOR = "catalogue.vendor"
    TYPE = "catalogue.product_type"


async def find_names(connection: Connection, table: NameTable, names: Iterable[str]) -> dict[str, int]:
    """Return the ids of those names that exist."""
    rows = await connection.fetch(
        f"SELECT id, name FROM {table.value} WHERE name = ANY($1::text[])", list(names))  # noqa: S608 - our table
    return {row["name"]: row["id"] for row in rows}


async def make_names(connection: Connection, table: NameTable, names: Iterable[str]) -> dict[str, int]:
    """Return the ids of names, making those that do not exist; the empty name has none."""
    wanted = sorted({name for name in names if name})
    known = await find_names(connection, table, wanted) if wanted else {}
    missing = [name for name in wanted if name not in known]
    if missing:
        await connection.execute(
            f"INSERT INTO {table.value} (name) SELECT unnest($1::text[])"
            " ON CONFLICT (name) DO NOTHING", missing)
        known |= await find_names(connection, table, missing)
    return known


async def list_names(connection: Connection, table: NameTable) -> list[Named]:
    """Return every name, in alphabetical order."""
    rows = await connection.fetch(f"SELECT id, name FROM {table.value} ORDER BY lower(name), id")  # noqa: S608 - ours
    return [Named(row["id"], row["name"]) for row in rows]
