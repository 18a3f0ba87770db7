"""Substring search over the texts of all products: trigrams narrow down where to look, a comparison decides.

PostgreSQL's own trigrams are an extension, which is not asked for. A list of positions for each trigram takes about
a third of a kilobyte a product, and a search looks at the products of the rarest trigram only.
"""

from array import array
from collections import OrderedDict
from collections.abc import Iterable, Sequence

_TRIGRAM = 3
#: No needle has a line feed in it; with two of them behind a text, each of its characters begins a trigram.
_END = "\n\n"
_MOST_SHORT = 16


class Search:
    """Finds the positions whose text contains another text.

    Args:
        texts: by position, folded; whoever changes them says so with `add` and `change`.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._positions: dict[str, array[int]] = {}
        self._changed: set[int] = set()
        self._short: OrderedDict[str, array[int]] = OrderedDict()

    def add(self, position: int) -> None:
        """Take in the text of a new position."""
        self._insert(position, _trigrams(self._texts[position]))

    def change(self, position: int, before: str) -> None:
        """Take in a changed text. What is no longer in it stays listed and fails the comparison."""
        self._changed.add(position)
        self._insert(position, _trigrams(self._texts[position]) - _trigrams(before))

    def _insert(self, position: int, trigrams: set[str]) -> None:
        self._short.clear()
        positions = self._positions
        for trigram in trigrams:
            if (listed := positions.get(trigram)) is None:
                positions[trigram] = array("I", (position,))
            else:
                listed.append(position)

    def find(self, needle: str) -> Sequence[int]:
        """Return the positions whose text contains `needle` (folded, not empty), in no order, each once."""
        if "\n" in needle:
            return ()  # it would reach from a name into a code
        if len(needle) < _TRIGRAM:
            return self._find_short(needle)
        rarest: array[int] | None = None
        for start in range(len(needle) - _TRIGRAM + 1):
            listed = self._positions.get(needle[start:start + _TRIGRAM])
            if listed is None:
                return ()
            if rarest is None or len(listed) < len(rarest):
                rarest = listed
        if rarest is None or (len(needle) == _TRIGRAM and not self._changed):
            return rarest or ()
        return self._compared(needle, rarest)

    def _find_short(self, needle: str) -> "array[int]":
        """Put together what is listed for the trigrams that begin with a needle; the last needles are remembered."""
        found = self._short.get(needle)
        if found is None:
            together: set[int] = set()
            for trigram, listed in self._positions.items():
                if trigram.startswith(needle):
                    together.update(listed)
            found = array("I", self._compared(needle, together) if self._changed else together)
            self._short[needle] = found
            if len(self._short) > _MOST_SHORT:
                self._short.popitem(last=False)
        return found

    def _compared(self, needle: str, positions: Iterable[int]) -> Sequence[int]:
        """Return those that do contain the needle; a text that changed back and forth is listed more than once."""
        texts = self._texts
        found = [position for position in positions if needle in texts[position]]
        return list(set(found)) if self._changed else found


def _trigrams(text: str) -> set[str]:
    text += _END
    return {text[start:start + _TRIGRAM] for start in range(len(text) - _TRIGRAM + 1)}
