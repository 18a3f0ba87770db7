"""Reading URLs: one reading, no odd spellings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from makola.kit.outgoing import AddressPolicy, InvalidUrlError, check_url, parse_url

ODD = [
    "http://2130706433/", "http://017700000001/", "http://0x7f000001/", "http://0177.0.0.1/", "http://0x7f.1/",
    "http://0x7f.0x0.0x0.0x1/", "http://127.1/", "http://127.0.1/", "http://0/", "http://127.0.0.01/",
    "http://127.0.0.1./", "http://127.0.0.1../", "http://1.2.3.4.5/", "http://256.0.0.1/", "http://0x/",
    "http://a.0x7f/", "http://%31%32%37.0.0.1/", "http://127.0.0.1%2f@x/", "http://[::1%25eth0]/",
    "http://[fe80::1%eth0]/", "http://[::1/", "http://::1/", "http://[v1.a]/", "http://[]/", "http://[::1]x/",
    "http://user@example.com/", "http://user:password@example.com/", "http://example.com@127.0.0.1/",
    "http://example.com\\@127.0.0.1/", "http://127.0.0.1\\@example.com/", "http://exa mple.com/",
    "http://example.com\t/", "http://example.com/\r\nHost: x", "http://example.com/\0", "\nhttp://example.com/",
    "http:///path", "http://", "http:/example.com", "//example.com/", "example.com", "", "ftp://example.com/",
    "file:///etc/passwd", "gopher://example.com/", "javascript:alert(1)", "http://example.com:0/",
    "http://example.com:65536/", "http://example.com:x/", "http://example.com:80:80/", "http://a..b/", "http://./",
    "http://-a.com/", "http://xn--/", f"http://{'a' * 64}.com/", f"http://{'a.' * 127}aa/",
    "http://example.com:٣/", "http://１２７.1/", "http://②①③/",
]


@pytest.mark.parametrize("url", ODD)
def test_an_odd_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidUrlError) as refused:
        parse_url(url, field="callback_url")
    assert refused.value.code == "invalid_url"
    assert refused.value.field == "callback_url"


@pytest.mark.parametrize(("url", "origin", "path", "query"), [
    ("http://Example.COM", "http://example.com", "/", None),
    ("HTTPS://example.com?", "https://example.com", "/", ""),
    ("https://example.com:8443/a/../b;c?x=%2f+%20&y=1&x=2#part", "https://example.com:8443", "/a/../b;c",
     "x=%2f+%20&y=1&x=2"),
    ("http://example.com:/", "http://example.com", "/", None),
    ("http://example.com./é ü?q=\"<ö>|", "http://example.com.", "/%C3%A9%20%C3%BC", "q=%22%3C%C3%B6%3E%7C"),
    ("http://bücher.example/", "http://xn--bcher-kva.example", "/", None),
    ("http://my_host-1/", "http://my_host-1", "/", None),
    ("http://1and1.com/", "http://1and1.com", "/", None),
    ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080", "/x", None),
    ("http://１２７.０.０.１/", "http://127.0.0.1", "/", None),
    ("http://127。0。0。1/", "http://127.0.0.1", "/", None),
    ("http://[::FFFF:7f00:1]:81/", "http://[::ffff:7f00:1]:81", "/", None),
    ("http://[0:0:0:0:0:0:0:1]/", "http://[::1]", "/", None),
])
def test_a_url_is_read(url: str, origin: str, path: str, query: str | None) -> None:
    parsed = parse_url(url)
    assert (parsed.origin, parsed.path, parsed.query) == (origin, path, query)
    assert parse_url(parsed.text) == parsed


@given(st.text(max_size=40))
def test_the_host_that_is_checked_is_the_host_that_is_called(text: str) -> None:
    for url in (f"http://{text}", f"http://{text}/x", f"https://example.com/{text}"):
        try:
            parsed = parse_url(url)
        except InvalidUrlError:
            continue
        called = URL(parsed.text, encoded=True)
        assert called.raw_host == parsed.host
        assert (called.scheme, called.port) == (parsed.scheme, parsed.port)
        assert called.raw_path_qs == parsed.path + ("" if not parsed.query else f"?{parsed.query}")
        assert parsed.text.isascii()
        assert parsed.text.isprintable()


@pytest.mark.parametrize("url", [
    "http://localhost/", "http://LOCALHOST.:80/", "http://a.localhost/", "http://127.0.0.1/", "http://[::1]/",
    "http://10.0.0.1/", "http://[::ffff:192.168.0.1]/", "http://１２７.０.０.１/"])
def test_a_local_address_is_saved_only_where_the_policy_allows(url: str) -> None:
    with pytest.raises(InvalidUrlError):
        check_url(url)
    check_url(url, policy=AddressPolicy(allow_private=True))


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "http://[64:ff9b::a9fe:a9fe]/", "http://0.0.0.0/"])
def test_cloud_credentials_are_out_of_reach_in_every_mode(url: str) -> None:
    with pytest.raises(InvalidUrlError):
        check_url(url, policy=AddressPolicy(allow_private=True))


def test_a_url_has_a_length() -> None:
    check_url("https://example.com/" + "a" * 2028)
    for url in ("https://example.com/" + "a" * 2029, "https://example.com/" + "é" * 1000):
        with pytest.raises(InvalidUrlError):
            check_url(url)


def test_a_url_does_not_show_its_query() -> None:
    assert "secret" not in repr(parse_url("https://example.com/secret?token=secret"))
