"""Whose origin it is: ours, whatever the case of its letters; never one that is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makola.kit.origins import is_origin_of


@pytest.mark.parametrize("origin", ["http://shop.example:8080", "https://Shop.Example:8080", "http://[::1]:8080"])
def test_an_origin_is_known_by_its_host(origin: str) -> None:
    assert is_origin_of(origin, "", "SHOP.example:8080", "[::1]:8080")


@pytest.mark.parametrize("origin", [
    "", "null", "://", "http://", "http://[", "https://[x]", "shop.example", "//shop.example", "app://shop.example",
    "http://shop.example:80", "http://evil.example", "http://evil@shop.example", "http://shop.example.evil.example"])
def test_anything_else_is_of_no_host(origin: str) -> None:
    assert not is_origin_of(origin, "shop.example", "")


@given(origin=st.text(), host=st.text())
def test_no_text_is_an_error(origin: str, host: str) -> None:
    assert not is_origin_of(origin, "")
    assert is_origin_of(f"http://{host}", host) is (host != "")
