"""Whole numbers as forms, addresses and command lines write them."""

_LARGEST = 2**63 - 1  # of an id in the database
_MOST_DIGITS = len(str(_LARGEST))


def read_whole_number(text: str, *, largest: int = _LARGEST) -> int | None:
    """Return a number that is written in the digits 0 to 9 alone; None for anything else, and above `largest`."""
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
        return None
    number = int(text)
    return number if number <= largest else None
