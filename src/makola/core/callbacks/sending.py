"""One attempt: the request that is sent, and what its answer means."""

import random
import time
from dataclasses import dataclass

from makola.core.callbacks import encoding, retries
from makola.core.callbacks.lanes import Claimed
from makola.core.callbacks.signatures import signature_headers
from makola.core.callbacks.store import Outcome
from makola.core.callbacks.types import CallbackPolicy, DeliveryState
from makola.kit import clock
from makola.kit.outgoing import Answer, HttpClient, InvalidUrlError, OutgoingError, parse_url

_GONE = 410
_RANDOM = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What became of the request. `final` when trying again would change nothing."""

    status: int | None = None
    error: str = ""
    answer: str = ""
    retry_after_s: float | None = None
    final: bool = False


async def attempt(http: HttpClient, policy: CallbackPolicy, delivery: Claimed) -> Outcome:
    """Send `delivery` once and say what it becomes. A failing receiver is an outcome, never an exception."""
    started_at, started = clock.now(), time.perf_counter()
    try:
        verdict = _judge(await _send(http, policy, delivery), policy)
    except InvalidUrlError as error:
        verdict = _Verdict(error=f"the URL {error.detail}", final=True)
    except OutgoingError as error:
        verdict = _Verdict(error=str(error))
    state, detail, delay_s = _next(policy, delivery, verdict)
    return Outcome(
        delivery_id=delivery.delivery_id, organisation_id=delivery.organisation_id, receiver=delivery.receiver,
        url=delivery.url, lease_until=delivery.lease_until, state=state, detail=detail, delay_s=delay_s,
        started_at=started_at, duration_ms=round((time.perf_counter() - started) * 1000),
        status=verdict.status, error=verdict.error, answer=verdict.answer)


async def _send(http: HttpClient, policy: CallbackPolicy, delivery: Claimed) -> Answer:
    url = parse_url(delivery.url)
    query = encoding.full_query(url, delivery.query)
    content = query.encode("ascii") if delivery.body is None else delivery.body
    headers = signature_headers(delivery.secret, delivery.delivery_id.hex, int(time.time()), content,
                                previous_secret=delivery.previous_secret)
    if delivery.body is not None:
        headers["Content-Type"] = delivery.content_type
    return await http.request(
        delivery.method, url.with_query(query), headers=headers, body=delivery.body,
        timeout_s=policy.timeout_s, connect_timeout_s=policy.connect_timeout_s)


def _judge(answer: Answer, policy: CallbackPolicy) -> _Verdict:
    return _Verdict(
        status=answer.status, answer=_excerpt(answer.body, policy.answer_excerpt_bytes),
        retry_after_s=retries.read_retry_after(answer.headers.get("Retry-After"), clock.now()))


def _next(policy: CallbackPolicy, delivery: Claimed,
          verdict: _Verdict) -> tuple[DeliveryState, str, float | None]:
    """Return the state that follows, why, and the seconds until the next attempt if there is one."""
    if verdict.status is not None and 200 <= verdict.status < 300:
        return DeliveryState.DELIVERED, "", None
    if verdict.status == _GONE:
        return DeliveryState.GONE, "the receiver answered 410 Gone: nothing more is sent to this URL", None
    reason = verdict.error or f"the receiver answered {verdict.status}"
    delay_s = None if verdict.final else retries.next_delay_s(
        policy, delivery.tries + 1, _RANDOM.uniform(-1, 1), verdict.retry_after_s)
    return (DeliveryState.FAILED if delay_s is None else DeliveryState.PENDING), reason, delay_s


def _excerpt(body: bytes, limit: int) -> str:
    """Return the beginning of an answer as text that PostgreSQL can hold (no NUL)."""
    return body[:limit].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
