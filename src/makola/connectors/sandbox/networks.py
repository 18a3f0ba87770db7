"""The networks that the virtual operator plays, and their numbers."""

import secrets
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers

from makola.connectors.sandbox.errors import InvalidInputError

_COUNTRY = "GH"
_COUNTRY_CODE = "233"
UNKNOWN_NETWORK_ID = "0"


@dataclass(frozen=True, slots=True)
class Network:
    """A network: its MCC and MNC, its name, and what its national numbers begin with."""

    network_id: str
    name: str
    prefixes: tuple[str, ...]


#: Ghana's networks as the API's documents number them; the prefixes are those of the national numbering plan.
NETWORKS: dict[str, Network] = {
    network.network_id: network
    for network in (
        Network("62001", "MTN", ("24", "54", "55", "59", "53", "25")),
        Network("62002", "Vodafone", ("20", "50")),
        Network("62003", "Tigo", ("27", "57")),
        Network("62004", "Expresso", ("28",)),
        Network("62006", "Airtel", ("26", "56")),
        Network("62007", "Glo", ("23",)),
    )
}


@lru_cache(maxsize=4096)
def normalise_number(text: str, *, field: str = "number") -> str:
    """Return `text` as a valid E.164 number with the plus sign.

    Args:
        text: international with or without the plus sign, or national (Ghana). A leading space is read as
            a plus sign, which is what an unencoded one becomes in a query.
        field: what an error names.

    Raises:
        InvalidInputError: it is no valid telephone number.
    """
    spellings = ["+" + text[1:]] if text.startswith(" ") else [text, "+" + text]
    for spelling in spellings:
        try:
            number = phonenumbers.parse(spelling, _COUNTRY)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    raise InvalidInputError(f"{text[:32]!r} is not a valid telephone number", field=field)


def network_id_of(number: str) -> str:
    """Return the network of an E.164 number, "0" when it is none of ours."""
    national = number.removeprefix("+" + _COUNTRY_CODE)
    if national == number:
        return UNKNOWN_NETWORK_ID
    return next((network.network_id for network in NETWORKS.values() if national[:2] in network.prefixes),
                UNKNOWN_NETWORK_ID)


def random_number(network_id: str) -> str:
    """Return a random valid number of a network, beginning with its best-known prefix.

    Raises:
        InvalidInputError: there is no such network.
    """
    network = NETWORKS.get(network_id)
    if network is None:
        known = ", ".join(NETWORKS)
        raise InvalidInputError(f"there is no network {network_id[:32]!r}; there are {known}", field="network_id")
    while True:
        number = f"+{_COUNTRY_CODE}{network.prefixes[0]}{secrets.randbelow(9_000_000) + 1_000_000}"
        if phonenumbers.is_valid_number(phonenumbers.parse(number)):
            return number
