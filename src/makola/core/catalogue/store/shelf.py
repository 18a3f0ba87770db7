"""What a process that keeps the catalogue in memory reads: everything once, then what has changed."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from makola.kit.database import Connection, Record

# The rows that a snapshot could not see, and only those: changed_in may also stem from a database that this one was
# restored from, and so lie in the future.
_SINCE = """
WHERE {table}.changed_in >= pg_snapshot_xmin($1::text::pg_snapshot)::text::bigint
  AND {table}.changed_in < pg_snapshot_xmax(pg_current_snapshot())::text::bigint
  AND NOT pg_visible_in_snapshot({table}.changed_in::text::xid8, $1::text::pg_snapshot)
"""

_ROWS = """
SELECT p.id, p.product_code, p.name, p.vendor_id, p.type_id, p.popularity, p.stock,
       p.withdrawn_at IS NOT NULL AS withdrawn, costs.currencies, costs.units
FROM catalogue.product p LEFT JOIN LATERAL (
    SELECT array_agg(currency) AS currencies, array_agg(cost_units) AS units
    FROM catalogue.product_price WHERE product_id = p.id) costs ON true
"""
_ALL_ROWS = f"{_ROWS} ORDER BY p.id"
_CHANGED_ROWS = f"{_ROWS} {_SINCE.format(table='p')} ORDER BY p.id"
_CHANGED_SELLERS = f"SELECT seller_id FROM catalogue.price_book {_SINCE.format(table='price_book')}"  # noqa: S608

_DOCUMENTS = """
SELECT product_id, template, parts, part_currencies
FROM catalogue.document WHERE currency = $1 AND product_id = ANY($2::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Outline:
    """What is kept in memory of every product."""

    product_id: int
    product_code: str
    name: str
    vendor_id: int
    type_id: int
    popularity: int
    stock: int
    withdrawn: bool
    costs_units: Sequence[tuple[str, int]]


class StoredDocument(NamedTuple):
    """A document as it is stored; see `documents.Document`."""

    product_id: int
    template: bytes
    parts: bytes
    part_currencies: str


@dataclass(frozen=True, slots=True)
class Present:
    """What the database can see now. `snapshot` is what the next reading continues from."""

    snapshot: str
    vendor_ids: frozenset[int]
    type_ids: frozenset[int]


async def read_present(connection: Connection) -> Present:
    """Return the snapshot of the transaction that `connection` is in, and the ids of vendors and types."""
    row = await connection.fetchrow(
        "SELECT pg_current_snapshot()::text AS snapshot, array(SELECT id FROM catalogue.vendor) AS vendor_ids,"
        " array(SELECT id FROM catalogue.product_type) AS type_ids")
    if row is None:
        raise LookupError("a statement without FROM always has a row")
    return Present(row["snapshot"], frozenset(row["vendor_ids"]), frozenset(row["type_ids"]))


async def stream_outlines(connection: Connection, since: str | None) -> AsyncIterator[list[Outline]]:
    """Yield the products that the snapshot `since` did not see, or all, some hundred at a time."""
    cursor = await (connection.cursor(_ALL_ROWS) if since is None else connection.cursor(_CHANGED_ROWS, since))
    while rows := await cursor.fetch(500):
        yield [_outline(row) for row in rows]


async def changed_sellers(connection: Connection, since: str) -> list[int]:
    """Return the sellers whose rules changed after the snapshot `since`."""
    return [row["seller_id"] for row in await connection.fetch(_CHANGED_SELLERS, since)]


async def read_documents(connection: Connection, currency: str, product_ids: Sequence[int]) -> list[StoredDocument]:
    """Return the documents of products in one currency, of those that have one."""
    return [StoredDocument(*row) for row in await connection.fetch(_DOCUMENTS, currency, product_ids)]


def _outline(row: Record) -> Outline:
    return Outline(
        row["id"], row["product_code"], row["name"], row["vendor_id"] or 0, row["type_id"] or 0, row["popularity"],
        row["stock"], row["withdrawn"],
        tuple(zip(row["currencies"] or (), row["units"] or (), strict=True)))
