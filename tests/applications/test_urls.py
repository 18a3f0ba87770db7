"""Which URLs an application may have, and which of them a browser is sent to."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makola.core.applications.clients import permits_redirect_uri
from makola.core.applications.errors import InvalidApplicationError
from makola.core.applications.types import ApplicationKind, OAuthClient
from makola.core.applications.urls import check_callback, check_fetched
from makola.kit.outgoing import AddressPolicy

GOOD = ("https://app.example.com/cb", "https://app.example.com", "https://app.example.com:8443/cb?tenant=5&x=%2F",
        "http://127.0.0.1/cb", "http://[::1]:9000/cb", "http://localhost:3000/cb", "https://xn--bcher-kva.example/cb")
BAD = ("", "app.example.com/cb", "//app.example.com/cb", "http://app.example.com/cb", "ftp://app.example.com/",
       "javascript:alert(1)", "data:text/html,x", "https://app.example.com/cb#fragment", "https://app.example.com/cb#",
       "https://*.example.com/cb", "https://app.example.com/*", "https://user@app.example.com/cb",
       "https://user:pass@app.example.com/", "https://app.example.com\\@evil.example/", "https:/app.example.com",
       "https://app.example.com/a/../b", "https://app.example.com/a/%2e%2E/b", "https://app.example.com/./",
       "https://app.example.com/ cb", "https://app.example.com/\ncb", "https://app.example.com/\x00",
       "https://bücher.example/", "https://app.example.com/%zz", "https:///cb", "https://:443/", "https://[::1/",
       "https://app.example.com:99999/", "http://127.0.0.1.evil.example/cb", "http://127.1/cb",
       "http://localhost.evil.example/", "http://[::ffff:127.0.0.1]/", "https://app.example.com/" + "x" * 2000)


@pytest.mark.parametrize("uri", GOOD)
def test_a_callback_that_is_possible(uri: str) -> None:
    assert check_callback(uri, field="redirect_uris") == uri


@pytest.mark.parametrize("uri", BAD)
def test_a_callback_that_is_not(uri: str) -> None:
    with pytest.raises(InvalidApplicationError) as refused:
        check_callback(uri, field="redirect_uris")
    assert refused.value.field == "redirect_uris"


@given(st.text(alphabet=st.sampled_from("ahtps:/.@#*?&%[]\\ 0127localhost\u2025\t"), max_size=40))
def test_whatever_is_accepted_is_harmless(tail: str) -> None:
    for start in ("https://", "http://", ""):
        try:
            uri = check_callback(start + tail, field="x")
        except InvalidApplicationError:
            continue
        assert uri.isascii()
        assert not set(uri) & set("#*\\ \t\n")
        assert "@" not in urlsplit(uri).netloc
        assert uri.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]"))


def client(*uris: str) -> OAuthClient:
    return OAuthClient(1, 1, ApplicationKind.PUBLIC, "c", "C", redirect_uris=uris)


@given(st.integers(1, 65535))
def test_the_port_of_a_loopback_address_is_free(port: int) -> None:
    native = client("http://127.0.0.1/cb?x=1", "http://[::1]:8000/cb")
    assert permits_redirect_uri(native, f"http://127.0.0.1:{port}/cb?x=1")
    assert permits_redirect_uri(native, f"http://[::1]:{port}/cb")
    assert not permits_redirect_uri(native, f"http://localhost:{port}/cb")
    assert not permits_redirect_uri(native, f"http://127.0.0.1:{port}/other?x=1")
    assert not permits_redirect_uri(native, f"https://127.0.0.1:{port}/cb?x=1")


@given(st.text(max_size=6), st.text(max_size=6))
def test_everything_else_is_compared_exactly(before: str, after: str) -> None:
    uri = "https://app.example.com/cb"
    other = before + uri + after
    assert permits_redirect_uri(client(uri), other) == (other == uri)
    assert not permits_redirect_uri(client("http://127.0.0.1/cb"), f"http://127.0.0.1:80{before}@evil.example/cb")
    assert not permits_redirect_uri(client(), uri)
    assert not permits_redirect_uri(client("https://app.example.com/cb"), "https://app.example.com:443/cb")


@pytest.mark.parametrize(("uri", "private", "possible"), [
    ("https://app.example.com/gone?x=1", False, True), ("http://app.example.com/gone", False, False),
    ("https://127.0.0.1/gone", False, False), ("http://127.0.0.1:3000/gone", False, False),
    ("http://127.0.0.1:3000/gone", True, True), ("http://localhost:3000/gone", True, True),
    ("http://192.168.1.5/gone", True, True), ("http://app.example.com/gone", True, True),
    ("http://169.254.169.254/latest", True, False), ("https://169.254.169.254/latest", True, False),
    ("http://8.8.8.8/x", True, False), ("https://app.example.com/#x", True, False), ("", False, True)])
def test_what_we_fetch_ourselves(uri: str, private: bool, possible: bool) -> None:
    policy = AddressPolicy(allow_private=private)
    if possible:
        assert check_fetched(uri, policy, field="x") == uri
    else:
        with pytest.raises(InvalidApplicationError):
            check_fetched(uri, policy, field="x")
