"""How many segments a message takes and what goes into each (3GPP TS 23.038 and TS 23.040)."""

import itertools

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from makola.core.messaging.gsm0338 import encode_gsm7, fill_bits_after, pack_septets
from makola.core.messaging.segments import (
    MAX_SEGMENTS,
    Encoding,
    InvalidContentError,
    InvalidUdhError,
    MessageTooLongError,
    SegmentPlan,
    plan,
    segment_header,
    split,
)
from makola.core.messaging.types import MessageKind

TEXT, BINARY, UNICODE = MessageKind.TEXT, MessageKind.BINARY, MessageKind.UNICODE
GSM7, UCS2 = Encoding.GSM7, Encoding.UCS2

PORTS = "06050415810000"
CONCATENATED = "050003CC0201"


# --- how many segments ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        (TEXT, "a", (GSM7, 1, 1)),
        (TEXT, "a" * 160, (GSM7, 1, 160)),
        (TEXT, "a" * 161, (GSM7, 2, 161)),
        (TEXT, "a" * 306, (GSM7, 2, 306)),
        (TEXT, "a" * 307, (GSM7, 3, 307)),
        (TEXT, "a" * 1530, (GSM7, 10, 1530)),
        (TEXT, "@ñΩ\r\n", (GSM7, 1, 5)),
        (TEXT, "€" * 80, (GSM7, 1, 160)),
        (TEXT, "€" * 80 + "a", (GSM7, 2, 161)),
        # An extension character that would straddle septets 153 and 154 moves to the next segment whole.
        (TEXT, "a" * 152 + "€" + "a" * 152, (GSM7, 3, 306)),
        (TEXT, "a" * 151 + "€" + "a" * 153, (GSM7, 2, 306)),
        (TEXT, "a" * 152 + "€" + "a" * 151, (GSM7, 2, 305)),
        (TEXT, "€" * 760, (GSM7, 10, 1520)),
        # One character that is not in the alphabet makes all of it UCS-2.
        (TEXT, "é" * 71, (GSM7, 1, 71)),
        (TEXT, "ê" + "a" * 69, (UCS2, 1, 70)),
        (TEXT, "ê" + "a" * 70, (UCS2, 2, 71)),
        (TEXT, "a\tb", (UCS2, 1, 3)),
        (TEXT, "a\x1bb", (UCS2, 1, 3)),
        (UNICODE, "a" * 70, (UCS2, 1, 70)),
        (UNICODE, "a" * 71, (UCS2, 2, 71)),
        (UNICODE, "a" * 134, (UCS2, 2, 134)),
        (UNICODE, "a" * 135, (UCS2, 3, 135)),
        (UNICODE, "a" * 670, (UCS2, 10, 670)),
        (UNICODE, "🎉" * 35, (UCS2, 1, 70)),
        (UNICODE, "🎉" * 36, (UCS2, 2, 72)),
        # 66 + a pair that would straddle 67 and 68.
        (UNICODE, "a" * 66 + "🎉" + "a" * 66, (UCS2, 3, 134)),
        (UNICODE, "a" * 65 + "🎉" + "a" * 67, (UCS2, 2, 134)),
        (BINARY, "00", (Encoding.BINARY, 1, 1)),
        (BINARY, "fF" * 140, (Encoding.BINARY, 1, 140)),
        (BINARY, "ff" * 141, (Encoding.BINARY, 2, 141)),
        (BINARY, "ff" * 268, (Encoding.BINARY, 2, 268)),
        (BINARY, "ff" * 269, (Encoding.BINARY, 3, 269)),
        (BINARY, "ff" * 1340, (Encoding.BINARY, 10, 1340)),
    ],
)
def test_boundaries(kind: MessageKind, content: str, expected: tuple[Encoding, int, int]) -> None:
    assert plan(kind, content, "") == SegmentPlan(*expected)


@pytest.mark.parametrize(
    ("kind", "content", "udh", "units"),
    [
        # Beside a header of n octets: 140 - n octets, in whole septets or code units.
        (BINARY, "ff" * 133, PORTS, 1),
        (BINARY, "ff" * 134, CONCATENATED, 1),
        (BINARY, "ff" * 139, "00", 1),
        (TEXT, "a" * 152, PORTS, 1),
        (TEXT, "a" * 153, CONCATENATED, 1),
        (TEXT, "€" * 76, PORTS, 1),
        (UNICODE, "a" * 66, PORTS, 1),
        (UNICODE, "a" * 67, CONCATENATED, 1),
        # Concatenated: 140 - (7 + 5) = 128 octets, 146 septets, 64 code units.
        (BINARY, "ff" * 134, PORTS, 2),
        (BINARY, "ff" * 256, PORTS, 2),
        (BINARY, "ff" * 257, PORTS, 3),
        (BINARY, "ff" * 1280, PORTS, 10),
        (TEXT, "a" * 153, PORTS, 2),
        (TEXT, "a" * 292, PORTS, 2),
        (TEXT, "a" * 293, PORTS, 3),
        (UNICODE, "a" * 67, PORTS, 2),
        (UNICODE, "a" * 128, PORTS, 2),
        (UNICODE, "a" * 129, PORTS, 3),
        # A header without elements costs nothing more once there is one anyway.
        (BINARY, "ff" * 268, "00", 2),
        # The longest header that leaves an octet.
        (BINARY, "ff", f"8A7088{'00' * 136}", 1),
    ],
)
def test_a_header_of_its_own_takes_room(kind: MessageKind, content: str, udh: str, units: int) -> None:
    assert plan(kind, content, udh).units == units


@pytest.mark.parametrize(
    ("kind", "content", "udh"),
    [
        (TEXT, "a" * 1531, ""),
        (TEXT, "€" * 761, ""),
        (TEXT, "ê" + "a" * 670, ""),
        (TEXT, "a" * 10_000_000, ""),
        (UNICODE, "a" * 671, ""),
        (UNICODE, "🎉" * 331, ""),
        (BINARY, "ff" * 1341, ""),
        (BINARY, "ff" * 1281, PORTS),
        # Already one segment of several.
        (BINARY, "ff" * 135, CONCATENATED),
        (TEXT, "a" * 154, CONCATENATED),
        (UNICODE, "a" * 68, CONCATENATED),
        (BINARY, "ff" * 134, "060804CC000201"),
        # No room, or not enough for one character.
        (UNICODE, "a", f"8A7088{'00' * 136}"),
        (TEXT, "€", f"8A7088{'00' * 136}"),
        (TEXT, "a" * 20, f"857083{'00' * 131}"),
        (UNICODE, "🎉", f"887086{'00' * 134}"),
    ],
)
def test_too_long(kind: MessageKind, content: str, udh: str) -> None:
    for function in (plan, split):
        with pytest.raises(MessageTooLongError) as raised:
            function(kind, content, udh)
        assert (raised.value.code, raised.value.field) == ("message_too_long", "content")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        *((kind, "") for kind in MessageKind),
        *((TEXT, content) for content in ("a\0b", "\ud83c", "a\udf89", "\ud83c\udf89", "\udf89\ud83c")),
        *((UNICODE, content) for content in ("\0", "\ud83c", "a\udf89")),
        *((BINARY, content) for content in ("0", "abc", "xy", "0x00", "00 11", " 0011", "0011\n", "-1", "00\0\0")),
        *((BINARY, content) for content in ("٠٠", "００", "\ud800\ud800")),
    ],
)
def test_invalid_content(kind: MessageKind, content: str) -> None:
    for function in (plan, split):
        with pytest.raises(InvalidContentError) as raised:
            function(kind, content, "")
        assert (raised.value.code, raised.value.field) == ("invalid_content", "content")


@pytest.mark.parametrize(
    "udh",
    [
        "0", "05", "0500", "0400030C0201", "060003CC0201", "050003CC02", "050003CC0201FF", "050004CC0201",
        "050002CC0201", "0100", "xx", "05 0003CC0201", " 050003CC0201", "050003CC0201\n", "٠٠", "\ud800\ud800", "\0\0",
        f"8B7089{'00' * 137}", f"FF70FD{'00' * 253}",
    ],
)  # fmt: skip
def test_invalid_udh(udh: str) -> None:
    for function in (plan, split):
        with pytest.raises(InvalidUdhError) as raised:
            function(BINARY, "00", udh)
        assert (raised.value.code, raised.value.field) == ("invalid_parameter", "udh")
    with pytest.raises(InvalidUdhError):
        plan(TEXT, "hello", udh)


# --- what goes into each --------------------------------------------------------------------------------------


def contents(kind: MessageKind, content: str, udh: str = "") -> list[str]:
    return [part.content for part in split(kind, content, udh)]


def test_characters_are_not_broken() -> None:
    assert contents(TEXT, "a" * 152 + "€" + "b" * 10) == ["a" * 152, "€" + "b" * 10]
    assert contents(TEXT, "a" * 151 + "€" + "b" * 10) == ["a" * 151 + "€", "b" * 10]
    assert contents(UNICODE, "a" * 66 + "🎉" + "b" * 10) == ["a" * 66, "🎉" + "b" * 10]
    assert contents(UNICODE, "a" * 65 + "🎉" + "b" * 10) == ["a" * 65 + "🎉", "b" * 10]
    assert contents(BINARY, "aB" * 134 + "cD" * 10) == ["aB" * 134, "cD" * 10]


def test_payloads() -> None:
    assert [part.payload for part in split(TEXT, "@{", "")] == [b"\x00\x1b\x28"]
    assert [part.payload for part in split(UNICODE, "a🎉", "")] == [b"\x00a\xd8\x3c\xdf\x89"]
    assert [part.payload for part in split(BINARY, "00fF", "")] == [b"\x00\xff"]


def test_headers_of_segments() -> None:
    assert segment_header("", reference=7, number=1, total=1) == b""
    assert segment_header(PORTS, reference=7, number=1, total=1).hex().upper() == PORTS
    assert segment_header("", reference=0xCC, number=1, total=2).hex().upper() == "050003CC0201"
    assert segment_header(PORTS, reference=0xCC, number=2, total=3).hex().upper() == "0B0003CC0302050415810000"
    assert segment_header("00", reference=0xCC, number=1, total=2).hex().upper() == "050003CC0201"
    for reference, number, total in ((256, 1, 2), (-1, 1, 2), (0, 0, 2), (0, 3, 2), (0, 1, 256)):
        with pytest.raises(ValueError, match=r"segment"):
            segment_header("", reference=reference, number=number, total=total)


headers = st.one_of(
    st.just(""),
    st.sampled_from([PORTS, "00", "03240101"]),
    st.binary(max_size=40).map(lambda data: bytes([len(data) + 2, 0x70, len(data)]) + data).map(bytes.hex),
)
# Around the places where the number of segments changes, with characters of every width.
pieces = st.one_of(
    st.sampled_from(["a", "€", "🎉", "ê", "{", "\n", "@", "Ω", "\U0010ffff", "\ud7ff", "\ue000"]),
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
)
run_lengths = st.sampled_from([1, 1, 1, 2, 33, 66, 67, 75, 76, 150, 151, 152, 153])


def texts_of(pieces: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    runs = st.lists(st.tuples(pieces, run_lengths), min_size=1, max_size=10)
    return runs.map(lambda runs: "".join(piece * times for piece, times in runs))


messages = st.one_of(
    st.tuples(st.just(TEXT), texts_of(st.sampled_from("aΩ€{ ")), headers),
    st.tuples(st.sampled_from([TEXT, UNICODE]), texts_of(pieces), headers),
    st.tuples(st.just(BINARY), st.binary(min_size=1, max_size=1400).map(bytes.hex), headers),
)


def encoded(encoding: Encoding, content: str) -> bytes:
    if encoding is GSM7:
        return encode_gsm7(content)
    return content.encode("utf-16-be") if encoding is UCS2 else bytes.fromhex(content)


def octets_on_the_air(encoding: Encoding, header: bytes, payload: bytes) -> int:
    """The user data of one segment as TS 23.040 lays it out."""
    if encoding is not GSM7:
        return len(header) + len(payload)
    return len(header) + len(pack_septets(payload, fill_bits_after(len(header))))


@given(messages)
@example((TEXT, "a" * 152 + "€" * 77, ""))
@example((UNICODE, "a" * 66 + "🎉" * 34, ""))
def test_splitting_keeps_everything_and_every_part_fits(message: tuple[MessageKind, str, str]) -> None:
    kind, content, udh = message
    try:
        planned = plan(kind, content, udh)
    except MessageTooLongError:
        with pytest.raises(MessageTooLongError):
            split(kind, content, udh)
        return
    parts = split(kind, content, udh)
    assert "".join(part.content for part in parts) == content
    assert len(parts) == planned.units <= MAX_SEGMENTS
    payload = b"".join(part.payload for part in parts)
    assert payload == encoded(planned.encoding, content)
    assert len(payload) == planned.length * (2 if planned.encoding is UCS2 else 1)
    for number, part in enumerate(parts, 1):
        header = segment_header(udh, reference=1, number=number, total=len(parts))
        assert octets_on_the_air(planned.encoding, header, part.payload) <= 140
        assert part.content
        # Each part can be read by itself: no character is broken.
        assert encoded(planned.encoding, part.content) == part.payload


@given(messages)
def test_no_segment_has_room_for_the_next_character(message: tuple[MessageKind, str, str]) -> None:
    kind, content, udh = message
    try:
        planned = plan(kind, content, udh)
    except MessageTooLongError:
        assume(False)
    parts = split(kind, content, udh)
    width = 2 if kind is BINARY else 1
    for number, (part, following) in enumerate(itertools.pairwise(parts), 1):
        header = segment_header(udh, reference=1, number=number, total=len(parts))
        grown = part.content + following.content[:width]
        payload = encoded(planned.encoding, grown)
        assert octets_on_the_air(planned.encoding, header, payload) > 140


def test_the_short_way_of_plan_counts_as_split_does() -> None:
    for length in range(1, 1531):
        assert plan(TEXT, "a" * length, "") == SegmentPlan(GSM7, len(split(TEXT, "a" * length, "")), length)
