"""SQL for baskets."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from makola.core.ordering.store import addresses
from makola.core.ordering.types import Basket, Content, Item
from makola.kit.database import Connection, Record

_COLUMNS = """id, organisation_id, name, purchase_order_number, shipping_address, shipping_type_id,
    provisioning_instructions, order_id, created_at, updated_at"""

_INSERT = """
INSERT INTO ordering.basket (organisation_id, user_id, name, purchase_order_number, shipping_address, shipping_type_id,
                             provisioning_instructions, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING id
"""

_UPDATE = """
UPDATE ordering.basket SET name = $2, purchase_order_number = $3, shipping_address = $4, shipping_type_id = $5,
    provisioning_instructions = $6, updated_at = $7
WHERE id = $1
"""

_INSERT_ITEMS = """
INSERT INTO ordering.basket_item (basket_id, number, product_code, product_id, prov_product_code, quantity)
SELECT $1, i.number, i.product_code, i.product_id, i.prov_product_code, i.quantity
FROM unnest($2::text[], $3::bigint[], $4::text[], $5::bigint[]) WITH ORDINALITY
     AS i (product_code, product_id, prov_product_code, quantity, number)
"""

_ALL = f"SELECT {_COLUMNS} FROM ordering.basket ORDER BY id DESC OFFSET $1 LIMIT $2"  # noqa: S608 - above
_LIST = f"""
SELECT {_COLUMNS} FROM ordering.basket WHERE organisation_id = ANY($3::bigint[]) ORDER BY id DESC OFFSET $1 LIMIT $2
"""  # noqa: S608 - above
_COUNT_ALL = "SELECT count(*) FROM ordering.basket"
_COUNT = f"{_COUNT_ALL} WHERE organisation_id = ANY($1::bigint[])"
_FIND = f"SELECT {_COLUMNS} FROM ordering.basket WHERE id = $1"  # noqa: S608 - above


async def insert(connection: Connection, organisation_id: int, user_id: int | None, content: Content,
                 at: datetime) -> int:
    """Store a new basket; return its id."""
    basket_id = int(await connection.fetchval(_INSERT, organisation_id, user_id, *_values(content), at))
    await _insert_items(connection, basket_id, content.items)
    return basket_id


async def replace(connection: Connection, basket_id: int, content: Content, at: datetime) -> None:
    """Replace what is in a basket."""
    await connection.execute(_UPDATE, basket_id, *_values(content), at)
    await connection.execute("DELETE FROM ordering.basket_item WHERE basket_id = $1", basket_id)
    await _insert_items(connection, basket_id, content.items)


async def ordered(connection: Connection, basket_id: int, order_id: int, at: datetime) -> None:
    """Note the order that was made of a basket."""
    await connection.execute("UPDATE ordering.basket SET order_id = $2, updated_at = $3 WHERE id = $1", basket_id,
                             order_id, at)


async def delete(connection: Connection, basket_id: int) -> None:
    """Remove a basket."""
    await connection.execute("DELETE FROM ordering.basket WHERE id = $1", basket_id)


async def find(connection: Connection, basket_id: int, *, lock: bool = False) -> Basket | None:
    """Return one basket; None when there is none."""
    row = await connection.fetchrow(_FIND + (" FOR UPDATE" if lock else ""), basket_id)
    return None if row is None else (await _baskets(connection, [row]))[0]


async def find_page(connection: Connection, organisation_ids: Sequence[int] | None, skip: int,
                    limit: int) -> tuple[list[Basket], int]:
    """Return a page of the organisations' baskets, everybody's when None, the newest first, and how many there are."""
    if organisation_ids is None:
        rows, total = await connection.fetch(_ALL, skip, limit), await connection.fetchval(_COUNT_ALL)
    else:
        rows = await connection.fetch(_LIST, skip, limit, organisation_ids)
        total = await connection.fetchval(_COUNT, organisation_ids)
    return await _baskets(connection, rows), int(total)


def _values(content: Content) -> tuple[object, ...]:
    return (content.name, content.purchase_order_number, addresses.written(content.shipping_address),
            content.shipping_type_id, content.provisioning_instructions)


async def _insert_items(connection: Connection, basket_id: int, items: Sequence[Item]) -> None:
    if items:
        await connection.execute(
            _INSERT_ITEMS, basket_id, [item.product_code for item in items], [item.product_id for item in items],
            [item.prov_product_code for item in items], [item.quantity for item in items])


async def _baskets(connection: Connection, rows: Sequence[Record]) -> list[Basket]:
    items: dict[int, list[Item]] = defaultdict(list)
    if rows:
        for row in await connection.fetch(
                "SELECT basket_id, product_code, product_id, prov_product_code, quantity FROM ordering.basket_item"
                " WHERE basket_id = ANY($1::bigint[]) ORDER BY basket_id, number", [row["id"] for row in rows]):
            items[row["basket_id"]].append(
                Item(row["product_code"], row["quantity"], row["prov_product_code"], row["product_id"]))
    return [Basket(row["id"], row["organisation_id"], content_of(row, tuple(items[row["id"]])), row["order_id"],
                   row["created_at"], row["updated_at"]) for row in rows]


def content_of(row: Record, items: tuple[Item, ...]) -> Content:
    """Build the content that a basket's or an order's row has."""
    return Content(items, row["name"], row["purchase_order_number"], addresses.read(row["shipping_address"]),
                   row["shipping_type_id"], row["provisioning_instructions"])
