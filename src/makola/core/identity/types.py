"""People, how they show who they are, and their sessions."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class User:
    """A person who belongs to one organisation.

    Attributes:
        currency: ISO 4217 code of the prices that the person sees.
        locale: BCP 47 tag of the language that the person reads.
        timezone: IANA name.
        suspended_at: since when the person may not act.
    """

    user_id: int
    organisation_id: int
    name: str
    email: str
    currency: str = "GBP"
    locale: str = "en"
    timezone: str = "UTC"
    suspended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UserChange:
    """What to change of a person; None leaves it."""

    name: str | None = None
    email: str | None = None
    currency: str | None = None
    locale: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class SignInSession:
    """A browser in which a person is signed in.

    Attributes:
        session_id: stays the same until sign-out, also when the person shows again who they are (OpenID Connect's
            `sid`).
        organisation_id: acted for; the person's own, or one that the person may administer.
        auth_time: when the person last showed who they are.
        amr: how, in the words of RFC 8176, such as ("pwd", "otp", "mfa").
        csrf_token: what every form of this session must bring along.
    """

    session_id: UUID
    user_id: int
    organisation_id: int
    auth_time: datetime
    amr: tuple[str, ...]
    csrf_token: str


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A session as its person sees it in the list."""

    session_id: UUID
    created_at: datetime
    last_used_at: datetime
    auth_time: datetime
    amr: tuple[str, ...]
    address: str
    device: str


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """A session ended, for whatever reason; `organisation_id` is the one that it acted for then."""

    session_id: UUID
    user_id: int
    organisation_id: int
    at: datetime
