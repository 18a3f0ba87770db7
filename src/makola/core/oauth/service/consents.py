"""What people have agreed to, so that they are not asked the same twice."""

from collections.abc import Collection

from makola.core.oauth import store
from makola.core.oauth.types import Grant
from makola.kit.clock import now
from makola.kit.database import Connection, Database

_RECORD = """
INSERT INTO oauth.consent (user_id, organisation_id, application_id, scopes, given_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (user_id, application_id, organisation_id) DO UPDATE SET
    scopes = array(SELECT DISTINCT s FROM unnest(oauth.consent.scopes || excluded.scopes) s ORDER BY s),
    given_at = excluded.given_at
"""


async def record_consent(connection: Connection, *, user_id: int, organisation_id: int, application_id: int,
                         scopes: Collection[str]) -> None:
    """Remember that a person has agreed; scopes are added to those agreed to before."""
    await connection.execute(_RECORD, user_id, organisation_id, application_id, sorted(scopes), now())


async def has_consented(database: Database | Connection, *, user_id: int, organisation_id: int, application_id: int,
                        scopes: Collection[str]) -> bool:
    """Say whether a person has agreed to all these scopes for an organisation before."""
    return bool(await database.fetchval(
        "SELECT EXISTS (SELECT FROM oauth.consent WHERE user_id = $1 AND organisation_id = $2 AND application_id = $3"
        " AND scopes @> $4::text[])", user_id, organisation_id, application_id, list(scopes)))


async def scopes_agreed_to(database: Database | Connection, *, user_id: int, application_id: int) -> frozenset[str]:
    """Return all that a person has agreed to with an application, for whichever organisation."""
    rows = await database.fetch(
        "SELECT DISTINCT unnest(scopes) AS scope FROM oauth.consent WHERE user_id = $1 AND application_id = $2",
        user_id, application_id)
    return frozenset(row["scope"] for row in rows)


async def list_grants(database: Database | Connection, organisation_id: int, *, application_id: int | None = None,
                      user_id: int | None = None) -> list[Grant]:
    """Return the authorizations of an organisation that hold, newest first, each with its last use to the minute."""
    return await store.live_grants(database, organisation_id, application_id, user_id)


async def last_grant(database: Database | Connection, *, user_id: int, application_id: int) -> Grant | None:
    """Return the last authorization that a user gave an application, as long as one of its tokens holds."""
    return await store.newest_grant(database, user_id, application_id)
