"""Substring search over the texts of all products: trigrams narrow down where to look, a comparison decides.

PostgreSQL's own trigrams are an extension, which is not asked for. A list of positions for each trigram takes about
a third of a kilobyte a product, and a search looks at the products of the rarest trigram only.
"""

from array import array
from collections import OrderedDict
from collections.abc import Sequence

_TRIGRAM = 3
_MOST_SHORT = 64


class Search:
    """Finds the positions whose text contains another text.

    Args:
        texts: by position, folded; whoever changes them says so with `add` and `change`.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._positions: dict[str, array[int]] = {}
        self._short: OrderedDict[str, array[int]] = OrderedDict()

    def add(self, position: int) -> None:
        """Take in the text of a new position."""
        text = self._texts[position]
        self._insert(position, {text[start:start + _TRIGRAM] for start in range(len(text) - _TRIGRAM + 1)})

    def change(self, position: int, before: str) -> None:
        """Take in a changed text. What is no longer in it stays listed and fails the comparison."""
        text = self._texts[position]
        self._insert(position, {text[start:start + _TRIGRAM] for start in range(len(text) - _TRIGRAM + 1)
                                if text[start:start + _TRIGRAM] not in before})

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
        texts = self._texts
        return list({position for position in rarest or () if needle in texts[position]})

    def _find_short(self, needle: str) -> "array[int]":
        """Look at every text; there are few such needles, and the last ones asked for are remembered."""
        found = self._short.get(needle)
        if found is None:
            found = array("I", [position for position, text in enumerate(self._texts) if needle in text])
            self._short[needle] = found
            if len(self._short) > _MOST_SHORT:
                self._short.popitem(last=False)
        return found
