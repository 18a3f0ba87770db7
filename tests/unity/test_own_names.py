import pytest

from makola.api.common.own_names import OwnNames


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "LOCALHOST:80", "a.localhost:1", "[::1]:8080",
                                  "hub.example.org", "hub.example.org:8443", "192.168.1.7"])
def test_addresses_and_own_names_are_served(host: str) -> None:
    assert OwnNames("https://hub.example.org").include(host.encode())


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost.evil.example", "",
                                  "127.0.0.1.evil.example", "[::1", "2130706433.evil.example"])
def test_other_names_are_not(host: str) -> None:
    assert not OwnNames("https://hub.example.org").include(host.encode())


def test_no_host_is_not_ours() -> None:
    assert not OwnNames("").include(None)
