"""One link of a chain of tiers: what a seller's rules make of its own prices, for one child and one currency."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

from makola.core.catalogue.pricing import exactness, is_valid, marked_up
from makola.core.catalogue.shelf.columns import NONE, Columns
from makola.core.catalogue.types import MOST_PRICE_UNITS, PriceRule, RuleKind

_LET_OTHERS_RUN_EVERY = 1_000
#: What is done to a price, as one number: not negative is a fixed price, -1 withholds, below that a markup.
WITHHELD = -1
_FIRST_MARKUP = -2


class Link:
    """The rules of one seller for one child, ready to be asked about one piece of any product.

    Attributes:
        seller_id: who sells.
        own: what is done to the prices of single products, by position; all others follow their group.
        expires_at: when a rule begins or ends next; None when none does.
    """

    def __init__(self, seller_id: int) -> None:
        self.seller_id = seller_id
        self.own: dict[int, int] = {}
        self.expires_at: datetime | None = None
        self._parts_of: dict[int, int] = {}
        self._parts: dict[int, int] = {}
        self._general: dict[tuple[int | None, int | None], PriceRule] = {}
        self._of_group: list[int] = []
        self._markups: list[tuple[int, int]] = []
        self._numbers: dict[tuple[int, int], int] = {}

    async def load(self, rules: AsyncIterator[PriceRule], columns: Columns, at: datetime) -> None:
        """Take in the seller's rules.

        Args:
            rules: those that name no product first, then product by product.
            columns: where products stand.
            at: the present.
        """
        pending: list[PriceRule] = []
        count = 0
        async for rule in rules:
            count += 1
            if count % _LET_OTHERS_RUN_EVERY == 0:
                await asyncio.sleep(0)
            self._note_time(rule, at)
            if not is_valid(rule, at):
                continue
            if rule.product_id is None:
                key = (rule.vendor_id, rule.type_id)
                self._general[key] = max(rule, self._general.get(key, rule), key=exactness)
                continue
            if pending and pending[0].product_id != rule.product_id:
                self._take_product(pending, columns)
                pending = []
            pending.append(rule)
        if pending:
            self._take_product(pending, columns)

    def _note_time(self, rule: PriceRule, at: datetime) -> None:
        for moment in (rule.valid_from, rule.valid_to):
            if moment is not None and moment > at and (self.expires_at is None or moment < self.expires_at):
                self.expires_at = moment

    def _take_product(self, rules: list[PriceRule], columns: Columns) -> None:
        position = columns.positions.get(rules[0].product_id or 0)
        if position is None:
            return  # not seen yet; when it is, so is the change of this seller's rules
        general = self._best_general(columns.group_keys[columns.groups[position]])
        whole = [rule for rule in rules if rule.part_id is None]
        for_parts = [rule for rule in whole if rule.kind is not RuleKind.FIXED]
        if general is not None:
            whole.append(general)
            for_parts.append(general)
        if whole:
            self.own[position] = self._number(max(whole, key=exactness))
        if len(for_parts) > (general is not None):
            self._parts_of[position] = self._number(max(for_parts, key=exactness))
        for part_id in {rule.part_id for rule in rules if rule.part_id is not None}:
            candidates = [rule for rule in rules if rule.part_id == part_id] + for_parts
            self._parts[part_id] = self._number(max(candidates, key=exactness))

    def _best_general(self, group_key: tuple[int, int]) -> PriceRule | None:
        vendor_id, type_id = group_key[0] or None, group_key[1] or None
        fitting = [rule for key in {(vendor_id, type_id), (vendor_id, None), (None, type_id), (None, None)}
                   if (rule := self._general.get(key)) is not None]
        return max(fitting, key=exactness, default=None)

    def _number(self, rule: PriceRule | None) -> int:
        if rule is None or rule.kind is RuleKind.WITHHELD:
            return WITHHELD
        if rule.kind is RuleKind.FIXED:
            return rule.amount
        markup = (rule.amount, rule.rounding_units)
        number = self._numbers.get(markup)
        if number is None:
            number = self._numbers[markup] = _FIRST_MARKUP - len(self._markups)
            self._markups.append(markup)
        return number

    def of_groups(self, columns: Columns) -> list[int]:
        """Return what is done to the prices of each group."""
        for key in columns.group_keys[len(self._of_group):]:
            self._of_group.append(self._number(self._best_general(key)))
        return self._of_group

    def applied(self, number: int, price_units: int) -> int:
        """Return what becomes of the seller's price; NONE when it is not offered."""
        if price_units < 0 or number == WITHHELD:
            return NONE
        if number >= 0:
            return number
        markup, rounding_units = self._markups[_FIRST_MARKUP - number]
        units = marked_up(price_units, markup, rounding_units)
        return units if units <= MOST_PRICE_UNITS else NONE

    def price(self, position: int, price_units: int, columns: Columns) -> int:
        """Return the child's price of a product; NONE when it is not offered."""
        number = self.own.get(position)
        if number is None:
            number = self.of_groups(columns)[columns.groups[position]]
        return self.applied(number, price_units)

    def part_price(self, position: int, part_id: int, price_units: int, columns: Columns) -> int:
        """Return the child's price of a part of a product; NONE when it is not offered."""
        number = self._parts.get(part_id)
        if number is None:
            number = self._parts_of.get(position)
        if number is None:
            number = self.of_groups(columns)[columns.groups[position]]
        return self.applied(number, price_units)

    @property
    def treats_parts_alike(self) -> bool:
        """Whether the parts of all products of a group get the same markup."""
        return not self._parts and not self._parts_of

    def markup_of_group(self, group: int, columns: Columns) -> tuple[int, int] | None:
        """Return the markup and the rounding of a group; None where it is withheld."""
        number = self.of_groups(columns)[group]
        return None if number == WITHHELD else self._markups[_FIRST_MARKUP - number]

    def simple_markups(self, columns: Columns) -> list[int] | None:
        """Return the markup of each group, NONE where it is withheld; None when one of them rounds up further."""
        markups: list[int] = []
        for number in self.of_groups(columns):
            if number == WITHHELD:
                markups.append(NONE)
                continue
            markup, rounding_units = self._markups[_FIRST_MARKUP - number]
            if rounding_units != 1:
                return None
            markups.append(markup)
        return markups
