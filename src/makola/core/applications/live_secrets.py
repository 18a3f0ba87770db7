"""The secrets of an application: shown once, stored as a hash, at most two that hold at a time."""

from collections.abc import Sequence

from makola.core.applications.errors import InvalidApplicationError, UnknownSecretError
from makola.core.applications.service import add_secret
from makola.core.applications.types import RegisteredApplication, Secret, TokenEndpointAuthMethod
from makola.core.organisations.audit import record
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database

MOST_OVERLAP_S = 7 * 86_400

_LIVE = """
SELECT id, created_at, expires_at FROM applications.secret
WHERE application_id = $1 AND (expires_at IS NULL OR expires_at > now()) ORDER BY id DESC
"""

# The newest one goes on for a while; any older one, left from a rotation before, ends now.
_END_PRESENT = """
UPDATE applications.secret s
SET expires_at = least(s.expires_at, CASE WHEN s.id = (SELECT max(id) FROM applications.secret
                                                      WHERE application_id = $1)
                                         THEN now() + $2 * interval '1 second' ELSE now() END)
WHERE s.application_id = $1 AND (s.expires_at IS NULL OR s.expires_at > now())
"""


async def list_secrets(database: Database | Connection, application: RegisteredApplication) -> Sequence[Secret]:
    """Return the secrets that hold now, the newest first; there are at most two."""
    rows = await database.fetch(_LIVE, application.application_id)
    return [Secret(row["id"], row["created_at"], row["expires_at"]) for row in rows]


async def exchange_secret(connection: Connection, application_id: int, overlap_s: int) -> str:
    """Give an application or an API client, whose row is locked, a new secret and return it.

    The present secret goes on for `overlap_s` seconds; one that was left from a rotation before ends now.
    """
    await connection.execute(_END_PRESENT, application_id, overlap_s)
    return await add_secret(connection, application_id)


async def replace_secret(connection: Connection, actor: Actor, application: RegisteredApplication,
                         overlap_s: int) -> str:
    """Give an application a new secret and return it; two of them hold until the overlap is over.

    Args:
        connection: the transaction in which `registration.find_changeable` has found, and locked, the application.
        actor: who rotates.
        application: whose secret.
        overlap_s: for how long the present secret goes on working; 0 ends it at once.

    Raises:
        InvalidApplicationError: the overlap is not possible, or the application uses no secret.
    """
    if not 0 <= overlap_s <= MOST_OVERLAP_S:
        raise InvalidApplicationError(f"From 0 to {MOST_OVERLAP_S} seconds.", field="overlap_s")
    if application.draft.oauth.token_endpoint_auth_method is not TokenEndpointAuthMethod.CLIENT_SECRET:
        raise InvalidApplicationError("This application authenticates without a secret.",
                                      field="token_endpoint_auth_method")
    client_secret = await exchange_secret(connection, application.application_id, overlap_s)
    await record(connection, actor, "application:rotate", f"application:{application.client_id}",
                 {"overlap_s": overlap_s}, organisation_id=application.organisation_id)
    return client_secret


async def end_secret(connection: Connection, actor: Actor, application: RegisteredApplication, secret_id: int) -> None:
    """Refuse one secret from now on; the arguments are those of `replace_secret`.

    Raises:
        UnknownSecretError: the application has no such secret that still holds.
    """
    ended = await connection.fetchval(
        "UPDATE applications.secret SET expires_at = now() WHERE application_id = $1 AND id = $2"
        " AND (expires_at IS NULL OR expires_at > now()) RETURNING id", application.application_id, secret_id)
    if ended is None:
        raise UnknownSecretError("There is no such secret, or it has ended already.", field="secret")
    await record(connection, actor, "application:revoke_secret", f"application:{application.client_id}",
                 {"secret": secret_id}, organisation_id=application.organisation_id)
