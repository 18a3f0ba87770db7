"""What a line of an order costs, at every tier."""

from collections.abc import Sequence
from dataclasses import replace

from makola.core.catalogue.errors import AmbiguousProductError, UnknownPartError, UnknownProductError
from makola.core.catalogue.pricing import Target, prices_of_chain
from makola.core.catalogue.store import rules as rule_store
from makola.core.catalogue.types import PriceRule, Quote, ServiceKind, Wanted
from makola.kit.clock import now
from makola.kit.database import Connection, Record
from makola.kit.errors import DomainError

# Ids and codes are looked up apart, each by its own index. A product that has rate plans is sold under its default one,
# or where none is marked so under its first one: how many can be had is said there.
_PRODUCTS = """
SELECT p.id, p.product_code, p.vendor_id, p.type_id, p.name, p.is_shippable, plan.min_quantity, plan.max_quantity,
       price.cost_units, price.shipping_cost_units
FROM catalogue.product p JOIN catalogue.product_price price ON price.product_id = p.id AND price.currency = $3
LEFT JOIN LATERAL (
    SELECT min_quantity, max_quantity FROM catalogue.rate_plan WHERE product_id = p.id
    ORDER BY is_default DESC, position LIMIT 1) plan ON true
WHERE p.withdrawn_at IS NULL AND p.id IN (
    SELECT id FROM catalogue.product WHERE id = ANY($1::bigint[])
    UNION SELECT id FROM catalogue.product WHERE product_code = ANY($2::text[]))
ORDER BY p.id
"""
_SERVICES = """
SELECT i.product_id, i.sku, i.id, p.cost_units
FROM catalogue.service_item i JOIN catalogue.service_price p ON p.service_item_id = i.id AND p.currency = $2
WHERE i.product_id = ANY($1::bigint[]) AND i.kind = $3
"""
_MOST_ID = 2**63 - 1


async def quote(connection: Connection, chain: Sequence[int], currency: str,
                wanted: Sequence[Wanted]) -> list[Quote | DomainError]:
    """Price lines for the last organisation of a chain, at every tier: three statements, whatever their number.

    Prices are those of this moment, read in the caller's transaction: whoever stores them has what was agreed.

    Args:
        connection: where to read; the caller's transaction, if there is one.
        chain: organisation ids, the root of the tree first, the buyer last.
        currency: of all the prices: the whole chain is reckoned in it.
        wanted: the lines.

    Returns:
        For each line, in order, the quote, or why there is none: `UnknownProductError` (there is no such product on
        the buyer's list), `AmbiguousProductError` (several vendors have one), `UnknownPartError` (it has no such
        provisioning item). Errors are returned so that a caller can name every line that is wrong.
    """
    rows = await connection.fetch(
        _PRODUCTS, [each.product for each in wanted if isinstance(each.product, int) and 0 < each.product <= _MOST_ID],
        [each.product for each in wanted if isinstance(each.product, str) and "\0" not in each.product], currency)
    product_ids = [row["id"] for row in rows]
    rules = await rule_store.rules_of_chain(connection, chain[:-1], product_ids) if rows else []
    services = await connection.fetch(_SERVICES, product_ids, currency, ServiceKind.PROVISIONING.value) if rows else []
    pricing = _Pricing(tuple(chain), currency, rules, {(row["product_id"], row["sku"]): row for row in services})
    return [pricing.of_line(each, rows) for each in wanted]


class _Pricing:
    """What is the same for all the lines."""

    def __init__(self, chain: tuple[int, ...], currency: str, rules: Sequence[PriceRule],
                 services: dict[tuple[int, str], Record]) -> None:
        self._chain = chain
        self._currency = currency
        self._services = services
        self._general = [rule for rule in rules if rule.product_id is None]
        self._of_product: dict[int, list[PriceRule]] = {}
        for rule in rules:
            if rule.product_id is not None:
                self._of_product.setdefault(rule.product_id, []).append(rule)
        self._at = now()

    def of_line(self, wanted: Wanted, rows: Sequence[Record]) -> Quote | DomainError:
        """Return the quote of one line, or why there is none."""
        offered = [(row, prices) for row in rows if _is_meant(wanted, row)
                   and (prices := self._prices(row, row["cost_units"], wanted.quantity, None)) is not None]
        if not offered:
            return UnknownProductError("There is no such product on your price list.", field="product_code")
        if len(offered) > 1:
            vendors = ", ".join(str(row["vendor_id"]) for row, _ in offered)
            return AmbiguousProductError(f"Several vendors have this product: name one of {vendors}.", field="vendor")
        row, prices = offered[0]
        found = Quote(
            row["id"], row["product_code"], row["vendor_id"], row["name"], row["is_shippable"],
            row["min_quantity"] or 1, row["max_quantity"], row["shipping_cost_units"], wanted.quantity, self._currency,
            self._chain, prices, (0,) * len(prices), None)
        if not wanted.provisioning_sku:
            return found
        service = self._services.get((row["id"], wanted.provisioning_sku))
        its_prices = (self._prices(row, service["cost_units"], wanted.quantity, service["id"])
                      if service is not None else None)
        if service is None or its_prices is None:
            return UnknownPartError("The product has no such provisioning item.", field="prov_product_code")
        return replace(found, provisioning_units=its_prices, provisioning_id=service["id"])

    def _prices(self, row: Record, cost_units: int, quantity: int, part_id: int | None) -> tuple[int, ...] | None:
        target = Target(row["id"], row["vendor_id"], row["type_id"], self._currency, quantity, part_id)
        rules = [*self._general, *self._of_product.get(row["id"], ())]
        return prices_of_chain(cost_units, self._chain, rules, target, self._at)


def _is_meant(wanted: Wanted, row: Record) -> bool:
    if isinstance(wanted.product, int):
        return bool(row["id"] == wanted.product)
    return bool(row["product_code"] == wanted.product) and wanted.vendor_id in {None, row["vendor_id"]}
