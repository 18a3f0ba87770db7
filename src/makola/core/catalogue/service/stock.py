"""What is in stock changes by what orders take and give back.

An order only notes what it changes, and a worker adds it up afterwards. Were the product's row changed in the order's
own transaction, orders would wait for each other and, with every tier's account locked, for an import that has the row.
What is in stock may fall below zero, where more was taken than there was; nobody is shown less than zero.
"""

from collections.abc import Mapping

from makola.core.catalogue.store import products as store
from makola.kit.database import Connection, Database

#: The channel that is notified when there is something to add up.
STOCK_CHANNEL = "stock"
_BATCH = 1_000

_NOTE = """
INSERT INTO catalogue.stock_change (product_id, change) SELECT * FROM unnest($1::bigint[], $2::bigint[])
"""
_DUE = """
SELECT DISTINCT product_id FROM (SELECT product_id FROM catalogue.stock_change ORDER BY id LIMIT $1) first
"""
# Never waited for: whoever has a row, such as an import, may in turn wait for one that we have.
_LOCK = "SELECT id FROM catalogue.product WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"
_ADD_UP = """
WITH taken AS (
    DELETE FROM catalogue.stock_change WHERE product_id = ANY($1::bigint[]) RETURNING product_id, change
), summed AS (
    SELECT product_id, sum(change) AS change FROM taken GROUP BY product_id
)
UPDATE catalogue.product p SET changed_in = pg_current_xact_id()::text::bigint,
    stock = least(greatest(p.stock + summed.change, -9223372036854775807), 9223372036854775807)::bigint
FROM summed WHERE p.id = summed.product_id
"""
_FORGET = """
DELETE FROM catalogue.stock_change c WHERE product_id = ANY($1::bigint[])
    AND NOT EXISTS (SELECT FROM catalogue.product WHERE id = c.product_id)
"""


async def note_stock_changes(connection: Connection, changes: Mapping[int, int]) -> None:
    """Note what is taken from stock or given back; `add_up_stock` makes it so a moment after this transaction.

    Args:
        connection: an open transaction.
        changes: by product id; negative takes.
    """
    changes = {product_id: change for product_id, change in changes.items() if change}
    if changes:
        await connection.execute(_NOTE, list(changes), list(changes.values()))
        await connection.execute("SELECT pg_notify($1, '')", STOCK_CHANNEL)


async def add_up_stock(database: Database) -> bool:
    """Add what was noted to what is in stock; True when there may be more to add at once."""
    async with database.transaction() as connection:
        due = [row["product_id"] for row in await connection.fetch(_DUE, _BATCH)]
        if not due:
            return False
        locked = [row["id"] for row in await connection.fetch(_LOCK, due)]
        await connection.execute(_ADD_UP, locked)
        await connection.execute(_FORGET, due)
        if locked:
            await store.notify(connection)
        return len(locked) == len(due) == _BATCH
