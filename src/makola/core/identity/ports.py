"""What identity asks of the domains above it, and what it tells them."""

from typing import Protocol

from makola.core.identity.types import SessionEvent, User
from makola.kit.database import Connection, Database


class Admission(Protocol):
    """Says whether a person's place in the world lets them sign in; identity knows nothing of the tree."""

    async def __call__(self, connection: Database | Connection, user: User, /) -> bool:
        """Return False where the person's organisation, or a tier above it, is suspended."""


class SessionObserver(Protocol):
    """Is told that a session ended.

    Every end comes through here: sign-out, revocation, suspension, expiry, in whatever process it happened. It is
    told within the transaction that ticks the event off, so it is told again when that is not committed; what it
    writes with `connection` happens exactly once.
    """

    async def __call__(self, connection: Connection, event: SessionEvent, /) -> None:
        """Take note; must not wait for anything outside the database."""
