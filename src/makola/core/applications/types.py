"""Programs and their credentials."""

import enum
from dataclasses import dataclass
from datetime import datetime

from makola.core.organisations.types import Actor


class AnswerCasing(enum.StrEnum):
    """How the names in an answer are written, where an API family lets the application choose."""

    PASCAL = "pascal"
    CAMEL = "camel"


@dataclass(frozen=True, slots=True)
class Application:
    """A program that may call, as its caller's API needs to know it.

    `user_id` is the user that an API client stands for; None for a private application, which stands for its whole
    organisation.
    """

    application_id: int
    organisation_id: int
    name: str
    client_id: str
    answer_casing: AnswerCasing
    unique_client_reference: bool
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """What a request's credentials stand for."""

    actor: Actor
    application: Application


@dataclass(frozen=True, slots=True)
class NewApplication:
    """A new application with its secret, which is never shown again."""

    application: Application
    client_secret: str


@dataclass(frozen=True, slots=True)
class ApiClient:
    """An API client, as those see it who administer it; its secret is not kept."""

    application: Application
    created_at: datetime
    revoked_at: datetime | None
