"""What fits on a USSD screen: 182 septets of the GSM alphabet (3GPP TS 23.038, section 6.1.2.3), or 91 of UCS-2.

Pure: no I/O, no clock.
"""

import enum

from makola.core.messaging import gsm0338

MOST_SEPTETS = 182
MOST_UCS2 = 91

#: What the subscriber types to see the next page, and how every page but the last one ends.
MORE = "00"
_MORE_LINE = f"\n{MORE}. More"


class Encoding(enum.StrEnum):
    """How a screen goes out."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


def encoding_of(text: str) -> Encoding:
    """Return the alphabet that a text needs."""
    return Encoding.GSM7 if gsm0338.is_gsm7(text) else Encoding.UCS2


def length_of(text: str, encoding: Encoding) -> int:
    """Return a text's length in septets or UTF-16 code units."""
    if encoding is Encoding.GSM7:
        return len(text) if gsm0338.is_basic(text) else len(gsm0338.encode_gsm7(text))
    return len(text.encode("utf-16-be", "surrogatepass")) // 2


def fits(text: str) -> bool:
    """Say whether a text fits on one screen."""
    encoding = encoding_of(text)
    return length_of(text, encoding) <= _most(encoding)


def is_displayable(text: str) -> bool:
    """Say whether a text can be shown at all: no NUL, no half of a surrogate pair."""
    if text.isascii():
        return "\0" not in text
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def pages(text: str) -> tuple[str, ...]:
    """Cut a text into screens; every one but the last ends with how to see the next.

    A page ends at a line's end where that is not too early, otherwise at a space, otherwise in mid-word.
    """
    if fits(text):
        return (text,)
    text = text.strip()
    encoding = encoding_of(text)  # of the whole: a subscriber's phone is not made to change between pages
    most = _most(encoding)
    room = most - length_of(_MORE_LINE, encoding)
    cut: list[str] = []
    rest = text
    # One character more than fits says as much as all of them, and is not measured again for every page.
    while length_of(rest[:most + 1], encoding) > most:
        end = _longest(rest, encoding, room)
        end = _good_end(rest, end)
        cut.append(rest[:end].rstrip() + _MORE_LINE)
        rest = rest[end:].lstrip(" \n\r")
    return (*cut, rest)


def shortened(text: str) -> str:
    """Return a text that fits on one screen, cut after a sentence where there is one."""
    if fits(text):
        return text
    encoding = encoding_of(text)
    end = _longest(text, encoding, _most(encoding))
    sentence = text.rfind(". ", 0, end)
    return text[:sentence + 1] if sentence > 0 else text[:end]


def _most(encoding: Encoding) -> int:
    return MOST_SEPTETS if encoding is Encoding.GSM7 else MOST_UCS2


def _longest(text: str, encoding: Encoding, room: int) -> int:
    """Return how many characters of `text` fit into `room`."""
    used = 0
    for index, character in enumerate(text):
        used += length_of(character, encoding)
        if used > room:
            return index
    return len(text)


def _good_end(text: str, end: int) -> int:
    for separator in ("\n", " "):
        found = text.rfind(separator, end // 2, end + 1)
        if found > 0:
            return found
    return end
