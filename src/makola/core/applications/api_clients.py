"""API clients: made for oneself, or for a user that one stands above or beside and holds all the rights of."""

from collections.abc import Collection

from makola.core.applications.errors import InvalidClientError, UnknownClientError
from makola.core.applications.live_secrets import MOST_OVERLAP_S, exchange_secret
from makola.core.applications.service import application_of, create_application
from makola.core.applications.types import ApiClient, NewApplication
from makola.core.organisations.audit import record
from makola.core.organisations.emulation import refuse_while_emulating
from makola.core.organisations.members import find_member, require_no_more_rights
from makola.core.organisations.permissions import Permission
from makola.core.organisations.queries import is_in_subtree, subtree_ids
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database, Record

_COLUMNS = """
a.id, a.organisation_id, a.name, a.client_id, a.answer_casing, a.unique_client_reference, a.user_id, a.created_at,
a.suspended_at
"""

_WHERE = """
FROM applications.application a
WHERE a.user_id IS NOT NULL AND a.organisation_id = ANY($1::bigint[])
  AND (cardinality($2::bigint[]) = 0 OR a.user_id = ANY($2::bigint[]))
"""

_FIND = f"""
SELECT {_COLUMNS} FROM applications.application a WHERE a.client_id = $1 AND a.user_id IS NOT NULL
"""  # noqa: S608 - made of this module's own column names
_FIND_LOCKED = _FIND + " FOR UPDATE"

_MOST_NAME_CHARACTERS = 200


async def list_api_clients(database: Database, actor: Actor, *, user_ids: Collection[int] = (), limit: int,
                           offset: int) -> tuple[list[ApiClient], int]:
    """Return a page of the API clients of the users of the actor's subtree, by age, and how many there are.

    Raises:
        PermissionDeniedError: the actor may not look at API clients.
    """
    actor.require(Permission.CLIENT_VIEW)
    async with database.connection() as connection:
        visible = await subtree_ids(connection, actor)
        total = await connection.fetchval(f"SELECT count(*) {_WHERE}", visible, list(user_ids))
        rows = await connection.fetch(
            f"SELECT {_COLUMNS} {_WHERE} ORDER BY a.id LIMIT $3 OFFSET $4", visible, list(user_ids), limit, offset)
    return [_client_of(row) for row in rows], total


async def find_api_client(connection: Connection, actor: Actor, client_id: str) -> ApiClient:
    """Return one API client.

    Raises:
        PermissionDeniedError: the actor may not look at API clients.
        UnknownClientError: there is none, or its user is elsewhere in the tree.
    """
    actor.require(Permission.CLIENT_VIEW)
    return await _find(connection, actor, client_id)


async def create_api_client(connection: Connection, actor: Actor, user_id: int, name: str) -> NewApplication:
    """Make an API client for a user; its secret is shown this once.

    Raises:
        PermissionDeniedError: the actor may not, is emulating, or does not hold every right of the user.
        UnknownMemberError: the user is not in the actor's sight.
        InvalidClientError: the name is empty or too long.
    """
    actor.require(Permission.CLIENT_CHANGE)
    refuse_while_emulating(actor)
    name = name.strip()
    if not name or len(name) > _MOST_NAME_CHARACTERS:
        raise InvalidClientError(f"A name has 1 to {_MOST_NAME_CHARACTERS} characters.", field="name")
    user = await find_member(connection, actor, user_id, field="user")
    await require_no_more_rights(connection, actor, user)
    made = await create_application(connection, user.organisation_id, name=name, user_id=user_id)
    await record(connection, actor, "client:create", f"client:{made.application.client_id}",
                 {"name": name, "user": user_id}, organisation_id=user.organisation_id)
    return made


async def rotate_secret(connection: Connection, actor: Actor, client_id: str, *, overlap_s: int = 0) -> NewApplication:
    """Give an API client a new secret, shown this once.

    Args:
        connection: an open transaction.
        actor: who asks.
        client_id: of the API client.
        overlap_s: for how long the present secret goes on working; 0 ends it at once. One that was left from a
            rotation before ends now: at most two hold at a time.

    Raises:
        PermissionDeniedError: the actor may not, is emulating, or does not hold every right of the client's user.
        UnknownClientError: there is none, it was revoked, or its user is elsewhere in the tree.
        InvalidClientError: the overlap is not possible.
    """
    client = await _find_changeable(connection, actor, client_id)
    if not 0 <= overlap_s <= MOST_OVERLAP_S:
        raise InvalidClientError(f"From 0 to {MOST_OVERLAP_S} seconds.", field="overlap_s")
    client_secret = await exchange_secret(connection, client.application.application_id, overlap_s)
    await record(connection, actor, "client:rotate", f"client:{client_id}", {"overlap_s": overlap_s},
                 organisation_id=client.application.organisation_id)
    return NewApplication(client.application, client_secret)


async def revoke_api_client(connection: Connection, actor: Actor, client_id: str) -> ApiClient:
    """End an API client for good, with its tokens; raises what `rotate_secret` does."""
    client = await _find_changeable(connection, actor, client_id)
    await connection.execute("UPDATE applications.application SET suspended_at = now() WHERE id = $1",
                             client.application.application_id)
    await record(connection, actor, "client:revoke", f"client:{client_id}",
                 organisation_id=client.application.organisation_id)
    return client


async def _find_changeable(connection: Connection, actor: Actor, client_id: str) -> ApiClient:
    actor.require(Permission.CLIENT_CHANGE)
    refuse_while_emulating(actor)
    client = await _find(connection, actor, client_id, lock=True)
    if client.revoked_at is not None or client.application.user_id is None:
        raise UnknownClientError("This API client was revoked.")
    user = await find_member(connection, actor, client.application.user_id)
    await require_no_more_rights(connection, actor, user)
    return client


async def _find(connection: Connection, actor: Actor, client_id: str, *, lock: bool = False) -> ApiClient:
    row = await connection.fetchrow(_FIND_LOCKED if lock else _FIND, client_id)
    if row is None or not await is_in_subtree(connection, actor, row["organisation_id"]):
        raise UnknownClientError("There is no such API client.")
    return _client_of(row)


def _client_of(row: Record) -> ApiClient:
    return ApiClient(application_of(row), row["created_at"], row["suspended_at"])
