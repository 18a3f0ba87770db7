"""One POST to the application with the standard library alone, so that the kit begins at once."""

import http.client
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from makola import __version__
from makola.core.ussd.protocol import CONTENT_TYPE, MOST_ANSWER_BYTES

#: What may stand in a path and a query (RFC 3986); the rest, a space or a letter with an accent, goes as %XX.
_AS_IT_IS = "%/?:@!$&'()*+,;=[]"


class NoConnectionError(Exception):
    """The application cannot be reached, or the connection broke off; the text is one sentence."""


class NoHttpError(Exception):
    """What came back is not HTTP."""


class TooSlowError(Exception):
    """The application did not answer in time."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back; `cut` when there was more than is read."""

    status: int
    body: bytes
    cut: bool
    duration_s: float


def check_url(url: str) -> None:
    """Check that `url` can be called.

    Raises:
        ValueError: it cannot; the text says why.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url!r} is no address of the form http://localhost:3000/ussd")
    _ = parts.port  # raises ValueError when it is none
    try:
        name = parts.hostname.encode("idna")
    except UnicodeError as error:
        raise ValueError(f"{parts.hostname!r} is no name of a host") from error
    if any(byte <= 0x20 or byte == 0x7f for byte in name):
        raise ValueError(f"{parts.hostname!r} is no name of a host")


def post(url: str, body: bytes, *, timeout_s: float, headers: Mapping[str, str]) -> HttpAnswer:
    """Send one request; no redirect is followed.

    Args:
        url: of the application.
        body: as it is sent.
        timeout_s: for all of it, from the name to the last byte.
        headers: besides those of every request: the signature, where there is one.

    Raises:
        NoConnectionError: no connection, or it broke off.
        NoHttpError: what came back is not HTTP.
        TooSlowError: the time ran out.
    """
    exchange = _Exchange(url, body, timeout_s, headers)
    # A thread, because a socket's own time-out begins anew with every byte of an answer that comes in drops.
    thread = threading.Thread(target=exchange.run, daemon=True)
    thread.start()
    thread.join(timeout_s)
    if thread.is_alive():
        raise TooSlowError(f"no complete answer within {timeout_s:g} s")
    if exchange.error is not None:
        raise exchange.error
    if exchange.answer is None:
        raise NoHttpError("the answer is not HTTP")
    return exchange.answer


@dataclass(slots=True)
class _Exchange:
    url: str
    body: bytes = field(repr=False)
    timeout_s: float
    headers: Mapping[str, str] = field(repr=False)
    answer: HttpAnswer | None = None
    error: Exception | None = None

    def run(self) -> None:
        """Ask, and keep what comes of it."""
        started = time.perf_counter()
        try:
            connection = self._connection()
            try:
                connection.request("POST", self._target(), self.body, {
                    "Content-Type": CONTENT_TYPE, "Accept": CONTENT_TYPE, "User-Agent": f"Makola/{__version__}",
                    **self.headers})
                response = connection.getresponse()
                content = response.read(MOST_ANSWER_BYTES + 1)
            finally:
                connection.close()
            self.answer = HttpAnswer(response.status, content[:MOST_ANSWER_BYTES], len(content) > MOST_ANSWER_BYTES,
                                     time.perf_counter() - started)
        except TimeoutError:
            self.error = TooSlowError(f"no complete answer within {self.timeout_s:g} s")
        except ssl.SSLCertVerificationError:
            self.error = NoConnectionError("the TLS certificate is not valid")
        except (http.client.RemoteDisconnected, http.client.IncompleteRead):
            self.error = NoConnectionError("the connection was closed before the whole answer came")
        except OSError as error:
            self.error = NoConnectionError(f"no connection: {error.strerror or error}")
        except http.client.HTTPException as error:
            self.error = NoHttpError(f"the answer is not HTTP ({type(error).__name__})")

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.hostname or "", parts.port, timeout=self.timeout_s)

    def _target(self) -> str:
        parts = urlsplit(self.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return quote(target, safe=_AS_IT_IS)
