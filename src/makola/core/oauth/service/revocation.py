"""Ending what was given out: one token, one authorization, or all that an organisation gave an application."""

from collections.abc import Sequence
from dataclasses import dataclass

from makola.core.applications.types import OAuthClient
from makola.core.oauth import store
from makola.core.oauth.service.grants import SEALED_TOKEN
from makola.core.oauth.types import REFRESH_TOKEN_PREFIX
from makola.kit.database import Connection, Database
from makola.kit.sealing import Sealer, SealingError
from makola.kit.secret_texts import sha256_of

_REVOKE_GRANTS = """
WITH ended AS (
    SELECT id, sealed_access_token FROM oauth.grant
    WHERE organisation_id = $1 AND application_id = $2 AND revoked_at IS NULL
      AND ($3::bigint IS NULL OR user_id = $3) FOR UPDATE)
UPDATE oauth.grant g SET revoked_at = now(), revoked_because = 'deauthorised', sealed_access_token = NULL
FROM ended WHERE g.id = ended.id RETURNING g.id, ended.sealed_access_token
"""


@dataclass(frozen=True, slots=True)
class EndedGrant:
    """An authorization that has just ended; `access_token` is its newest, dead now; empty where none was kept."""

    grant_id: int
    access_token: str


async def revoke_token(database: Database, client: OAuthClient, token: str) -> None:
    """End one token (RFC 7009): of a refresh token the whole authorization; another client's token is left alone."""
    async with database.transaction() as connection:
        if token.startswith(REFRESH_TOKEN_PREFIX):
            locked = await store.grant_of_refresh_token(connection, token, lock=True)
            if locked is not None and locked["application_id"] == client.application_id:
                await store.revoke_grant(connection, locked["id"], "revoked by the client")
            return
        await connection.execute(
            "UPDATE oauth.access_token SET revoked_at = now()"
            " WHERE sha256 = $1 AND application_id = $2 AND revoked_at IS NULL",
            sha256_of(token), client.application_id)


async def revoke_grants(connection: Connection, application_id: int, organisation_id: int, *,
                        user_id: int | None = None, sealer: Sealer | None = None) -> Sequence[EndedGrant]:
    """End all that an organisation has given an application, and forget what its people agreed to.

    Args:
        connection: an open transaction.
        application_id: which application.
        organisation_id: for whom it acted.
        user_id: only what this person granted; None for everybody's.
        sealer: opens the access tokens that the application is told of; None where nobody is told.
    """
    rows = await connection.fetch(_REVOKE_GRANTS, organisation_id, application_id, user_id)
    await connection.execute(
        "DELETE FROM oauth.consent WHERE organisation_id = $1 AND application_id = $2"
        " AND ($3::bigint IS NULL OR user_id = $3)", organisation_id, application_id, user_id)
    return [EndedGrant(row["id"], _opened(sealer, row["sealed_access_token"])) for row in rows]


async def revoke_grant(connection: Connection, grant_id: int, because: str) -> bool:
    """End one authorization; False when that was so already."""
    return await store.revoke_grant(connection, grant_id, because)


def _opened(sealer: Sealer | None, sealed: str | None) -> str:
    if sealer is None or sealed is None:
        return ""
    try:
        return sealer.open(SEALED_TOKEN, sealed).decode()
    except SealingError:  # sealed with a key that is gone: the application is told without it
        return ""
