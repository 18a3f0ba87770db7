"""Writing products: one statement for each table, whatever the number of products.

Rows are written in the order of their keys, so that two writers of the same products wait for each other instead of
dying in a deadlock. A part that stays keeps its id; one that is no longer there is deleted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from makola.core.catalogue.documents import Document, PartIds, documents_of
from makola.core.catalogue.store.names import NameTable, make_names
from makola.core.catalogue.types import CHANNEL, Product, RatePlanCharge, ServiceItem, ServiceKind
from makola.kit.database import Connection

#: Stands for a stock that is to stay as it is at the very moment of writing, whoever takes from it meanwhile.
_UNSAID = -2**63
_TRANSACTION = "(pg_current_xact_id()::text::bigint)"

_PRODUCTS = f"""
INSERT INTO catalogue.product AS known (
    product_code, vendor_id, type_id, name, description, detailed_description, featured_description, thumb_url,
    main_image_url, datasheet_url, guide_url, quickstart_url, stock, subscription_type, is_shippable, is_financeable,
    popularity, withdrawn_at, changed_in)
SELECT product_code, vendor_id, type_id, name, description, detailed_description, featured_description, thumb_url,
    main_image_url, datasheet_url, guide_url, quickstart_url, stock, subscription_type, is_shippable, is_financeable,
    popularity, CASE WHEN withdrawn THEN now() END, {_TRANSACTION}
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::text[], $12::text[], $13::bigint[], $14::text[], $15::boolean[],
            $16::boolean[], $17::bigint[], $18::boolean[])
    AS given (product_code, vendor_id, type_id, name, description, detailed_description, featured_description,
              thumb_url, main_image_url, datasheet_url, guide_url, quickstart_url, stock, subscription_type,
              is_shippable, is_financeable, popularity, withdrawn)
ON CONFLICT (product_code, vendor_id) DO UPDATE SET
    type_id = excluded.type_id, name = excluded.name, description = excluded.description,
    detailed_description = excluded.detailed_description, featured_description = excluded.featured_description,
    thumb_url = excluded.thumb_url, main_image_url = excluded.main_image_url, datasheet_url = excluded.datasheet_url,
    guide_url = excluded.guide_url, quickstart_url = excluded.quickstart_url,
    stock = CASE WHEN excluded.stock = {_UNSAID} THEN known.stock ELSE excluded.stock END,
    subscription_type = excluded.subscription_type, is_shippable = excluded.is_shippable,
    is_financeable = excluded.is_financeable, popularity = excluded.popularity,
    withdrawn_at = CASE WHEN excluded.withdrawn_at IS NOT NULL
                        THEN coalesce(known.withdrawn_at, excluded.withdrawn_at) END,
    changed_in = excluded.changed_in
RETURNING id, product_code, vendor_id, xmax = 0 AS is_new
"""  # noqa: S608 - made of this module's own text

_BEGIN_STOCK = "UPDATE catalogue.product SET stock = 0 WHERE id = ANY($1::bigint[]) AND stock = $2"

_CLEAR_PRICES = "DELETE FROM catalogue.product_price WHERE product_id = ANY($1::bigint[])"
_PRICE_COLUMNS = ("product_id", "currency", "cost_units", "rrp_units", "shipping_cost_units")

_CLEAR_SERVICES = """
DELETE FROM catalogue.service_item WHERE product_id = ANY($1::bigint[]) AND (product_id, kind, sku) NOT IN
    (SELECT * FROM unnest($2::bigint[], $3::text[], $4::text[]))
"""
_SERVICES = """
INSERT INTO catalogue.service_item (id, product_id, kind, position, sku, name, dovetail)
SELECT nextval('catalogue.part_id'), given.* FROM unnest(
    $1::bigint[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::boolean[]) AS given
ON CONFLICT (product_id, kind, sku) DO UPDATE
SET position = excluded.position, name = excluded.name, dovetail = excluded.dovetail
RETURNING id, product_id, kind, sku
"""

_CLEAR_SERVICE_PRICES = "DELETE FROM catalogue.service_price WHERE service_item_id = ANY($1::bigint[])"
_SERVICE_PRICE_COLUMNS = ("service_item_id", "currency", "cost_units")

_CLEAR_PLANS = """
DELETE FROM catalogue.rate_plan WHERE product_id = ANY($1::bigint[]) AND (product_id, name) NOT IN
    (SELECT * FROM unnest($2::bigint[], $3::text[]))
"""
_PLANS = """
INSERT INTO catalogue.rate_plan (product_id, position, name, term_length_months, billing_frequency,
                                 renewal_term_length_months, is_default, min_quantity, max_quantity)
SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::integer[], $5::text[], $6::integer[], $7::boolean[],
                     $8::bigint[], $9::bigint[])
ON CONFLICT (product_id, name) DO UPDATE SET
    position = excluded.position, term_length_months = excluded.term_length_months,
    billing_frequency = excluded.billing_frequency,
    renewal_term_length_months = excluded.renewal_term_length_months, is_default = excluded.is_default,
    min_quantity = excluded.min_quantity, max_quantity = excluded.max_quantity
RETURNING id, product_id, name
"""

_CLEAR_CHARGES = """
DELETE FROM catalogue.rate_plan_charge WHERE rate_plan_id = ANY($1::bigint[]) AND (rate_plan_id, name) NOT IN
    (SELECT * FROM unnest($2::bigint[], $3::text[]))
"""
_CHARGES = """
INSERT INTO catalogue.rate_plan_charge (id, rate_plan_id, position, name, charge_type, charge_model, unit_of_measure)
SELECT nextval('catalogue.part_id'), given.* FROM unnest(
    $1::bigint[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[]) AS given
ON CONFLICT (rate_plan_id, name) DO UPDATE SET
    position = excluded.position, charge_type = excluded.charge_type, charge_model = excluded.charge_model,
    unit_of_measure = excluded.unit_of_measure
RETURNING id, rate_plan_id, name
"""

_CLEAR_COSTS = """
DELETE FROM catalogue.charge_cost WHERE rate_plan_charge_id = ANY($1::bigint[]) AND (rate_plan_charge_id, currency)
    NOT IN (SELECT * FROM unnest($2::bigint[], $3::text[]))
"""
_COSTS = """
INSERT INTO catalogue.charge_cost (rate_plan_charge_id, currency, cost_units)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[])
ON CONFLICT (rate_plan_charge_id, currency) DO UPDATE SET cost_units = excluded.cost_units
RETURNING id, rate_plan_charge_id, currency
"""

_CLEAR_DOCUMENTS = "DELETE FROM catalogue.document WHERE product_id = ANY($1::bigint[])"
_DOCUMENT_COLUMNS = ("product_id", "currency", "template", "parts", "part_currencies")


@dataclass(frozen=True, slots=True)
class Written:
    """A product as the table knows it."""

    product_id: int
    vendor_id: int | None
    type_id: int | None
    is_new: bool


_Services = dict[tuple[int, str, str], int]
#: Of each plan, by name: the charge's id and the ids of its costs by currency.
_Charges = dict[int, dict[str, tuple[int, dict[str, int]]]]


async def write_products(connection: Connection, products: Sequence[Product]) -> list[int]:
    """Store products, each whole: what it had before and has no longer is gone. Return their ids, in order.

    Args:
        connection: an open transaction.
        products: no two with the same vendor and code.
    """
    ordered = sorted(products, key=lambda product: (product.product_code, product.vendor))
    written = await _write_rows(connection, ordered)
    pairs = list(zip(ordered, written, strict=True))
    old_ids = [row.product_id for row in written if not row.is_new]
    await _write_prices(connection, pairs, old_ids)
    services = await _write_services(connection, pairs, old_ids)
    plans = await _write_plans(connection, pairs, old_ids)
    charges = await _write_charges(connection, pairs, plans, has_old=bool(old_ids))
    await _write_documents(connection, [
        document for product, row in pairs
        for document in documents_of(product, _part_ids(product, row, services, plans, charges))], old_ids)
    ids = {(product.product_code, product.vendor): row.product_id for product, row in pairs}
    return [ids[product.product_code, product.vendor] for product in products]


async def notify(connection: Connection) -> None:
    """Tell every process, when the transaction commits, that the catalogue has changed."""
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)


async def _write_rows(connection: Connection, products: Sequence[Product]) -> list[Written]:
    vendors = await make_names(connection, NameTable.VENDOR, {product.vendor for product in products})
    types = await make_names(connection, NameTable.TYPE, {product.type for product in products})
    columns = list(zip(*((
        each.product_code, vendors.get(each.vendor), types.get(each.type), each.name, each.description,
        each.detailed_description, each.featured_description, each.thumb_url or None, each.main_image_url or None,
        each.datasheet_url or None, each.guide_url or None, each.quickstart_url or None,
        _UNSAID if each.stock is None else each.stock,
        each.subscription_type or None, each.is_shippable, each.is_financeable, each.popularity, each.withdrawn)
        for each in products), strict=True))
    rows = {(row["product_code"], row["vendor_id"]): row for row in await connection.fetch(_PRODUCTS, *columns)}
    if any(each.stock is None for each in products):
        await connection.execute(_BEGIN_STOCK, [row["id"] for row in rows.values() if row["is_new"]], _UNSAID)
    found = [(rows[each.product_code, vendors.get(each.vendor)], each) for each in products]
    return [Written(row["id"], row["vendor_id"], types.get(each.type), row["is_new"]) for row, each in found]


async def _write_prices(connection: Connection, pairs: Iterable[tuple[Product, Written]],
                        old_ids: Sequence[int]) -> None:
    if old_ids:
        await connection.execute(_CLEAR_PRICES, old_ids)
    rows = [(row.product_id, price.currency, price.cost_units, price.rrp_units, price.shipping_cost_units)
            for product, row in pairs for price in product.prices]
    await _copy(connection, "product_price", _PRICE_COLUMNS, rows)


def _services_of(product: Product) -> Iterable[tuple[ServiceKind, int, ServiceItem]]:
    for kind, items in ((ServiceKind.PROVISIONING, product.provisioning),
                        (ServiceKind.MAINTENANCE, product.maintenance)):
        for position, item in enumerate(items):
            yield kind, position, item


async def _write_services(connection: Connection, pairs: Sequence[tuple[Product, Written]],
                          old_ids: Sequence[int]) -> _Services:
    items = [(row.product_id, kind, position, item) for product, row in pairs
             for kind, position, item in _services_of(product)]
    if old_ids:
        await connection.execute(_CLEAR_SERVICES, old_ids, [each[0] for each in items], [each[1] for each in items],
                                 [each[3].sku for each in items])
    if not items:
        return {}
    ids: _Services = {(row["product_id"], row["kind"], row["sku"]): row["id"] for row in await connection.fetch(
        _SERVICES, *zip(*((product_id, kind.value, position, item.sku, item.name, item.dovetail)
                          for product_id, kind, position, item in items), strict=True))}
    prices = [(ids[product_id, kind.value, item.sku], cost.currency, cost.amount_units)
              for product_id, kind, _, item in items for cost in item.costs]
    if old_ids:
        await connection.execute(_CLEAR_SERVICE_PRICES, list(ids.values()))
    await _copy(connection, "service_price", _SERVICE_PRICE_COLUMNS, prices)
    return ids


async def _write_plans(connection: Connection, pairs: Sequence[tuple[Product, Written]],
                       old_ids: Sequence[int]) -> dict[tuple[int, str], int]:
    plans = [(row.product_id, position, plan.name, plan.term_length_months, plan.billing_frequency.value,
              plan.renewal_term_length_months, plan.is_default, plan.min_quantity, plan.max_quantity)
             for product, row in pairs for position, plan in enumerate(product.rate_plans)]
    if old_ids:
        await connection.execute(_CLEAR_PLANS, old_ids, [plan[0] for plan in plans], [plan[2] for plan in plans])
    if not plans:
        return {}
    rows = await connection.fetch(_PLANS, *zip(*plans, strict=True))
    return {(row["product_id"], row["name"]): row["id"] for row in rows}


async def _write_charges(connection: Connection, pairs: Sequence[tuple[Product, Written]],
                         plans: dict[tuple[int, str], int], *, has_old: bool) -> _Charges:
    charges: list[tuple[int, int, RatePlanCharge]] = [
        (plans[row.product_id, plan.name], position, charge) for product, row in pairs for plan in product.rate_plans
        for position, charge in enumerate(plan.charges)]
    if has_old and plans:
        await connection.execute(_CLEAR_CHARGES, list(plans.values()), [each[0] for each in charges],
                                 [each[2].name for each in charges])
    if not charges:
        return {}
    rows = await connection.fetch(_CHARGES, *zip(*(
        (plan_id, position, charge.name, charge.charge_type.value, charge.charge_model.value, charge.unit_of_measure)
        for plan_id, position, charge in charges), strict=True))
    ids = {(row["rate_plan_id"], row["name"]): row["id"] for row in rows}
    costs = [(ids[plan_id, charge.name], cost.currency, cost.amount_units)
             for plan_id, _, charge in charges for cost in charge.costs]
    if has_old:
        await connection.execute(_CLEAR_COSTS, list(ids.values()), [cost[0] for cost in costs],
                                 [cost[1] for cost in costs])
    cost_ids: dict[int, dict[str, int]] = {}
    for row in await connection.fetch(_COSTS, *zip(*costs, strict=True)) if costs else []:
        cost_ids.setdefault(row["rate_plan_charge_id"], {})[row["currency"]] = row["id"]
    found: _Charges = {}
    for (plan_id, name), charge_id in ids.items():
        found.setdefault(plan_id, {})[name] = (charge_id, cost_ids.get(charge_id, {}))
    return found


def _part_ids(product: Product, row: Written, services: _Services, plans: dict[tuple[int, str], int],
              charges: _Charges) -> PartIds:
    plan_ids = tuple(plans[row.product_id, plan.name] for plan in product.rate_plans)
    return PartIds(
        row.product_id, row.vendor_id, row.type_id,
        tuple(services[row.product_id, ServiceKind.PROVISIONING.value, item.sku] for item in product.provisioning),
        tuple(services[row.product_id, ServiceKind.MAINTENANCE.value, item.sku] for item in product.maintenance),
        plan_ids,
        tuple(tuple(
            (charges[plan_id][charge.name][0],
             tuple(charges[plan_id][charge.name][1][cost.currency] for cost in charge.costs))
            for charge in plan.charges) for plan_id, plan in zip(plan_ids, product.rate_plans, strict=True)))


async def _write_documents(connection: Connection, documents: Sequence[Document], old_ids: Sequence[int]) -> None:
    if old_ids:
        await connection.execute(_CLEAR_DOCUMENTS, old_ids)
    await _copy(connection, "document", _DOCUMENT_COLUMNS, [
        (each.product_id, each.currency, each.template, each.parts, each.part_currencies) for each in documents])


async def _copy(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows that are new for certain, in the quickest way."""
    if rows:
        await connection.copy_records_to_table(table, schema_name="catalogue", columns=columns, records=rows)
