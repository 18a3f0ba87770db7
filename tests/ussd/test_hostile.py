"""Operators that push nonsense, and applications that answer it: a clear refusal or a documented error, never a 500."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest
import pytest_asyncio

from makola.api.operators.ussd import UssdDoors
from makola.connectors.http_ussd import OperatorsFileError, read_operators
from tests.ussd.application import Application, Request
from tests.ussd.stage import Stage, text_of

_SECRET = "a-secret-of-the-operator"
_FILE = f"""
[at]
description = "africas_talking"
secret = "{_SECRET}"

[json]
secret = "{_SECRET}"

[own]
secret = "{_SECRET}"
fields = {{ form = true, joined = true, separator = "#", kind = "k", kinds = {{ Begin = "dial", MORE = "input" }} }}
"""
_GOOD = {"sessionId": "s", "requestId": "1", "type": "begin", "msisdn": "+233244123456", "serviceCode": "*714#",
         "text": "", "operator": "MTN"}
_FORM = {"sessionId": "s", "phoneNumber": "+254711123456", "networkCode": "63902", "serviceCode": "*714#", "text": ""}
_ODD: list[object] = [
    None, True, False, 0, -1, 1.5, 1e308, 10**30, 10**400, "", [], {}, ["a"], "\0", "a\0b", "x" * 300, "1" * 10_000,
    "\ud800", "é" * 300, "\u202e", " ", "💥" * 200]


@pytest_asyncio.fixture
async def operator(stage: Stage, application: Application, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client at the doors of three operators; the application goes on and on."""
    application.script = _echo
    file = tmp_path / "operators.toml"
    file.write_text(_FILE)
    doors = UssdDoors(stage.gateway, read_operators(file))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(doors), base_url="http://hub/operators/ussd") as client:
        yield client


def _echo(request: Request) -> dict[str, object]:
    return {"Type": "Response", "Message": f"{request['Sequence']}: {request['Message']}"[:100]}


async def _form(operator: httpx.AsyncClient, text: str, session: str = "s", **more: str) -> str:
    answer = await operator.post(f"/at/{_SECRET}", data=_FORM | {"sessionId": session, "text": text} | more)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize("name", _GOOD)
async def test_no_value_of_any_field_breaks_anything(operator: httpx.AsyncClient, name: str) -> None:
    for number, odd in enumerate(_ODD):
        for kind in ("begin", "continue", "end"):
            push = _GOOD | {"sessionId": f"{name}-{number}", "type": kind, "requestId": kind} | {name: odd}
            answer = await operator.post(f"/json/{_SECRET}", content=json.dumps(push))
            assert answer.status_code in {200, 400}, (odd, kind, answer.text)
            if answer.status_code == 400:
                assert answer.json()["error"] == "unreadable"


@pytest.mark.parametrize("name", ["sessionId", "requestId", "msisdn", "serviceCode", "text", "operator"])
@pytest.mark.parametrize("odd", [True, [], {"a": 1}])
async def test_a_field_of_a_wrong_type_is_refused_and_not_taken_for_nothing(
        operator: httpx.AsyncClient, application: Application, name: str, odd: object) -> None:
    answer = await operator.post(f"/json/{_SECRET}", json=_GOOD | {name: odd})
    assert (answer.status_code, answer.json()["detail"]) == (400, f"{name} is neither a text nor a number")
    assert application.requests == []


async def test_what_nobody_reads_may_be_anything(operator: httpx.AsyncClient) -> None:
    answer = await operator.post(f"/json/{_SECRET}", json=_GOOD | {"more": {"a": [1]}, "operator": None})
    assert (answer.status_code, answer.json()["action"]) == (200, "continue")


@pytest.mark.parametrize("odd", ["x" * 201, "a\0"])
@pytest.mark.parametrize("name", ["sessionId", "requestId"])
async def test_an_id_is_never_shortened(operator: httpx.AsyncClient, name: str, odd: str) -> None:
    """Two that begin alike would be one session, or one push."""
    answer = await operator.post(f"/json/{_SECRET}", json=_GOOD | {name: odd})
    assert answer.status_code == 400
    assert answer.json()["detail"] == f"{name} has more than 200 characters, or a NUL"


@pytest.mark.parametrize(("body", "status"), [
    (b"", 400), (b"\xff", 400), (b"null", 400), (b'"x"', 400), (b"{" * 30_000, 400), (b"[" * 30_000, 400),
    (b'{"a": NaN}', 400), (b'{"sessionId": 1e400}', 400), (b'{"sessionId": ' + b"9" * 5_000 + b"}", 400),
    (b'{"sessionId": "\\ud800"}', 400), (b"\xef\xbb\xbf{}", 400), (b"x" * 70_000, 413)])
async def test_a_body_that_is_no_push(operator: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await operator.post(f"/json/{_SECRET}", content=body)
    assert answer.status_code == status
    answer = await operator.post(f"/at/{_SECRET}", content=body)
    assert answer.status_code == status


async def test_of_a_name_that_comes_twice_the_last_counts(operator: httpx.AsyncClient) -> None:
    body = b"text=1&text=&phoneNumber=%2B254711123456&sessionId=a&serviceCode=*714%23"
    assert (await operator.post(f"/at/{_SECRET}", content=body)).text == "CON 1: *714#"
    raw = json.dumps(_GOOD)[:-1] + ', "sessionId": "t"}'
    assert (await operator.post(f"/json/{_SECRET}", content=raw)).json()["sessionId"] == "t"


async def test_joined_text_that_shrinks_asks_the_application_nothing(operator: httpx.AsyncClient,
                                                                     application: Application) -> None:
    assert await _form(operator, "") == "CON 1: *714#"
    assert await _form(operator, "1*2") == "CON 2: 1*2"
    assert await _form(operator, "1") == "CON 2: 1*2", "sent before the last, and come after it"
    assert await _form(operator, "") == "CON 1: *714#", "a repeat"
    assert await _form(operator, "1*2*3") == "CON 3: 3"
    assert len(application.requests) == 3


async def test_no_input_is_longer_than_a_screen_takes(operator: httpx.AsyncClient, application: Application) -> None:
    await _form(operator, "", "long")
    await _form(operator, "7" * 10_000, "long")
    await _form(operator, "*".join(["7" * 10_000] + ["8"] * 1_000), "long")
    await _form(operator, "", "code", serviceCode="*714*" + "1" * 10_000 + "#")
    await operator.post(f"/json/{_SECRET}", json=_GOOD)
    await operator.post(f"/json/{_SECRET}", json=_GOOD | {"type": "continue", "requestId": 2, "text": "7" * 10_000})
    assert [len(request["Message"]) for request in application.requests] == [5, 182, 182, 182, 5, 182]


async def test_a_description_of_ones_own(operator: httpx.AsyncClient, application: Application) -> None:
    push = {"sessionId": "q", "msisdn": "+233244123456", "serviceCode": "*714#", "operator": "MTN"}
    pushed = ({"k": "begin"}, {"k": "more", "text": "1#2"}, {"k": "More", "text": "1"}, {"k": "jump"},
              {"k": "more", "text": "1#2#3", "msisdn": "+233244123457"})
    answers = [await operator.post(f"/own/{_SECRET}", data=push | each) for each in pushed]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 400, 200]
    assert [request["Message"] for request in application.requests] == ["*714#", "1#2"], "joined as the operator joins"
    assert answers[-1].json()["text"].startswith("ST: "), "another subscriber"


@pytest.mark.parametrize(("name", "fields", "cause"), [
    ("a", 'separator = ""', "a separator"), ("a", 'session_id = ""', "need a name"),
    ("a", 'mobile = ""', "need a name"), ("a", 'text = ""', "need a name"),
    ("a", 'kind = "k"\nkinds = {}', "the values of kind"), ("a", 'kinds = {x = "jump"}', "kinds"),
    ("a", "joined = 1", "joined"), ("sandbox", "", "is not"), ('"a/b"', "", "letters"), ('""', "", "letters")])
def test_a_description_that_reads_no_push_is_refused(tmp_path: Path, name: str, fields: str, cause: str) -> None:
    file = tmp_path / "operators.toml"
    file.write_text(f'[{name}]\nsecret = "{_SECRET}"\ndescription = "africas_talking"\n[{name}.fields]\n{fields}\n')
    with pytest.raises(OperatorsFileError, match=cause):
        read_operators(file)


_Peer: TypeAlias = "bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]"
_RELEASE = b'{"Type": "Release", "Message": "Bye"}'


def _ok(body: bytes, *headers: bytes) -> bytes:
    lines = (b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _release(**fields: object) -> bytes:
    return _ok(json.dumps({"Type": "Release", "Message": "Bye"} | fields).encode())


async def _drop_by_drop(writer: asyncio.StreamWriter) -> None:
    for byte in _ok(_RELEASE):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


async def _continue_for_ever(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()


@asynccontextmanager
async def _answering(peer: _Peer) -> AsyncIterator[str]:
    """Run an application that answers one request with bytes, or as it likes."""
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            if isinstance(peer, bytes):
                writer.write(peer)
            else:
                await peer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ussd"


@pytest.mark.parametrize(("peer", "code", "cause"), [
    pytest.param(_drop_by_drop, "UUT", "No complete answer", id="drop by drop"),
    pytest.param(_continue_for_ever, "UUT", "No complete answer", id="continue for ever"),
    pytest.param(b"HTTP/1.1 302 F\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", "UUE",
                 "Redirections are not followed", id="redirection"),
    pytest.param(b"HTTP/1.1 204 No\r\n\r\n", "UUE", "The answer is empty", id="204"),
    pytest.param(_ok(gzip.compress(_RELEASE), b"Content-Encoding: gzip"), "UUE", "is compressed", id="gzip"),
    pytest.param(_ok(b"x" * 1_000_000), "UUE", "longer than 65536 bytes", id="1 MB"),
    pytest.param(_ok(b'{"Type": "Release", "Message": "\xe9"}'), "UUE", "not UTF-8", id="latin-1"),
    pytest.param(_ok(_RELEASE.decode().encode("utf-16")), "UUE", "not UTF-8", id="utf-16"),
    pytest.param(_ok(b"[" * 30_000 + b"]" * 30_000), "UUE", "nested too deeply", id="deep"),
    pytest.param(_ok(b'{"Type": "Response", "ClientState": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"), "UUE",
                 "nested too deeply", id="deep state"),
    *(pytest.param(_ok(b'{"Type": "Release", "%s": %s}' % (field, number)), "UUE", "a number that is none",
                   id=f"{field.decode()} {number.decode()}")
      for field in (b"Message", b"ClientState") for number in (b"NaN", b"-Infinity", b"1e999")),
    pytest.param(_ok(b'{"Type": "Release", "Message": ' + b"9" * 5_000 + b"}"), "UUE", "too long", id="huge number"),
    pytest.param(_ok(b'{"Type": "AddToCart", "Item": {"ItemName": "a", "Qty": ' + b"9" * 4_000 + b', "Price": 1}}'),
                 "UUE", "Qty", id="huge quantity"),
    pytest.param(_release(Message="\ud800"), "UUE", "no screen can show", id="half a character"),
    pytest.param(_release(Message="a\0"), "UUE", "no screen can show", id="NUL"),
    pytest.param(_release(ClientState={"n": "\ud800"}), "UUE", "cannot be kept", id="half a character in the state"),
    pytest.param(_release(Type=["Release"]), "UUE", "no Type", id="type in a list"),
    pytest.param(b"\0\xff" * 100, "UUE", "not HTTP", id="no HTTP"),
    pytest.param(b"HTTP/1.1 99999 X\r\nContent-Length: 0\r\n\r\n", "UUE", "not HTTP", id="status 99999"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + _RELEASE, "UUE", "not HTTP", id="length -5"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx", "UUE", "not HTTP", id="chunk -1"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + _RELEASE, "URNF", "broke off", id="broken off"),
    pytest.param(b"", "URNF", "closed before an answer came", id="nothing"),
])
async def test_an_application_that_answers_nonsense_is_a_documented_error(
        stage: Stage, peer: _Peer, code: str, cause: str) -> None:
    async with _answering(peer) as url:
        await stage.change(url=url)
        stage.restarted(application_timeout_s=0.3 if code == "UUT" else 7)
        async with asyncio.timeout(20):
            reply = await stage.phone().dial()
    assert text_of(reply).partition(":")[0] == code
    (failure,) = await stage.failures()
    assert cause in failure.cause
    (history,) = await stage.sessions()
    assert history.session.ended_at is not None, "the session is stuck"


@pytest.mark.parametrize("peer", [
    pytest.param(_ok(_RELEASE, b"Content-Type: text/html"), id="wrong content type"),
    pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" + _RELEASE, id="no length"),
    pytest.param(_ok(b"\xef\xbb\xbf" + _RELEASE), id="byte order mark"),
    pytest.param(_release(ClientState=10**40, Mask=[], MaskNextRoute="perhaps"), id="odd fields"),
])
async def test_what_can_be_understood_is(stage: Stage, peer: bytes) -> None:
    async with _answering(peer) as url:
        await stage.change(url=url)
        assert text_of(await stage.phone().dial()) == "Bye"
