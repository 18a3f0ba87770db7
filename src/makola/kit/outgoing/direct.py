"""The same client for where each request counts: HTTP/1.1 by hand, at a fifth of what a general library costs.

It promises what `OutgoingHttp` promises, and passes its tests: the policy is asked about every address that is
connected to, no redirect is followed, no cookie kept, nothing decompressed, every certificate verified, and there are
bounds on time and size.
"""

import asyncio
import os
import re
import socket
import ssl
import time
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from makola.kit.outgoing.addresses import AddressPolicy
from makola.kit.outgoing.errors import (
    BlockedAddressError,
    InvalidAnswerError,
    OutgoingConnectionError,
    OutgoingError,
    OutgoingTimeoutError,
)
from makola.kit.outgoing.http import Answer
from makola.kit.outgoing.names import CheckedResolver, Lookup, SystemLookup
from makola.kit.outgoing.reading import AnswerReader
from makola.kit.outgoing.urls import OutgoingUrl, parse_url

#: Shorter than the 5 s after which common servers close an idle connection.
_IDLE_CONNECTION_S = 4.0
_IDLE_AT_MOST = 256

#: What would end a header, and begin another.
_BREAK = re.compile(r"[\r\n\0]")

_Origin = tuple[str, str, int]


class DirectHttp:
    """Keep-alive HTTP/1.1 to addresses that the policy permits; see `OutgoingHttp` for the arguments."""

    def __init__(self, policy: AddressPolicy | None = None, *, lookup: Lookup | None = None,
                 tls: ssl.SSLContext | None = None, user_agent: str = "Makola", name_kept_s: float = 10) -> None:
        self._policy = policy or AddressPolicy()
        self._resolver = CheckedResolver(self._policy, lookup or SystemLookup())
        self._tls = tls
        self._fixed_head = f"Accept-Encoding: identity\r\nUser-Agent: {user_agent}\r\n"
        self._name_kept_s = name_kept_s
        self._names: dict[str, tuple[float, Sequence[str]]] = {}
        self._idle: dict[_Origin, deque[_Connection]] = {}
        self._sweeper: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection that is kept."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for kept in self._idle.values():
            for connection in kept:
                connection.close()
        self._idle.clear()

    async def request(self, method: str, url: str | OutgoingUrl, *, headers: Mapping[str, str] | None = None,
                      body: bytes | None = None, timeout_s: float = 15.0, connect_timeout_s: float = 5.0,
                      max_answer_bytes: int = 65536) -> Answer:
        """Send one request and return the answer, whatever its status; arguments and errors as of `OutgoingHttp`."""
        target = parse_url(url) if isinstance(url, str) else url
        started = time.perf_counter()
        request = self._written(method, target, headers, body)
        origin = (target.scheme, target.host, target.port)
        connection = self._take_idle(origin)
        if connection is None:
            connection = await self._connect(target, min(timeout_s, connect_timeout_s), connect_timeout_s, timeout_s)
        left_s = timeout_s - (time.perf_counter() - started)
        reader = await connection.exchange(request, method, max_answer_bytes, max(left_s, 0.0), timeout_s)
        if connection.is_reusable:
            self._keep(origin, connection)
        else:
            connection.close()
        return Answer(reader.status, reader.headers, reader.body, reader.is_cut,
                      time.perf_counter() - started)

    def _written(self, method: str, target: OutgoingUrl, headers: Mapping[str, str] | None,
                 body: bytes | None) -> bytes:
        host = f"[{target.host}]" if ":" in target.host else target.host
        port = "" if target.port == (443 if target.scheme == "https" else 80) else f":{target.port}"
        query = "" if target.query is None else f"?{target.query}"
        given = headers if headers is not None and "Accept" in headers else {"Accept": "*/*", **(headers or {})}
        if _BREAK.search("".join([*given, *given.values()])):
            raise ValueError("a header holds a line break")
        own = "".join([f"{name}: {value}\r\n" for name, value in given.items()])
        has_none = body is None and method in {"GET", "HEAD", "DELETE"}
        length = "" if has_none else f"Content-Length: {len(body or b'')}\r\n"
        head = f"{method} {target.path}{query} HTTP/1.1\r\nHost: {host}{port}\r\n{self._fixed_head}{length}{own}\r\n"
        return head.encode("latin-1") + (body or b"")

    # -- connections ------------------------------------------------------------------------------------------

    def _take_idle(self, origin: _Origin) -> "_Connection | None":
        kept = self._idle.get(origin)
        while kept:
            connection = kept.pop()
            if connection.is_fresh:
                return connection
            connection.close()
        return None

    def _keep(self, origin: _Origin, connection: "_Connection") -> None:
        kept = self._idle.setdefault(origin, deque())
        if len(kept) >= _IDLE_AT_MOST:
            connection.close()
            return
        kept.append(connection)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(_IDLE_CONNECTION_S, self._sweep)

    def _sweep(self) -> None:
        """Close what has been idle for too long."""
        self._sweeper = None
        for origin, kept in list(self._idle.items()):
            while kept and not kept[0].is_fresh:
                kept.popleft().close()
            if not kept:
                del self._idle[origin]
        if self._idle:
            self._sweeper = asyncio.get_running_loop().call_later(_IDLE_CONNECTION_S, self._sweep)

    async def _connect(self, target: OutgoingUrl, limit_s: float, connect_timeout_s: float,
                       timeout_s: float) -> "_Connection":
        try:
            async with asyncio.timeout(limit_s):
                return await self._connect_to_any(target, await self._addresses(target))
        except TimeoutError as error:
            raise OutgoingTimeoutError(f"no connection within {connect_timeout_s:g} s" if connect_timeout_s < timeout_s
                                       else f"no complete answer within {timeout_s:g} s") from error

    async def _addresses(self, target: OutgoingUrl) -> Sequence[str]:
        if target.address is not None:
            return [target.host]
        known = self._names.get(target.host)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        try:
            found = [str(result["host"]) for result in await self._resolver.resolve(target.host, target.port)]
        except OSError as error:
            raise OutgoingConnectionError("the host name does not resolve") from error
        if len(self._names) > 10_000:
            self._names.clear()
        self._names[target.host] = (time.monotonic() + self._name_kept_s, found)
        return found

    async def _connect_to_any(self, target: OutgoingUrl, addresses: Sequence[str]) -> "_Connection":
        refusal: OutgoingError = OutgoingConnectionError("no connection")
        for address in addresses:
            if not self._policy.permits(address):  # the last word on exactly what is connected to
                raise BlockedAddressError(address)
            try:
                return await self._connect_to(target, address)
            except ssl.SSLCertVerificationError as error:
                raise OutgoingConnectionError("the TLS certificate is not valid") from error
            except ssl.SSLError as error:
                raise OutgoingConnectionError("TLS failed") from error
            except OSError as error:
                refusal = OutgoingConnectionError(
                    f"no connection: {os.strerror(error.errno)}" if error.errno else "no connection")
        raise refusal

    async def _connect_to(self, target: OutgoingUrl, address: str) -> "_Connection":
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        if target.scheme == "https":
            self._tls = self._tls or ssl.create_default_context()
            _, connection = await loop.create_connection(_Connection, address, target.port, family=family,
                                                         ssl=self._tls, server_hostname=target.host)
        else:
            _, connection = await loop.create_connection(_Connection, address, target.port, family=family)
        return connection


class _Connection(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reader: AnswerReader | None = None
        self._waiter: asyncio.Future[AnswerReader] | None = None
        self._closed = False
        self._idle_since = 0.0
        self.is_reusable = False

    @property
    def is_fresh(self) -> bool:
        """Whether the other side has most likely not closed it."""
        return not self._closed and time.monotonic() - self._idle_since < _IDLE_CONNECTION_S

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        if not isinstance(transport, asyncio.Transport) and not hasattr(transport, "write"):
            raise TypeError("no stream")
        self._transport = transport  # type: ignore[assignment] # uvloop's transports are none of asyncio's

    async def exchange(self, request: bytes, method: str, most_bytes: int, left_s: float,
                       timeout_s: float) -> AnswerReader:
        """Send a request and return its answer."""
        if self._transport is None or self._closed:
            raise OutgoingConnectionError("the connection was closed before an answer came")
        loop = asyncio.get_running_loop()
        self.is_reusable = False
        self._reader = AnswerReader(most_bytes, has_body=method != "HEAD")
        self._waiter = loop.create_future()
        timer = loop.call_later(left_s, self._late, timeout_s)
        try:
            self._transport.write(request)
            return await self._waiter
        except BaseException:
            self.close()
            raise
        finally:
            timer.cancel()
            self._reader, self._waiter = None, None

    def data_received(self, data: bytes) -> None:
        """Read on."""
        reader, waiter = self._reader, self._waiter
        if reader is None or waiter is None or waiter.done():
            self.close()  # nobody asked
            return
        try:
            is_complete = reader.feed(data)
        except InvalidAnswerError as error:
            waiter.set_exception(error)
            self.close()
            return
        if is_complete:
            self.is_reusable = reader.keeps_connection
            self._idle_since = time.monotonic()
            waiter.set_result(reader)

    def eof_received(self) -> bool:
        """Nothing more comes."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """End, which may be the answer's end too."""
        self._closed = True
        reader, waiter = self._reader, self._waiter
        if reader is None or waiter is None or waiter.done():
            return
        if reader.ends_with_connection and exc is None:
            waiter.set_result(reader)
        elif isinstance(exc, ssl.SSLError):
            waiter.set_exception(OutgoingConnectionError("TLS failed"))
        elif exc is not None:
            waiter.set_exception(OutgoingConnectionError("the connection broke off"))
        else:
            waiter.set_exception(OutgoingConnectionError(
                "the answer broke off" if reader.has_begun else "the connection was closed before an answer came"))

    def close(self) -> None:
        """Close it now."""
        self._closed = True
        if self._transport is not None:
            self._transport.abort()

    def _late(self, timeout_s: float) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(OutgoingTimeoutError(f"no complete answer within {timeout_s:g} s"))
