"""One question to an application: one attempt, seven seconds, and so many at once."""

import time
from collections import defaultdict
from uuid import UUID

from makola.core.callbacks.signatures import signature_headers
from makola.core.ussd import protocol
from makola.core.ussd.types import APPLICATION_TIMEOUT_S, ErrorCode, Failure, Service, UssdAnswer, UssdRequest
from makola.kit.outgoing import (
    BlockedAddressError,
    HttpClient,
    InvalidUrlError,
    OutgoingConnectionError,
    OutgoingError,
    OutgoingTimeoutError,
    parse_url,
)
from makola.kit.values import Value

#: Names the recorded session where a request is a replay of it.
REPLAY_HEADER = "Makola-Replay-Of"
_HEADERS = {"Content-Type": protocol.CONTENT_TYPE, "Accept": protocol.CONTENT_TYPE}


class Asked(Value, frozen=True):
    """What came of a question. `status` and `duration_ms` are None where it was not put."""

    result: UssdAnswer | Failure
    status: int | None
    duration_ms: int | None


class Applications:
    """Asks applications, each within its own bounds: one that hangs holds up nobody but itself.

    Args:
        http: makes the requests.
        in_flight_limit: questions under way to one origin (scheme, host and port) from this process.
        timeout_s: for one whole question.
    """

    def __init__(self, http: HttpClient, *, in_flight_limit: int = 512,
                 timeout_s: float = APPLICATION_TIMEOUT_S) -> None:
        self._http = http
        self._limit = in_flight_limit
        self.timeout_s = timeout_s
        self._in_flight: dict[str, int] = defaultdict(int)

    async def ask(self, service: Service, request: UssdRequest, *, private: bool,
                  replay_of: UUID | None = None) -> Asked:
        """Put one question; a failing application is a result, never an exception.

        Args:
            service: whose application.
            request: what to ask.
            private: what is asked is masked, so that nothing of the answer may be kept on an error.
            replay_of: the recorded session that this is a replay of; the request says so.
        """
        try:
            origin = parse_url(service.url).origin
        except InvalidUrlError as error:
            return _not_put(Failure(ErrorCode.URNF, f"The application's URL {error.detail}."))
        if self._in_flight[origin] >= self._limit:
            return _not_put(Failure(ErrorCode.ST, f"{self._limit} requests are waiting for this application already."))
        self._in_flight[origin] += 1
        started = time.perf_counter()
        try:
            result, status = await self._put(service, request, private=private, replay_of=replay_of)
        finally:
            self._in_flight[origin] -= 1
            if not self._in_flight[origin]:
                del self._in_flight[origin]
        return Asked(result, status, round((time.perf_counter() - started) * 1000))

    async def _put(self, service: Service, request: UssdRequest, *, private: bool,
                   replay_of: UUID | None) -> tuple[UssdAnswer | Failure, int | None]:
        body = protocol.encode_request(request)
        headers = _headers(service, request, body)
        if replay_of is not None:
            headers = headers | {REPLAY_HEADER: replay_of.hex}
        try:
            answer = await self._http.request(
                "POST", parse_url(service.url), headers=headers, body=body,
                timeout_s=self.timeout_s, connect_timeout_s=self.timeout_s,
                max_answer_bytes=protocol.MOST_ANSWER_BYTES)
        except OutgoingTimeoutError as error:
            return Failure(ErrorCode.UUT, _sentence(error)), None
        except (BlockedAddressError, OutgoingConnectionError) as error:
            return Failure(ErrorCode.URNF, _sentence(error)), None
        except OutgoingError as error:
            return Failure(ErrorCode.UUE, _sentence(error)), None
        return protocol.judge_answer(answer.status, answer.body, cut=answer.cut, private=private), answer.status


def _headers(service: Service, request: UssdRequest, body: bytes) -> dict[str, str]:
    if not service.secret:
        return _HEADERS
    return _HEADERS | signature_headers(service.secret, f"{request.session_id}-{request.sequence}", int(time.time()),
                                        body)


def _not_put(failure: Failure) -> Asked:
    return Asked(failure, None, None)


def _sentence(error: OutgoingError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
