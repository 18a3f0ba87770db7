"""What a basket or an order may hold. Everything that is wrong is told at once, each with its field.

The fields are named as the Hub API names them: it is the one family that orders.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields

from makola.core.ordering.errors import InvalidContentError
from makola.core.ordering.ports import Offer, PriceSource, Refusal
from makola.core.ordering.store import settings
from makola.core.ordering.types import Address, Content, Item
from makola.core.organisations.countries import country_by_id
from makola.core.organisations.texts import holds_control_character
from makola.kit.database import Connection

MOST_LINES = 500
MOST_QUANTITY = 1_000_000
#: The dearest order, in 1/10,000 of the currency's unit: far from what the ledger's 64 bits hold.
MOST_TOTAL_UNITS = 10**17
_MOST_CHARACTERS = {"name": 200, "purchase_order_number": 100, "provisioning_instructions": 4000}
#: What the warehouse reads as a paragraph; everything else is of one line.
_SEVERAL_LINES = {"provisioning_instructions"}
_MOST_ADDRESS_CHARACTERS = 200
_MOST_CODE_CHARACTERS = 200

_Problems = list[tuple[str, str]]


async def check_content(connection: Connection, chain: Sequence[int], currency: str, content: Content,
                        prices: PriceSource, *, complete: bool) -> list[Offer]:
    """Return what each item is offered at to the last organisation of `chain`.

    Args:
        connection: reads only.
        chain: of the organisation that orders, root first.
        currency: in which it pays.
        content: what it wants.
        prices: what products are offered at.
        complete: True for an order, which needs everything; a basket may still lack what is filled in later.

    Raises:
        InvalidContentError: with every problem that was found.
    """
    problems: _Problems = []
    _check_texts(content, problems)
    _check_lines(content.items, problems, complete=complete)
    if problems:  # what follows asks others about these values
        raise InvalidContentError(problems)
    offers = await prices.offers(connection, chain, currency, content.items)
    taken = _check_offers(content.items, offers, problems)
    ships = any(offer.is_shippable for offer in taken)
    await _check_shipping(connection, content, problems, needed=complete and ships)
    if problems:
        raise InvalidContentError(problems)
    return taken


def _check_texts(content: Content, problems: _Problems) -> None:
    for name, most in _MOST_CHARACTERS.items():
        _check_length(name, getattr(content, name), most, problems, lines=name in _SEVERAL_LINES)
    if content.shipping_address is not None:
        for field in fields(Address):
            value = getattr(content.shipping_address, field.name)
            if isinstance(value, str):
                _check_length(f"shipping_address.{field.name}", value, _MOST_ADDRESS_CHARACTERS, problems)


def _check_length(field: str, value: str, most: int, problems: _Problems, *, lines: bool = False) -> None:
    if len(value) > most:
        problems.append((field, f"must have at most {most} characters"))
    elif "\0" in value:
        problems.append((field, "must not hold the NUL character"))
    elif holds_control_character(value, lines=lines):
        problems.append((field, "must not hold control characters"))


def _check_lines(items: Sequence[Item], problems: _Problems, *, complete: bool) -> None:
    if complete and not items:
        problems.append(("line_items", "must hold at least one line"))
    if len(items) > MOST_LINES:
        problems.append(("line_items", f"must hold at most {MOST_LINES} lines"))
        return
    for index, item in enumerate(items):
        at = f"line_items[{index}]"
        if not item.product_code and item.product_id is None:
            problems.append((f"{at}.product_code", "must not be empty"))
        _check_length(f"{at}.product_code", item.product_code, _MOST_CODE_CHARACTERS, problems)
        _check_length(f"{at}.prov_product_code", item.prov_product_code, _MOST_CODE_CHARACTERS, problems)
        if not 1 <= item.quantity <= MOST_QUANTITY:
            problems.append((f"{at}.quantity", f"must be from 1 to {MOST_QUANTITY}"))


_REFUSED_FIELDS = {
    Refusal.UNKNOWN_PRODUCT: "product_code",
    Refusal.AMBIGUOUS_PRODUCT: "product_code",
    Refusal.UNKNOWN_PROVISIONING: "prov_product_code",
}


def _check_offers(items: Sequence[Item], offers: Sequence[Offer | Refusal], problems: _Problems) -> list[Offer]:
    taken: list[Offer] = []
    wanted = total_quantities(items, offers)
    for index, (item, offer) in enumerate(zip(items, offers, strict=True)):
        at = f"line_items[{index}]"
        if isinstance(offer, Refusal):
            problems.append((f"{at}.{_REFUSED_FIELDS[offer]}", offer.value))
            continue
        taken.append(offer)
        if item.product_code not in {"", offer.product_code}:
            problems.append((f"{at}.product_code", "is not the code of this product"))
        if wanted[offer.product_id] < offer.minimum_quantity:
            problems.append((f"{at}.quantity", f"must be at least {offer.minimum_quantity} for this product"))
        if offer.maximum_quantity is not None and wanted[offer.product_id] > offer.maximum_quantity:
            problems.append((f"{at}.quantity", f"must be at most {offer.maximum_quantity} for this product"))
    if len(taken) == len(items):
        _check_money(items, taken, problems)
    return taken


def total_quantities(items: Sequence[Item], offers: Sequence[Offer | Refusal]) -> Counter[int]:
    """Return how many of each product are wanted on all lines together, by the product's id: limits are for these."""
    wanted: Counter[int] = Counter()
    for item, offer in zip(items, offers, strict=True):
        if not isinstance(offer, Refusal):
            wanted[offer.product_id] += item.quantity
    return wanted


def _check_money(items: Sequence[Item], offers: Sequence[Offer], problems: _Problems) -> None:
    if len({offer.price.currency for offer in offers}) > 1:
        problems.append(("line_items", "must all be priced in one currency"))
    total = sum(item.quantity * offer.price.price_units + offer.shipping_units
                for item, offer in zip(items, offers, strict=True))
    if total > MOST_TOTAL_UNITS:
        problems.append(("line_items", "cost more than one order can"))


async def _check_shipping(connection: Connection, content: Content, problems: _Problems, *, needed: bool) -> None:
    address = content.shipping_address
    country_id = 0 if address is None else address.country_id
    if country_id and country_by_id(country_id) is None:
        problems.append(("shipping_address.country_code", "is not a country that is known here"))
        country_id = 0
    elif needed:
        _check_address(address, problems)
    if content.shipping_type_id is None:
        if needed:
            problems.append(("shipping_type", "is required: some of these products are shipped"))
        return
    found = await settings.find_type(connection, content.shipping_type_id)
    if found is None:
        problems.append(("shipping_type", "is not a shipping type"))
    elif country_id and not found.reaches(country_id):
        problems.append(("shipping_type", f"{found.name} does not ship to this country"))


def _check_address(address: Address | None, problems: _Problems) -> None:
    if address is None:
        problems.append(("shipping_address", "is required: some of these products are shipped"))
        return
    if not (address.company_name or address.recipient_name):
        problems.append(("shipping_address.recipient_name", "is required where there is no company_name"))
    for name in ("addr_line_1", "city"):
        if not getattr(address, name):
            problems.append((f"shipping_address.{name}", "is required"))
    if not address.country_id:
        problems.append(("shipping_address.country_code", "is required"))
