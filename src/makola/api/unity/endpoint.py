"""What an endpoint is: how it is reached, what it needs, and what its documentation says."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec

from makola.api.common.asgi import Answer
from makola.api.unity.request import UnityRequest
from makola.core.checkout.desk import Desk
from makola.core.messaging.service.accept import AcceptQueue
from makola.core.messaging.service.prepare import Preparation
from makola.core.organisations.permissions import Module
from makola.kit.database import Database
from makola.kit.errors import DomainError


@dataclass(frozen=True, slots=True)
class UnityContext:
    """What the endpoints work with."""

    database: Database
    preparation: Preparation
    accept_queue: AcceptQueue
    schedule_horizon: timedelta
    allow_private_callbacks: bool
    checkout: Desk


Handler = Callable[[UnityContext, UnityRequest], Awaitable[Answer]]
#: Writes a refusal in an endpoint's own words.
Refusal = Callable[[DomainError], Answer]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path.

    Attributes:
        path: below the mount point; a part in braces varies.
        scope: what a token must allow.
        body: the schema of what is sent; the query carries the same fields where `in_query`.
        answers: the schema of the answer for each status.
        cased: the answers follow the application's `answer_casing`.
        module: of the product, that the organisation and the user must have.
        refusal: how errors are written; None for the way of messages.
        error: the schema of its errors, where `refusal` writes them.
        max_body_bytes: a longer body is refused; None for the setting of the whole family.
    """

    method: str
    path: str
    handler: Handler
    scope: str
    summary: str
    group: str
    answers: Mapping[int, type[msgspec.Struct]]
    body: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] | None = None
    description: str = ""
    mounts: tuple[str, ...] = ("v1", "v3")
    errors: tuple[int, ...] = field(default=())
    cased: bool = False
    module: Module = Module.MESSAGING
    refusal: Refusal | None = None
    error: type[msgspec.Struct] | None = None
    max_body_bytes: int | None = None

    @property
    def reads_body(self) -> bool:
        """Whether the body counts: not with GET and DELETE, where one old client sends its last form again."""
        return self.method in {"POST", "PUT"}
