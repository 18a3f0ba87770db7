"""People."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class User:
    """A person who belongs to one organisation."""

    user_id: int
    organisation_id: int
    name: str
    email: str
