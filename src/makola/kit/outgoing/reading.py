"""Reading one HTTP/1.1 answer as its bytes come (RFC 9112). Pure: no I/O."""

import re

from makola.kit.outgoing.errors import InvalidAnswerError

_MOST_HEAD_BYTES = 65_536
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [^\r\n]*)?")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?")
_BODILESS = frozenset({204, 304})
_INVALID = "the answer is not HTTP"


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
        self.headers: list[tuple[str, str]] = []
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
            head, self._buffer = self._buffer[:end], self._buffer[end + 4:]
            if len(head) > _MOST_HEAD_BYTES:
                raise InvalidAnswerError(_INVALID)
            lines = head.split(b"\r\n")
            match = _STATUS.fullmatch(lines[0])
            if match is None:
                raise InvalidAnswerError(_INVALID)
            status = int(match[2])
            if status >= 200:  # before it may come any number of others, 1xx
                self._take_headers(lines[1:], status, is_1_0=match[1] == b"0")
                return True
            if status == 101:
                raise InvalidAnswerError(_INVALID)

    def _take_headers(self, lines: list[bytes], status: int, *, is_1_0: bool) -> None:
        length: bytes | None = None
        encodings: list[bytes] = []
        options = b""
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon or not _TOKEN.fullmatch(name) or b"\r" in value or b"\n" in value or b"\0" in value:
                raise InvalidAnswerError(_INVALID)
            value = value.strip(b" \t")
            lowered = name.lower()
            if lowered == b"content-length":
                if not value.isdigit() or len(value) > 15 or (length is not None and length != value):
                    raise InvalidAnswerError(_INVALID)
                length = value
            elif lowered == b"transfer-encoding":
                encodings.append(value.lower())
            elif lowered == b"connection":
                options += value.lower() + b","
            self.headers.append((name.decode("ascii"), value.decode("utf-8", "surrogateescape")))
        self.keeps_connection = b"close" not in options and (not is_1_0 or b"keep-alive" in options)
        self._frame(status, length, encodings)
        self.status = status

    def _frame(self, status: int, length: bytes | None, encodings: list[bytes]) -> None:
        """Find out where the body ends (RFC 9112, section 6.3)."""
        if not self._has_body or status in _BODILESS:
            self._left = 0
        elif encodings:
            if encodings != [b"chunked"]:
                raise InvalidAnswerError(_INVALID)
            if length is not None:  # two ends: one of them is somebody's trick
                self.keeps_connection = False
            self._is_chunked = True
        elif length is not None:
            self._left = int(length)
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
        self._buffer += data
        while not self.is_cut:
            if self._rest_of_chunk > 2:
                piece = self._buffer[:self._rest_of_chunk - 2]
                self._add(piece)
                self._buffer = self._buffer[len(piece):]
                self._rest_of_chunk -= len(piece)
            if self._rest_of_chunk:
                if self._rest_of_chunk > 2 or len(self._buffer) < 2:
                    return False
                if self._buffer[:2] != b"\r\n":
                    raise InvalidAnswerError(_INVALID)
                self._buffer, self._rest_of_chunk = self._buffer[2:], 0
            line, ended, rest = self._buffer.partition(b"\r\n")
            if not ended:
                if len(self._buffer) > _MOST_HEAD_BYTES:
                    raise InvalidAnswerError(_INVALID)
                return False
            match = _SIZE.fullmatch(line)
            if match is None:
                raise InvalidAnswerError(_INVALID)
            size = int(match[1], 16)
            if size == 0:
                return self._read_trailer(line, rest)
            self._buffer, self._rest_of_chunk = rest, size + 2
        return True

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
