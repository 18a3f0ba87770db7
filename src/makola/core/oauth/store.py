"""The SQL of grants, codes and refresh tokens. Every secret is 256 random bits, so one SHA-256 hides it."""

from datetime import datetime

from makola.core.oauth.types import Grant
from makola.kit.database import Connection, Database, Record
from makola.kit.secret_texts import sha256_of

_GRANT = ("g.id, g.application_id, g.organisation_id, g.user_id, g.scopes, g.session_id, g.auth_time, g.amr,"
          " g.created_at, g.last_used_at")

INSERT_GRANT = """
INSERT INTO oauth.grant (application_id, organisation_id, user_id, scopes, session_id, auth_time, amr, created_at,
                         expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id
"""

INSERT_CODE = """
INSERT INTO oauth.authorization_code (sha256, grant_id, application_id, redirect_uri, code_challenge, nonce, resources,
                                      created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

_GRANT_OF = f"""
SELECT {_GRANT}, g.revoked_at FROM oauth.grant g
WHERE g.id = (SELECT t.grant_id FROM oauth.%s t WHERE t.sha256 = $1)
"""  # noqa: S608 - made of this module's own names
_GRANT_OF_CODE = _GRANT_OF % "authorization_code"
_GRANT_OF_ROTATED = _GRANT_OF % "refresh_token"

_CODE = """
SELECT application_id, redirect_uri, code_challenge, nonce, resources, expires_at, redeemed_at
FROM oauth.authorization_code WHERE sha256 = $1
"""

# Siblings are tokens that one token was exchanged for within the grace. The successors of siblings are siblings again:
# all stand under the one that was exchanged first. So a family never has two branches that go on side by side, of which
# one could be a thief's.
_EXCHANGE = """
SELECT t.application_id, t.parent, t.expires_at, t.used_at, f.first,
       EXISTS (SELECT FROM oauth.refresh_token s WHERE s.parent = f.first AND s.used_at IS NOT NULL) AS succeeded
FROM oauth.refresh_token t CROSS JOIN LATERAL (SELECT coalesce(
    (SELECT sibling.sha256 FROM oauth.refresh_token sibling
     WHERE sibling.parent = t.parent
       AND EXISTS (SELECT FROM oauth.refresh_token s WHERE s.parent = sibling.sha256) LIMIT 1), t.sha256) AS first) f
WHERE t.sha256 = $1
"""

INSERT_ROTATED = """
INSERT INTO oauth.refresh_token (sha256, grant_id, application_id, parent, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)
"""

_REVOKE = """
UPDATE oauth.grant SET revoked_at = now(), revoked_because = $2, sealed_access_token = NULL
WHERE id = $1 AND revoked_at IS NULL
"""


def grant_of(row: Record) -> Grant:
    """Build a `Grant` from a row of its table."""
    return Grant(row["id"], row["application_id"], row["organisation_id"], row["user_id"], frozenset(row["scopes"]),
                 row["session_id"], row["auth_time"], tuple(row["amr"]), row["created_at"], row["last_used_at"])


async def grant_of_code(database: Connection | Database, code: str, *, lock: bool = False) -> Record | None:
    """Return the grant that a code belongs to.

    The grant is locked, not the code: whatever happens to a family happens in one order.
    """
    return await database.fetchrow(_GRANT_OF_CODE + (" FOR UPDATE" if lock else ""), sha256_of(code))


async def grant_of_refresh_token(database: Connection | Database, token: str, *, lock: bool = False) -> Record | None:
    """Return the grant that a refresh token belongs to; locked as for `grant_of_code`."""
    return await database.fetchrow(_GRANT_OF_ROTATED + (" FOR UPDATE" if lock else ""), sha256_of(token))


async def find_code(connection: Connection, code: str) -> Record | None:
    """Return a code; read it after its grant is locked."""
    return await connection.fetchrow(_CODE, sha256_of(code))


async def find_refresh_token(connection: Connection, token: str) -> Record | None:
    """Return a refresh token; read it after its grant is locked."""
    return await connection.fetchrow(_EXCHANGE, sha256_of(token))


async def mark_redeemed(connection: Connection, code: str, at: datetime) -> None:
    """Remember that a code was used."""
    await connection.execute("UPDATE oauth.authorization_code SET redeemed_at = $2 WHERE sha256 = $1",
                             sha256_of(code), at)


async def mark_used(connection: Connection, token: str, parent: bytes | None, at: datetime) -> None:
    """Remember that a refresh token was exchanged, and that its siblings are no longer waited for."""
    await connection.execute(
        "UPDATE oauth.refresh_token SET used_at = $3"
        " WHERE (sha256 = $1 OR parent = $2) AND used_at IS NULL", sha256_of(token), parent, at)


async def prolong(connection: Connection, grant_id: int, until: datetime, sealed: str | None) -> None:
    """Keep a grant at least until then, with its newest access token sealed, if that is wanted."""
    await connection.execute(
        "UPDATE oauth.grant SET expires_at = greatest(expires_at, $2), sealed_access_token = $3, last_used_at = now()"
        " WHERE id = $1", grant_id, until, sealed)


async def revoke_grant(connection: Connection, grant_id: int, because: str) -> bool:
    """End a grant with all its tokens; False when that was so already."""
    return await connection.execute(_REVOKE, grant_id, because) == "UPDATE 1"


async def touch(database: Database, grant_id: int) -> None:
    """Remember that a grant was used, to the minute."""
    await database.execute(
        "UPDATE oauth.grant SET last_used_at = now()"
        " WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')", grant_id)


async def live_grants(database: Database | Connection, organisation_id: int, application_id: int | None,
                      user_id: int | None) -> list[Grant]:
    """Return the grants of an organisation that hold, newest first."""
    rows = await database.fetch(
        f"SELECT {_GRANT} FROM oauth.grant g"  # noqa: S608 - made of this module's own names
        " WHERE g.organisation_id = $1 AND g.revoked_at IS NULL AND g.expires_at > now()"
        " AND ($2::bigint IS NULL OR g.application_id = $2) AND ($3::bigint IS NULL OR g.user_id = $3)"
        " ORDER BY g.id DESC", organisation_id, application_id, user_id)
    return [grant_of(row) for row in rows]


async def newest_grant(database: Database | Connection, user_id: int, application_id: int) -> Grant | None:
    """Return the last authorization that a user gave an application, as long as one of its tokens holds."""
    row = await database.fetchrow(
        f"SELECT {_GRANT} FROM oauth.grant g"  # noqa: S608 - made of this module's own names
        " WHERE g.user_id = $1 AND g.application_id = $2 AND g.revoked_at IS NULL AND g.expires_at > now()"
        " AND EXISTS (SELECT FROM oauth.access_token t"
        "             WHERE t.grant_id = g.id AND t.revoked_at IS NULL AND t.expires_at > now())"
        " ORDER BY g.id DESC LIMIT 1", user_id, application_id)
    return grant_of(row) if row is not None else None
