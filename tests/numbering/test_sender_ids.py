"""What may stand as the sender of a message."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makola.core.numbering.errors import InvalidSenderError
from makola.core.numbering.sender_ids import parse_sender


@pytest.mark.parametrize(
    "text",
    [
        "M", "Makola", "My-Shop", "my_shop", "A.B.C", "Marks&Co", "McDonald's", "Yahoo!", "Call+Back", "24/7Help",
        "No1*Taxi", "Shop#1", "1234567890A", "ABCDEFGHIJK", "1900", "0", "+233244123456", "233244123456",
        "0244123456", "1234567890123456", "+1234567890123456",
    ],
)  # fmt: skip
def test_accepted_as_they_are(text: str) -> None:
    assert parse_sender(text) == text


@pytest.mark.parametrize(("text", "sender"), [(" 233244123456", "+233244123456"), (" 1900", "+1900")])
def test_a_leading_space_before_digits_is_a_lost_plus(text: str, sender: str) -> None:
    assert parse_sender(text) == sender


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "+", "++1", "  1900", "+ 1900", "1900 ", "ABCDEFGHIJKL", "12345678901234567", "+12345678901234567",
        " 12345678901234567", "My Shop", " MyShop", "MyShop ", "MyShop\n", "1900\n", "My\tShop", "My\x00Shop",
        "My\x1bShop", "\x7fShop", "Café", "Boutiqueé", "Ñandú", "ΜΑΚΟΛΑ", "Mаkola", "店", "🎉", "Shop\u200b",
        "\ud800Shop", "٠٢٤٤", "１９００", "---", "*711#", "024-4123456", "Shop@home", "Cash$", "a|b", "a^b", "€uro",
        "<b>", "a" * 1_000_000, "1" * 1_000_000,
    ],
)  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(InvalidSenderError) as raised:
        parse_sender(text)
    assert (raised.value.code, raised.value.field) == ("invalid_sender", "sender")
    assert len(raised.value.detail) < 200


def test_the_reason_is_told() -> None:
    reasons = {}
    for text in ("", "My Shop", "ABCDEFGHIJKL", "1" * 17, "*711#", "Café"):
        with pytest.raises(InvalidSenderError) as raised:
            parse_sender(text)
        reasons[raised.value.detail] = text
    assert len(reasons) == 6


@given(st.text(alphabet=st.characters(max_codepoint=0x17F), max_size=20))
def test_what_is_accepted_keeps_the_rules(text: str) -> None:
    try:
        sender = parse_sender(text)
    except InvalidSenderError:
        return
    assert sender.isascii()
    assert sender.isprintable()
    assert " " not in sender
    assert len(sender) <= 11 or re.fullmatch(r"\+?[0-9]{1,16}", sender)
    assert parse_sender(sender) == sender
