"""What a callback is, and the states its delivery may be in."""

import enum
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

_MINUTE_S = 60.0
_HOUR_S = 3600.0


class DeliveryState(enum.StrEnum):
    """Where a delivery stands. `PENDING` is the only one that is not final, until somebody replays."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    GONE = "gone"
    NOT_SENT = "not_sent"


@dataclass(frozen=True, slots=True)
class CallbackPolicy:
    """How hard we try.

    Args:
        retry_delays_s: seconds before the second, third, … attempt; one attempt more than there are delays.
        jitter: each delay is this share shorter or longer, at random, so that what failed together does not
            come back together.
        retry_after_limit_s: a receiver cannot ask for a longer wait than this.
        connect_timeout_s: for the name, the connection and TLS.
        timeout_s: for one whole attempt.
        lease_s: how long a claimed delivery is left to its worker; must be well above `timeout_s`.
        in_flight_limit: attempts under way in one process, besides up to as many again that have waited for
            an answer for more than a second.
        in_flight_per_receiver: attempts under way to one receiver from one process.
        answer_excerpt_bytes: how much of an answer is kept.
    """

    retry_delays_s: tuple[float, ...] = (
        5.0, 5 * _MINUTE_S, 30 * _MINUTE_S, 2 * _HOUR_S, 5 * _HOUR_S, 10 * _HOUR_S, 14 * _HOUR_S, 20 * _HOUR_S,
        24 * _HOUR_S)
    jitter: float = 0.2
    retry_after_limit_s: float = 24 * _HOUR_S
    connect_timeout_s: float = 5.0
    timeout_s: float = 15.0
    lease_s: float = 60.0
    in_flight_limit: int = 256
    in_flight_per_receiver: int = 8
    answer_excerpt_bytes: int = 1024


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """What signs an organisation's callbacks.

    Attributes:
        secret: `whsec_…`.
        created_at: when it was made.
        previous_until: until when callbacks carry a signature of the secret before it too; None when they do not.
    """

    secret: str = field(repr=False)
    created_at: datetime
    previous_until: datetime | None


@dataclass(frozen=True, slots=True)
class NewCallback:
    """A callback to be made.

    Args:
        organisation_id: whose URL it is, and whose secret signs.
        event: what happened, as in `message.report`.
        method: GET or POST.
        url: as its owner saved it; its own query parameters are kept.
        parameters: added to the query in this order. With POST and no `body`, also the body, as a JSON object.
        body: sent as it is; POST only.
        content_type: of `body`.
        application_id: the API client concerned, if any.
        subject_id: what it is about (a message, a payment), to find it by.
    """

    organisation_id: int
    event: str
    method: str
    url: str = field(repr=False)
    parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"
    application_id: int | None = None
    subject_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A stored callback. `delivery_id` is the `webhook-id` of every attempt.

    Attributes:
        query: what is added to the URL's own query, encoded, without the question mark.
        detail: why it is where it is, for its owner; empty when there is nothing to say.
        due_at: when the next attempt may start, while pending.
    """

    delivery_id: UUID
    organisation_id: int
    application_id: int | None
    event: str
    subject_id: UUID | None
    method: str
    url: str = field(repr=False)
    query: str = field(repr=False)
    body: bytes | None = field(repr=False)
    content_type: str
    state: DeliveryState
    detail: str
    attempt_count: int
    due_at: datetime
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: a status, or the reason why there is none, and the beginning of the answer."""

    number: int
    started_at: datetime
    duration_ms: int
    status: int | None
    error: str
    answer: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeliveryHistory:
    """A delivery with every attempt, the first one first."""

    delivery: Delivery
    attempts: tuple[Attempt, ...]
