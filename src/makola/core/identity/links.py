"""Links that a person opens once to choose a password: an invitation, or a reset.

Looking at a link does nothing (programs that read mail look at links); choosing the password uses it up.
"""

import enum
from dataclasses import dataclass
from datetime import datetime

from makola.core.identity.errors import LinkGoneError, NothingToInviteToError
from makola.core.identity.types import User
from makola.kit.database import Connection, Database
from makola.kit.secret_texts import new_secret_text, sha256_of


class LinkPurpose(enum.StrEnum):
    """What a link is for."""

    INVITATION = "invitation"
    RESET = "reset"


# A new link replaces the one before it.
_MAKE = """
INSERT INTO identity.link (sha256, purpose, user_id, email, expires_at)
VALUES ($1, $2, $3, $4, now() + interval '1 second' * $5)
ON CONFLICT (user_id, purpose) DO UPDATE SET sha256 = excluded.sha256, email = excluded.email, created_at = now(),
                                             expires_at = excluded.expires_at
RETURNING expires_at
"""

# A link is for the e-mail address that it was made for.
_OPEN = """
SELECT u.id, u.organisation_id, u.name, u.email, u.currency, u.locale, u.timezone, u.suspended_at
FROM identity.link l JOIN identity."user" u ON u.id = l.user_id
WHERE l.sha256 = $1 AND l.purpose = $2 AND l.expires_at > now() AND lower(u.email) = lower(l.email)
  AND u.suspended_at IS NULL AND ($2 <> 'invitation' OR u.password_hash IS NULL)
"""

_PENDING = """
SELECT l.user_id, l.expires_at FROM identity.link l
WHERE l.user_id = ANY($1::bigint[]) AND l.purpose = 'invitation' AND l.expires_at > now()
"""

_PURGE = """
DELETE FROM identity.link WHERE sha256 IN (SELECT sha256 FROM identity.link WHERE expires_at < now() LIMIT 5000)
"""


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link that was just made; its token is stored as a hash only."""

    token: str
    expires_at: datetime

    def path(self, purpose: LinkPurpose) -> str:
        """Return the path of the page that it opens."""
        return f"/{purpose}/{self.token}"


async def make_link(connection: Connection, user: User, purpose: LinkPurpose, *, lifetime_s: int) -> NewLink:
    """Make a link with which a person chooses a password; an earlier one for the same purpose ends.

    Raises:
        NothingToInviteToError: the person who is invited has a password already.
    """
    has_password = await connection.fetchval(
        'SELECT password_hash IS NOT NULL FROM identity."user" WHERE id = $1 FOR UPDATE', user.user_id)
    if purpose is LinkPurpose.INVITATION and has_password:
        raise NothingToInviteToError("This person has signed up already.", field="email")
    token = new_secret_text()
    expires_at = await connection.fetchval(_MAKE, sha256_of(token), str(purpose), user.user_id, user.email, lifetime_s)
    return NewLink(token, expires_at)


async def look_at_link(connection: Connection | Database, token: str, purpose: LinkPurpose) -> User:
    """Return the person whom a link is for, without using it.

    Raises:
        LinkGoneError: it was used, replaced or withdrawn, has expired, or never was.
    """
    row = await connection.fetchrow(_OPEN, sha256_of(token), str(purpose))
    if row is None:
        raise LinkGoneError("This link does not work any more. Ask for a new one.")
    return User(*row.values())


async def use_link(connection: Connection, token: str, purpose: LinkPurpose) -> User:
    """Use a link up; of two at the same time one wins.

    Raises:
        LinkGoneError: it was used, replaced or withdrawn, has expired, or never was.
    """
    user = await look_at_link(connection, token, purpose)
    used = await connection.execute("DELETE FROM identity.link WHERE sha256 = $1", sha256_of(token))
    if used != "DELETE 1":
        raise LinkGoneError("This link does not work any more. Ask for a new one.")
    return user


async def withdraw_links(connection: Connection, user_id: int) -> int:
    """End every link of a person; return how many there were."""
    tag = await connection.execute("DELETE FROM identity.link WHERE user_id = $1", user_id)
    return int(tag.removeprefix("DELETE "))


async def pending_invitations(connection: Connection | Database, user_ids: list[int]) -> dict[int, datetime]:
    """Return until when each person of these may still accept an invitation."""
    return {row["user_id"]: row["expires_at"] for row in await connection.fetch(_PENDING, user_ids)}


async def purge(database: Database) -> bool:
    """Forget links that expired; True when there may be more."""
    return await database.execute(_PURGE) == "DELETE 5000"
