"""Writing products."""

import re
from collections.abc import Sequence

from makola.core.catalogue.errors import InvalidProductError
from makola.core.catalogue.store import products as store
from makola.core.catalogue.types import (
    MOST_PRICE_UNITS,
    Money,
    Product,
    RatePlan,
    RatePlanCharge,
    ServiceItem,
)
from makola.kit.database import Connection

_CURRENCY = re.compile(r"[A-Z]{3,8}\Z")
_MOST_INTEGER = 2**31 - 1
_MOST_BIG_INTEGER = 2**63 - 1
_MOST_TEXT = 100_000
_MOST_NAME = 500
_MOST_URL = 2_000
_URLS = ("thumb_url", "main_image_url", "datasheet_url", "guide_url", "quickstart_url")
_TEXTS = (*((name, _MOST_NAME) for name in ("vendor", "type", "subscription_type")),
          *((name, _MOST_TEXT) for name in ("description", "detailed_description", "featured_description")),
          *((name, _MOST_URL) for name in _URLS))


async def save_products(connection: Connection, products: Sequence[Product], *, checked: bool = False) -> list[int]:
    """Store products, each whole, with the documents that are answered; return their ids, in order.

    A product is known by its vendor and its code: one that exists is replaced and keeps its id, as do those of its
    parts that stay.

    Args:
        connection: an open transaction.
        products: a few thousand at most, no two of the same vendor and code.
        checked: `check_product` has seen each of them, and they are all different.

    Raises:
        InvalidProductError: a value is not possible; `field` names it.
    """
    if not checked:
        seen: set[tuple[str, str]] = set()
        for product in products:
            check_product(product)
            key = (product.vendor, product.product_code)
            if key in seen:
                raise InvalidProductError(f"{product.product_code} is there twice.", field="product_code")
            seen.add(key)
    if not products:
        return []
    product_ids = await store.write_products(connection, products)
    await store.notify(connection)
    return product_ids


def check_product(product: Product) -> None:
    """Refuse values that a product cannot have.

    Raises:
        InvalidProductError: `field` names the first of them.
    """
    _check_name(product.product_code, "product_code")
    _check_name(product.name, "name")
    for name, most_characters in _TEXTS:
        text = getattr(product, name)
        if text and (len(text) > most_characters or "\0" in text):
            _check_text(text, name, most_characters)
    for name in ("vendor", "type"):
        if getattr(product, name) != getattr(product, name).strip():
            raise InvalidProductError("There must be no spaces around this.", field=name)
    for name in _URLS:
        url = getattr(product, name)
        if url and not url.startswith(("https://", "http://")):
            raise InvalidProductError("This must be an address of the form https://host/path.", field=name)
    if product.stock is not None:
        _check_integer(product.stock, "stock", 0, _MOST_BIG_INTEGER)
    _check_integer(product.popularity, "popularity", -_MOST_BIG_INTEGER, _MOST_BIG_INTEGER)
    for index, price in enumerate(product.prices):
        at = f"prices[{index}]"
        _check_currency(price.currency, at)
        _check_amount(price.cost_units, f"{at}.cost")
        _check_amount(price.shipping_cost_units, f"{at}.shipping_cost")
        if price.rrp_units is not None:
            _check_amount(price.rrp_units, f"{at}.rrp")
    _check_unique([price.currency for price in product.prices], "prices", "currency")
    for items, field in ((product.provisioning, "provisioning"), (product.maintenance, "maintenance")):
        if items:
            _check_services(items, field)
    for index, plan in enumerate(product.rate_plans):
        _check_plan(plan, f"rate_plans[{index}]")
    _check_unique([plan.name for plan in product.rate_plans], "rate_plans", "name")


def _check_services(items: Sequence[ServiceItem], field: str) -> None:
    for index, item in enumerate(items):
        at = f"{field}[{index}]"
        if not (_is_name(item.sku) and _is_name(item.name)):
            _check_name(item.sku, f"{at}.sku")
            _check_name(item.name, f"{at}.name")
        _check_costs(item.costs, at)
    _check_unique([item.sku for item in items], field, "sku")


def _check_plan(plan: RatePlan, at: str) -> None:
    _check_name(plan.name, f"{at}.name")
    _check_integer(plan.term_length_months, f"{at}.term_length", 0, _MOST_INTEGER)
    if plan.renewal_term_length_months is not None:
        _check_integer(plan.renewal_term_length_months, f"{at}.renewal_term_length", 0, _MOST_INTEGER)
    _check_integer(plan.min_quantity, f"{at}.min_quantity", 1, _MOST_BIG_INTEGER)
    if plan.max_quantity is not None:
        _check_integer(plan.max_quantity, f"{at}.max_quantity", plan.min_quantity, _MOST_BIG_INTEGER)
    for index, charge in enumerate(plan.charges):
        _check_charge(charge, f"{at}.rate_plan_charges[{index}]")
    _check_unique([charge.name for charge in plan.charges], f"{at}.rate_plan_charges", "name")


def _check_charge(charge: RatePlanCharge, at: str) -> None:
    _check_name(charge.name, f"{at}.name")
    _check_text(charge.unit_of_measure, f"{at}.unit_of_measure", _MOST_NAME)
    _check_costs(charge.costs, at)


def _check_costs(costs: Sequence[Money], at: str) -> None:
    for index, cost in enumerate(costs):
        if _CURRENCY.match(cost.currency) and 0 <= cost.amount_units <= MOST_PRICE_UNITS:
            continue  # nearly always; the names of the fields are made for the others only
        _check_currency(cost.currency, f"{at}.costs[{index}]")
        _check_amount(cost.amount_units, f"{at}.costs[{index}].cost")
    _check_unique([cost.currency for cost in costs], f"{at}.costs", "currency")


def _check_currency(currency: str, at: str) -> None:
    if not _CURRENCY.match(currency):
        raise InvalidProductError("A currency is a code in capitals, such as GBP.", field=f"{at}.currency")


def _check_amount(units: int, field: str) -> None:
    _check_integer(units, field, 0, MOST_PRICE_UNITS)


def _check_integer(value: int, field: str, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidProductError(
            "This must not be negative." if value < 0 <= least else "This is out of range.", field=field)


def _is_name(text: str) -> bool:
    return bool(text) and len(text) <= _MOST_NAME and text == text.strip() and "\0" not in text


def _check_name(text: str, field: str) -> None:
    if not text or text != text.strip():
        raise InvalidProductError("This must not be empty, nor have spaces around it.", field=field)
    _check_text(text, field, _MOST_NAME)


def _check_text(text: str, field: str, most_characters: int) -> None:
    if len(text) > most_characters:
        raise InvalidProductError(f"This is longer than {most_characters} characters.", field=field)
    if "\0" in text:
        raise InvalidProductError("This contains a NUL character.", field=field)


def _check_unique(values: Sequence[str], field: str, what: str) -> None:
    if len(values) > 1 and len(set(values)) != len(values):
        raise InvalidProductError(f"Two entries have the same {what}.", field=field)
