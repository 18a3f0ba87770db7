"""What a network and a telephone number are."""

from dataclasses import dataclass
from typing import TypeAlias

#: A network's MCC and MNC joined ("62001"), the MCC alone where the network is not known, or "0"
#: (seed, "Receive Message": "network MCC and MNC combination where known or only MCC otherwise").
NetworkId: TypeAlias = str


@dataclass(frozen=True, slots=True)
class Network:
    """A mobile network.

    Attributes:
        network_id: MCC and MNC.
        prefixes: the first digits of its numbers as they are dialled at home, with the trunk zero.
    """

    network_id: NetworkId
    name: str
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A valid telephone number.

    Attributes:
        e164: international with the plus sign (ITU-T E.164).
        region: ISO 3166-1 alpha-2 code; "001" for a number of no country (satellite, universal freephone).
        network_id: of the network that the number was first given to.
    """

    e164: str
    region: str
    network_id: NetworkId
