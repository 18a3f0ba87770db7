"""The GSM 7-bit default alphabet and its packing against the tables of 3GPP TS 23.038."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makola.core.messaging.gsm0338 import (
    BASIC_CHARACTERS,
    EXTENSION_CHARACTERS,
    decode_gsm7,
    encode_gsm7,
    fill_bits_after,
    is_basic,
    is_gsm7,
    pack_septets,
    unpack_septets,
)

# TS 23.038 table 6.2.1: the code point of each septet, a row here for each column (0x00, 0x10, …) there.
ESCAPE = 0x1B
_TABLE = """
    0040 00A3 0024 00A5 00E8 00E9 00F9 00EC 00F2 00C7 000A 00D8 00F8 000D 00C5 00E5
    0394 005F 03A6 0393 039B 03A9 03A0 03A8 03A3 0398 039E 001B 00C6 00E6 00DF 00C9
    0020 0021 0022 0023 00A4 0025 0026 0027 0028 0029 002A 002B 002C 002D 002E 002F
    0030 0031 0032 0033 0034 0035 0036 0037 0038 0039 003A 003B 003C 003D 003E 003F
    00A1 0041 0042 0043 0044 0045 0046 0047 0048 0049 004A 004B 004C 004D 004E 004F
    0050 0051 0052 0053 0054 0055 0056 0057 0058 0059 005A 00C4 00D6 00D1 00DC 00A7
    00BF 0061 0062 0063 0064 0065 0066 0067 0068 0069 006A 006B 006C 006D 006E 006F
    0070 0071 0072 0073 0074 0075 0076 0077 0078 0079 007A 00E4 00F6 00F1 00FC 00E0
"""
DEFAULT_ALPHABET = [int(point, 16) for point in _TABLE.split()]
# Table 6.2.1.1.
EXTENSION_TABLE = {
    0x0A: 0x000C, 0x14: 0x005E, 0x28: 0x007B, 0x29: 0x007D, 0x2F: 0x005C, 0x3C: 0x005B, 0x3D: 0x007E, 0x3E: 0x005D,
    0x40: 0x007C, 0x65: 0x20AC,
}  # fmt: skip


# --- the alphabet ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("septet", [septet for septet in range(128) if septet != ESCAPE])
def test_each_septet_of_the_default_alphabet(septet: int) -> None:
    character = chr(DEFAULT_ALPHABET[septet])
    assert encode_gsm7(character) == bytes([septet])
    assert decode_gsm7(bytes([septet])) == character


@pytest.mark.parametrize("septet", range(128))
def test_each_septet_of_the_extension_table(septet: int) -> None:
    pair = bytes([ESCAPE, septet])
    if septet in EXTENSION_TABLE:
        character = chr(EXTENSION_TABLE[septet])
        assert encode_gsm7(character) == pair
        assert decode_gsm7(pair) == character
    elif septet == ESCAPE:
        assert decode_gsm7(pair) == " "
    else:
        # "the character shown in the main GSM 7 bit default alphabet table"
        assert decode_gsm7(pair) == chr(DEFAULT_ALPHABET[septet])


def test_no_other_character_is_in_either_table() -> None:
    assert len(DEFAULT_ALPHABET) == 128
    basic = {chr(point) for point in DEFAULT_ALPHABET} - {chr(ESCAPE)}
    extension = {chr(point) for point in EXTENSION_TABLE.values()}
    assert basic == BASIC_CHARACTERS
    assert extension == EXTENSION_CHARACTERS
    for point in range(0x110000):
        character = chr(point)
        assert is_basic(character) == (character in basic)
        assert is_gsm7(character) == (character in basic or character in extension)


@pytest.mark.parametrize(("text", "position"), [("ab`c", 2), ("ç", 0), ("a\x1b", 1), ("\x00", 0), ("ab🎉", 2)])
def test_what_is_in_no_table_is_not_encoded(text: str, position: int) -> None:
    with pytest.raises(UnicodeEncodeError) as raised:
        encode_gsm7(text)
    assert raised.value.start == position


def test_octets_that_are_not_septets_are_not_decoded() -> None:
    with pytest.raises(UnicodeDecodeError):
        decode_gsm7(b"ab\x80")


@pytest.mark.parametrize(
    ("septets", "text"),
    [(b"", ""), (b"a\x1b", "a "), (b"\x1b\x1b\x65", " e"), (b"\x1b\x65\x1b\x65", "€€"), (b"a\x1b\x0ab", "a\fb")],
)
def test_escapes(septets: bytes, text: str) -> None:
    assert decode_gsm7(septets) == text


gsm7_text = st.text(alphabet=sorted(BASIC_CHARACTERS | EXTENSION_CHARACTERS))


@given(gsm7_text)
def test_text_comes_back_from_septets(text: str) -> None:
    septets = encode_gsm7(text)
    assert decode_gsm7(septets) == text
    assert len(septets) == len(text) + sum(character in EXTENSION_CHARACTERS for character in text)


@given(st.binary().map(lambda octets: bytes(octet & 0x7F for octet in octets)))
def test_any_septets_are_read(septets: bytes) -> None:
    assert set(decode_gsm7(septets)) <= BASIC_CHARACTERS | EXTENSION_CHARACTERS


# --- packing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("", ""),
        ("1", "31"),
        ("hellohello", "E8329BFD4697D9EC37"),
        ("How are you?", "C8F71D14969741F977FD07"),
        ("hello", "E8329BFD06"),
        ("@@@@@@@@", "00000000000000"),
        ("à" * 8, "FF" * 7),
        ("€", "9B32"),
    ],
)
def test_known_packings(text: str, packed: str) -> None:
    assert pack_septets(encode_gsm7(text)).hex().upper() == packed
    assert decode_gsm7(unpack_septets(bytes.fromhex(packed), len(encode_gsm7(text)))) == text


def test_a_known_packing_after_a_header() -> None:
    # A six-octet header leaves one fill bit: "A" (0x41) stands one bit higher.
    assert fill_bits_after(6) == 1
    assert pack_septets(b"A", fill_bits_after(6)) == b"\x82"
    # Table of TS 23.040 9.2.3.24: (n octets, fill bits to the next multiple of seven).
    assert [fill_bits_after(octets) for octets in range(9)] == [0, 6, 5, 4, 3, 2, 1, 0, 6]


@given(st.binary(max_size=200).map(lambda octets: bytes(octet & 0x7F for octet in octets)), st.integers(0, 6))
def test_septets_come_back_from_octets(septets: bytes, fill_bits: int) -> None:
    packed = pack_septets(septets, fill_bits)
    assert len(packed) == (-(-(len(septets) * 7 + fill_bits) // 8) if septets else 0)
    assert unpack_septets(packed, len(septets), fill_bits) == septets
    # Written out bit by bit, the lowest first.
    bits = "0" * fill_bits + "".join(f"{septet:07b}"[::-1] for septet in septets)
    assert packed == bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8) if septets)


@pytest.mark.parametrize(("septets", "fill_bits"), [(b"\x80", 0), (b"a", 7), (b"a", -1)])
def test_what_cannot_be_packed(septets: bytes, fill_bits: int) -> None:
    with pytest.raises(ValueError, match=r"septet|fill bits"):
        pack_septets(septets, fill_bits)


@pytest.mark.parametrize(
    ("octets", "count", "fill_bits"),
    [(bytes(7), 9, 0), (bytes(7), 8, 1), (b"", 1, 0), (b"\x00", -1, 0), (b"\x00", 1, 7)],
)
def test_what_cannot_be_unpacked(octets: bytes, count: int, fill_bits: int) -> None:
    with pytest.raises(ValueError, match=r"do not hold|fill bits"):
        unpack_septets(octets, count, fill_bits)
