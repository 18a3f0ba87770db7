"""SQL for orders: their rows, line items and history."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from makola.core.ordering.ports import Offer
from makola.core.ordering.store import addresses, shipments
from makola.core.ordering.store.baskets import content_of
from makola.core.ordering.types import (
    Content,
    HistoryEntry,
    Item,
    LineItem,
    Order,
    OrderState,
    Origin,
    OriginKind,
    Shipment,
    TierPrice,
)
from makola.kit.database import Connection, Record

_COLUMNS = """id, reference, organisation_id, user_id, state, name, purchase_order_number, shipping_address,
    shipping_type_id, provisioning_instructions, created_at, updated_at"""

# Nothing is inserted where the organisation has used the number: the index decides, whoever is at it at the same time.
_INSERT = """
INSERT INTO ordering."order" (
    reference, organisation_id, user_id, state, name, purchase_order_number, shipping_address, shipping_type_id,
    provisioning_instructions, history_count, errand, due_at, created_at, updated_at)
VALUES ($1, $2, $3, 'CREATED', $4, $5, $6, $7, $8, 0, 'process', $9, $9, $9)
ON CONFLICT (organisation_id, purchase_order_number) WHERE purchase_order_number <> '' DO NOTHING
RETURNING id
"""

_FIND_BY_NUMBER = """
SELECT id, created_at FROM ordering."order" WHERE organisation_id = $1 AND purchase_order_number = $2
"""

_INSERT_LINES = """
INSERT INTO ordering.line_item (order_id, number, product_id, product_code, vendor_id, name, prov_product_code,
                                quantity, is_shippable, currency, quoted_units, shipping_units)
SELECT $1, l.number, l.product_id, l.product_code, l.vendor_id, l.name, l.prov_product_code, l.quantity,
       l.is_shippable, l.currency, l.quoted_units, l.shipping_units
FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::boolean[], $9::text[],
            $10::bigint[], $11::bigint[]) WITH ORDINALITY
     AS l (product_id, product_code, vendor_id, name, prov_product_code, quantity, is_shippable, currency,
           quoted_units, shipping_units, number)
"""

# The tiers are given flat, as many for each line as there are tiers.
_FREEZE = """
UPDATE ordering.line_item l
SET tier_organisation_ids = t.organisation_ids, tier_currencies = t.currencies, tier_units = t.units,
    shipping_units = t.shipping_units
FROM (SELECT number, array_agg(organisation_id ORDER BY position) AS organisation_ids,
             array_agg(currency ORDER BY position) AS currencies, array_agg(units ORDER BY position) AS units,
             min(shipping_units) AS shipping_units
      FROM unnest($2::smallint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[]) WITH ORDINALITY
           AS flat (number, organisation_id, currency, units, shipping_units, position)
      GROUP BY number) t
WHERE l.order_id = $1 AND l.number = t.number
"""

_REQUOTE = """
UPDATE ordering.line_item l SET currency = q.currency, quoted_units = q.units, shipping_units = q.shipping_units
FROM unnest($2::smallint[], $3::text[], $4::bigint[], $5::bigint[]) AS q (number, currency, units, shipping_units)
WHERE l.order_id = $1 AND l.number = q.number
"""

_CHANGE_STATE = """
WITH changed AS (
    UPDATE ordering."order" SET state = $2, updated_at = $3, history_count = history_count + 1,
        submission_count = submission_count + CASE WHEN $2 = 'PROCESSING' THEN 1 ELSE 0 END
    WHERE id = $1 RETURNING history_count
), noted AS (
    INSERT INTO ordering.history (order_id, number, state, at, reason, note, origin, organisation_id, user_id,
                                  real_user_id, origin_name)
    SELECT $1, history_count, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM changed
)
SELECT history_count FROM changed
"""

_CLAIM = """
UPDATE ordering."order" o SET due_at = $1::timestamptz + $2::interval, attempt_count = o.attempt_count + 1
FROM (SELECT id FROM ordering."order" WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED) due
WHERE o.id = due.id
RETURNING o.id, o.errand, o.due_at, o.attempt_count
"""

# Conditions are written only where they are wanted: a plan that must serve both cases would read everybody's orders.
_OF_ORGANISATIONS = "organisation_id = ANY(${}::bigint[])"
_IN_STATES = "state = ANY(${}::text[])"
_OF_NUMBERS = "purchase_order_number = ANY(${}::text[])"
_FIND = f"""SELECT {_COLUMNS} FROM ordering."order" WHERE """  # noqa: S608 - this module's own columns


@dataclass(frozen=True, slots=True)
class Claim:
    """What a worker has in hand until `due_at`."""

    order_id: int
    errand: str
    due_at: datetime
    attempt_count: int


async def insert(connection: Connection, reference: UUID, organisation_id: int, user_id: int | None, content: Content,
                 offers: Sequence[Offer], at: datetime) -> int | None:
    """Store a new order with its lines, without history; None when its purchase order number is taken."""
    order_id = await connection.fetchval(
        _INSERT, reference, organisation_id, user_id, content.name, content.purchase_order_number,
        addresses.written(content.shipping_address), content.shipping_type_id, content.provisioning_instructions, at)
    if order_id is None:
        return None
    lines = list(zip(content.items, offers, strict=True))
    await connection.execute(
        _INSERT_LINES, order_id, [offer.product_id for _, offer in lines], [offer.product_code for _, offer in lines],
        [offer.vendor_id for _, offer in lines], [offer.name for _, offer in lines],
        [item.prov_product_code for item, _ in lines], [item.quantity for item, _ in lines],
        [offer.is_shippable for _, offer in lines], [offer.price.currency for _, offer in lines],
        [offer.price.price_units for _, offer in lines], [offer.shipping_units for _, offer in lines])
    return int(order_id)


async def find_by_number(connection: Connection, organisation_id: int,
                         purchase_order_number: str) -> tuple[int, datetime] | None:
    """Return the id and the time of the order that has used a purchase order number."""
    row = await connection.fetchrow(_FIND_BY_NUMBER, organisation_id, purchase_order_number)
    return None if row is None else (row["id"], row["created_at"])


async def save_changes(connection: Connection, order_id: int, content: Content) -> None:
    """Replace where and how an order is shipped."""
    await connection.execute(
        'UPDATE ordering."order" SET shipping_address = $2, shipping_type_id = $3, provisioning_instructions = $4'
        " WHERE id = $1", order_id, addresses.written(content.shipping_address), content.shipping_type_id,
        content.provisioning_instructions)


async def freeze(connection: Connection, order_id: int, offers: Mapping[int, Offer]) -> None:
    """Store what each tier pays for one of each line, by the line's number."""
    flat = [(number, offer, tier) for number, offer in offers.items() for tier in offer.tiers]
    await connection.execute(
        _FREEZE, order_id, [number for number, _, _ in flat], [tier.organisation_id for _, _, tier in flat],
        [tier.currency for _, _, tier in flat], [tier.price_units for _, _, tier in flat],
        [offer.shipping_units for _, offer, _ in flat])


async def requote(connection: Connection, order_id: int, offers: Mapping[int, Offer]) -> None:
    """Store the buyer's present price for one of each line, by the line's number."""
    given = offers.values()
    await connection.execute(_REQUOTE, order_id, list(offers), [offer.price.currency for offer in given],
                             [offer.price.price_units for offer in given], [offer.shipping_units for offer in given])


async def change_state(connection: Connection, order_id: int, state: OrderState, at: datetime, reason: str, note: str,
                       origin: Origin) -> int:
    """Store a state and the entry of the history that goes with it; return the entry's number."""
    return int(await connection.fetchval(
        _CHANGE_STATE, order_id, str(state), at, reason, note, str(origin.kind), origin.organisation_id,
        origin.user_id, origin.real_user_id, origin.name))


async def set_errand(connection: Connection, order_id: int, errand: str, due_at: datetime | None) -> None:
    """Say what a worker must do next with an order; nothing when `errand` is empty."""
    await connection.execute(
        'UPDATE ordering."order" SET errand = $2, due_at = $3, attempt_count = 0 WHERE id = $1', order_id, errand,
        due_at)
    if due_at is not None:
        await wake(connection)


async def wake(connection: Connection) -> None:
    """Wake a worker when this transaction commits."""
    await connection.execute("SELECT pg_notify('orders', '')")


async def mark_handed_over(connection: Connection, order_id: int) -> None:
    """Note that the warehouse may know of an order from now on."""
    await connection.execute('UPDATE ordering."order" SET handed_over = true WHERE id = $1', order_id)


async def postpone(connection: Connection, order_id: int, due_at: datetime) -> None:
    """Let the present errand wait."""
    await connection.execute('UPDATE ordering."order" SET due_at = $2 WHERE id = $1', order_id, due_at)


async def claim(connection: Connection, at: datetime, lease_s: float, limit: int) -> list[Claim]:
    """Take what is due, for `lease_s` seconds."""
    rows = await connection.fetch(_CLAIM, at, timedelta(seconds=lease_s), limit)
    return [Claim(row["id"], row["errand"], row["due_at"], row["attempt_count"]) for row in rows]


async def lock(connection: Connection, order_id: int) -> Record | None:
    """Lock an order until the transaction ends; return its row of this moment, with its errand."""
    return await connection.fetchrow('SELECT * FROM ordering."order" WHERE id = $1 FOR UPDATE', order_id)


async def find(connection: Connection, order_id: int) -> Order | None:
    """Return one order; None when there is none."""
    rows = await connection.fetch(_FIND + "id = $1", order_id)
    return (await _orders(connection, rows))[0] if rows else None


async def find_id(connection: Connection, reference: UUID) -> int | None:
    """Return the id of the order that has a reference; None when there is none."""
    found = await connection.fetchval('SELECT id FROM ordering."order" WHERE reference = $1', reference)
    return None if found is None else int(found)


async def find_page(connection: Connection, organisation_ids: Sequence[int] | None, states: Sequence[str],
                    purchase_order_numbers: Sequence[str], *, newest_first: bool, skip: int,
                    limit: int) -> tuple[list[Order], int]:
    """Return a page of orders, and how many there are in all; what is empty (None for organisations) means any."""
    wanted = [(condition, value) for condition, value in (
        (_OF_ORGANISATIONS, organisation_ids), (_IN_STATES, states or None),
        (_OF_NUMBERS, purchase_order_numbers or None)) if value is not None]
    where = " AND ".join(["true", *(condition.format(place) for place, (condition, _) in enumerate(wanted, 1))])
    values = [value for _, value in wanted]
    order = f"ORDER BY id{' DESC' if newest_first else ''} OFFSET ${len(wanted) + 1} LIMIT ${len(wanted) + 2}"
    rows = await connection.fetch(f"{_FIND}{where} {order}", *values, skip, limit)
    total = int(await connection.fetchval(
        f'SELECT count(*) FROM ordering."order" WHERE {where}', *values))  # noqa: S608 - the conditions above
    return await _orders(connection, rows), total


async def _orders(connection: Connection, rows: Sequence[Record]) -> list[Order]:
    if not rows:
        return []
    ids = [row["id"] for row in rows]
    lines, history = await _lines(connection, ids), await _history(connection, ids)
    shipped = await shipments.of_orders(connection, ids)
    return [_order(row, tuple(lines[row["id"]]), tuple(history[row["id"]]), tuple(shipped[row["id"]])) for row in rows]


def _order(row: Record, lines: tuple[LineItem, ...], history: tuple[HistoryEntry, ...],
           shipped: tuple[Shipment, ...]) -> Order:
    items = tuple(Item(line.product_code, line.quantity, line.prov_product_code, line.product_id) for line in lines)
    return Order(row["id"], row["reference"], row["organisation_id"], row["user_id"], OrderState(row["state"]),
                 content_of(row, items), lines, history, shipped, row["created_at"], row["updated_at"])


async def _lines(connection: Connection, order_ids: Sequence[int]) -> dict[int, list[LineItem]]:
    found: dict[int, list[LineItem]] = defaultdict(list)
    for row in await connection.fetch(
            "SELECT * FROM ordering.line_item WHERE order_id = ANY($1::bigint[]) ORDER BY order_id, number", order_ids):
        tiers = map(TierPrice, row["tier_organisation_ids"], row["tier_currencies"], row["tier_units"])
        found[row["order_id"]].append(LineItem(
            row["number"], row["product_id"], row["product_code"], row["vendor_id"], row["name"],
            row["prov_product_code"], row["quantity"], row["shipped_quantity"], row["is_shippable"], row["currency"],
            row["quoted_units"], row["shipping_units"], tuple(tiers)))
    return found


async def _history(connection: Connection, order_ids: Sequence[int]) -> dict[int, list[HistoryEntry]]:
    found: dict[int, list[HistoryEntry]] = defaultdict(list)
    for row in await connection.fetch(
            "SELECT * FROM ordering.history WHERE order_id = ANY($1::bigint[]) ORDER BY order_id, number", order_ids):
        origin = Origin(OriginKind(row["origin"]), row["organisation_id"], row["user_id"], row["real_user_id"],
                        row["origin_name"])
        found[row["order_id"]].append(HistoryEntry(
            row["number"], OrderState(row["state"]), row["at"], row["reason"], row["note"], origin))
    return found
