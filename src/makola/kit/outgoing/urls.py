"""Reading URLs once, so that what was checked is what is called.

Two parsers that understand one URL differently are the classic way around a filter. Here one reading gives
the host that is checked, resolved and connected to, and what remains of the URL is passed on as written.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote

from yarl import URL

from makola.kit.outgoing.addresses import AddressPolicy, IpAddress
from makola.kit.outgoing.errors import InvalidUrlError

MAXIMUM_URL_BYTES = 2048
_PORTS = {"http": 80, "https": 443}

_SHAPE = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?",
                    re.IGNORECASE)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NAME = re.compile(r"(?=.{1,253}\Z)(?:(?!-)[a-z0-9_-]{1,63}(?<!-)\.)*(?!-)[a-z0-9_-]{1,63}(?<!-)")
#: A last label like this makes the host an IPv4 address in some spelling (WHATWG URL, "ends in a number").
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
#: What may stand in a path or query as it is (RFC 3986 section 3.3 and 3.4); the rest is percent-encoded.
_AS_WRITTEN = "%:/?@!$&'()*+,;=[]~"


@dataclass(frozen=True, slots=True)
class OutgoingUrl:
    """An URL in its parts. `host` is ASCII in lower case; `path` and `query` are as written, made legal."""

    scheme: str
    host: str
    port: int
    path: str = field(repr=False)
    query: str | None = field(repr=False)

    @property
    def origin(self) -> str:
        """The scheme, host and port (left out where the scheme says it): never secret, fit for a log."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def text(self) -> str:
        """The whole URL."""
        return self.origin + self.path + ("" if self.query is None else f"?{self.query}")

    def with_query(self, query: str) -> "OutgoingUrl":
        """Return this URL with another query, already encoded; with none when it is empty."""
        return OutgoingUrl(self.scheme, self.host, self.port, self.path, query or None)

    @property
    def address(self) -> IpAddress | None:
        """The IP address that stands in the host's place; None for a name."""
        if ":" in self.host:
            return IPv6Address(self.host)
        return IPv4Address(self.host) if _NUMBER.fullmatch(self.host.rpartition(".")[2]) else None


def parse_url(url: str, *, field: str = "url") -> OutgoingUrl:
    """Read an absolute http or https URL. The fragment is dropped: it never goes over the wire.

    Args:
        url: what the owner wrote.
        field: the name of the input, for the error.

    Raises:
        InvalidUrlError: another scheme, no host, credentials in it, control characters, an IPv4 address in
            any but its usual form, an IPv6 zone.
    """
    return _parse(url, field)


@lru_cache(maxsize=4096)
def _parse(url: str, field: str) -> OutgoingUrl:
    parts = None if _CONTROL.search(url) else _SHAPE.match(url)
    if parts is None:
        raise InvalidUrlError("must begin with http:// or https:// and hold no control characters", field=field)
    host, port = _read_authority(parts["authority"], field)
    scheme, query = parts["scheme"].lower(), parts["query"]
    return OutgoingUrl(scheme, host, port or _PORTS[scheme], _legal(parts["path"]) or "/",
                       None if query is None else _legal(query))


def check_url(url: str, *, policy: AddressPolicy | None = None, field: str = "url") -> None:
    """Check an URL when its owner saves it, so that the mistake is seen then and not at the first call.

    A name's addresses are not looked up here: they are checked at every connection.

    Args:
        url: what the owner wrote.
        policy: which addresses may stand in the host's place; public ones only when None.
        field: the name of the input, for the error.

    Raises:
        InvalidUrlError: as `parse_url`; or it is too long, or its address is not permitted.
    """
    policy = policy or AddressPolicy()
    if len(url.encode("utf-8", "replace")) > MAXIMUM_URL_BYTES:
        raise InvalidUrlError(f"must be at most {MAXIMUM_URL_BYTES} bytes long", field=field)
    parsed = parse_url(url, field=field)
    if len(parsed.text) > MAXIMUM_URL_BYTES:
        raise InvalidUrlError(f"must be at most {MAXIMUM_URL_BYTES} bytes long when encoded", field=field)
    address: str | IpAddress | None = parsed.address
    if address is None and f".{parsed.host}".removesuffix(".").endswith(".localhost"):
        address = "127.0.0.1"  # RFC 6761 section 6.3
    if address is not None and not policy.permits(address):
        raise InvalidUrlError("must not point to a local, private or reserved address", field=field)


def _read_authority(authority: str, field: str) -> tuple[str, int | None]:
    if "@" in authority:
        raise InvalidUrlError("must not hold a user name or password", field=field)
    parts = _AUTHORITY.fullmatch(authority.removesuffix(":"))
    if parts is None:
        raise InvalidUrlError("must name a host, and a port only as a number", field=field)
    port = None if parts["port"] is None else int(parts["port"])
    if port is not None and not 0 < port < 65536:
        raise InvalidUrlError("must have a port between 1 and 65535", field=field)
    written = parts["host"]
    return (_read_v6(written[1:-1], field) if written[0] == "[" else _read_name(written, field)), port


def _read_v6(text: str, field: str) -> str:
    try:
        return str(IPv6Address(text))
    except AddressValueError as error:
        raise InvalidUrlError("must name an IPv6 address in its usual form", field=field) from error


def _read_name(written: str, field: str) -> str:
    try:
        # IDNA first: it turns full-width digits and dots into the plain ones.
        host = (URL.build(scheme="http", host=written).raw_host or "").lower()
    except ValueError as error:  # UnicodeError is one
        raise InvalidUrlError("must name a host that exists in the DNS", field=field) from error
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        try:
            return str(IPv4Address(host))
        except AddressValueError as error:
            raise InvalidUrlError("must write an IPv4 address as four decimal numbers", field=field) from error
    if not _NAME.fullmatch(host.removesuffix(".")):
        raise InvalidUrlError("must name a host that exists in the DNS", field=field)
    return host


def _legal(text: str) -> str:
    return quote(text, safe=_AS_WRITTEN, errors="replace")
