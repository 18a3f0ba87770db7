"""Which network a number belongs to, by its prefix.

Numbers are ported between Ghana's networks, so that a prefix tells which network a number was first given to,
not always which one it is on today. For numbers of other countries only the country is told.
"""

from makola.core.numbering.mobile_country_codes import MOBILE_COUNTRY_CODES
from makola.core.numbering.types import Network, NetworkId

#: For numbers of no country, or of one without a mobile country code.
UNKNOWN_NETWORK: NetworkId = "0"

#: The networks of Ghana under the names that the API's documents use.
GHANAIAN_NETWORKS: tuple[Network, ...] = (
    Network("62001", "MTN", ("024", "025", "053", "054", "055", "059")),
    Network("62002", "Vodafone", ("020", "050")),
    Network("62003", "Tigo", ("027", "057")),
    Network("62004", "Expresso", ("028",)),
    Network("62006", "Airtel", ("026", "056")),
    Network("62007", "Glo", ("023",)),
)

#: The same by network id.
NETWORKS: dict[NetworkId, Network] = {network.network_id: network for network in GHANAIAN_NETWORKS}

_GHANA_PREFIX_DIGITS = 2
_GHANA_BY_PREFIX = {
    prefix.removeprefix("0"): network.network_id
    for network in GHANAIAN_NETWORKS
    for prefix in network.prefixes
}


def ghanaian_network(national_number: str) -> NetworkId:
    """Return the network of a valid Ghanaian number.

    Args:
        national_number: its nine digits, without country code and trunk zero. A landline, or a mobile prefix
            that no network of the table has, answers with the MCC alone.
    """
    return _GHANA_BY_PREFIX.get(national_number[:_GHANA_PREFIX_DIGITS]) or MOBILE_COUNTRY_CODES["GH"]


def network_of(region: str, national_number: str) -> NetworkId:
    """Return the network of a valid number.

    Args:
        region: ISO 3166-1 alpha-2 code.
        national_number: the digits that follow the country code.
    """
    if region == "GH":
        return ghanaian_network(national_number)
    return MOBILE_COUNTRY_CODES.get(region, UNKNOWN_NETWORK)


def network_name(network_id: NetworkId) -> str:
    """Return a network's name; its id where it has none in the table."""
    network = NETWORKS.get(network_id)
    return network.name if network else network_id
