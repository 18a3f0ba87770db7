"""The columns: what every list, search and price needs of each product."""

import unicodedata
from array import array
from collections.abc import Iterable

from makola.core.catalogue.shelf.search import Search
from makola.core.catalogue.store.shelf import Outline

#: Neither a price nor a cost: the product has none here.
NONE = -1
_MOST_LOGGED = 20_000


def folded(text: str) -> str:
    """Return a text as it is compared: letters that only differ in case or form are the same."""
    return unicodedata.normalize("NFKC", text).casefold()


class Columns:
    """Every product at its position.

    Attributes:
        groups: which pair of vendor and type a product belongs to; rules mostly speak of such groups.
        group_keys: those pairs; 0 for no vendor and no type.
        texts: name and product code, folded, with a line feed between.
        shape: counts the changes that can alter the order or the content of a list.
        regroupings: counts the changes of a known product's vendor or type.
    """

    def __init__(self) -> None:
        self.ids = array("q")
        self.groups = array("l")
        self.popularity = array("q")
        self.stock = array("q")
        self.live = bytearray()
        self.texts: list[str] = []
        self.costs: dict[str, array[int]] = {}
        self.positions: dict[int, int] = {}
        self.group_keys: list[tuple[int, int]] = []
        self.search = Search(self.texts)
        self.shape = 0
        self.regroupings = 0
        self._group_numbers: dict[tuple[int, int], int] = {}
        self._cost_log: list[int] = []
        self._cost_log_start = 0
        self._name_order: list[int] = []
        self._name_ranks = array("l")
        self._ranks_shape = -1

    def __len__(self) -> int:
        return len(self.ids)

    def put(self, outline: Outline) -> int:
        """Take in what is known of one product; return its position."""
        position = self.positions.get(outline.product_id)
        if position is None:
            position = self._append(outline)
        else:
            self._replace(position, outline)
        self.stock[position] = outline.stock
        return position

    def _append(self, outline: Outline) -> int:
        position = len(self.ids)
        self.positions[outline.product_id] = position
        self.ids.append(outline.product_id)
        self.groups.append(self._group(outline))
        self.popularity.append(outline.popularity)
        self.stock.append(outline.stock)
        self.live.append(not outline.withdrawn)
        self.texts.append(_text(outline))
        for costs in self.costs.values():
            costs.append(NONE)
        self._set_costs(position, outline.costs_units)
        self.search.add(position)
        self.shape += 1
        self._log_cost(position)
        return position

    def _replace(self, position: int, outline: Outline) -> None:
        text, group = _text(outline), self._group(outline)
        if text != self.texts[position]:
            before, self.texts[position] = self.texts[position], text
            self.search.change(position, before)
            self.shape += 1
        if group != self.groups[position]:
            self.groups[position] = group
            self.regroupings += 1
            self.shape += 1
        if outline.popularity != self.popularity[position] or outline.withdrawn == self.live[position]:
            self.popularity[position] = outline.popularity
            self.live[position] = not outline.withdrawn
            self.shape += 1
        if self._set_costs(position, outline.costs_units):
            self.shape += 1
            self._log_cost(position)

    def _group(self, outline: Outline) -> int:
        key = (outline.vendor_id, outline.type_id)
        number = self._group_numbers.get(key)
        if number is None:
            number = self._group_numbers[key] = len(self.group_keys)
            self.group_keys.append(key)
        return number

    def _set_costs(self, position: int, costs_units: Iterable[tuple[str, int]]) -> bool:
        given, changed = dict(costs_units), False
        for currency in given.keys() - self.costs.keys():
            self.costs[currency] = array("q", [NONE]) * len(self.ids)
        for currency, costs in self.costs.items():
            cost = given.get(currency, NONE)
            if costs[position] != cost:
                costs[position] = cost
                changed = True
        return changed

    # -- what has changed since ---------------------------------------------------------------------------------

    @property
    def cost_changes(self) -> int:
        """How many changes of costs there have been."""
        return self._cost_log_start + len(self._cost_log)

    def costs_changed_since(self, seen: int) -> list[int] | None:
        """Return the positions whose costs changed after the first `seen` changes; None when that is forgotten."""
        if seen < self._cost_log_start:
            return None
        return self._cost_log[seen - self._cost_log_start:]

    def _log_cost(self, position: int) -> None:
        self._cost_log.append(position)
        if len(self._cost_log) > _MOST_LOGGED:
            self._cost_log_start += len(self._cost_log)
            self._cost_log.clear()

    # -- order --------------------------------------------------------------------------------------------------

    def by_id(self) -> list[int]:
        """Return all positions in the order of the products' ids."""
        return sorted(range(len(self.ids)), key=self.ids.__getitem__)

    def name_ranks(self) -> "array[int]":
        """Return the place of each product's name among all names; equal names have equal places."""
        if self._ranks_shape == self.shape:
            return self._name_ranks
        self._name_order.extend(range(len(self._name_order), len(self.ids)))
        self._name_order.sort(key=self.texts.__getitem__)  # almost in order already, and so almost free
        ranks, rank, last = array("l", bytes(self._name_ranks.itemsize * len(self.ids))), 0, None
        for position in self._name_order:
            name = self.texts[position].partition("\n")[0]
            if name != last:
                rank, last = rank + 1, name
            ranks[position] = rank
        self._name_ranks, self._ranks_shape = ranks, self.shape
        return ranks


def _text(outline: Outline) -> str:
    return f"{folded(outline.name)}\n{folded(outline.product_code)}"
