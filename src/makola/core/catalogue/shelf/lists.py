"""Lists of positions: chosen, sorted, and kept until something changes, so that every page costs the same."""

import sys
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from makola.core.catalogue.shelf.columns import NONE, Columns, folded
from makola.core.catalogue.shelf.offers import Offer
from makola.core.catalogue.types import Selection, SortField, SortKey

#: Positions in all the lists that are kept together.
_MOST_KEPT = 2_000_000
#: What a kept list takes besides its positions, counted in positions.
_ROOM_OF_ONE = 200

#: Where this many times as much is found as is wanted, the first are picked out instead of sorting all.
_PICKED_OF = 4

#: Offers of which it is kept what they offer; a byte for each product.
_MOST_MARKS = 64
#: Where a number's sign is, and what becomes of the bytes there: 1 for a price, 0 for none.
_TOP_BYTE = 7 if sys.byteorder == "little" else 0
_NOT_NEGATIVE = bytes(byte < 128 for byte in range(256))

_ListKey = tuple[int, frozenset[int], frozenset[int], str, tuple[SortKey, ...]]


class Listed(NamedTuple):
    """A list in its order: as many positions as were asked for at least, and how many there are."""

    positions: "array[int]"
    total: int


class ListShelf:
    """Makes and keeps lists.

    Args:
        columns: of the products.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._shape = -1
        self._kept: OrderedDict[_ListKey, Listed] = OrderedDict()
        self._kept_count = 0
        self._orders: dict[tuple[SortKey, ...], array[int]] = {}
        self._ranks: dict[tuple[SortKey, ...], array[int]] = {}
        self._marks: dict[int, bytes] = {}

    def positions(self, offer: Offer, selection: Selection, *, until: int) -> Listed:
        """Return what is selected of an offer whose prices are up to date, in order.

        Args:
            offer: whose products and prices.
            selection: which of them, in which order.
            until: how many are wanted from the beginning.
        """
        if self._shape != self._columns.shape:
            self._kept.clear()
            self._kept_count = 0
            self._orders.clear()
            self._ranks.clear()
            self._marks.clear()
            self._shape = self._columns.shape
        text = folded(selection.text)
        selection = replace(selection, sort=_decisive(selection.sort))
        key = (offer.number, selection.vendor_ids, selection.type_ids, text, selection.sort)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            if min(until, kept.total) <= len(kept.positions):
                return kept
            self._kept_count -= _room(key, self._kept.pop(key))
            until = kept.total  # whoever reads on is given all, so that not every page is a search
        made = self._kept[key] = self._found(offer, selection, text, until) if text else self._whole(offer, selection)
        self._kept_count += _room(key, made)
        while self._kept_count > _MOST_KEPT and len(self._kept) > 1:
            self._kept_count -= _room(*self._kept.popitem(last=False))
        return made

    def _found(self, offer: Offer, selection: Selection, text: str, until: int) -> Listed:
        found, are_found = self._columns.search.candidates(text)
        offered = self._offered(offer)
        if not are_found:  # this is what a search takes
            texts = self._columns.texts
            found = [position for position in found if text in texts[position] and offered[position]]
        if are_found or selection.vendor_ids or selection.type_ids:
            found = self._chosen(offer, selection, found)
        if _needs_prices(selection):
            by_id = sorted(found, key=self._columns.ids.__getitem__)
            return _complete(self._sorted(by_id, offer, selection.sort))
        order, ranks = self._order(offer, selection.sort), self._rank(offer, selection.sort)
        ranked = [ranks[position] for position in found]
        first = _lowest(ranked, until, len(order)) if len(ranked) > _PICKED_OF * until else sorted(ranked)
        return Listed(array("I", [order[rank] for rank in first]), len(ranked))

    def _whole(self, offer: Offer, selection: Selection) -> Listed:
        """Return what is selected without a text."""
        if _needs_prices(selection):
            return _complete(self._sorted(self._chosen(offer, selection, self._columns.by_id()), offer,
                                          selection.sort))
        return _complete(self._chosen(offer, selection, self._order(offer, selection.sort)))

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
        offered = self._offered(offer)
        if not selection.vendor_ids and not selection.type_ids:
            return [position for position in positions if offered[position]]
        groups, wanted = self._columns.groups, _wanted_groups(self._columns, selection)
        return [position for position in positions if wanted[groups[position]] and offered[position]]

    def _offered(self, offer: Offer) -> bytes:
        """Return for each position whether it is offered: it has a price, and is not withdrawn."""
        kept = self._marks.get(offer.number)
        if kept is None:
            if len(self._marks) >= _MOST_MARKS:
                self._marks.clear()
            top_bytes = offer.prices.tobytes()[_TOP_BYTE::offer.prices.itemsize]  # 255 in each that is negative
            priced = int.from_bytes(top_bytes.translate(_NOT_NEGATIVE), "little")
            kept = (priced & int.from_bytes(self._columns.live, "little")).to_bytes(len(top_bytes), "little")
            self._marks[offer.number] = kept
        return kept


def _complete(positions: list[int]) -> Listed:
    return Listed(array("I", positions), len(positions))


def _lowest(ranks: Iterable[int], count: int, rank_count: int) -> Iterator[int]:
    """Yield the lowest of different ranks, in order: each is marked at its place, and the places are passed along."""
    marks = bytearray(rank_count)
    for rank in ranks:
        marks[rank] = 1
    place = -1
    for _ in range(count):
        place = marks.find(1, place + 1)
        yield place


def _room(key: _ListKey, listed: Listed) -> int:
    """Return what a kept list takes, counted in positions."""
    _, vendor_ids, type_ids, text, _ = key
    return len(listed.positions) + _ROOM_OF_ONE + len(text) + 20 * (len(vendor_ids) + len(type_ids))


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
