"""How many segments a message takes, and what goes into each (3GPP TS 23.038 and TS 23.040).

A short message carries 140 octets of user data (TS 23.040, 9.2.3.24): 160 septets, 70 UTF-16 code units or
140 octets. What is longer is concatenated: every segment then begins with a User Data Header (UDH) that holds
a concatenation element with an 8-bit reference (9.2.3.24.1), six octets in all, which leaves 153 septets,
67 code units or 134 octets.

A message may bring a UDH of its own, in hex digits, its length octet (UDHL) first. Its n octets (for text:
rounded up to whole septets) are taken from every segment. When such a message is concatenated, both share
one header and one UDHL: the segment's header is then n + 5 octets, and 140 - (n + 5) octets are left (for
n = 7, the usual ports header: 128). A message whose own UDH holds a concatenation element is itself a segment
and must fit in one.
"""

import binascii
import enum
from dataclasses import dataclass
from typing import ClassVar

from makola.core.messaging import gsm0338
from makola.core.messaging.types import MessageKind
from makola.kit.errors import DomainError

#: More than this is refused.
MAX_SEGMENTS = 10

_USER_DATA_OCTETS = 140
# The concatenation element: identifier, length, reference, total, number (TS 23.040, 9.2.3.24.1), and the
# identifiers of it and of its 16-bit form (9.2.3.24.8).
_CONCATENATION_OCTETS = 5
_CONCATENATION_IDENTIFIERS = frozenset({0x00, 0x08})
_GSM7_SINGLE = 160
_GSM7_CONCATENATED = 153
# No longer content fits in ten segments of any kind (binary: two hex digits for each octet).
_MAX_CONTENT_CHARACTERS = 2 * 134 * MAX_SEGMENTS
_ESCAPE = gsm0338.ESCAPE


class MessageTooLongError(DomainError):
    """The content takes more than `MAX_SEGMENTS` segments, or more than one where it must be one."""

    code: ClassVar[str] = "message_too_long"


class InvalidContentError(DomainError):
    """The content is empty, or is not what its kind says."""

    code: ClassVar[str] = "invalid_content"


class InvalidUdhError(DomainError):
    """The User Data Header is not hex digits, or does not add up."""

    code: ClassVar[str] = "invalid_parameter"


class Encoding(enum.Enum):
    """How the user data of a segment is written (the character sets of TS 23.038, section 4)."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class SegmentPlan:
    """What a message takes.

    Attributes:
        encoding: the same in every segment.
        units: the number of segments.
        length: of the whole content without headers, in septets (GSM7), UTF-16 code units (UCS2) or octets
            (BINARY).
    """

    encoding: Encoding
    units: int
    length: int


@dataclass(frozen=True, slots=True)
class SegmentPart:
    """One segment's share of the content.

    Attributes:
        content: characters, or hex digits where the message is binary; all parts joined are the
            message's content.
        payload: the same as it is submitted, without header: septets one to an octet (GSM7), UTF-16
            big-endian (UCS2), or octets (BINARY).
    """

    content: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class _Header:
    """A message's own UDH: its octets (UDHL included; none when empty), and whether it concatenates."""

    octets: bytes
    concatenates: bool


_NO_HEADER = _Header(b"", concatenates=False)


def plan(kind: MessageKind, content: str, udh: str) -> SegmentPlan:
    """Say in which encoding and in how many segments a message goes out.

    Args:
        kind: TEXT takes the GSM alphabet where every character is in it and UCS-2 otherwise; UNICODE always
            takes UCS-2.
        content: characters, or hex digits where `kind` is BINARY.
        udh: the message's own User Data Header in hex digits, its length octet first; empty for none.

    Raises:
        InvalidContentError: empty, not hex digits (BINARY), a NUL character or half a surrogate pair.
        InvalidUdhError: the header is not hex digits or its lengths do not add up.
        MessageTooLongError: more than `MAX_SEGMENTS`.
    """
    if kind is MessageKind.TEXT and not udh and gsm0338.is_basic(content):
        # The common case: a septet for each character, so that the length alone decides.
        prepared = _BASIC_PLANS.get(len(content))
        if prepared is not None:
            return prepared
    encoding, payload, header = _read(kind, content, udh)
    units = len(_cuts(encoding, payload, header))
    return SegmentPlan(encoding, units, len(payload) // _octets_each(encoding))


def split(kind: MessageKind, content: str, udh: str) -> tuple[SegmentPart, ...]:
    """Cut a message into the segments that `plan` counts; takes and raises the same."""
    encoding, payload, header = _read(kind, content, udh)
    parts = []
    begin = content_begin = 0
    for end in _cuts(encoding, payload, header):
        piece = payload[begin:end]
        content_end = content_begin + _characters(encoding, piece)
        parts.append(SegmentPart(content[content_begin:content_end], piece))
        begin, content_begin = end, content_end
    return tuple(parts)


def segment_header(udh: str, *, reference: int, number: int, total: int) -> bytes:
    """Make the whole User Data Header of one segment.

    Where there are several it begins with the concatenation element; the message's own elements follow.

    Args:
        udh: the message's own header in hex digits; empty for none.
        reference: 0 to 255, the same in all segments of a message, another in the next to the same recipient.
        number: this segment, from 1.
        total: how many there are; 1 adds nothing to `udh`.

    Raises:
        InvalidUdhError: as `plan`.
        ValueError: a number out of its range.
    """
    if not (0 <= reference <= 0xFF and 1 <= number <= total <= 0xFF):
        raise ValueError(f"segment {number} of {total}, reference {reference}")
    own = _read_header(udh).octets
    if total == 1:
        return own
    elements = bytes((0x00, 0x03, reference, total, number)) + own[1:]
    return bytes((len(elements),)) + elements


# By length. Made once: to build a frozen dataclass costs more than to look one up.
_BASIC_PLANS = {
    length: SegmentPlan(Encoding.GSM7, units=-(-length // _GSM7_CONCATENATED), length=length)
    for length in range(1, _GSM7_CONCATENATED * MAX_SEGMENTS + 1)
} | {length: SegmentPlan(Encoding.GSM7, 1, length) for length in range(1, _GSM7_SINGLE + 1)}


def _read(kind: MessageKind, content: str, udh: str) -> tuple[Encoding, bytes, _Header]:
    """Check a message, and write its content as `SegmentPart.payload` has it."""
    header = _read_header(udh)
    if not content:
        raise InvalidContentError("The content is empty.", field="content")
    if len(content) > _MAX_CONTENT_CHARACTERS:
        raise _too_long()
    if kind is MessageKind.BINARY:
        return Encoding.BINARY, _octets_of_hex(content), header
    if kind is MessageKind.TEXT and gsm0338.is_gsm7(content):
        return Encoding.GSM7, gsm0338.encode_gsm7(content), header
    if "\0" in content:
        raise InvalidContentError("The content holds a NUL character.", field="content")
    try:
        return Encoding.UCS2, content.encode("utf-16-be"), header
    except UnicodeEncodeError:
        raise InvalidContentError("The content holds half a surrogate pair.", field="content") from None


def _octets_of_hex(content: str) -> bytes:
    try:
        return binascii.unhexlify(content)
    except ValueError:
        raise InvalidContentError(
            "The content of a binary message must be hex digits, two for each octet.", field="content"
        ) from None


def _read_header(udh: str) -> _Header:
    """Read a UDH: a length octet, then elements of identifier, length and data (TS 23.040, 9.2.3.24)."""
    if not udh:
        return _NO_HEADER
    try:
        octets = binascii.unhexlify(udh)
    except ValueError:
        raise InvalidUdhError("Udh must be hex digits, two for each octet.", field="udh") from None
    if octets[0] != len(octets) - 1:
        raise InvalidUdhError(
            f"Udh begins with its length: {octets[0]} is said, {len(octets) - 1} octets follow.", field="udh"
        )
    if len(octets) >= _USER_DATA_OCTETS:
        raise InvalidUdhError("Udh leaves no room for content.", field="udh")
    identifiers = set()
    position = 1
    while position + 1 < len(octets):
        identifiers.add(octets[position])
        position += 2 + octets[position + 1]
    if position != len(octets):
        raise InvalidUdhError("The elements of Udh do not add up to its length.", field="udh")
    return _Header(octets, concatenates=not identifiers.isdisjoint(_CONCATENATION_IDENTIFIERS))


def _octets_each(encoding: Encoding) -> int:
    """Octets of payload for each septet, code unit or octet."""
    return 2 if encoding is Encoding.UCS2 else 1


def _capacity(encoding: Encoding, header_octets: int) -> int:
    """Octets of payload (unpacked, where they are septets) that fit beside a header of `header_octets`."""
    octets = max(_USER_DATA_OCTETS - header_octets, 0)
    if encoding is Encoding.GSM7:
        # Whole septets; what is left over are the fill bits.
        return octets * 8 // 7
    return octets - octets % _octets_each(encoding)


def _cuts(encoding: Encoding, payload: bytes, header: _Header) -> list[int]:
    """Where each segment ends in `payload`, as full as an unbroken character allows."""
    own_octets = len(header.octets)
    if len(payload) <= _capacity(encoding, own_octets):
        return [len(payload)]
    if header.concatenates:
        raise MessageTooLongError(
            "The content does not fit in one segment, and its Udh says that it is one of several.",
            field="content",
        )
    capacity = _capacity(encoding, (own_octets or 1) + _CONCATENATION_OCTETS)
    cuts: list[int] = []
    begin = 0
    while begin < len(payload):
        end = begin + capacity
        if end < len(payload):
            end -= _broken_octets(encoding, payload, end)
        # Where the header leaves no room for a character nothing advances, and this ends it too.
        if len(cuts) == MAX_SEGMENTS:
            raise _too_long()
        begin = min(end, len(payload))
        cuts.append(begin)
    return cuts


def _broken_octets(encoding: Encoding, payload: bytes, end: int) -> int:
    """How many octets before `end` belong to a character that a cut there would break."""
    if encoding is Encoding.GSM7:
        # The septet after an escape is never an escape, so the last one tells.
        return 1 if payload[end - 1] == _ESCAPE else 0
    if encoding is Encoding.UCS2:
        return 2 if 0xD8 <= payload[end - 2] <= 0xDB else 0
    return 0


def _characters(encoding: Encoding, payload: bytes) -> int:
    """How many characters of content `payload` stands for."""
    if encoding is Encoding.GSM7:
        return len(payload) - payload.count(_ESCAPE)
    if encoding is Encoding.UCS2:
        return len(payload.decode("utf-16-be"))
    return 2 * len(payload)


def _too_long() -> MessageTooLongError:
    return MessageTooLongError(f"The content takes more than {MAX_SEGMENTS} segments.", field="content")
