"""Reading one HTTP/1.1 answer as its bytes come (RFC 9112). Pure: no I/O."""

import re
from dataclasses import dataclass
from functools import lru_cache

from multidict import CIMultiDict, CIMultiDictProxy

from makola.kit.outgoing.errors import InvalidAnswerError

_MOST_HEAD_BYTES = 65_536
_REMEMBERED_BYTES = 1_024
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [^\r\n]*)?")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?")
_BODILESS = frozenset({204, 304})
_INVALID = "the answer is not HTTP"
_NO_HEADERS: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())


class AnswerReader:
    """The answer to one request.

    Args:
        most_bytes: the body is cut here.
        has_body: False for the answer to HEAD.
    """

    __slots__ = ("_body", "_buffer", "_has_body", "_is_chunked", "_left", "_most", "_rest_of_chunk", "headers",
                 "is_cut", "keeps_connection", "status")

    def __init__(self, most_bytes: int, *, has_body: bool = True) -> None:
        self.status = 0
        self.headers: CIMultiDictProxy[str] = _NO_HEADERS
        self.is_cut = False
        self.keeps_connection = True
        self._most = most_bytes
        self._has_body = has_body
        self._buffer = b""
        self._body = bytearray()
        self._left: int | None = None  # of the body; None: until the connection ends
        self._is_chunked = False
        self._rest_of_chunk = 0

    @property
    def body(self) -> bytes:
        """The body so far."""
        return bytes(self._body)

    @property
    def has_begun(self) -> bool:
        """Whether anything has come."""
        return self.status != 0 or bool(self._buffer)

    @property
    def ends_with_connection(self) -> bool:
        """Whether the end of the connection is the end of this answer."""
        return self.status != 0 and self._left is None and not self._is_chunked

    def feed(self, data: bytes) -> bool:
        """Read on; True once the answer is complete, or cut.

        Raises:
            InvalidAnswerError: it is not HTTP.
        """
        if self.status == 0:
            self._buffer += data
            if not self._read_head():
                return False
            data, self._buffer = self._buffer, b""
        if self._is_chunked:
            return self._read_chunks(data)
        return self._read_plain(data)

    def _read_head(self) -> bool:
        while True:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > _MOST_HEAD_BYTES or not b"HTTP/1.".startswith(self._buffer[:7]):
                    raise InvalidAnswerError(_INVALID)
                return False
            if end > _MOST_HEAD_BYTES:
                raise InvalidAnswerError(_INVALID)
            head = (_remembered_head if end <= _REMEMBERED_BYTES else _parse_head)(self._buffer[:end])
            self._buffer = self._buffer[end + 4:]
            if head.status >= 200:  # before it may come any number of others, 1xx
                self._begin(head)
                return True
            if head.status == 101:
                raise InvalidAnswerError(_INVALID)

    def _begin(self, head: "_Head") -> None:
        """Find out where the body ends (RFC 9112, section 6.3)."""
        self.status, self.headers, self.keeps_connection = head.status, head.headers, head.keeps_connection
        if not self._has_body or head.status in _BODILESS:
            self._left = 0
        elif head.encodings:
            if head.encodings != (b"chunked",):
                raise InvalidAnswerError(_INVALID)
            if head.length is not None:  # two ends: one of them is somebody's trick
                self.keeps_connection = False
            self._is_chunked = True
        elif head.length is not None:
            self._left = head.length
        else:
            self.keeps_connection = False

    def _read_plain(self, data: bytes) -> bool:
        if self._left is not None:
            if len(data) > self._left:  # nobody asked for what follows
                self.keeps_connection = False
                data = data[:self._left]
            self._left -= len(data)
        self._add(data)
        return self.is_cut or self._left == 0

    def _read_chunks(self, data: bytes) -> bool:
        buffer, place = self._buffer + data, 0  # a position, not slices: many small chunks must not cost their square
        while not self.is_cut:
            if self._rest_of_chunk > 2:
                piece = buffer[place:place + self._rest_of_chunk - 2]
                self._add(piece)
                place += len(piece)
                self._rest_of_chunk -= len(piece)
            if self._rest_of_chunk:
                if self._rest_of_chunk > 2 or len(buffer) - place < 2:
                    break
                if not buffer.startswith(b"\r\n", place):
                    raise InvalidAnswerError(_INVALID)
                place, self._rest_of_chunk = place + 2, 0
            end = buffer.find(b"\r\n", place)
            if end < 0:
                if len(buffer) - place > _MOST_HEAD_BYTES:
                    raise InvalidAnswerError(_INVALID)
                break
            match = _SIZE.fullmatch(buffer, place, end)
            if match is None:
                raise InvalidAnswerError(_INVALID)
            size = int(match[1], 16)
            if size == 0:
                return self._read_trailer(buffer[place:end], buffer[end + 2:])
            place, self._rest_of_chunk = end + 2, size + 2
        self._buffer = buffer[place:]
        return self.is_cut

    def _read_trailer(self, line: bytes, rest: bytes) -> bool:
        """Pass over what may follow the last chunk."""
        if rest.startswith(b"\r\n"):
            self.keeps_connection = self.keeps_connection and rest == b"\r\n"
            return True
        if b"\r\n\r\n" in rest:
            self.keeps_connection = False
            return True
        if len(rest) > _MOST_HEAD_BYTES:
            raise InvalidAnswerError(_INVALID)
        self._buffer = line + b"\r\n" + rest
        return False

    def _add(self, data: bytes) -> None:
        room = self._most - len(self._body)
        if len(data) > room:
            self._body += data[:room]
            self.is_cut, self.keeps_connection = True, False
        else:
            self._body += data


@dataclass(frozen=True, slots=True)
class _Head:
    """The status line and the headers, with what they say of the body."""

    status: int
    headers: CIMultiDictProxy[str]
    length: int | None
    encodings: tuple[bytes, ...]
    keeps_connection: bool


def _parse_head(head: bytes) -> _Head:
    first, *lines = head.split(b"\r\n")
    match = _STATUS.fullmatch(first)
    if match is None:
        raise InvalidAnswerError(_INVALID)
    headers: CIMultiDict[str] = CIMultiDict()
    lengths: set[bytes] = set()
    encodings: list[bytes] = []
    options = b""
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not _TOKEN.fullmatch(name) or b"\r" in value or b"\n" in value or b"\0" in value:
            raise InvalidAnswerError(_INVALID)
        value = value.strip(b" \t")
        lowered = name.lower()
        if lowered == b"content-length":
            lengths.add(value)
        elif lowered == b"transfer-encoding":
            encodings.append(value.lower())
        elif lowered == b"connection":
            options += value.lower() + b","
        headers.add(name.decode("ascii"), value.decode("utf-8", "surrogateescape"))
    keeps_connection = b"close" not in options and (match[1] == b"1" or b"keep-alive" in options)
    return _Head(int(match[2]), CIMultiDictProxy(headers), _length(lengths), tuple(encodings), keeps_connection)


#: An application's answers have the same head until the second of its Date is over.
_remembered_head = lru_cache(maxsize=256)(_parse_head)


def _length(given: set[bytes]) -> int | None:
    if not given:
        return None
    (length,) = given if len(given) == 1 else (b"",)
    if not length.isdigit() or len(length) > 15:
        raise InvalidAnswerError(_INVALID)
    return int(length)
