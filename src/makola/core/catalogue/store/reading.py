"""Reading products back, whole."""

from collections import defaultdict
from collections.abc import Sequence

from makola.core.catalogue.types import (
    BillingFrequency,
    ChargeModel,
    ChargeType,
    Money,
    Product,
    ProductPrice,
    RatePlan,
    RatePlanCharge,
    ServiceItem,
    ServiceKind,
)
from makola.kit.database import Connection, Record

_PRODUCTS = """
SELECT p.*, coalesce(v.name, '') AS vendor, coalesce(t.name, '') AS type
FROM catalogue.product p
LEFT JOIN catalogue.vendor v ON v.id = p.vendor_id
LEFT JOIN catalogue.product_type t ON t.id = p.type_id
WHERE p.id = ANY($1::bigint[])
"""
_PRICES = """
SELECT product_id, currency, cost_units, rrp_units, shipping_cost_units
FROM catalogue.product_price WHERE product_id = ANY($1::bigint[]) ORDER BY product_id, currency
"""
_SERVICES = """
SELECT i.id, i.product_id, i.kind, i.sku, i.name, i.dovetail,
       array(SELECT p.currency FROM catalogue.service_price p WHERE p.service_item_id = i.id
             ORDER BY p.currency) AS currencies,
       array(SELECT p.cost_units FROM catalogue.service_price p WHERE p.service_item_id = i.id
             ORDER BY p.currency) AS costs
FROM catalogue.service_item i WHERE i.product_id = ANY($1::bigint[]) ORDER BY i.product_id, i.position, i.id
"""
_PLANS = "SELECT * FROM catalogue.rate_plan WHERE product_id = ANY($1::bigint[]) ORDER BY product_id, position, id"
_CHARGES = """
SELECT c.*, array(SELECT k.currency FROM catalogue.charge_cost k WHERE k.rate_plan_charge_id = c.id
                  ORDER BY k.currency) AS currencies,
       array(SELECT k.cost_units FROM catalogue.charge_cost k WHERE k.rate_plan_charge_id = c.id
             ORDER BY k.currency) AS costs
FROM catalogue.rate_plan_charge c JOIN catalogue.rate_plan p ON p.id = c.rate_plan_id
WHERE p.product_id = ANY($1::bigint[]) ORDER BY c.rate_plan_id, c.position, c.id
"""
# OFFSET 0 keeps the planner from reading the whole table: each code is looked up by the index.
_IDS = """
SELECT p.id, p.product_code, coalesce(v.name, '') AS vendor
FROM unnest($1::text[], $2::text[]) AS wanted (product_code, vendor)
CROSS JOIN LATERAL (SELECT id, product_code, vendor_id FROM catalogue.product
                    WHERE product_code = wanted.product_code OFFSET 0) p
LEFT JOIN catalogue.vendor v ON v.id = p.vendor_id
WHERE coalesce(v.name, '') = wanted.vendor
"""
_NEXT = "SELECT id FROM catalogue.product WHERE id > $1 ORDER BY id LIMIT $2"


async def find_ids(connection: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return the ids of products by (product code, vendor's name), of those that exist."""
    if not keys:
        return {}
    rows = await connection.fetch(_IDS, *zip(*keys, strict=True))
    return {(row["product_code"], row["vendor"]): row["id"] for row in rows}


async def next_ids(connection: Connection, after: int, limit: int) -> list[int]:
    """Return the ids of the products that follow `after`."""
    return [row["id"] for row in await connection.fetch(_NEXT, after, limit)]


async def load_products(connection: Connection, product_ids: Sequence[int]) -> dict[int, Product]:
    """Return products, whole, by id: five statements, whatever their number."""
    rows = await connection.fetch(_PRODUCTS, product_ids)
    prices: dict[int, list[ProductPrice]] = defaultdict(list)
    for row in await connection.fetch(_PRICES, product_ids):
        prices[row["product_id"]].append(ProductPrice(
            row["currency"], row["cost_units"], row["rrp_units"], row["shipping_cost_units"]))
    services: dict[tuple[int, str], list[ServiceItem]] = defaultdict(list)
    for row in await connection.fetch(_SERVICES, product_ids):
        services[row["product_id"], row["kind"]].append(ServiceItem(
            row["sku"], row["name"], row["dovetail"], _costs(row)))
    plans = await _load_plans(connection, product_ids)
    return {row["id"]: _product(row, tuple(prices[row["id"]]),
                                tuple(services[row["id"], ServiceKind.PROVISIONING]),
                                tuple(services[row["id"], ServiceKind.MAINTENANCE]), tuple(plans[row["id"]]))
            for row in rows}


async def _load_plans(connection: Connection, product_ids: Sequence[int]) -> dict[int, list[RatePlan]]:
    charges: dict[int, list[RatePlanCharge]] = defaultdict(list)
    for row in await connection.fetch(_CHARGES, product_ids):
        charges[row["rate_plan_id"]].append(RatePlanCharge(
            row["name"], ChargeType(row["charge_type"]), ChargeModel(row["charge_model"]), row["unit_of_measure"],
            _costs(row)))
    plans: dict[int, list[RatePlan]] = defaultdict(list)
    for row in await connection.fetch(_PLANS, product_ids):
        plans[row["product_id"]].append(RatePlan(
            row["name"], row["term_length_months"], BillingFrequency(row["billing_frequency"]),
            row["renewal_term_length_months"], row["is_default"], row["min_quantity"], row["max_quantity"],
            tuple(charges[row["id"]])))
    return plans


def _costs(row: Record) -> tuple[Money, ...]:
    return tuple(Money(currency, cost) for currency, cost in zip(row["currencies"], row["costs"], strict=True))


def _product(row: Record, prices: tuple[ProductPrice, ...], provisioning: tuple[ServiceItem, ...],
             maintenance: tuple[ServiceItem, ...], rate_plans: tuple[RatePlan, ...]) -> Product:
    return Product(
        row["product_code"], row["name"], row["vendor"], row["type"], row["description"],
        row["detailed_description"], row["featured_description"], row["thumb_url"] or "", row["main_image_url"] or "",
        row["datasheet_url"] or "", row["guide_url"] or "", row["quickstart_url"] or "",
        max(0, row["stock"]),
        row["subscription_type"] or "", row["is_shippable"], row["is_financeable"], row["popularity"],
        row["withdrawn_at"] is not None, prices, provisioning, maintenance, rate_plans)


_PARTS = """
SELECT i.product_id, i.id, i.kind || '/' || i.sku AS label
FROM catalogue.service_item i WHERE i.product_id = ANY($1::bigint[])
UNION ALL
SELECT p.product_id, c.id, 'charge/' || p.name || '/' || c.name
FROM catalogue.rate_plan_charge c JOIN catalogue.rate_plan p ON p.id = c.rate_plan_id
WHERE p.product_id = ANY($1::bigint[])
"""


async def find_parts(connection: Connection, product_ids: Sequence[int]) -> list[tuple[int, int, str]]:
    """Return the parts of products: product id, part id, and what a file calls the part."""
    rows = await connection.fetch(_PARTS, product_ids)
    return [(row["product_id"], row["id"], row["label"]) for row in rows]


async def keys_of(connection: Connection, product_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Return code and vendor's name of products by id."""
    rows = await connection.fetch(
        "SELECT p.id, p.product_code, coalesce(v.name, '') AS vendor FROM catalogue.product p"
        " LEFT JOIN catalogue.vendor v ON v.id = p.vendor_id WHERE p.id = ANY($1::bigint[])", product_ids)
    return {row["id"]: (row["product_code"], row["vendor"]) for row in rows}
