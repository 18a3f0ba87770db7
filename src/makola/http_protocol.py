"""HTTP at the socket: bounds for what uvicorn's parser reads without bounds, and JSON in what it answers itself.

Every answer here is given before the application sees a request, so the path that would tell the API family may not
be known. One body serves all: the members of RFC 9457, which the Hub API's clients read, and after them those of the
message-style APIs, whose clients read `Status` and `Detail`.
"""

import json
import re
from http import HTTPMethod, HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

_GENERAL_ERROR = 100  # the sub-code for a request that is wrong in a way no other sub-code names
_LINGER_S = 2.0
#: What the endpoints understand; the parser refuses methods that nobody has registered before anybody else sees them.
_ALLOW = b"allow: DELETE, GET, PATCH, POST, PUT\r\n"
_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}) [/*h]\S* HTTP/1")
_METHODS = frozenset(method.value.encode() for method in HTTPMethod)


class HeadTooLargeError(Exception):
    """A request line and its headers are together larger than allowed."""


class HttpProtocol(HttpToolsProtocol):
    """One connection. Subclassed by `http_protocol`, which fills in the limits."""

    max_header_bytes: int
    read_timeout_s: float

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._in_head = True
        self._receiving = False  # a request has begun and is not complete
        self._refused = False
        self._head_bytes = 0  # at most what the present head has, see data_received
        self._waiting_since: float | None = self.loop.time()
        self._beginning = b""  # of the piece in which the present head began

    def data_received(self, data: bytes) -> None:
        """Feed the parser, keeping count.

        The parser gives a header only when it is complete, so the bytes that came are counted, not the headers.
        What came in the piece in which a head began may belong to the request before it and is left out.
        """
        if self._refused:
            return  # read and forget, so that the client gets to see the answer instead of a reset
        if self._in_head:
            if not self._receiving:
                self._beginning = data[:4096]
            self._head_bytes += len(data)
        super().data_received(data)
        if not self._receiving:
            self._waiting_since = None
            return
        if self._waiting_since is None:
            self._waiting_since = self.loop.time()
        if self._in_head and self._head_bytes > self.max_header_bytes and not self._refused:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, self._head_too_large())

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._receiving = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Check the size of the head, now exactly, and start the application."""
        if self._head_bytes > self.max_header_bytes:
            exact = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if exact > self.max_header_bytes:
                raise HeadTooLargeError  # the parser hands it on, and `send_400_response` follows
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the request is complete."""
        self._receiving = False
        self._in_head = True
        self._head_bytes = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that the parser did not take."""
        if self._in_head and self._head_bytes > self.max_header_bytes:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, self._head_too_large())
        elif (line := _REQUEST_LINE.match(self._beginning)) and line.group(1) not in _METHODS:
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "There is no such method.", _ALLOW)
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, "This is not a valid HTTP request.")

    def check_time(self, now: float) -> None:
        """End the connection if its client has taken too long to send a request.

        Args:
            now: the loop's time, in seconds.
        """
        if self._refused or self._waiting_since is None or now - self._waiting_since < self.read_timeout_s:
            return
        if not self._receiving:
            self.transport.close()  # connected, and never said anything
            return
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"The request was not complete after {self.read_timeout_s:g} s.")

    def end_stream(self) -> None:
        """End an answer that is still being sent, such as a stream of events."""
        cycle = self._unanswered()
        if cycle is not None and cycle.response_started:
            self.transport.close()

    def _unanswered(self) -> RequestResponseCycle | None:
        """Return the last request whose head came, if its answer is not complete."""
        has_one = bool(self.cycle) and not self.cycle.response_complete
        return self.cycle if has_one else None

    def _head_too_large(self) -> str:
        return f"The request line and headers are larger than {self.max_header_bytes} bytes."

    def _refuse(self, status: HTTPStatus, detail: str, headers: bytes = b"") -> None:
        """Answer `status` and end the connection; if an earlier request is under way, end it after that one."""
        self._refused = True
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        if (cycle := self._unanswered()) is not None:
            cycle.keep_alive = False
            if cycle.scope is not self.scope:
                return  # what we would write now would be read as the answer to that earlier request
            if cycle.response_started:
                self.transport.close()
                return
            cycle.disconnected = True  # it was never complete: nothing is to answer it but us
            cycle.message_event.set()
        sub_code = int(status) if status is HTTPStatus.METHOD_NOT_ALLOWED else _GENERAL_ERROR
        body = json.dumps({"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail,
                           "Status": sub_code, "Detail": detail}).encode()
        lines = [STATUS_LINE[status]]
        lines += [b"%b: %b\r\n" % header for header in self.server_state.default_headers]
        lines += [headers, b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body),
                  b"connection: close\r\n\r\n", body]
        self.transport.write(b"".join(lines))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing of a request to change the protocol: it is answered as if it had not asked."""


def http_protocol(max_header_bytes: int, read_timeout_s: float) -> type[HttpProtocol]:
    """Return the protocol class that uvicorn makes connections of.

    Args:
        max_header_bytes: of the request line and the headers together.
        read_timeout_s: for a whole request, headers and body.
    """
    return type("LimitedHttpProtocol", (HttpProtocol,), {
        "max_header_bytes": max_header_bytes, "read_timeout_s": read_timeout_s})
