"""Access tokens: opaque, 256 random bits, stored as SHA-256."""

from collections.abc import Collection
from datetime import datetime, timedelta

from makola.core.applications.clients import find_client_by_id
from makola.core.applications.service import find_caller
from makola.core.applications.types import OAUTH_KINDS, Application, Caller
from makola.core.oauth.errors import InvalidScopeError
from makola.core.oauth.rights import may_grant
from makola.core.oauth.service.writer import NewAccessToken, TokenWriter, insert_access_tokens, new_access_token_text
from makola.core.oauth.store import touch
from makola.core.oauth.types import ACCESS_TOKEN_PREFIX, NewToken, TokenCaller
from makola.core.organisations.emulation import Emulation
from makola.core.organisations.types import Actor
from makola.kit.clock import now
from makola.kit.database import Connection, Database
from makola.kit.secret_texts import sha256_of

# A grant that was revoked takes all its tokens with it, whatever is written in their own rows.
_FIND = """
SELECT t.application_id, t.user_id, t.emulation_id, t.scopes, t.expires_at, t.organisation_id, t.grant_id
FROM oauth.access_token t
WHERE t.sha256 = $1 AND t.revoked_at IS NULL AND t.expires_at > now()
  AND (t.grant_id IS NULL OR EXISTS (SELECT FROM oauth.grant g WHERE g.id = t.grant_id AND g.revoked_at IS NULL))
"""

_GRANT_OF_ACTOR = """
SELECT id FROM oauth.grant
WHERE user_id = $1 AND application_id = $2 AND organisation_id = $3 AND revoked_at IS NULL ORDER BY id DESC LIMIT 1
"""

_PURGE = """
DELETE FROM oauth.%(table)s WHERE %(key)s IN
    (SELECT %(key)s FROM oauth.%(table)s WHERE expires_at < now() - interval '1 day' ORDER BY expires_at LIMIT 5000)
"""
_PURGE_NOTICES = """
DELETE FROM oauth.logout_notice WHERE id IN
    (SELECT id FROM oauth.logout_notice WHERE state <> 'pending' AND created_at < now() - interval '30 days' LIMIT 5000)
"""
_KEYS = {"access_token": "sha256", "refresh_token": "sha256", "authorization_code": "sha256",
         "authorization_request": "sha256", "used_assertion": "sha256", "grant": "id"}


def own_token(application: Application, *, lifetime_s: float, scope: str,
              known_scopes: Collection[str]) -> NewAccessToken:
    """Make a token with which an application acts for itself (RFC 6749 section 4.4); it is not stored yet.

    Args:
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
    created_at = now()
    return NewAccessToken(new_access_token_text(), application.application_id, None, None, words or None, created_at,
                          created_at + timedelta(seconds=lifetime_s))


async def grant_client_credentials(writer: TokenWriter, application: Application, *, lifetime_s: float,
                                   scope: str = "", known_scopes: Collection[str] = ()) -> NewToken:
    """Give an application a token of its own; see `own_token`, which also says what is raised."""
    token = own_token(application, lifetime_s=lifetime_s, scope=scope, known_scopes=known_scopes)
    await writer.store(token)
    return NewToken(token.text, round(lifetime_s), token.scopes)


async def issue_emulation_token(connection: Connection, actor: Actor, emulation: Emulation) -> NewToken:
    """Give out the token with which its bearer acts as the emulated user until the emulation ends.

    It allows no more than the token with which the emulation was started, and ends with what that was granted by.
    """
    created_at = now()
    grant_id = await connection.fetchval(_GRANT_OF_ACTOR, actor.user_id, actor.application_id, actor.organisation_id)
    token = NewAccessToken(new_access_token_text(), actor.application_id, emulation.real_user_id,
                           emulation.emulation_id, actor.scopes, created_at, emulation.ends_at, grant_id=grant_id)
    await insert_access_tokens(connection, [token])
    return NewToken(token.text, round((token.expires_at - created_at).total_seconds()), actor.scopes)


async def find_token(database: Database, access_token: str) -> TokenCaller | None:
    """Return whom a token stands for; None when it is wrong, expired, revoked, or its bearer is suspended.

    What somebody has granted holds as long as they may grant it.
    """
    if not access_token.startswith(ACCESS_TOKEN_PREFIX):
        return None
    row = await database.fetchrow(_FIND, sha256_of(access_token))
    if row is None:
        return None
    scopes = frozenset(row["scopes"]) if row["scopes"] is not None else None
    caller = await find_caller(database, row["application_id"], user_id=row["user_id"], scopes=scopes,
                               emulation_id=row["emulation_id"], organisation_id=row["organisation_id"])
    if caller is None:
        return None
    if row["emulation_id"] is not None:
        if row["grant_id"] is None and await _acts_by_grants(database, caller):
            return None  # begun in the moment in which the authorization ended
    elif row["grant_id"] is not None:
        if not may_grant(caller.actor, scopes or frozenset()) and not await _is_trusted(database, caller):
            return None
        await touch(database, row["grant_id"])
    return TokenCaller(caller, row["expires_at"], row["grant_id"])


async def _acts_by_grants(database: Database, caller: Caller) -> bool:
    client = await find_client_by_id(database, caller.application.application_id)
    return client is None or client.kind in OAUTH_KINDS


async def _is_trusted(database: Database, caller: Caller) -> bool:
    client = await find_client_by_id(database, caller.application.application_id)
    return client is not None and client.skips_consent


async def revoke_tokens_of_application(connection: Connection, application_id: int) -> None:
    """Refuse every token of an application from now on, and end every authorization that it was given."""
    await connection.execute(
        "UPDATE oauth.grant SET revoked_at = now(), revoked_because = 'application', sealed_access_token = NULL"
        " WHERE application_id = $1 AND revoked_at IS NULL", application_id)
    await connection.execute(
        "UPDATE oauth.access_token SET revoked_at = now() WHERE application_id = $1 AND revoked_at IS NULL",
        application_id)


async def purge_expired(database: Database) -> bool:
    """Forget what expired long ago; True when there may be more."""
    deleted = [await database.execute(_PURGE % {"table": table, "key": key}) for table, key in _KEYS.items()]
    return "DELETE 5000" in [*deleted, await database.execute(_PURGE_NOTICES)]


def expiry(at: datetime, lifetime_s: float) -> datetime:
    """Return when something ends that begins at `at`."""
    return at + timedelta(seconds=lifetime_s)
