"""HTTP/1.1 by hand for the load: a general client takes more of the core that it shares with the database.

It knows what these servers answer and no more: a length is named, and connections are kept.
"""

import asyncio
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

_END = b"\r\n\r\n"


class _Messages(asyncio.Protocol):
    """Splits what comes into heads and bodies."""

    def __init__(self) -> None:
        self._buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take some bytes in."""
        self._buffer += data
        while (end := self._buffer.find(_END)) >= 0:
            head = self._buffer[:end].lower()
            begin, _, rest = head.partition(b"\ncontent-length:")
            length = int(rest.split(b"\r", 1)[0]) if rest else 0
            if len(self._buffer) < end + len(_END) + length:
                return
            body = self._buffer[end + len(_END):end + len(_END) + length]
            self._buffer = self._buffer[end + len(_END) + length:]
            self.take(begin, body)

    def take(self, head: bytes, body: bytes) -> None:
        """Take one message in."""
        raise NotImplementedError


class Line(_Messages):
    """One connection to a server, one request at a time."""

    def __init__(self, host: str) -> None:
        super().__init__()
        self._host = host
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    @classmethod
    async def open(cls, base_url: str) -> "Line":
        """Connect."""
        host = urlsplit(base_url).netloc
        name, _, port = host.partition(":")
        _, line = await asyncio.get_running_loop().create_connection(lambda: cls(host), name, int(port))
        return line

    async def request(self, method: str, path: str, body: bytes = b"", *, headers: str = "") -> tuple[int, bytes]:
        """Send a request; return the answer's status and body."""
        if self.transport is None:
            raise ConnectionError("not connected")
        answer: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self._answer = answer
        self.transport.write(f"{method} {path} HTTP/1.1\r\nhost: {self._host}\r\n{headers}"
                             f"content-length: {len(body)}\r\n\r\n".encode() + body)
        return await answer

    def take(self, head: bytes, body: bytes) -> None:
        """Take the answer in."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((int(head[9:12]), body))

    def connection_lost(self, error: Exception | None) -> None:
        """Fail what waits."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionError("the server has hung up"))


class Receiver(_Messages):
    """A server that answers 200 to everything and hands the bodies on."""

    def __init__(self, receive: Callable[[bytes], None]) -> None:
        super().__init__()
        self._receive = receive

    def take(self, head: bytes, body: bytes) -> None:
        """Take a request in."""
        del head
        self._receive(body)
        if self.transport is not None:
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
