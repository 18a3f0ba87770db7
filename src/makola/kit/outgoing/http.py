"""The one HTTP client for everything that goes out."""

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp
from yarl import URL

from makola.kit.outgoing.addresses import AddressPolicy
from makola.kit.outgoing.errors import (
    BlockedAddressError,
    InvalidAnswerError,
    OutgoingConnectionError,
    OutgoingTimeoutError,
)
from makola.kit.outgoing.names import CheckedResolver, Lookup, SystemLookup
from makola.kit.outgoing.urls import OutgoingUrl, parse_url
from makola.kit.values import Value

#: Shorter than the 5 s after which common servers close an idle connection, so that we seldom use one that
#: is being closed.
_IDLE_CONNECTION_S = 4.0
_NOT_GUESSED = ("Accept-Encoding", "Content-Type")


class Answer(Value, frozen=True):
    """What came back. `headers` ignores case; `body` is as sent (not decompressed), possibly cut."""

    hidden = frozenset({"headers", "body"})

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool
    duration_s: float


class HttpClient(Protocol):
    """What makes requests: `OutgoingHttp`, or `DirectHttp` where each of them counts."""

    async def request(self, method: str, url: str | OutgoingUrl, *, headers: Mapping[str, str] | None = None,
                      body: bytes | None = None, timeout_s: float = 15.0, connect_timeout_s: float = 5.0,
                      max_answer_bytes: int = 65536) -> Answer:
        """Send one request; see `OutgoingHttp.request`."""


class OutgoingHttp:
    """Keep-alive HTTP/1.1 to addresses that the policy permits, with bounds on time and size.

    No redirect is followed, no cookie kept, no proxy taken from the environment, nothing decompressed, and
    every certificate is verified. How many requests run at once is the caller's business.
    Use it within one event loop, as `async with`, or call `close`.

    Args:
        policy: where requests may go.
        lookup: turns names into addresses; the system's resolver when None.
        tls: the certificates to trust; the system's when None.
        user_agent: what we call ourselves.
        name_kept_s: how long a name's addresses are remembered, in seconds.
    """

    def __init__(self, policy: AddressPolicy | None = None, *, lookup: Lookup | None = None,
                 tls: ssl.SSLContext | None = None, user_agent: str = "Makola",
                 name_kept_s: int = 10) -> None:
        self._policy = policy or AddressPolicy()
        self._lookup = lookup
        self._tls = tls
        self._user_agent = user_agent
        self._name_kept_s = name_kept_s
        self._session: aiohttp.ClientSession | None = None
        self._limits: dict[float, aiohttp.ClientTimeout] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def request(self, method: str, url: str | OutgoingUrl, *, headers: Mapping[str, str] | None = None,
                      body: bytes | None = None, timeout_s: float = 15.0, connect_timeout_s: float = 5.0,
                      max_answer_bytes: int = 65536) -> Answer:
        """Send one request and return the answer, whatever its status (a 3xx too).

        Args:
            method: GET, POST, …
            url: absolute, http or https; parsed already or not.
            headers: sent besides Host, Content-Length, Accept and User-Agent.
            body: sent as it is.
            timeout_s: for the whole of it, in seconds.
            connect_timeout_s: for the name, the connection and TLS, in seconds.
            max_answer_bytes: the body is cut here and the connection closed.

        Raises:
            InvalidUrlError: the URL cannot be called.
            BlockedAddressError: the policy does not permit the address; nothing was sent.
            OutgoingTimeoutError: one of the two times ran out.
            OutgoingConnectionError: no connection, or it broke off.
            InvalidAnswerError: the answer is not HTTP.
        """
        target = parse_url(url) if isinstance(url, str) else url
        started = time.perf_counter()
        try:
            async with asyncio.timeout(timeout_s):
                async with self._opened().request(
                        method, URL(target.text, encoded=True), data=body, headers=headers,
                        allow_redirects=False, timeout=self._limit(connect_timeout_s)) as response:
                    content, cut = await _read(response, max_answer_bytes)
        except aiohttp.ConnectionTimeoutError as error:
            raise OutgoingTimeoutError(f"no connection within {connect_timeout_s:g} s") from error
        except TimeoutError as error:
            raise OutgoingTimeoutError(f"no complete answer within {timeout_s:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise _translated(error) from error
        return Answer(response.status, response.headers, content, cut, time.perf_counter() - started)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0, keepalive_timeout=_IDLE_CONNECTION_S, ttl_dns_cache=self._name_kept_s,
                resolver=CheckedResolver(self._policy, self._lookup or SystemLookup()),
                socket_factory=self._socket, ssl=self._tls or True)
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False,
                trust_env=False, skip_auto_headers=_NOT_GUESSED,
                headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"})
        return self._session

    def _limit(self, connect_timeout_s: float) -> aiohttp.ClientTimeout:
        limit = self._limits.get(connect_timeout_s)
        if limit is None:
            limit = aiohttp.ClientTimeout(total=None, connect=connect_timeout_s)
            if len(self._limits) < 64:
                self._limits[connect_timeout_s] = limit
        return limit

    def _socket(self, address_info: tuple[Any, ...]) -> socket.socket:
        """Make the socket for exactly the address that is connected to next: the last word on it."""
        family, kind, protocol, _, address = address_info
        if not self._policy.permits(address[0]):
            raise BlockedAddressError(address[0])
        return socket.socket(family=family, type=kind, proto=protocol)


async def _read(response: aiohttp.ClientResponse, limit: int) -> tuple[bytes, bool]:
    """Return the body up to `limit` bytes, and whether it was cut; a cut one closes the connection."""
    content = response.content
    chunks: list[bytes] = []
    left = limit
    while not content.at_eof():
        chunk = await content.readany()
        chunks.append(chunk[:left])
        left -= len(chunk)
        if left < 0:
            response.close()
            break
    return b"".join(chunks), left < 0


def _translated(error: Exception) -> Exception:
    """Return our error for one of the client's, in words that hold nothing secret."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return OutgoingConnectionError("the TLS certificate is not valid")
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return OutgoingConnectionError("TLS failed")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return OutgoingConnectionError("the host name does not resolve")
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno  # its own text names the address
        return OutgoingConnectionError(f"no connection: {os.strerror(number)}" if number else "no connection")
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return OutgoingConnectionError("the connection was closed before an answer came")
    if isinstance(error, aiohttp.ClientPayloadError):
        return OutgoingConnectionError("the answer broke off")
    if isinstance(error, OSError):  # ClientOSError is one
        return OutgoingConnectionError("the connection broke off")
    return InvalidAnswerError("the answer is not HTTP")
