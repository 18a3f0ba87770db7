"""The GSM 7-bit default alphabet and its packing into octets (3GPP TS 23.038, sections 6.1.2 and 6.2.1).

The national language tables (6.2.1.2.2 and on) are not used: a text that needs them goes out as UCS-2.
"""

import re

#: The septet 0x1B: the next septet is to be looked up in the extension table (6.2.1, note 1).
ESCAPE = 0x1B

# Section 6.2.1, septets 0x00 to 0x7F in order, sixteen in a line. The escape stands in its own place.
_DEFAULT_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

# Section 6.2.1.1. 0x0D (a second carriage return) and 0x1B (a further extension) are reserved there:
# they stand for no character.
_EXTENSION_TABLE = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\",
    0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip

#: Every character that one septet stands for.
BASIC_CHARACTERS = frozenset(_DEFAULT_ALPHABET) - {chr(ESCAPE)}
#: Every character that takes an escape and one septet more.
EXTENSION_CHARACTERS = frozenset(_EXTENSION_TABLE.values())

_BASIC_CLASS = "".join(map(re.escape, sorted(BASIC_CHARACTERS)))
_EXTENSION_CLASS = "".join(map(re.escape, sorted(EXTENSION_CHARACTERS)))
_BASIC_TEXT = re.compile(f"[{_BASIC_CLASS}]*")
_GSM7_TEXT = re.compile(f"[{_BASIC_CLASS}{_EXTENSION_CLASS}]*")

# Characters to septets, written as the characters of the same number so that `str.translate` does the work.
_TO_SEPTETS = {ord(character): septet for septet, character in enumerate(_DEFAULT_ALPHABET)} | {
    ord(character): chr(ESCAPE) + chr(septet) for septet, character in _EXTENSION_TABLE.items()
}
_FROM_SEPTETS = dict(enumerate(_DEFAULT_ALPHABET))
_ESCAPED = re.compile("\x1b(.?)", re.DOTALL)


def is_basic(text: str) -> bool:
    """Tell whether one septet each is enough for every character of `text`."""
    return _BASIC_TEXT.fullmatch(text) is not None


def is_gsm7(text: str) -> bool:
    """Tell whether `text` can be written in the default alphabet and its extension table."""
    return _GSM7_TEXT.fullmatch(text) is not None


def encode_gsm7(text: str) -> bytes:
    """Write `text` in septets, one to an octet; an extension character takes two.

    Raises:
        UnicodeEncodeError: a character is neither in the alphabet nor in the extension table.
    """
    beginning = _GSM7_TEXT.match(text)
    end = beginning.end() if beginning else 0
    if end < len(text):
        raise UnicodeEncodeError("gsm0338", text, end, end + 1, "not in the GSM 7-bit default alphabet")
    return text.translate(_TO_SEPTETS).encode("ascii")


def decode_gsm7(septets: bytes) -> str:
    """Read septets, one to an octet.

    As 6.2.1.1 asks of a receiver, an escaped septet that the extension table does not know is read from the
    default alphabet, and a second escape (or an escape with nothing after it) as a space.

    Raises:
        UnicodeDecodeError: an octet is over 0x7F.
    """
    try:
        text = septets.decode("ascii")
    except UnicodeDecodeError as error:
        raise UnicodeDecodeError("gsm0338", septets, error.start, error.end, "not a septet") from None
    if chr(ESCAPE) not in text:
        return text.translate(_FROM_SEPTETS)
    # Odd pieces are what followed an escape: split() with a group keeps them.
    pieces = _ESCAPED.split(text)
    return "".join(
        _unescape(piece) if index % 2 else piece.translate(_FROM_SEPTETS)
        for index, piece in enumerate(pieces)
    )


def _unescape(septet: str) -> str:
    if septet in ("", chr(ESCAPE)):
        return " "
    number = ord(septet)
    return _EXTENSION_TABLE.get(number, _DEFAULT_ALPHABET[number])


def fill_bits_after(header_octets: int) -> int:
    """The bits left empty after a header so that the text begins on a septet (TS 23.040, 9.2.3.24).

    Args:
        header_octets: the whole User Data Header, its length octet included; 0 for none.
    """
    return -8 * header_octets % 7


def pack_septets(septets: bytes, fill_bits: int = 0) -> bytes:
    """Pack septets into octets, the lowest bits first (TS 23.038, 6.1.2.1.1).

    Args:
        septets: one to an octet.
        fill_bits: zero bits before the first septet, 0 to 6; see `fill_bits_after`.

    Raises:
        ValueError: an octet over 0x7F, or `fill_bits` out of range.
    """
    _check_fill_bits(fill_bits)
    packed = bytearray()
    pending, pending_bits = 0, fill_bits
    for septet in septets:
        if septet > 0x7F:
            raise ValueError(f"0x{septet:02X} is not a septet")
        pending |= septet << pending_bits
        pending_bits += 7
        if pending_bits >= 8:
            packed.append(pending & 0xFF)
            pending >>= 8
            pending_bits -= 8
    if pending_bits and septets:
        packed.append(pending)
    return bytes(packed)


def unpack_septets(octets: bytes, count: int, fill_bits: int = 0) -> bytes:
    """Undo `pack_septets`.

    Args:
        octets: the packed text, without its header.
        count: how many septets to read. Eight fit in seven octets, so the octets alone do not say
            whether the last one is padding.
        fill_bits: bits to skip before the first septet, 0 to 6.

    Raises:
        ValueError: fewer than `count` septets are there, or `fill_bits` is out of range.
    """
    _check_fill_bits(fill_bits)
    if not 0 <= count <= max(len(octets) * 8 - fill_bits, 0) // 7:
        raise ValueError(f"{len(octets)} octets do not hold {count} septets")
    bits = int.from_bytes(octets, "little") >> fill_bits
    return bytes(bits >> 7 * index & 0x7F for index in range(count))


def _check_fill_bits(fill_bits: int) -> None:
    if not 0 <= fill_bits <= 6:
        raise ValueError(f"{fill_bits} fill bits: there are 0 to 6")
