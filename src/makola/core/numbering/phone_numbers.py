"""Telephone numbers as people and programs write them, made into E.164."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers

from makola.core.numbering.errors import InvalidPhoneNumberError
from makola.core.numbering.networks import ghanaian_network, network_of
from makola.core.numbering.types import PhoneNumber

#: Longer texts are refused unread: E.164 allows 15 digits, the rest is room for separators.
LONGEST_TEXT = 64
_LONGEST_E164 = 1 + 15
# Numbers outside the fast path cost some 100 microseconds each; a campaign sends to the same ones again.
_REMEMBERED_NUMBERS = 16_384

_PLUS_SIGNS = "+＋"
# Spaces, dashes, dots and brackets, among them those that word processors and address books put in.
_SEPARATORS = frozenset(" \u00a0\u2007\u2009\u202f-\u2010\u2011\u2012\u2013\u2014\u2212.()[]")


def _ghanaian_mobile() -> re.Pattern[str]:
    """Make the fast path's pattern out of the number plan itself, so that both always say the same."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region("GH")
    mobile = metadata.mobile if metadata else None
    pattern = mobile.national_number_pattern if mobile else None
    if pattern is None:
        raise ImportError("phonenumbers has no number plan for Ghana")
    return re.compile(f"(?:([+ ]233)|233|0)({pattern})", re.ASCII)


_GHANAIAN_MOBILE = _ghanaian_mobile()


def parse_phone_number(text: str, *, region: str, field: str = "") -> PhoneNumber:
    """Read a telephone number: any valid one, of a mobile, a landline or a service.

    Read as international: what begins with a plus sign, with a space that was one (an unencoded plus in a
    query string), with an international prefix as dialled in `region`, with 00, or with the country code of
    `region`. Anything else is national. Spaces, dashes, dots and brackets are passed over and digits of every
    script are read; all other characters are refused.

    Args:
        text: at most `LONGEST_TEXT` characters.
        region: the country whose national numbers are meant, ISO 3166-1 alpha-2; empty for none.
        field: what the error names as being at fault.

    Raises:
        InvalidPhoneNumberError: the text is not a valid telephone number.
    """
    match = _GHANAIAN_MOBILE.fullmatch(text)
    if match is not None and (match[1] or region == "GH"):
        national_number = match[2]
        return PhoneNumber("+233" + national_number, "GH", ghanaian_network(national_number))
    if len(text) > LONGEST_TEXT:
        raise InvalidPhoneNumberError("A telephone number has at most 15 digits.", field=field)
    return _parse(text, region, field)


@lru_cache(maxsize=_REMEMBERED_NUMBERS)
def _parse(text: str, region: str, field: str) -> PhoneNumber:
    dialled = _dialled(text, field)
    for reading, country in _readings(text, dialled, region.upper()):
        number = _valid_number(reading, country)
        if number is not None:
            return number
    if not region and not dialled.startswith("+"):
        raise InvalidPhoneNumberError(
            f"{text!r} does not begin with a plus sign and a country code, and no country is set.",
            field=field,
        )
    raise InvalidPhoneNumberError(f"{text!r} is not a valid telephone number.", field=field)


def _dialled(text: str, field: str) -> str:
    """Return the digits of `text` in ASCII, after the plus sign if it has one."""
    dialled = ""
    for character in text:
        if character in _PLUS_SIGNS and not dialled:
            dialled = "+"
        elif (digit := unicodedata.decimal(character, None)) is not None:
            dialled += str(digit)
        elif character not in _SEPARATORS:
            raise InvalidPhoneNumberError(
                f"A telephone number cannot have the character U+{ord(character):04X}.", field=field
            )
    if not dialled.strip("+"):
        raise InvalidPhoneNumberError("The telephone number is empty.", field=field)
    return dialled


def _readings(text: str, dialled: str, region: str) -> Iterator[tuple[str, str | None]]:
    """Yield what `dialled` may mean, the likeliest first, with the region that decides."""
    if dialled.startswith("+"):
        yield dialled, None
        return
    if text.startswith(" "):
        yield "+" + dialled, None
    if region in phonenumbers.SUPPORTED_REGIONS:
        # Digits that begin with the country code may be a national number too, as in Germany. Where those are
        # written with a trunk prefix and it is not there, the international reading is the likelier one.
        trunk = phonenumbers.ndd_prefix_for_region(region, True)
        has_country_code = dialled.startswith(str(phonenumbers.country_code_for_region(region)))
        if has_country_code and trunk and not dialled.startswith(trunk):
            yield "+" + dialled, None
        yield dialled, region
        if has_country_code:
            yield "+" + dialled, None
    if dialled.startswith("00"):
        yield "+" + dialled[2:], None


def _valid_number(reading: str, country: str | None) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(reading, country)
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(number)
    # is_valid_number would look the region up once more.
    if region is None or not phonenumbers.is_valid_number_for_region(number, region):
        return None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if len(e164) > _LONGEST_E164:
        return None
    network_id = network_of(region, phonenumbers.national_significant_number(number))
    return PhoneNumber(e164, region, network_id)
