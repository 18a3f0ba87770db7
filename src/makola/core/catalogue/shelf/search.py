"""Substring search over the texts of all products: trigrams narrow down where to look; whoever looks compares.

PostgreSQL's own trigrams are an extension, which is not asked for. A list of positions for each trigram takes about
a third of a kilobyte a product, and a search looks at the products of the rarest trigram only.
"""

from array import array
from collections.abc import Sequence
from typing import NamedTuple

_TRIGRAM = 3
#: No needle has a line feed in it; with two of them behind a text, each of its characters begins a trigram.
_END = "\n\n"


class Candidates(NamedTuple):
    """Positions, each once, among which are all whose text contains a needle; if `are_found`, no others."""

    positions: Sequence[int]
    are_found: bool


class Search:
    """Knows at which positions the text may contain another text.

    Args:
        texts: by position, folded; whoever changes them says so with `add` and `change`.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._positions: dict[str, array[int]] = {}
        self._changed = False

    def add(self, position: int) -> None:
        """Take in the text of a new position."""
        self._insert(position, _trigrams(self._texts[position]))

    def change(self, position: int, before: str) -> None:
        """Take in a changed text. What is no longer in it stays listed, and what comes back is listed twice."""
        self._changed = True
        self._insert(position, _trigrams(self._texts[position]) - _trigrams(before))

    def _insert(self, position: int, trigrams: set[str]) -> None:
        positions = self._positions
        for trigram in trigrams:
            if (listed := positions.get(trigram)) is None:
                positions[trigram] = array("I", (position,))
            else:
                listed.append(position)

    def candidates(self, needle: str) -> Candidates:
        """Return where `needle` (folded, not empty) may be."""
        if "\n" in needle:
            return Candidates((), are_found=True)  # it would reach from a name into a code
        if len(needle) < _TRIGRAM:
            return Candidates(self._listed_for(needle), are_found=not self._changed)
        rarest: array[int] | None = None
        for start in range(len(needle) - _TRIGRAM + 1):
            listed = self._positions.get(needle[start:start + _TRIGRAM])
            if listed is None:
                return Candidates((), are_found=True)
            if rarest is None or len(listed) < len(rarest):
                rarest = listed
        found: Sequence[int] = rarest or ()
        return Candidates(list(set(found)) if self._changed else found,
                          are_found=len(needle) == _TRIGRAM and not self._changed)

    def _listed_for(self, needle: str) -> list[int]:
        """Put together what is listed for the trigrams that begin with a needle."""
        together: set[int] = set()
        for trigram, listed in self._positions.items():
            if trigram.startswith(needle):
                together.update(listed)
        return list(together)


def _trigrams(text: str) -> set[str]:
    text += _END
    return {text[start:start + _TRIGRAM] for start in range(len(text) - _TRIGRAM + 1)}
