"""Lists of positions: chosen, sorted, and kept until something changes, so that every page costs the same."""

from array import array
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from makola.core.catalogue.shelf.columns import NONE, Columns, folded
from makola.core.catalogue.shelf.offers import Offer
from makola.core.catalogue.types import Selection, SortField, SortKey

#: Positions in all the lists that are kept together.
_MOST_KEPT = 2_000_000
#: What a kept list takes besides its positions, counted in positions.
_ROOM_OF_ONE = 200

_ListKey = tuple[int, frozenset[int], frozenset[int], str, tuple[SortKey, ...]]


class ListShelf:
    """Makes and keeps lists.

    Args:
        columns: of the products.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._shape = -1
        self._kept: OrderedDict[_ListKey, array[int]] = OrderedDict()
        self._kept_count = 0
        self._orders: dict[tuple[SortKey, ...], array[int]] = {}
        self._ranks: dict[tuple[SortKey, ...], array[int]] = {}

    def positions(self, offer: Offer, selection: Selection) -> Sequence[int]:
        """Return what is selected of an offer whose prices are up to date, in order."""
        if self._shape != self._columns.shape:
            self._kept.clear()
            self._kept_count = 0
            self._orders.clear()
            self._ranks.clear()
            self._shape = self._columns.shape
        text = folded(selection.text)
        selection = replace(selection, sort=_decisive(selection.sort))
        key = (offer.number, selection.vendor_ids, selection.type_ids, text, selection.sort)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        made = self._kept[key] = array("I", self._found(offer, selection, text) if text
                                       else self._whole(offer, selection))
        self._kept_count += _room(key, made)
        while self._kept_count > _MOST_KEPT and len(self._kept) > 1:
            self._kept_count -= _room(*self._kept.popitem(last=False))
        return made

    def _found(self, offer: Offer, selection: Selection, text: str) -> Iterable[int]:
        found = self._chosen(offer, selection, self._columns.search.find(text))
        if _needs_prices(selection):
            found.sort(key=self._columns.ids.__getitem__)
            return self._sorted(found, offer, selection.sort)
        found.sort(key=self._rank(offer, selection.sort).__getitem__)
        return found

    def _whole(self, offer: Offer, selection: Selection) -> Iterable[int]:
        """Return what is selected without a text."""
        if _needs_prices(selection):
            return self._sorted(self._chosen(offer, selection, self._columns.by_id()), offer, selection.sort)
        return self._chosen(offer, selection, self._order(offer, selection.sort))

    def _order(self, offer: Offer, sort: tuple[SortKey, ...]) -> "array[int]":
        """Return all positions in an order that is the same for everybody."""
        order = self._orders.get(sort)
        if order is None:
            order = self._orders[sort] = array("I", self._sorted(self._columns.by_id(), offer, sort))
        return order

    def _rank(self, offer: Offer, sort: tuple[SortKey, ...]) -> "array[int]":
        """Return the place of each position in such an order."""
        ranks = self._ranks.get(sort)
        if ranks is None:
            ranks = self._ranks[sort] = array("I", (0,)) * len(self._columns)
            for rank, position in enumerate(self._order(offer, sort)):
                ranks[position] = rank
        return ranks

    def _sorted(self, positions: list[int], offer: Offer, sort: tuple[SortKey, ...]) -> list[int]:
        """Sort positions that are in the order of their ids: the last key first, as sorting is stable."""
        for key in reversed(sort):
            values: Sequence[int] = (
                offer.prices if key.field is SortField.PRICE
                else self._columns.name_ranks() if key.field is SortField.NAME else self._columns.popularity)
            positions.sort(key=values.__getitem__, reverse=key.descending)
        return positions

    def _chosen(self, offer: Offer, selection: Selection, positions: Sequence[int]) -> list[int]:
        columns, prices, live = self._columns, offer.prices, self._columns.live
        if not selection.vendor_ids and not selection.type_ids:
            return [position for position in positions if prices[position] >= 0 and live[position]]
        groups, wanted = columns.groups, _wanted_groups(columns, selection)
        return [position for position in positions
                if wanted[groups[position]] and prices[position] >= 0 and live[position]]


def _room(key: _ListKey, positions: Sequence[int]) -> int:
    """Return what a kept list takes, counted in positions."""
    _, vendor_ids, type_ids, text, _ = key
    return len(positions) + _ROOM_OF_ONE + len(text) + 20 * (len(vendor_ids) + len(type_ids))


def _decisive(sort: tuple[SortKey, ...]) -> tuple[SortKey, ...]:
    """Return the keys that can decide anything: the first of each field. So there are only a few orders."""
    first: dict[SortField, SortKey] = {}
    for key in sort:
        first.setdefault(key.field, key)
    return tuple(first.values())


def _needs_prices(selection: Selection) -> bool:
    return any(each.field is SortField.PRICE for each in selection.sort)


def _wanted_groups(columns: Columns, selection: Selection) -> bytearray:
    """Return for each group whether it is selected; -1 in a filter is what is 0 in a group."""
    vendor_ids = {0 if number == NONE else number for number in selection.vendor_ids}
    type_ids = {0 if number == NONE else number for number in selection.type_ids}
    return bytearray((not vendor_ids or vendor_id in vendor_ids) and (not type_ids or type_id in type_ids)
                     for vendor_id, type_id in columns.group_keys)
