"""The client against real servers on 127.0.0.1."""

import asyncio
import gzip
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest

from makola.kit.outgoing import (
    AddressPolicy,
    BlockedAddressError,
    InvalidAnswerError,
    InvalidUrlError,
    OutgoingConnectionError,
    OutgoingHttp,
    OutgoingTimeoutError,
)
from makola.kit.outgoing.names import CheckedResolver

LOCAL = AddressPolicy(allow_private=True)
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Wire:
    """A server that shows what came over the wire and answers with given bytes."""

    def __init__(self, answer: bytes | Handler) -> None:
        self.answer = answer
        self.connections = 0
        self.requests: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(line[15:]) for line in head.lower().split(b"\r\n")
                               if line.startswith(b"content-length:")), 0)
                self.requests.append(head + await reader.readexactly(length))
                if callable(self.answer):
                    await self.answer(reader, writer)
                else:
                    writer.write(self.answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def wire(answer: bytes | Handler, host: str = "127.0.0.1", port: int = 0,
               tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    server_side = Wire(answer)
    server = await asyncio.start_server(server_side.serve, host, port, ssl=tls)
    server_side.port = server.sockets[0].getsockname()[1]
    try:
        yield server_side
    finally:
        server.close()


def answers(*addresses: str) -> Callable[[str], Awaitable[Sequence[str]]]:
    async def lookup(_host: str) -> Sequence[str]:
        return addresses

    return lookup


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def test_a_request_and_its_answer() -> None:
    async with wire(OK) as server, OutgoingHttp(LOCAL, user_agent="Test/1") as http:
        answer = await http.request(
            "POST", f"http://127.0.0.1:{server.port}/a%2fb?x=%2b+&y=é", headers={"X-One": "1"}, body=b"hello")
        assert (answer.status, answer.body, answer.cut) == (200, b"ok", False)
        assert answer.headers["content-length"] == "2"
        assert 0 < answer.duration_s < 5
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /a%2fb?x=%2b+&y=%C3%A9 HTTP/1.1"
    assert body == b"hello"
    assert {line.split(":")[0]: line.split(": ")[1] for line in lines[1:]} == {
        "Host": f"127.0.0.1:{server.port}", "User-Agent": "Test/1", "Accept": "*/*", "X-One": "1",
        "Accept-Encoding": "identity", "Content-Length": "5"}


async def test_a_connection_is_kept() -> None:
    async with wire(OK) as server, OutgoingHttp(LOCAL) as http:
        for _ in range(3):
            await http.request("GET", f"http://127.0.0.1:{server.port}/")
        assert (server.connections, len(server.requests)) == (1, 3)


@pytest.mark.parametrize("host", [
    "127.0.0.1", "127.0.0.2", "localhost", "localhost.", "LOCALHOST", "2130706433", "017700000001", "0x7f000001",
    "0177.0.0.1", "0x7f.1", "127.1", "127.0.1", "0", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::1%25lo]", "127.0.0.1.",
    "%31%32%37.0.0.1", "１２７.０.０.１", "127。0。0。1", "①②⑦.⓪.⓪.①", "user@127.0.0.1", "example.com@127.0.0.1",
    "example.com\\@127.0.0.1", "127.0.0.1#@example.com", "loop.example", "mapped.example"])
async def test_no_spelling_of_a_local_address_is_called(host: str) -> None:
    names = {"loop.example": ["127.0.0.1"], "mapped.example": ["::ffff:127.0.0.1"]}

    async def lookup(name: str) -> Sequence[str]:
        return names.get(name) or ["127.0.0.1"]

    async with wire(OK) as server, OutgoingHttp(lookup=lookup) as http:
        with pytest.raises((BlockedAddressError, InvalidUrlError)):
            await http.request("GET", f"http://{host}:{server.port}/", timeout_s=1)
        assert server.connections == 0


async def test_the_systems_names_are_checked_too() -> None:
    async with wire(OK) as server, OutgoingHttp() as public_only, OutgoingHttp(LOCAL) as local:
        with pytest.raises(BlockedAddressError) as blocked:
            await public_only.request("GET", f"http://localhost:{server.port}/")
        assert blocked.value.address in {"127.0.0.1", "::1"}
        assert "127.0.0.1" not in str(blocked.value)
        assert (await local.request("GET", f"http://localhost:{server.port}/")).status == 200


@pytest.mark.parametrize("addresses", [("127.0.0.2", "127.0.0.1"), ("127.0.0.1", "127.0.0.2")])
async def test_a_name_with_one_address_that_is_not_permitted_is_not_called(addresses: tuple[str, ...]) -> None:
    policy = AddressPolicy(allowed_networks=(ip_network("127.0.0.2/32"),))
    async with wire(OK, "127.0.0.2") as permitted, OutgoingHttp(policy, lookup=answers(*addresses)) as http:
        with pytest.raises(BlockedAddressError):
            await http.request("GET", f"http://both.example:{permitted.port}/")
        assert permitted.connections == 0


async def test_a_name_that_changes_its_address_is_caught() -> None:
    """DNS rebinding: an address that is permitted at first, then 127.0.0.1."""
    turns = iter([["127.0.0.2"], ["127.0.0.1"]])

    async def lookup(_host: str) -> Sequence[str]:
        return next(turns)

    policy = AddressPolicy(allowed_networks=(ip_network("127.0.0.2/32"),))
    closing = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with (wire(closing, "127.0.0.2") as permitted, wire(OK, port=permitted.port) as inside,
                OutgoingHttp(policy, lookup=lookup, name_kept_s=0) as http):
        url = f"http://rebinding.example:{permitted.port}/"
        assert (await http.request("GET", url)).status == 200
        with pytest.raises(BlockedAddressError):
            await http.request("GET", url)
        assert (permitted.connections, inside.connections) == (1, 0)


async def test_the_address_connected_to_is_the_one_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the check of the name was fooled: the socket is made for the address and checks it again."""
    permissive = CheckedResolver(LOCAL, answers("127.0.0.1")).resolve
    monkeypatch.setattr(CheckedResolver, "resolve", lambda _self, *rest, **names: permissive(*rest, **names))
    async with wire(OK) as server, OutgoingHttp() as http:
        with pytest.raises(BlockedAddressError):
            await http.request("GET", f"http://fooled.example:{server.port}/")
        assert server.connections == 0


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async with wire(OK) as inside:
        redirect = (f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{inside.port}/\r\n"
                    "Content-Length: 0\r\n\r\n").encode()
        async with wire(redirect) as server, OutgoingHttp(LOCAL) as http:
            assert (await http.request("GET", f"http://127.0.0.1:{server.port}/")).status == 302
        assert inside.connections == 0


async def test_a_long_answer_is_cut_and_its_connection_closed() -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 1_000_000
    async with wire(long) as server, OutgoingHttp(LOCAL) as http:
        url = f"http://127.0.0.1:{server.port}/"
        answer = await http.request("GET", url)
        assert (len(answer.body), answer.cut) == (65536, True)
        answer = await http.request("GET", url, max_answer_bytes=10)
        assert (answer.body, answer.cut) == (b"x" * 10, True)
        assert server.connections == 2


async def test_an_answer_of_just_the_limit_is_whole() -> None:
    async with wire(OK) as server, OutgoingHttp(LOCAL) as http:
        answer = await http.request("GET", f"http://127.0.0.1:{server.port}/", max_answer_bytes=2)
        assert (answer.body, answer.cut) == (b"ok", False)


async def test_nothing_is_decompressed() -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    async with wire(head + bomb) as server, OutgoingHttp(LOCAL) as http:
        assert (await http.request("GET", f"http://127.0.0.1:{server.port}/")).body == bomb


async def test_no_cookie_is_kept_and_no_proxy_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    baked = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
    async with wire(baked) as server, OutgoingHttp(LOCAL) as http:
        for _ in range(2):
            await http.request("GET", f"http://127.0.0.1:{server.port}/")
        assert b"cookie" not in server.requests[1].lower()


async def _hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def _drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("slow", [_hang, _drip])
async def test_an_answer_must_come_in_time(slow: Handler) -> None:
    async with wire(slow) as server, OutgoingHttp(LOCAL) as http:
        started = time.perf_counter()
        with pytest.raises(OutgoingTimeoutError, match=r"no complete answer within 0\.15 s"):
            await http.request("GET", f"http://127.0.0.1:{server.port}/", timeout_s=0.15)
        assert time.perf_counter() - started < 15


async def test_a_name_server_must_answer_in_time() -> None:
    async def never(_host: str) -> Sequence[str]:
        await asyncio.sleep(30)
        return []

    async with OutgoingHttp(LOCAL, lookup=never) as http:
        with pytest.raises(OutgoingTimeoutError, match=r"no connection within 0\.1 s"):
            await http.request("GET", "http://silent.example/", connect_timeout_s=0.1)


async def test_one_dead_name_does_not_stop_the_others() -> None:
    async def lookup(host: str) -> Sequence[str]:
        if host.startswith("dead"):
            await asyncio.sleep(30)
        return ["127.0.0.1"]

    async with wire(OK) as server, OutgoingHttp(LOCAL, lookup=lookup) as http:
        stuck = [asyncio.create_task(http.request("GET", f"http://dead{number}.example/")) for number in range(50)]
        await asyncio.sleep(0)
        assert (await http.request("GET", f"http://alive.example:{server.port}/", timeout_s=20)).status == 200
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)


async def test_what_is_not_there_is_an_error_of_ours() -> None:
    async with wire(OK) as server:
        port = server.port
    async with OutgoingHttp(LOCAL, lookup=answers()) as http:
        with pytest.raises(OutgoingConnectionError, match="no connection: Connection refused"):
            await http.request("GET", f"http://127.0.0.1:{port}/")
        with pytest.raises(OutgoingConnectionError, match="does not resolve"):
            await http.request("GET", "http://nowhere.example/")


async def test_the_systems_resolver_knows_no_invalid_name() -> None:
    async with OutgoingHttp(LOCAL) as http:
        with pytest.raises((OutgoingConnectionError, OutgoingTimeoutError)):
            await http.request("GET", "http://nowhere.invalid/", connect_timeout_s=2)


async def _close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _break_off(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    writer.close()


@pytest.mark.parametrize(("answer", "error"), [
    (_close, OutgoingConnectionError), (_break_off, OutgoingConnectionError),
    (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", InvalidAnswerError),
    (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", InvalidAnswerError),
    (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", InvalidAnswerError),
])
async def test_a_broken_answer_is_an_error_of_ours(answer: bytes | Handler, error: type[Exception]) -> None:
    async with wire(answer) as server, OutgoingHttp(LOCAL) as http:
        with pytest.raises(error) as broken:
            await http.request("GET", f"http://127.0.0.1:{server.port}/?token=secret", timeout_s=5)
        assert "secret" not in str(broken.value)


async def test_a_certificate_must_be_trusted() -> None:
    pem = Path(__file__).with_name("self_signed.pem")  # for localhost and 127.0.0.1, used nowhere else
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(pem)
    async with (wire(OK, tls=server_side) as server, OutgoingHttp(LOCAL) as http,
                OutgoingHttp(LOCAL, tls=ssl.create_default_context(cafile=str(pem)),
                             lookup=answers("127.0.0.1")) as trusting):
        with pytest.raises(OutgoingConnectionError, match="certificate is not valid"):
            await http.request("GET", f"https://127.0.0.1:{server.port}/")
        assert (await trusting.request("GET", f"https://localhost:{server.port}/")).status == 200
        with pytest.raises(OutgoingConnectionError, match="certificate is not valid"):
            await trusting.request("GET", f"https://other.example:{server.port}/")
        assert len(server.requests) == 1
