"""The direct client keeps every promise of the general one: the same tests, and those of its own reading."""

import asyncio
import re
import time

import hypothesis.strategies as st
import pytest
from hypothesis import given

from makola.kit.outgoing import AddressPolicy, InvalidAnswerError
from makola.kit.outgoing.direct import DirectHttp
from makola.kit.outgoing.reading import AnswerReader
from tests.kit import test_outgoing_http as contract

for _name, _test in vars(contract).items():
    if _name.startswith("test_"):
        globals()[_name] = _test


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the direct client in the general one's place."""
    monkeypatch.setattr(contract, "OutgoingHttp", DirectHttp)


def _whole(answer: bytes, *, most_bytes: int = 1_000) -> AnswerReader:
    reader = AnswerReader(most_bytes)
    reader.feed(answer)
    return reader


_CHUNKED = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n"
            b"5\r\nhello\r\n1;extension=x\r\n \r\n5\r\nworld\r\n0\r\n\r\n")
_PLAIN = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world"


@given(st.sampled_from([_CHUNKED, _PLAIN]), st.lists(st.integers(1, 20)))
def test_an_answer_is_the_same_however_it_is_cut_on_the_way(answer: bytes, lengths: list[int]) -> None:
    reader, left = AnswerReader(1_000), answer
    for length in (*lengths, len(answer)):
        piece, left = left[:length], left[length:]
        if piece:
            assert reader.feed(piece) == (not left)
    assert (reader.status, reader.body, reader.keeps_connection) == (200, b"hello world", True)


@pytest.mark.parametrize("answer", [
    b"HTTP/2 200\r\n\r\n", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 20 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", b"HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", b"HTTP/1.1 101 Switching\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", b"HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc", b"x" * 70_000,
    b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20_000])
def test_what_is_not_http_is_refused(answer: bytes) -> None:
    with pytest.raises(InvalidAnswerError):
        _whole(answer)


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close\r\n\r\nab",
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX: trailer\r\n\r\n"])
def test_a_connection_that_may_be_out_of_step_is_not_used_again(answer: bytes) -> None:
    reader = _whole(answer)
    assert (reader.body, reader.keeps_connection) == (b"ab", False)


def test_many_small_chunks_do_not_cost_their_square() -> None:
    def time_of(chunks: int) -> float:
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * chunks + b"0\r\n\r\n"
        times = []
        for _ in range(3):
            reader, started = AnswerReader(1_000_000), time.process_time()
            assert reader.feed(answer)
            times.append(time.process_time() - started)
            assert len(reader.body) == chunks
        return min(times)

    # Eight times as many take eight times as long, not sixty-four times.
    assert time_of(80_000) < 25 * time_of(10_000)


def test_no_header_can_be_smuggled_in() -> None:
    async def call(value: str) -> None:
        async with DirectHttp(AddressPolicy(allow_private=True)) as http:
            await http.request("POST", "http://127.0.0.1:9/", headers={"X": value}, body=b"")

    for value in ("a\r\nHost: elsewhere", "a\nb", "a\rb", "a\0b"):
        with pytest.raises(ValueError, match=re.escape("a header holds a line break")):
            asyncio.run(call(value))
