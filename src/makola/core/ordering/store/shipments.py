"""SQL for shipments."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from makola.core.ordering.types import Parcel, Shipment, ShippedItem
from makola.kit.database import Connection

_INSERT = """
INSERT INTO ordering.shipment (order_id, external_id, carrier, tracking_number, tracking_url, hold_id, shipped_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id
"""

_INSERT_ITEM = """
INSERT INTO ordering.shipped_item (shipment_id, line_number, quantity, serial_numbers, mac_addresses)
VALUES ($1, $2, $3, $4, $5)
"""

_COUNT_SHIPPED = """
UPDATE ordering.line_item l SET shipped_quantity = l.shipped_quantity + s.quantity
FROM unnest($2::smallint[], $3::bigint[]) AS s (number, quantity)
WHERE l.order_id = $1 AND l.number = s.number
"""

_OF_ORDERS = """
SELECT s.order_id, s.id, s.carrier, s.tracking_number, s.tracking_url, s.shipped_at, i.line_number, i.quantity,
       i.serial_numbers, i.mac_addresses
FROM ordering.shipment s JOIN ordering.shipped_item i ON i.shipment_id = s.id
WHERE s.order_id = ANY($1::bigint[]) ORDER BY s.order_id, s.id, i.line_number
"""


async def is_known(connection: Connection, order_id: int, external_id: str) -> bool:
    """Say whether the warehouse has told of this shipment before."""
    return bool(await connection.fetchval(
        "SELECT EXISTS (SELECT FROM ordering.shipment WHERE order_id = $1 AND external_id = $2)", order_id,
        external_id))


async def insert(connection: Connection, order_id: int, parcel: Parcel, items: Sequence[ShippedItem],
                 hold_id: UUID | None, at: datetime) -> None:
    """Store a parcel and count what is in it as shipped."""
    shipment_id = await connection.fetchval(_INSERT, order_id, parcel.external_id, parcel.carrier,
                                            parcel.tracking_number, parcel.tracking_url, hold_id, at)
    await connection.executemany(_INSERT_ITEM, [
        (shipment_id, item.line_number, item.quantity, list(item.serial_numbers), list(item.mac_addresses))
        for item in items])
    await connection.execute(_COUNT_SHIPPED, order_id, [item.line_number for item in items],
                             [item.quantity for item in items])


async def of_orders(connection: Connection, order_ids: Sequence[int]) -> dict[int, list[Shipment]]:
    """Return the shipments of orders, the first one first, by the order's id."""
    items: dict[tuple[int, int], list[ShippedItem]] = defaultdict(list)
    heads = {}
    for row in await connection.fetch(_OF_ORDERS, order_ids):
        key = (row["order_id"], row["id"])
        heads[key] = row
        items[key].append(ShippedItem(row["line_number"], row["quantity"], tuple(row["serial_numbers"]),
                                      tuple(row["mac_addresses"])))
    found: dict[int, list[Shipment]] = defaultdict(list)
    for key, row in heads.items():
        found[key[0]].append(Shipment(row["id"], row["carrier"], row["tracking_number"], row["tracking_url"],
                                      row["shipped_at"], tuple(items[key])))
    return found
