"""The networks of Ghana, and the codes of every other country."""

import phonenumbers
import pytest

from makola.core.numbering.mobile_country_codes import MOBILE_COUNTRY_CODES
from makola.core.numbering.networks import (
    GHANAIAN_NETWORKS,
    NETWORKS,
    UNKNOWN_NETWORK,
    network_name,
    network_of,
)

# As the documents number and name them.
EXPECTED = {
    "62001": ("MTN", {"024", "025", "053", "054", "055", "059"}),
    "62002": ("Vodafone", {"020", "050"}),
    "62003": ("Tigo", {"027", "057"}),
    "62004": ("Expresso", {"028"}),
    "62006": ("Airtel", {"026", "056"}),
    "62007": ("Glo", {"023"}),
}


def test_ghanaian_networks_are_those_of_the_documents() -> None:
    assert {n.network_id: (n.name, set(n.prefixes)) for n in GHANAIAN_NETWORKS} == EXPECTED
    assert set(NETWORKS) == set(EXPECTED)


@pytest.mark.parametrize(
    ("prefix", "network_id"),
    [(prefix, network_id) for network_id, (_, prefixes) in EXPECTED.items() for prefix in sorted(prefixes)],
)
def test_every_prefix_answers_with_its_network(prefix: str, network_id: str) -> None:
    assert network_of("GH", prefix[1:] + "6123456") == network_id


@pytest.mark.parametrize("national_number", ["302345678", "291234567", "80012345"])
def test_what_no_network_has_is_the_country(national_number: str) -> None:
    assert network_of("GH", national_number) == "620"


def test_every_region_with_a_code_has_three_digits_of_a_geographic_one() -> None:
    assert set(phonenumbers.SUPPORTED_REGIONS) - set(MOBILE_COUNTRY_CODES) == {"IO"}
    assert set(MOBILE_COUNTRY_CODES) <= set(phonenumbers.SUPPORTED_REGIONS)
    # E.212: the first digit is the zone, 2 to 7 for countries.
    assert all(len(code) == 3 and code.isdecimal() and code[0] in "234567" for code in MOBILE_COUNTRY_CODES.values())


@pytest.mark.parametrize(
    ("region", "code"),
    [
        ("NG", "621"), ("CI", "612"), ("BF", "613"), ("TG", "615"), ("KE", "639"), ("ZA", "655"), ("SS", "659"),
        ("US", "310"), ("CA", "302"), ("GB", "234"), ("IN", "404"), ("JP", "440"), ("CN", "460"), ("AE", "424"),
        ("FR", "208"), ("GF", "742"), ("RE", "647"), ("XK", "221"), ("AC", "658"), ("BR", "724"), ("FJ", "542"),
    ],
)  # fmt: skip
def test_other_countries_answer_with_their_first_code(region: str, code: str) -> None:
    assert network_of(region, "123456789") == code


def test_only_territories_of_one_group_share_a_code() -> None:
    shared: dict[str, set[str]] = {}
    for region, code in MOBILE_COUNTRY_CODES.items():
        shared.setdefault(code, set()).add(region)
    assert {frozenset(regions) for regions in shared.values() if len(regions) > 1} == {
        frozenset(group.split())
        for group in (
            "GB GG IM JE", "NO SJ", "FI AX", "US GU MP", "GP MQ BL MF", "BQ CW SX", "IL PS", "AU CC CX NF", "MA EH",
            "RE YT", "SH AC TA",
        )
    }  # fmt: skip


def test_a_region_without_a_code_is_unknown() -> None:
    assert network_of("001", "12345678") == network_of("IO", "3801234") == UNKNOWN_NETWORK == "0"


def test_names() -> None:
    assert network_name("62001") == "MTN"
    assert network_name("621") == "621"
