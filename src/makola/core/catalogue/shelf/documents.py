"""The documents that were asked for last, up to a number of bytes; the first that came is the first that goes."""

from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from makola.core.catalogue.documents import GAP
from makola.core.catalogue.store.shelf import StoredDocument

#: What a document takes besides its text: its pieces, their tuple, its place in the list.
_OVERHEAD_BYTES = 500


@dataclass(frozen=True, slots=True)
class Shelved:
    """A document in pieces, with a gap between each two. `parts` holds part id and cost by turns."""

    pieces: tuple[bytes, ...]
    parts: "array[int] | None"
    currencies: tuple[str, ...]
    size_bytes: int


class DocumentShelf:
    """Documents in one currency, by position.

    Args:
        limit_bytes: what they may take together.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._documents: dict[int, Shelved] = {}
        self._queue: deque[int] = deque()
        self._currencies: dict[tuple[str, ...], tuple[str, ...]] = {}

    def get(self, position: int) -> Shelved | None:
        """Return a document, if it is here."""
        return self._documents.get(position)

    def put(self, position: int, stored: StoredDocument) -> tuple[Shelved, list[int]]:
        """Take in a document; return it, and the positions of those that had to go."""
        self.drop(position)
        parts = array("q", _by_turns(stored.part_ids, stored.part_costs_units)) if stored.part_ids else None
        currencies = tuple(stored.part_currencies)
        shelved = Shelved(tuple(stored.template.split(GAP)), parts, self._currencies.setdefault(currencies, currencies),
                          len(stored.template) + _OVERHEAD_BYTES)
        self._documents[position] = shelved
        self._queue.append(position)
        self._size_bytes += shelved.size_bytes
        gone: list[int] = []
        while self._size_bytes > self._limit_bytes and len(self._documents) > 1:
            oldest = self._queue.popleft()
            if oldest != position and self.drop(oldest):
                gone.append(oldest)
        return shelved, gone

    def drop(self, position: int) -> bool:
        """Forget a document; False when it was not here."""
        shelved = self._documents.pop(position, None)
        if shelved is None:
            return False
        self._size_bytes -= shelved.size_bytes
        return True


def _by_turns(ids: Sequence[int], costs_units: Sequence[int]) -> list[int]:
    return [number for pair in zip(ids, costs_units, strict=True) for number in pair]
