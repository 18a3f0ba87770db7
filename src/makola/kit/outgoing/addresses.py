"""Which addresses we may connect to.

The tables are ours, from the IANA special-purpose address registries (RFC 6890, RFC 8190), because
`ipaddress.is_global` differs between patch releases of Python and calls a mapped loopback address global.
An address must pass both.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

_DENIED_V4 = tuple(IPv4Network(text) for text in (
    "0.0.0.0/8",  # this network; 0.0.0.0 connects to this host on Linux
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  # RFC 1918
    "100.64.0.0/10",  # carrier-grade NAT, RFC 6598
    "127.0.0.0/8",  # loopback
    "169.254.0.0/16",  # link-local: clouds answer with credentials at 169.254.169.254
    "192.0.0.0/24",  # IETF protocol assignments
    "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",  # documentation, RFC 5737
    "192.88.99.0/24",  # 6to4 relays, withdrawn by RFC 7526
    "198.18.0.0/15",  # benchmarking, RFC 2544
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, and 255.255.255.255
))

_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
_DENIED_V6 = tuple(IPv6Network(text) for text in (
    "2001::/23",  # IETF protocol assignments, with Teredo (which hides an IPv4 address) and ORCHID
    "2001:db8::/32", "3fff::/20",  # documentation, RFC 3849 and RFC 9637
    "2002::/16",  # 6to4: hides an IPv4 address
))

#: An IPv4 address written as IPv6 is judged as what it is: mapped (RFC 4291) and NAT64 (RFC 6052).
#: Every other form (compatible, 6to4, Teredo, local NAT64) is denied outright: nobody is hosted there.
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")

_PRIVATE: tuple[IpNetwork, ...] = (
    IPv4Network("127.0.0.0/8"), IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"), IPv6Network("::1/128"), IPv6Network("fc00::/7"),
)
#: Clouds answer with credentials here although the address looks private. Denied in every mode.
_METADATA: tuple[IpNetwork, ...] = (IPv6Network("fd00:ec2::/32"), IPv6Network("fd20:ce::254/128"))


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Where outgoing requests may go: public unicast addresses, and what is added here.

    Args:
        allow_private: also loopback and private networks (RFC 1918, RFC 4193), as in demonstration mode;
            never link-local, where clouds keep credentials.
        allowed_networks: also these, whatever they are: an operator's own systems, named one by one.
    """

    allow_private: bool = False
    allowed_networks: tuple[IpNetwork, ...] = ()

    def permits(self, address: str | IpAddress) -> bool:
        """Return True when we may connect to `address`, an IP address in any canonical text form."""
        return _permits(self, str(address))


@lru_cache(maxsize=4096)
def _permits(policy: AddressPolicy, text: str) -> bool:
    try:
        address = unwrapped(ip_address(text))
    except ValueError:
        return False
    if _within(address, policy.allowed_networks):
        return True
    if policy.allow_private and _within(address, _PRIVATE):
        return not _within(address, _METADATA)
    return is_public(address)


def unwrapped(address: IpAddress) -> IpAddress:
    """Return the IPv4 address that `address` carries (mapped, NAT64), or `address` itself."""
    if isinstance(address, IPv6Address) and (address in _MAPPED or address in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: IpAddress) -> bool:
    """Return True for a unicast address that anybody on the internet may have."""
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, IPv4Address):
        return not _within(address, _DENIED_V4)
    return address in _GLOBAL_UNICAST_V6 and not _within(address, _DENIED_V6)


def _within(address: IpAddress, networks: Iterable[IpNetwork]) -> bool:
    return any(address in network for network in networks)
