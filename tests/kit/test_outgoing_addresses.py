"""Which addresses the policy permits."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makola.kit.outgoing import AddressPolicy

PUBLIC_ONLY = AddressPolicy()
DEMONSTRATION = AddressPolicy(allow_private=True)

NEVER = [
    "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "100.64.0.1", "100.100.100.200", "192.0.0.192",
    "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "198.18.0.1", "224.0.0.1", "239.255.255.250",
    "240.0.0.1", "255.255.255.255", "::", "::127.0.0.1", "::8.8.8.8", "fe80::1", "fe80::1%eth0", "fec0::1",
    "ff02::1", "100::1", "2001::1", "2001:db8::1", "3fff::1", "5f00::1", "2002:7f00:1::", "2002:808:808::",
    "64:ff9b:1::808:808", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fd00:ec2::254", "fd20:ce::254",
    "not an address", "", "127.1", "0177.0.0.1",
]
PRIVATE = [
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "::1", "fc00::1",
    "fd12:3456::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::192.168.0.1",
]
PUBLIC = ["8.8.8.8", "172.32.0.1", "172.15.255.255", "100.128.0.1", "2606:4700::1111", "2a00:1450::1",
          "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_denied_in_every_mode(address: str) -> None:
    assert not PUBLIC_ONLY.permits(address)
    assert not DEMONSTRATION.permits(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_need_the_setting(address: str) -> None:
    assert not PUBLIC_ONLY.permits(address)
    assert DEMONSTRATION.permits(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address: str) -> None:
    assert PUBLIC_ONLY.permits(address)
    assert DEMONSTRATION.permits(address)


def test_an_operator_can_name_networks() -> None:
    policy = AddressPolicy(allowed_networks=(ip_network("10.1.2.0/24"), ip_network("fd00:1::/32")))
    assert policy.permits("10.1.2.3")
    assert policy.permits("::ffff:10.1.2.3")
    assert policy.permits("fd00:1::5")
    assert not policy.permits("10.1.3.1")
    assert not policy.permits("127.0.0.1")


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_in_ipv6_clothes_is_judged_alike(number: int) -> None:
    plain = PUBLIC_ONLY.permits(str(IPv4Address(number)))
    assert PUBLIC_ONLY.permits(str(IPv6Address(0xFFFF << 32 | number))) == plain
    assert PUBLIC_ONLY.permits(str(IPv6Address(0x64FF9B << 96 | number))) == plain


@given(st.sampled_from([IPv4Network("10.0.0.0/8"), IPv4Network("127.0.0.0/8"), IPv4Network("169.254.0.0/16"),
                        IPv4Network("100.64.0.0/10"), IPv4Network("192.168.0.0/16"),
                        IPv4Network("172.16.0.0/12")]), st.data())
def test_no_address_of_a_local_network_is_public(network: IPv4Network, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, network.num_addresses - 1))
    assert not PUBLIC_ONLY.permits(str(network[number]))
