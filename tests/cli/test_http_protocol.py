"""HTTP at the socket: floods, nonsense and slow clients, as bytes."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from makola.server import http_server, listen
from makola.settings import Settings

MAX_HEADER_BYTES = 8192
#: Of a server that nobody keeps waiting, and of one whose patience is tried.
READ_TIMEOUT_S, SHORT_READ_TIMEOUT_S = 30.0, 0.5
HEAD = b"POST /echo HTTP/1.1\r\nHost: x\r\n"

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Application:
    """Answers with the number of bytes in the body, after a while on /slow, before reading it on /early."""

    def __init__(self) -> None:
        self.complete: list[int] = []
        self.cut = 0

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["path"] == "/early":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"early", "more_body": True})
        size = await self._read(receive)
        if size is None:
            return
        if scope["path"] == "/slow":
            await asyncio.sleep(0.2)
        body = str(size).encode()
        if scope["path"] != "/early":
            await send({"type": "http.response.start", "status": 200,
                        "headers": [(b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    async def _read(self, receive: Receive) -> int | None:
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.cut += 1
                return None
            size += len(message["body"])
            more = message["more_body"]
        self.complete.append(size)
        return size


class Running:
    """A server with the application above, and connections to it."""

    def __init__(self, port: int, application: Application) -> None:
        self.port = port
        self.application = application

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()

    async def exchange(self, request: bytes) -> bytes:
        """Send `request` and return everything up to the end of the connection."""
        async with self.connection() as (reader, writer):
            writer.write(request)
            return await asyncio.wait_for(reader.read(), 30)


@asynccontextmanager
async def serving(read_timeout_s: float) -> AsyncIterator[Running]:
    application = Application()
    listener = listen("127.0.0.1", 0)
    server = http_server(Settings(
        max_header_bytes=MAX_HEADER_BYTES, request_read_timeout_s=read_timeout_s, drain_timeout_s=2), application)
    serving = asyncio.create_task(server.serve([listener]))
    await asyncio.wait_for(server.listening.wait(), 30)
    yield Running(listener.getsockname()[1], application)
    server.should_exit = True
    await serving


@pytest_asyncio.fixture(scope="module")
async def patient_server() -> AsyncIterator[Running]:
    async with serving(READ_TIMEOUT_S) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def hasty_server() -> AsyncIterator[Running]:
    async with serving(SHORT_READ_TIMEOUT_S) as running:
        yield running


@pytest.fixture
def running(patient_server: Running) -> Running:
    return _fresh(patient_server)


@pytest.fixture
def hasty(hasty_server: Running) -> Running:
    return _fresh(hasty_server)


def _fresh(running: Running) -> Running:
    running.application.complete.clear()
    running.application.cut = 0
    return running


def assert_refused(answer: bytes, status: int, words: str) -> None:
    """Check that `answer` is one JSON error, and the end of the connection."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode()), answer
    assert b"content-type: application/json" in head
    assert b"connection: close" in head
    error = json.loads(body)
    assert error["Status"] == 100
    assert words in error["Detail"]
    assert (error["status"], error["detail"], error["type"]) == (status, error["Detail"], "about:blank")
    assert error["title"]


@pytest.mark.parametrize("flood", [
    pytest.param(HEAD + b"X-Flood: " + b"x" * 300_000, id="a header without end"),
    pytest.param(HEAD + b"x" * 300_000, id="a header name without end"),
    pytest.param(b"GET /" + b"x" * 300_000, id="a request line without end"),
    pytest.param(HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(5000)), id="headers without end"),
    pytest.param(HEAD + b"X-Big: " + b"x" * MAX_HEADER_BYTES + b"\r\n\r\n", id="a complete head, too large"),
    pytest.param(b"GET /" + b"x" * MAX_HEADER_BYTES + b" HTTP/1.1\r\n\r\n", id="a complete line, too large"),
])
async def test_a_flood_of_headers_is_answered_431(running: Running, flood: bytes) -> None:
    assert_refused(await running.exchange(flood), 431, f"larger than {MAX_HEADER_BYTES} bytes")
    assert running.application.complete == []


async def test_a_client_that_keeps_sending_still_sees_the_answer(running: Running) -> None:
    async with running.connection() as (reader, writer):
        writer.write(HEAD + b"X-Flood: ")
        for _ in range(50):
            writer.write(b"x" * 10_000)
            await asyncio.sleep(0.005)
        assert_refused(await asyncio.wait_for(reader.read(), 30), 431, "larger")


async def test_a_head_of_almost_the_limit_is_taken_whatever_its_pieces(running: Running) -> None:
    request = (HEAD + b"X-Big: " + b"x" * (MAX_HEADER_BYTES - 200)
               + b"\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc")
    for size in (len(request), 1000, MAX_HEADER_BYTES - 100):
        async with running.connection() as (reader, writer):
            for start in range(0, len(request), size):
                writer.write(request[start:start + size])
                await asyncio.sleep(0.01)
            assert (await asyncio.wait_for(reader.read(), 30)).startswith(b"HTTP/1.1 200")


async def test_bodies_and_pipelined_requests_do_not_count_as_headers(running: Running) -> None:
    large = HEAD + b"Content-Length: 100000\r\n\r\n" + b"x" * 100_000
    many = (HEAD + b"Content-Length: 900\r\n\r\n" + b"x" * 900) * 30
    last = HEAD + b"Content-Length: 0\r\nConnection: close\r\n\r\n"

    answer = await running.exchange(large + many + last)

    assert answer.count(b"HTTP/1.1 200") == 32
    assert running.application.complete == [100_000, *[900] * 30, 0]


@pytest.mark.parametrize("nonsense", [
    b"GARBAGE\r\n\r\n",
    b"GET / HTTP/1.1\r\nno colon here\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
])
async def test_nonsense_is_answered_400(running: Running, nonsense: bytes) -> None:
    assert_refused(await running.exchange(nonsense), 400, "not a valid HTTP request")
    assert running.application.complete == []


async def test_an_unknown_method_is_answered_405(running: Running) -> None:
    answer = await running.exchange(b"BREW /v1/messages HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"allow: DELETE, GET, PATCH, POST, PUT" in answer
    assert answer.endswith(b'"Status": 405, "Detail": "There is no such method."}')


async def test_a_broken_chunk_is_answered_400(running: Running) -> None:
    answer = await running.exchange(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n")
    assert_refused(answer, 400, "not a valid HTTP request")
    assert (running.application.complete, running.application.cut) == ([], 1)


async def test_nonsense_behind_a_request_does_not_become_its_answer(running: Running) -> None:
    answer = await running.exchange(b"POST /slow HTTP/1.1\r\nContent-Length: 2\r\n\r\nabGARBAGE\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\n2")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("part", [
    b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    b"G",
    HEAD + b"Content-Length: 10\r\n\r\nabc",
])
async def test_a_request_that_does_not_come_to_its_end_is_answered_408(hasty: Running, part: bytes) -> None:
    started = time.monotonic()
    assert_refused(await hasty.exchange(part), 408, "not complete after 0.5 s")
    assert SHORT_READ_TIMEOUT_S <= time.monotonic() - started < 15
    assert hasty.application.complete == []


async def test_drops_of_header_do_not_win_time(hasty: Running) -> None:
    async with hasty.connection() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nX-Slow: ")
        answer = asyncio.create_task(reader.read())
        while not answer.done():
            writer.write(b"x")
            await asyncio.wait({answer}, timeout=0.1)
        assert_refused(await answer, 408, "not complete")


async def test_a_connection_that_never_says_anything_is_closed(hasty: Running) -> None:
    assert await hasty.exchange(b"") == b""


async def test_an_answer_that_has_begun_is_cut_when_the_body_does_not_come(hasty: Running) -> None:
    answer = await hasty.exchange(b"POST /early HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")
    assert b"early" in answer
    assert b"408" not in answer


async def test_an_idle_connection_is_kept_for_its_next_request(hasty: Running) -> None:
    request = HEAD + b"Content-Length: 1\r\n\r\nx"
    async with hasty.connection() as (reader, writer):
        for _ in range(2):
            writer.write(request)
            assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n1"), 30)).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(SHORT_READ_TIMEOUT_S + 1.2)


async def test_a_request_to_change_the_protocol_is_answered_as_it_is(running: Running) -> None:
    answer = await running.exchange(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"server:" not in answer.lower()
