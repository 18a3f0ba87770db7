"""People."""

from dataclasses import dataclass
from datetime import datetime


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
