"""What a token is, for those who may know (RFC 7662)."""

from makola.core.applications.clients import find_client_by_id
from makola.core.applications.types import ApplicationKind, OAuthClient
from makola.core.oauth.service.tokens import find_token
from makola.core.oauth.store import grant_of_refresh_token
from makola.core.oauth.types import REFRESH_TOKEN_PREFIX, TokenInformation
from makola.kit.database import Database
from makola.kit.secret_texts import sha256_of


async def introspect(database: Database, asker: OAuthClient, token: str) -> TokenInformation | None:
    """Return what a token stands for; None when it does not hold, or is nothing of the asker's.

    A trusted application may ask about every token, any other about those that were given to itself.
    """
    found = await (_refresh_token(database, token) if token.startswith(REFRESH_TOKEN_PREFIX)
                   else _access_token(database, token))
    if found is None or not (asker.application_id == found.application_id or asker.kind is ApplicationKind.TRUSTED):
        return None
    return found


async def _access_token(database: Database, token: str) -> TokenInformation | None:
    found = await find_token(database, token)
    if found is None:
        return None
    actor = found.caller.actor
    created_at = await database.fetchval("SELECT created_at FROM oauth.access_token WHERE sha256 = $1",
                                         sha256_of(token))
    client = await find_client_by_id(database, actor.application_id)
    if client is None or created_at is None:
        return None
    return TokenInformation(client.application_id, client.client_id, "access_token", actor.scopes, actor.user_id,
                            actor.organisation_id, created_at, found.expires_at)


async def _refresh_token(database: Database, token: str) -> TokenInformation | None:
    row = await grant_of_refresh_token(database, token)
    held = await database.fetchrow(
        "SELECT created_at, expires_at FROM oauth.refresh_token"
        " WHERE sha256 = $1 AND used_at IS NULL AND expires_at > now()", sha256_of(token))
    client = await find_client_by_id(database, row["application_id"]) if row is not None else None
    if row is None or row["revoked_at"] is not None or held is None or client is None or client.suspended:
        return None
    return TokenInformation(client.application_id, client.client_id, "refresh_token", frozenset(row["scopes"]),
                            row["user_id"], row["organisation_id"], held["created_at"], held["expires_at"])
