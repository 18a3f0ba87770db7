"""Access tokens: opaque, 256 random bits, stored as SHA-256."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from makola.core.applications.service import find_caller
from makola.core.applications.types import Application
from makola.core.oauth.errors import InvalidScopeError
from makola.core.oauth.types import ACCESS_TOKEN_PREFIX, NewToken, TokenCaller
from makola.core.organisations.emulation import Emulation
from makola.core.organisations.types import Actor
from makola.kit.clock import now
from makola.kit.database import Connection, Database

_INSERT = """
INSERT INTO oauth.access_token (sha256, application_id, user_id, emulation_id, scopes, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

_FIND = """
SELECT application_id, user_id, emulation_id, scopes, expires_at FROM oauth.access_token
WHERE sha256 = $1 AND revoked_at IS NULL AND expires_at > now()
"""

_PURGE = """
DELETE FROM oauth.access_token WHERE sha256 IN
    (SELECT sha256 FROM oauth.access_token WHERE expires_at < now() - interval '1 day' ORDER BY expires_at LIMIT 5000)
"""


async def grant_client_credentials(connection: Connection, application: Application, *, lifetime_s: float,
                                   scope: str = "", known_scopes: Collection[str] = ()) -> NewToken:
    """Give an application a token of its own (RFC 6749 section 4.4).

    Args:
        connection: to write with.
        application: that has shown its credentials.
        lifetime_s: how long the token holds.
        scope: what it shall allow, words separated by spaces; empty for all that the application may.
        known_scopes: the words that exist.

    Raises:
        InvalidScopeError: a word of `scope` does not exist.
    """
    words = frozenset(scope.split())
    if not words <= frozenset(known_scopes):
        raise InvalidScopeError("There is no such scope.", field="scope")
    expires_at = now() + timedelta(seconds=lifetime_s)
    return await _issue(connection, application.application_id, None, None, words or None, expires_at)


async def issue_emulation_token(connection: Connection, actor: Actor, emulation: Emulation) -> NewToken:
    """Give out the token with which its bearer acts as the emulated user until the emulation ends.

    It allows no more than the token with which the emulation was started.
    """
    return await _issue(connection, actor.application_id, emulation.real_user_id, emulation.emulation_id,
                        actor.scopes, emulation.ends_at)


async def find_token(database: Database, access_token: str) -> TokenCaller | None:
    """Return whom a token stands for; None when it is wrong, expired, revoked, or its bearer is suspended."""
    if not access_token.startswith(ACCESS_TOKEN_PREFIX):
        return None
    row = await database.fetchrow(_FIND, _sha256(access_token))
    if row is None:
        return None
    caller = await find_caller(
        database, row["application_id"], user_id=row["user_id"], emulation_id=row["emulation_id"],
        scopes=frozenset(row["scopes"]) if row["scopes"] is not None else None)
    return TokenCaller(caller, row["expires_at"]) if caller is not None else None


async def revoke_tokens_of_application(connection: Connection, application_id: int) -> None:
    """Refuse every token of an application from now on."""
    await connection.execute(
        "UPDATE oauth.access_token SET revoked_at = now() WHERE application_id = $1 AND revoked_at IS NULL",
        application_id)


async def purge_expired(database: Database) -> bool:
    """Forget tokens that expired long ago; True when there may be more."""
    return await database.execute(_PURGE) == "DELETE 5000"


async def _issue(connection: Connection, application_id: int, user_id: int | None, emulation_id: int | None,
                 scopes: frozenset[str] | None, expires_at: datetime) -> NewToken:
    access_token = ACCESS_TOKEN_PREFIX + secrets.token_urlsafe(32)
    created_at = now()
    await connection.execute(_INSERT, _sha256(access_token), application_id, user_id, emulation_id,
                             sorted(scopes) if scopes is not None else None, created_at, expires_at)
    return NewToken(access_token, round((expires_at - created_at).total_seconds()), scopes)


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
