"""What one place in the tree is offered, in one currency: its own price of every product."""

from array import array
from collections.abc import Sequence
from datetime import datetime
from typing import Optional

from makola.core.catalogue.pricing import marked_up
from makola.core.catalogue.shelf.columns import NONE, Columns
from makola.core.catalogue.shelf.links import Link
from makola.core.catalogue.types import MOST_PRICE_UNITS, WHOLE

#: Beyond this many changed costs it is quicker to reckon all prices anew.
_MOST_PATCHED = 2_000
_HALF = WHOLE // 2

Figures = tuple[bytes, ...]
_Steps = tuple[tuple[int, int], ...]


class Offer:
    """The prices of one place. Places whose sellers treat them alike share one.

    Attributes:
        seller: what the seller is offered itself; None at the root of the tree, which pays the costs.
        prices: of one piece, by position; NONE where it is not offered. Up to date after `refresh` only.
        figures: what belongs into the gaps of documents, by position.
        has_unpriced_parts: whether some of these figures stand for parts that are not offered.
        alive: False once a rule has changed that it was made of.
        expires_at: when a rule begins or ends next.
    """

    __slots__ = ("_plain", "_seen", "_steps", "alive", "currency", "expires_at", "figures", "has_unpriced_parts",
                 "link", "number", "others", "prices", "seller")

    def __init__(self, number: int, currency: str, seller: Optional["Offer"], link: Link | None) -> None:
        self.number = number
        self.currency = currency
        self.seller = seller
        self.link = link
        self.prices = array("q")
        self.figures: dict[int, Figures] = {}
        self.others: dict[str, Offer] = {}
        self.alive = True
        self.has_unpriced_parts = False
        moments = [each.expires_at for each in (seller, link) if each is not None and each.expires_at is not None]
        self.expires_at: datetime | None = min(moments, default=None)
        self._seen = NONE
        self._plain: bool | None = None
        self._steps: dict[int, _Steps | None] = {}

    def lineage(self) -> list["Offer"]:
        """Return the offers from the root of the tree down to this one."""
        found: list[Offer] = []
        offer: Offer | None = self
        while offer is not None:
            found.append(offer)
            offer = offer.seller
        return found[::-1]

    def is_current(self, columns: Columns) -> bool:
        """Say whether `prices` holds what the columns give."""
        return self._seen == columns.cost_changes

    def refresh(self, columns: Columns) -> None:
        """Bring `prices` up to date; the seller's must be already."""
        changed = None if self._seen == NONE else columns.costs_changed_since(self._seen)
        self._seen = columns.cost_changes
        if changed is None or len(changed) > _MOST_PATCHED:
            self.figures.clear()
            self.prices = self._all_prices(columns)
            return
        self.prices.extend([NONE] * (len(columns) - len(self.prices)))
        for position in changed:
            self.figures.pop(position, None)
            self.prices[position] = self._price(position, columns)

    def _price(self, position: int, columns: Columns) -> int:
        if self.seller is None or self.link is None:
            costs = columns.costs.get(self.currency)
            return NONE if costs is None else costs[position]
        return self.link.price(position, self.seller.prices[position], columns)

    def _all_prices(self, columns: Columns) -> "array[int]":
        if self.seller is None or self.link is None:
            costs = columns.costs.get(self.currency)
            return array("q", [NONE]) * len(columns) if costs is None else array("q", costs)
        link, before = self.link, self.seller.prices
        markups = link.simple_markups(columns)
        if markups is None:
            return array("q", [link.price(position, price, columns) for position, price in enumerate(before)])
        # The same as Link.price, written out for the case that nearly all products are: a plain markup.
        units = [price + (price * markup + _HALF) // WHOLE if price >= 0 <= (markup := markups[group]) else NONE
                 for price, group in zip(before, columns.groups, strict=True)]
        if max(units, default=0) > MOST_PRICE_UNITS:
            units = [price if price <= MOST_PRICE_UNITS else NONE for price in units]
        prices = array("q", units)
        for position, number in link.own.items():
            prices[position] = link.applied(number, before[position])
        return prices

    def part_prices(self, position: int, numbers: Sequence[int], columns: Columns) -> list[int]:
        """Return the prices of a product's parts in this offer's currency; NONE for one that is not offered.

        Args:
            position: of the product.
            numbers: id and cost of each part by turns.
            columns: the products.
        """
        if self._plain is None:
            self._plain = all(each.link is None or each.link.treats_parts_alike for each in self.lineage())
        if not self._plain:
            return [self._part_price(position, part_id, cost_units, columns)
                    for part_id, cost_units in zip(numbers[::2], numbers[1::2], strict=True)]
        group = columns.groups[position]
        if group not in self._steps:
            self._steps[group] = self._steps_of(group, columns)
        steps = self._steps[group]
        if steps is None:
            return [NONE] * (len(numbers) // 2)
        prices: list[int] = []
        for price in numbers[1::2]:
            for markup, rounding_units in steps:
                price = marked_up(price, markup, rounding_units)  # noqa: PLW2901 - tier by tier
            prices.append(price if price <= MOST_PRICE_UNITS else NONE)
        return prices

    def _part_price(self, position: int, part_id: int, cost_units: int, columns: Columns) -> int:
        price = cost_units
        for offer in self.lineage():
            if offer.link is not None:
                price = offer.link.part_price(position, part_id, price, columns)
        return price

    def _steps_of(self, group: int, columns: Columns) -> "_Steps | None":
        """Return the markups from the root down for parts in a group; None where one tier withholds them."""
        steps: list[tuple[int, int]] = []
        for offer in self.lineage():
            if offer.link is not None:
                markup = offer.link.markup_of_group(group, columns)
                if markup is None:
                    return None
                steps.append(markup)
        return tuple(steps)
