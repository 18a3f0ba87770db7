"""Products in files."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

import msgspec

from makola.commands.exchange import values
from makola.commands.exchange.formats import Problem, Row
from makola.commands.exchange.importing import Parsed
from makola.commands.exchange.values import BadRowError, Column, list_of, units_of
from makola.core.catalogue import queries
from makola.core.catalogue.errors import InvalidProductError
from makola.core.catalogue.service.products import check_product, save_products
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
)
from makola.kit.database import Connection
from makola.kit.money import decimal_text

#: Amounts by currency.
Costs = dict[str, Decimal]


class PriceEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A product's money in one currency."""

    currency: str
    cost: Decimal
    rrp: Decimal | None = None
    shipping_cost: Decimal = Decimal(0)


class ServiceEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A provisioning or maintenance item."""

    sku: str
    name: str
    dovetail: bool = False
    costs: Costs = {}


class ChargeEntry(msgspec.Struct, forbid_unknown_fields=True):
    """One charge of a rate plan."""

    name: str
    charge_type: Literal["recurring", "one_time", "usage"]
    charge_model: Literal["per_unit", "flat_fee", "tiered", "volume"]
    unit_of_measure: str = ""
    costs: Costs = {}


class PlanEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A rate plan."""

    name: str
    term_length: int
    billing_frequency: Literal["monthly", "quarterly", "semi_annual", "annual"]
    renewal_term_length: int | None = None
    default: bool = False
    min_quantity: int = 1
    max_quantity: int | None = None
    rate_plan_charges: list[ChargeEntry] = []


_WORDS = ("product_code", "name", "vendor", "type", "thumb_url", "main_image_url", "datasheet_url", "guide_url",
          "quickstart_url", "subscription_type")
_TEXTS = ("description", "detailed_description", "featured_description")
_ONE_PRICE = ("currency", "cost", "rrp", "shipping_cost")

COLUMNS: Mapping[str, Column] = {column.name: column for column in (
    *(Column(name, values.word) for name in _WORDS),
    *(Column(name, values.text) for name in _TEXTS),
    *(Column(name, values.integer) for name in ("stock", "popularity")),
    *(Column(name, values.boolean) for name in ("is_shippable", "is_financeable", "withdrawn")),
    Column("currency", lambda raw: values.word(raw) or values.NOT_GIVEN),
    *(Column(name, values.amount) for name in _ONE_PRICE[1:]),
    Column("prices", list_of(PriceEntry)),
    Column("provisioning", list_of(ServiceEntry)),
    Column("maintenance", list_of(ServiceEntry)),
    Column("rate_plans", list_of(PlanEntry)),
)}


@dataclass(frozen=True, slots=True)
class GivenProduct:
    """What a row says of a product; what it does not say stays as it is.

    Attributes:
        fields: values of `Product`, by name.
        price: the money in one currency; those in others stay.
    """

    key: tuple[str, str]
    fields: Mapping[str, Any]
    price: ProductPrice | None


class ProductImporter:
    """Rows become products."""

    columns = COLUMNS

    def __init__(self) -> None:
        self._lines: dict[str, int] = {}  # grows with the file, and so holds one short text for each product

    def parse(self, row: Row) -> GivenProduct:
        """Return what a row says."""
        given = values.read_values(row, COLUMNS)
        price = _one_price(row.line, given)
        try:
            fields = _fields(given)
        except ValueError as error:
            raise BadRowError([Problem(row.line, str(error.args[0]), str(error.args[1]))]) from None
        code = fields.get("product_code", "")
        if not code:
            raise BadRowError([Problem(row.line, "product_code", "this must not be empty")])
        key = (code, fields.get("vendor", ""))
        first = self._lines.setdefault("\0".join(key), row.line)
        if first != row.line:
            raise BadRowError([Problem(row.line, "product_code", f"this product stands on line {first} already")])
        return GivenProduct(key, fields, price)

    async def store(self, connection: Connection, rows: Sequence[Parsed[GivenProduct]]) -> list[Problem]:
        """Store products: what a row does not say is taken from the product that exists."""
        known = await queries.find_products(connection, [row.value.key for row in rows])
        products: list[Product] = []
        problems: list[Problem] = []
        for row in rows:
            found = known.get(row.value.key)
            product = _merged(row.value, found[1] if found is not None else None)
            try:
                check_product(product)
            except InvalidProductError as error:
                problems.append(Problem(row.line, error.field, error.detail))
            else:
                products.append(product)
        await save_products(connection, products, checked=True)
        return problems


def _one_price(line: int, given: dict[str, Any]) -> ProductPrice | None:
    """Take the columns of one currency's money out of what is given."""
    parts = {name: given.pop(name) for name in _ONE_PRICE if name in given}
    if not parts:
        return None
    if given.get("prices"):
        raise BadRowError([Problem(line, "prices", f"give either this or {', '.join(_ONE_PRICE)}")])
    given.pop("prices", None)
    for name in ("currency", "cost"):
        if name not in parts:
            raise BadRowError([Problem(line, name, "this belongs to the other columns of a price")])
    return ProductPrice(parts["currency"], parts["cost"], parts.get("rrp"), parts.get("shipping_cost", 0))


def _fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of `Product`; a ValueError has the field and the message."""
    makers: Mapping[str, Callable[[Any, str], object]] = {
        "prices": _prices, "provisioning": _services, "maintenance": _services, "rate_plans": _plans}
    return {name: makers[name](value, name) if name in makers else value for name, value in given.items()}


def _units(amount: Decimal, field: str) -> int:
    try:
        return units_of(amount)
    except ValueError as error:
        raise ValueError(field, str(error)) from None


def _money(costs: Costs, field: str) -> tuple[Money, ...]:
    return tuple(Money(currency, _units(amount, f"{field}.costs.{currency}"))
                 for currency, amount in sorted(costs.items()))


def _prices(entries: Sequence[PriceEntry], field: str) -> tuple[ProductPrice, ...]:
    return tuple(ProductPrice(
        entry.currency, _units(entry.cost, f"{field}[{index}].cost"),
        _units(entry.rrp, f"{field}[{index}].rrp") if entry.rrp is not None else None,
        _units(entry.shipping_cost, f"{field}[{index}].shipping_cost")) for index, entry in enumerate(entries))


def _services(entries: Sequence[ServiceEntry], field: str) -> tuple[ServiceItem, ...]:
    return tuple(ServiceItem(entry.sku, entry.name, entry.dovetail, _money(entry.costs, f"{field}[{index}]"))
                 for index, entry in enumerate(entries))


def _plans(entries: Sequence[PlanEntry], field: str) -> tuple[RatePlan, ...]:
    return tuple(RatePlan(
        entry.name, entry.term_length, BillingFrequency(entry.billing_frequency), entry.renewal_term_length,
        entry.default, entry.min_quantity, entry.max_quantity, tuple(RatePlanCharge(
            charge.name, ChargeType(charge.charge_type), ChargeModel(charge.charge_model), charge.unit_of_measure,
            _money(charge.costs, f"{field}[{index}].rate_plan_charges[{number}]"))
            for number, charge in enumerate(entry.rate_plan_charges)))
        for index, entry in enumerate(entries))


def _merged(given: GivenProduct, known: Product | None) -> Product:
    fields = dict(given.fields)
    if given.price is not None:
        others = [] if known is None else [price for price in known.prices if price.currency != given.price.currency]
        fields["prices"] = tuple(sorted([*others, given.price], key=lambda price: price.currency))
    if known is None:
        return Product(**{"name": "", **fields})
    return replace(known, **{"stock": None, **fields})  # which may have changed since it was read


# -- export -------------------------------------------------------------------------------------------------------


async def export_products(connection: Connection) -> AsyncIterator[Mapping[str, object]]:
    """Yield every product as a row that `ProductImporter` reads."""
    async for products in queries.all_products(connection):
        for product in products:
            yield row_of(product)


def row_of(product: Product) -> dict[str, object]:
    """Return a product as a row that `ProductImporter` reads."""
    row: dict[str, object] = {name: getattr(product, name) for name in (*_WORDS, *_TEXTS)}
    row |= {name: getattr(product, name)
            for name in ("stock", "popularity", "is_shippable", "is_financeable", "withdrawn")}
    if len(product.prices) == 1:
        price = product.prices[0]
        row |= {"currency": price.currency, "cost": _number(price.cost_units), "rrp": _optional(price.rrp_units),
                "shipping_cost": _number(price.shipping_cost_units)}
    else:
        row["prices"] = [{
            "currency": price.currency, "cost": _number(price.cost_units), "rrp": _optional(price.rrp_units),
            "shipping_cost": _number(price.shipping_cost_units)} for price in product.prices]
    row["provisioning"] = [_service(item) for item in product.provisioning]
    row["maintenance"] = [_service(item) for item in product.maintenance]
    row["rate_plans"] = [{
        "name": plan.name, "term_length": plan.term_length_months, "billing_frequency": plan.billing_frequency.value,
        "renewal_term_length": plan.renewal_term_length_months, "default": plan.is_default,
        "min_quantity": plan.min_quantity, "max_quantity": plan.max_quantity, "rate_plan_charges": [{
            "name": charge.name, "charge_type": charge.charge_type.value, "charge_model": charge.charge_model.value,
            "unit_of_measure": charge.unit_of_measure, "costs": _costs(charge.costs)} for charge in plan.charges]}
        for plan in product.rate_plans]
    return row


def _service(item: ServiceItem) -> dict[str, object]:
    return {"sku": item.sku, "name": item.name, "dovetail": item.dovetail, "costs": _costs(item.costs)}


def _costs(costs: Sequence[Money]) -> dict[str, object]:
    return {cost.currency: _number(cost.amount_units) for cost in costs}


def _number(units: int) -> str:
    """Return an amount as a decimal text: a JSON or spreadsheet number would lose large ones' last places."""
    return decimal_text(units, decimals=0)


def _optional(units: int | None) -> str | None:
    return _number(units) if units is not None else None
