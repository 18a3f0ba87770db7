"""Telephone numbers in every form that clients send them."""

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from makola.core.numbering.errors import InvalidPhoneNumberError
from makola.core.numbering.phone_numbers import LONGEST_TEXT, parse_phone_number
from makola.core.numbering.types import PhoneNumber

KOFI = PhoneNumber("+233244123456", "GH", "62001")
NETWORK_OF_PREFIX = {
    "24": "62001", "25": "62001", "53": "62001", "54": "62001", "55": "62001", "59": "62001", "20": "62002",
    "50": "62002", "27": "62003", "57": "62003", "28": "62004", "26": "62006", "56": "62006", "23": "62007",
}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "+233244123456", "233244123456", "0244123456", " 233244123456", "244123456", "00233244123456",
        "+233 24 412 3456", "+233-24-412-3456", "024.412.3456", "(024) 412 3456", "[233] 24 412 3456",
        "(+233) 24 412 3456", "+233 (0) 24 412 3456", "+2330244123456", "2330244123456", " 0244123456",
        "0244123456 ", " +233244123456", "+233\u00a024\u2011412\u20133456",
        "٠٢٤٤١٢٣٤٥٦", "＋２３３２４４１２３４５６", "+२३३२४४१२३४५६",
    ],
)  # fmt: skip
def test_every_form_of_one_number(text: str) -> None:
    assert parse_phone_number(text, region="GH") == KOFI


@pytest.mark.parametrize("region", ["GH", "gh", "US", "", "XX"])
@pytest.mark.parametrize("text", ["+233244123456", " 233244123456", "+233 244 123 456", "00233244123456"])
def test_an_international_number_needs_no_country(text: str, region: str) -> None:
    assert parse_phone_number(text, region=region) == KOFI


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("773-409-4910", "US", PhoneNumber("+17734094910", "US", "310")),
        ("011 233 24 412 3456", "US", KOFI),
        ("+2348012345678", "GH", PhoneNumber("+2348012345678", "NG", "621")),
        ("08012345678", "NG", PhoneNumber("+2348012345678", "NG", "621")),
        ("2348012345678", "NG", PhoneNumber("+2348012345678", "NG", "621")),
        ("+16135550123", "GH", PhoneNumber("+16135550123", "CA", "302")),
        ("+442079460958", "GH", PhoneNumber("+442079460958", "GB", "234")),
        # The zero of an Italian landline is part of the number.
        ("02 1234 5678", "IT", PhoneNumber("+390212345678", "IT", "222")),
        ("06 698 12345", "IT", PhoneNumber("+390669812345", "VA", "225")),
        # With the country code, and with an area code of the same digits.
        ("4915123456789", "DE", PhoneNumber("+4915123456789", "DE", "262")),
        ("0491521234567", "DE", PhoneNumber("+49491521234567", "DE", "262")),
        # Italy has no trunk prefix: a mobile of its own, though +39 and the rest is a landline.
        ("3901234567", "IT", PhoneNumber("+393901234567", "IT", "222")),
        # Landlines, a service number and a mobile prefix that no network of the table has: the country alone.
        ("0302345678", "GH", PhoneNumber("+233302345678", "GH", "620")),
        ("080012345", "GH", PhoneNumber("+23380012345", "GH", "620")),
        ("0291234567", "GH", PhoneNumber("+233291234567", "GH", "620")),
        # Numbers of no country.
        ("+80012345678", "GH", PhoneNumber("+80012345678", "001", "0")),
        ("+2463801234", "GH", PhoneNumber("+2463801234", "IO", "0")),
    ],
)
def test_other_numbers(text: str, region: str, expected: PhoneNumber) -> None:
    assert parse_phone_number(text, region=region) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "+", "++233244123456", "0", "00", "12345", "024412345", "02441234567", "+23324412345",
        "+2332441234567", "0214123456", "+233200", "0244-CALL-ME", "tel:+233244123456", "+233244123456;ext=5",
        "0244123456x12", "0244123456\n", "\t0244123456", "0244\x00123456", "\x7f0244123456", "0244123456,0201234567",
        "0244123456 0201234567", "0244+123456", "+233+244123456", "\u202a+233244123456\u202c", "0244\u200b123456",
        "\ud800244123456", "²³³244123456", "⓪244123456", "二四四", "+999123456789", "2348012345678",
        "' OR 1=1 --", "🎉", "1" * LONGEST_TEXT, "0244123456" + " " * LONGEST_TEXT, "9" * 1_000_000,
    ],
)  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(InvalidPhoneNumberError) as raised:
        parse_phone_number(text, region="GH", field="recipient")
    assert (raised.value.code, raised.value.field) == ("invalid_phone_number", "recipient")
    assert len(raised.value.detail) < 200


def test_a_number_that_its_plan_allows_has_at_most_fifteen_digits() -> None:
    too_long = phonenumbers.parse("+49301234567890123")
    assert phonenumbers.is_valid_number(too_long)
    with pytest.raises(InvalidPhoneNumberError):
        parse_phone_number("+49301234567890123", region="GH")
    assert parse_phone_number("+493012345678901", region="GH").e164 == "+493012345678901"


def test_the_longest_text_is_still_read() -> None:
    assert parse_phone_number("0244123456".ljust(LONGEST_TEXT), region="GH") == KOFI


@pytest.mark.parametrize("region", ["", "XX", "US"])
@pytest.mark.parametrize("text", ["0244123456", "233244123456"])
def test_a_national_number_needs_its_own_country(text: str, region: str) -> None:
    with pytest.raises(InvalidPhoneNumberError):
        parse_phone_number(text, region=region)


def test_a_refusal_names_the_field_of_its_own_call() -> None:
    for field in ("recipient", "sender", "recipient"):
        with pytest.raises(InvalidPhoneNumberError) as raised:
            parse_phone_number("12", region="GH", field=field)
        assert raised.value.field == field


def says_phonenumbers(text: str) -> str | None:
    """The E.164 form by the reference alone; None where it calls the number invalid."""
    try:
        number = phonenumbers.parse(text, "GH")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


mobile_like = st.builds(
    lambda lead, middle, rest: f"{lead}{middle}{rest:06d}",
    st.sampled_from([*NETWORK_OF_PREFIX, "21", "22", "29", "51", "52", "58", "30", "80", "99"]),
    st.integers(0, 9),
    st.integers(0, 999_999),
)


@given(st.one_of(mobile_like, st.from_regex("[0-9]{7,11}", fullmatch=True)), st.sampled_from(["+233", "233", "0"]))
@example("250123456", "0")
@example("256123456", "0")
@example("590123456", "+233")
@example("591123456", "+233")
def test_ghanaian_numbers_are_valid_where_phonenumbers_says_so(national_number: str, lead: str) -> None:
    expected = says_phonenumbers(lead + national_number)
    try:
        number = parse_phone_number(lead + national_number, region="GH")
    except InvalidPhoneNumberError:
        assert expected is None
        return
    assert number.e164 == expected
    if number.region == "GH":
        assert number.network_id == NETWORK_OF_PREFIX.get(number.e164[4:6], "620")


def test_every_ghanaian_prefix_agrees_with_phonenumbers() -> None:
    for prefix in range(1000):
        text = f"+233{prefix:03d}123456"
        try:
            accepted = parse_phone_number(text, region="GH").e164
        except InvalidPhoneNumberError:
            accepted = None
        assert accepted == says_phonenumbers(text)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_example_mobile_of_every_region_is_read_nationally_and_internationally(region: str) -> None:
    example_number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if example_number is None:
        example_number = phonenumbers.example_number(region)
    assert example_number is not None
    e164 = phonenumbers.format_number(example_number, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.format_number(example_number, phonenumbers.PhoneNumberFormat.NATIONAL)
    number = parse_phone_number(e164, region="GH")
    assert number.e164 == e164
    assert parse_phone_number(national, region=region) == number
    assert parse_phone_number(" " + e164[1:], region=region) == number
    assert parse_phone_number(e164[1:], region=region) == number


@given(st.text(max_size=70))
@example("٠" * 15)
@example("+" + "٩" * 12)
def test_any_text_is_refused_or_becomes_plain_e164(text: str) -> None:
    try:
        number = parse_phone_number(text, region="GH")
    except InvalidPhoneNumberError:
        return
    digits = number.e164[1:]
    assert number.e164[0] == "+"
    assert digits.isascii()
    assert digits.isdecimal()
    assert 1 <= len(digits) <= 15
    assert parse_phone_number(number.e164, region="US") == number


@given(mobile_like, st.lists(st.sampled_from(" -.()"), max_size=12), st.randoms(use_true_random=False))
def test_separators_change_nothing(national_number: str, separators: list[str], random: object) -> None:
    assert hasattr(random, "randrange")
    spread = list("+233" + national_number)
    for separator in separators:
        spread.insert(random.randrange(len(spread) + 1), separator)
    try:
        expected = parse_phone_number("+233" + national_number, region="GH")
    except InvalidPhoneNumberError:
        with pytest.raises(InvalidPhoneNumberError):
            parse_phone_number("".join(spread), region="GH")
    else:
        assert parse_phone_number("".join(spread), region="GH") == expected
