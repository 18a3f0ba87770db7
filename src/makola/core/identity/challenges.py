"""What is under way for a few minutes, in one browser, and can be finished once."""

from dataclasses import dataclass

from makola.core.identity.errors import ChallengeGoneError
from makola.kit.database import Connection, Database
from makola.kit.secret_texts import sha256_of

SECOND_FACTOR = "second_factor"
PASSKEY_SIGN_IN = "passkey_sign_in"
PASSKEY_REGISTRATION = "passkey_registration"

LIFETIME_S = 600

_INSERT = """
INSERT INTO identity.challenge (sha256, purpose, user_id, browser, expires_at)
VALUES ($1, $2, $3, $4, now() + interval '1 second' * $5)
"""
_WHERE = "WHERE sha256 = $1 AND purpose = $2 AND browser = $3 AND expires_at > now()"
_PURGE = """
DELETE FROM identity.challenge WHERE sha256 IN
    (SELECT sha256 FROM identity.challenge WHERE expires_at < now() LIMIT 5000)
"""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Whose it is; None where that is not known yet."""

    user_id: int | None


async def begin(connection: Connection | Database, token: str, purpose: str, *, user_id: int | None,
                browser_token: str) -> None:
    """Remember that something is under way.

    Args:
        connection: to write with.
        token: by which it is found again.
        purpose: one of this module's.
        user_id: the person, where that is known.
        browser_token: a secret of the browser; nobody else can finish it.
    """
    await connection.execute(_INSERT, sha256_of(token), purpose, user_id, sha256_of(browser_token), LIFETIME_S)


async def look(connection: Connection | Database, token: str, purpose: str, browser_token: str) -> Challenge | None:
    """Return what is under way, without finishing it; None when it is not, or not any more."""
    row = await connection.fetchrow(
        f"SELECT user_id FROM identity.challenge {_WHERE}", sha256_of(token), purpose, sha256_of(browser_token))  # noqa: S608 - own text
    return Challenge(row["user_id"]) if row is not None else None


async def finish(connection: Connection | Database, token: str, purpose: str, browser_token: str) -> Challenge:
    """End what is under way; only one of two that try at the same time does.

    Raises:
        ChallengeGoneError: it is not under way, or not any more.
    """
    row = await connection.fetchrow(
        f"DELETE FROM identity.challenge {_WHERE} RETURNING user_id",  # noqa: S608 - own text
        sha256_of(token), purpose, sha256_of(browser_token))
    if row is None:
        raise ChallengeGoneError("This took too long, or was done already. Begin again.")
    return Challenge(row["user_id"])


async def purge(database: Database) -> bool:
    """Forget what nobody finished; True when there may be more."""
    return await database.execute(_PURGE) == "DELETE 5000"
