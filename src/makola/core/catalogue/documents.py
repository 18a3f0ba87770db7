"""The product's document: its JSON as it is answered, with zero bytes where the caller's figures belong.

JSON never contains a zero byte (RFC 8259 section 7 has it escaped), so the gaps are found without looking at anything
else. Their order: the caller's price, the stock, the caller's prices of the parts.
"""

import struct
from dataclasses import dataclass

import msgspec

from makola.core.catalogue.types import Product, ServiceItem
from makola.kit.money import decimal_text

GAP = b"\0"
_GAP = msgspec.Raw(GAP)


class AmountTexts(dict[int, bytes]):
    """Amounts in 1/10,000 as JSON numbers, remembered: the same few prices are written again and again."""

    _MOST = 10_000

    def __missing__(self, units: int) -> bytes:
        if len(self) >= self._MOST:
            self.clear()
        text = self[units] = json_number(units)
        return text


def json_number(units: int) -> bytes:
    """Return an amount in 1/10,000 as a JSON number without needless digits: 1001200 is `100.12`."""
    return decimal_text(units, decimals=0).encode()


@dataclass(frozen=True, slots=True)
class PartIds:
    """The ids of what is inside a stored product, in the order of the product's own lists.

    Attributes:
        service_item_ids: by kind, then by position.
        charges: of each plan, by position: the charge's id and the ids of its costs.
    """

    product_id: int
    vendor_id: int | None
    type_id: int | None
    provisioning_ids: tuple[int, ...]
    maintenance_ids: tuple[int, ...]
    rate_plan_ids: tuple[int, ...]
    charges: tuple[tuple[tuple[int, tuple[int, ...]], ...], ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A product's template in one currency, and the parts whose prices it leaves open.

    Attributes:
        parts: of each part its id and its cost, as 64-bit integers, the most significant byte first.
        part_currencies: of each part its currency, with commas between.
    """

    product_id: int
    currency: str
    template: bytes
    parts: bytes
    part_currencies: str


class _Parts:
    """Collects the parts in the order in which their gaps are written."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.currencies: list[str] = []

    def gap(self, part_id: int, currency: str, cost_units: int) -> msgspec.Raw:
        self.numbers += (part_id, cost_units)
        self.currencies.append(currency)
        return _GAP


def documents_of(product: Product, ids: PartIds) -> list[Document]:
    """Return the documents of a product: one for each currency that it has a price in."""
    return [_document(product, ids, index) for index in range(len(product.prices))]


def _document(product: Product, ids: PartIds, price_index: int) -> Document:
    price, parts = product.prices[price_index], _Parts()
    value: dict[str, object] = {
        "id": ids.product_id, "name": product.name, "product_code": product.product_code,
        "description": product.description, "detailed_description": product.detailed_description,
        "featured_description": product.featured_description, "vendor": ids.vendor_id, "type": ids.type_id,
        "rrp": msgspec.Raw(json_number(price.rrp_units)) if price.rrp_units is not None else None, "price": _GAP,
        "thumb_url": product.thumb_url or None, "main_image_url": product.main_image_url or None,
        "datasheet_url": product.datasheet_url or None, "guide_url": product.guide_url or None,
        "quickstart_url": product.quickstart_url or None, "stock": _GAP,
        "provisioning": _services(product.provisioning, ids.provisioning_ids, price.currency, parts),
        "maintenance": _services(product.maintenance, ids.maintenance_ids, price.currency, parts),
        "shipping_cost": msgspec.Raw(json_number(price.shipping_cost_units)),
        "subscription_type": product.subscription_type or None, "rate_plans": _rate_plans(product, ids, parts),
        "is_shippable": product.is_shippable, "is_financeable": product.is_financeable}
    return Document(ids.product_id, price.currency, msgspec.json.encode(value),
                    struct.pack(f">{len(parts.numbers)}q", *parts.numbers), ",".join(parts.currencies))


def part_numbers(parts: bytes) -> tuple[int, ...]:
    """Return what `Document.parts` holds: id and cost by turns."""
    return struct.unpack(f">{len(parts) // 8}q", parts)


def _services(items: tuple[ServiceItem, ...], item_ids: tuple[int, ...], currency: str,
              parts: _Parts) -> list[dict[str, object]]:
    """Return the items that have a price in the document's currency."""
    return [{"id": item_id, "sku": item.sku, "name": item.name,
             "price": parts.gap(item_id, currency, cost.amount_units), "dovetail": item.dovetail}
            for item_id, item in zip(item_ids, items, strict=True)
            for cost in item.costs if cost.currency == currency]


def _rate_plans(product: Product, ids: PartIds, parts: _Parts) -> list[dict[str, object]]:
    return [{
        "id": plan_id, "name": plan.name, "term_length": plan.term_length_months,
        "billing_frequency": plan.billing_frequency.value, "renewal_term_length": plan.renewal_term_length_months,
        "default": plan.is_default, "min_quantity": plan.min_quantity, "max_quantity": plan.max_quantity,
        "rate_plan_charges": [{
            "id": charge_id, "name": charge.name, "charge_type": charge.charge_type.value,
            "charge_model": charge.charge_model.value,
            "rate_plan_charge_costs": [
                {"id": cost_id, "currency": cost.currency,
                 "charge_cost_price": parts.gap(charge_id, cost.currency, cost.amount_units)}
                for cost_id, cost in zip(cost_ids, charge.costs, strict=True)],
            "unit_of_measure": charge.unit_of_measure}
            for (charge_id, cost_ids), charge in zip(charges, plan.charges, strict=True)]}
        for plan_id, charges, plan in zip(ids.rate_plan_ids, ids.charges, product.rate_plans, strict=True)]


def without_unpriced(document: bytes) -> bytes:
    """Return a filled-in document without the parts whose price is `null`: the caller is not offered them."""
    value = msgspec.json.decode(document)
    for kind in ("provisioning", "maintenance"):
        value[kind] = [item for item in value[kind] if item["price"] is not None]
    for plan in value["rate_plans"]:
        for charge in plan["rate_plan_charges"]:
            charge["rate_plan_charge_costs"] = [
                cost for cost in charge["rate_plan_charge_costs"] if cost["charge_cost_price"] is not None]
    return msgspec.json.encode(value)
