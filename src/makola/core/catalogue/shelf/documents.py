"""The documents that were asked for last, up to a number of bytes; the first that came is the first that goes."""

from collections import deque
from typing import NamedTuple

from makola.core.catalogue.store.shelf import StoredDocument

#: What a document takes besides its bytes: three objects' heads, and their places in the lists.
_OVERHEAD_BYTES = 150


class Shelved(NamedTuple):
    """One document, for whoever fills it in. `currencies` are those of the parts."""

    template: bytes
    parts: bytes
    currencies: tuple[str, ...]


class DocumentShelf:
    """Documents in one currency, by position: lists side by side, as an object for each would take as much again.

    Args:
        limit_bytes: what they may take together.

    Attributes:
        templates: by position; None for those that are not here.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.templates: list[bytes | None] = []
        self._parts: list[bytes] = []
        self._currencies: list[tuple[str, ...]] = []
        self._limit_bytes = limit_bytes
        self._queue: deque[int] = deque()
        self._known_currencies: dict[str, tuple[str, ...]] = {"": ()}
        self.size_bytes = 0

    def make_room_for(self, count: int) -> None:
        """Have a place for each of `count` positions."""
        missing = count - len(self.templates)
        self.templates += [None] * missing
        self._parts += [b""] * missing
        self._currencies += [()] * missing

    def get(self, position: int) -> Shelved | None:
        """Return a document, if it is here."""
        template = self.templates[position]
        return None if template is None else Shelved(template, self._parts[position], self._currencies[position])

    def opened(self, stored: StoredDocument) -> Shelved:
        """Return a stored document as it is used, without keeping it."""
        currencies = self._known_currencies.get(stored.part_currencies)
        if currencies is None:
            currencies = self._known_currencies[stored.part_currencies] = tuple(stored.part_currencies.split(","))
        return Shelved(stored.template, stored.parts, currencies)

    def put(self, position: int, document: Shelved) -> None:
        """Take in a document; the oldest go where there are too many."""
        is_queued = self.templates[position] is not None
        self.drop(position)
        self.templates[position] = document.template
        self._parts[position], self._currencies[position] = document.parts, document.currencies
        if not is_queued:
            self._queue.append(position)
            if len(self._queue) > 2 * len(self.templates):  # what was dropped stands there still
                self._queue = deque(each for each in dict.fromkeys(self._queue) if self.templates[each] is not None)
        self.size_bytes += self._size_bytes(position)
        self._trim()

    def limit(self, limit_bytes: int) -> None:
        """Change what the documents may take together."""
        self._limit_bytes = limit_bytes
        self._trim()

    def _trim(self) -> None:
        while self.size_bytes > self._limit_bytes and len(self._queue) > 1:
            self.drop(self._queue.popleft())

    def drop(self, position: int) -> None:
        """Forget a document, if it is here."""
        if position < len(self.templates) and self.templates[position] is not None:
            self.size_bytes -= self._size_bytes(position)
            self.templates[position] = None
            self._parts[position], self._currencies[position] = b"", ()

    def _size_bytes(self, position: int) -> int:
        return len(self.templates[position] or b"") + len(self._parts[position]) + _OVERHEAD_BYTES
