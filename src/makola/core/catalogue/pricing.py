"""The rule for prices along a chain of tiers (docs/reference/prices.md). Pure: no clock, no database.

A sells to B, B to C: C's price is what B's most exact rule for C makes of B's price, and so on up to the root, whose
price is the product's cost. Where a seller has no rule that fits, it does not offer the product to that buyer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from makola.core.catalogue.types import MOST_PRICE_UNITS, WHOLE, PriceRule, RuleKind


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be priced: a product, or with `part_id` a part of it. `quantity` decides the quantity break."""

    product_id: int
    vendor_id: int | None
    type_id: int | None
    currency: str
    quantity: int = 1
    part_id: int | None = None


#: Sorts rules from the vaguest to the most exact.
Exactness = tuple[bool, bool, bool, bool, bool, bool, int, float, int]


def exactness(rule: PriceRule) -> Exactness:
    """Return what decides between rules that fit: the greatest counts.

    What was agreed with one child beats what holds for all; then part, product, type, vendor and default in this
    order; then a named currency; then the highest quantity reached; then the latest start; then the newest rule.
    """
    return (rule.buyer_id is not None, rule.part_id is not None, rule.product_id is not None,
            rule.type_id is not None, rule.vendor_id is not None, rule.currency is not None, rule.min_quantity,
            rule.valid_from.timestamp() if rule.valid_from is not None else float("-inf"), rule.rule_id)


def is_valid(rule: PriceRule, at: datetime) -> bool:
    """Say whether a rule counts at a moment."""
    return (rule.valid_from is None or rule.valid_from <= at) and (rule.valid_to is None or at < rule.valid_to)


def fits(rule: PriceRule, buyer_id: int, target: Target) -> bool:
    """Say whether a rule speaks of a target sold to a buyer, whatever the time.

    A part follows the rules of its product, except that a fixed price of the product is not one of the part.
    """
    return (rule.buyer_id in {None, buyer_id}
            and rule.product_id in {None, target.product_id}
            and rule.type_id in {None, target.type_id}
            and rule.vendor_id in {None, target.vendor_id}
            and rule.currency in {None, target.currency}
            and rule.min_quantity <= target.quantity
            and (rule.part_id == target.part_id
                 or (rule.part_id is None and rule.kind is not RuleKind.FIXED)))


def choose(rules: Iterable[PriceRule], buyer_id: int, target: Target, at: datetime) -> PriceRule | None:
    """Return the rule that counts among one seller's; None when none fits."""
    fitting = (rule for rule in rules if is_valid(rule, at) and fits(rule, buyer_id, target))
    return max(fitting, key=exactness, default=None)


def apply(rule: PriceRule | None, seller_price_units: int) -> int | None:
    """Return what a rule makes of the seller's own price; None when the product is not offered."""
    if rule is None or rule.kind is RuleKind.WITHHELD:
        return None
    if rule.kind is RuleKind.FIXED:
        return rule.amount
    units = marked_up(seller_price_units, rule.amount, rule.rounding_units)
    return units if units <= MOST_PRICE_UNITS else None


def marked_up(price_units: int, markup: int, rounding_units: int = 1) -> int:
    """Return a price with a markup: half of 1/10,000 goes up, then up to a multiple of `rounding_units`.

    Args:
        price_units: what the seller pays.
        markup: in 1/10,000; never negative, so the result is never below `price_units`.
        rounding_units: 1 leaves the result as it is; 100 makes whole hundredths.
    """
    units = price_units + (price_units * markup + WHOLE // 2) // WHOLE
    return units if rounding_units == 1 else -(-units // rounding_units) * rounding_units


def prices_of_chain(cost_units: int, chain: Sequence[int], rules: Iterable[PriceRule], target: Target,
                    at: datetime) -> tuple[int, ...] | None:
    """Return what each tier pays, the root first; None when some tier does not offer it to the next.

    Args:
        cost_units: what the root pays.
        chain: organisation ids, the root first.
        rules: of all the sellers of the chain.
        target: what is priced.
        at: when.
    """
    of_seller: dict[int, list[PriceRule]] = {}
    for rule in rules:
        of_seller.setdefault(rule.seller_id, []).append(rule)
    prices = [cost_units]
    for seller_id, buyer_id in pairwise(chain):
        price = apply(choose(of_seller.get(seller_id, ()), buyer_id, target, at), prices[-1])
        if price is None:
            return None
        prices.append(price)
    return tuple(prices)
