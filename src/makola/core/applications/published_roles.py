"""Roles that a trusted application publishes: organisations give them to their users, and its ID tokens name them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from makola.core.applications.errors import InvalidApplicationError, UnknownApplicationError
from makola.core.applications.installations import is_installed
from makola.core.applications.registration import find_changeable, subject_of
from makola.core.applications.types import ApplicationKind
from makola.core.organisations.audit import record
from makola.core.organisations.members import find_member
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database

MOST_ROLES = 50
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,49}")
_MOST_DESCRIPTION_CHARACTERS = 200

_HOLDERS = """
SELECT h.role_id, h.user_id FROM applications.role_holder h
JOIN applications.published_role r ON r.id = h.role_id
WHERE r.application_id = $1 AND h.organisation_id = $2 ORDER BY h.role_id, h.user_id
"""


@dataclass(frozen=True, slots=True)
class PublishedRole:
    """A role in an application. `name` is what its tokens say, such as `cashier`."""

    role_id: int
    name: str
    description: str


async def list_published_roles(database: Database | Connection, application_id: int) -> list[PublishedRole]:
    """Return the roles that an application publishes, by name."""
    rows = await database.fetch(
        "SELECT id, name, description FROM applications.published_role WHERE application_id = $1 ORDER BY name",
        application_id)
    return [PublishedRole(*row.values()) for row in rows]


async def publish_roles(connection: Connection, actor: Actor, client_id: str,
                        roles: Sequence[tuple[str, str]]) -> list[PublishedRole]:
    """Replace the roles that a trusted application publishes; who has a role that stays keeps it.

    Args:
        connection: an open transaction.
        actor: the platform's owner.
        client_id: of the application.
        roles: names and descriptions.

    Raises:
        PermissionDeniedError: the actor is not the platform's owner, or is emulating.
        UnknownApplicationError: there is none, or it is closed.
        InvalidApplicationError: it is not trusted, or a role is not possible.
    """
    application = await find_changeable(connection, actor, client_id)
    if application.kind is not ApplicationKind.TRUSTED:
        raise InvalidApplicationError("Only trusted applications publish roles.", field="roles")
    wanted = dict(roles)
    if len(roles) > MOST_ROLES or len(wanted) < len(roles):
        raise InvalidApplicationError(f"At most {MOST_ROLES} roles, each once.", field="roles")
    for name, description in wanted.items():
        if not _NAME.fullmatch(name):
            raise InvalidApplicationError("A role's name begins with a letter and has up to 50 small letters, digits,"
                                          " dots, dashes and underscores.", field="roles")
        if len(description) > _MOST_DESCRIPTION_CHARACTERS or not description.isprintable():
            raise InvalidApplicationError(f"A description has at most {_MOST_DESCRIPTION_CHARACTERS} characters.",
                                          field="roles")
    await connection.execute(
        "DELETE FROM applications.published_role WHERE application_id = $1 AND NOT name = ANY($2::text[])",
        application.application_id, list(wanted))
    await connection.execute(
        "INSERT INTO applications.published_role (application_id, name, description)"
        " SELECT $1, * FROM unnest($2::text[], $3::text[])"
        " ON CONFLICT (application_id, name) DO UPDATE SET description = excluded.description",
        application.application_id, list(wanted), list(wanted.values()))
    await record(connection, actor, "application:publish_roles", subject_of(application), {"roles": sorted(wanted)},
                 organisation_id=application.organisation_id)
    return await list_published_roles(connection, application.application_id)


async def role_holders(database: Database | Connection, organisation_id: int,
                       application_id: int) -> dict[int, list[int]]:
    """Return which users of an organisation have which roles of an application: user ids by role id."""
    holders: dict[int, list[int]] = {}
    for row in await database.fetch(_HOLDERS, application_id, organisation_id):
        holders.setdefault(row["role_id"], []).append(row["user_id"])
    return holders


async def roles_of_user(database: Database | Connection, application_id: int, organisation_id: int,
                        user_id: int) -> tuple[str, ...]:
    """Return the names of a user's roles in an application, for an organisation: what an ID token says."""
    rows = await database.fetch(
        "SELECT r.name FROM applications.role_holder h JOIN applications.published_role r ON r.id = h.role_id"
        " WHERE r.application_id = $1 AND h.organisation_id = $2 AND h.user_id = $3 ORDER BY r.name",
        application_id, organisation_id, user_id)
    return tuple(row["name"] for row in rows)


async def applications_with_roles(database: Database | Connection, application_ids: Sequence[int]) -> set[int]:
    """Return those of the applications that publish roles."""
    rows = await database.fetch(
        "SELECT DISTINCT application_id FROM applications.published_role WHERE application_id = ANY($1::bigint[])",
        list(application_ids))
    return {row["application_id"] for row in rows}


async def give_role(connection: Connection, actor: Actor, application_id: int, role_id: int, user_id: int, *,
                    given: bool) -> None:
    """Give a user of the actor's organisation a role of an installed application, or take it away.

    Raises:
        PermissionDeniedError: the actor may not change what users may do.
        UnknownApplicationError: the application is not installed, or has no such role.
        UnknownMemberError: the user is not in the actor's sight.
    """
    actor.require(Permission.PERMISSION_CHANGE)
    role = await connection.fetchrow(
        "SELECT r.name, a.client_id FROM applications.published_role r"
        " JOIN applications.application a ON a.id = r.application_id WHERE r.id = $1 AND r.application_id = $2",
        role_id, application_id)
    if role is None or not await is_installed(connection, actor.organisation_id, application_id):
        raise UnknownApplicationError("This application is not installed, or has no such role.", field="role")
    await find_member(connection, actor, user_id, field="user")
    statement = ("INSERT INTO applications.role_holder (organisation_id, role_id, user_id) VALUES ($1, $2, $3)"
                 " ON CONFLICT DO NOTHING") if given else (
        "DELETE FROM applications.role_holder WHERE organisation_id = $1 AND role_id = $2 AND user_id = $3")
    if await connection.execute(statement, actor.organisation_id, role_id, user_id) in {"INSERT 0 1", "DELETE 1"}:
        await record(connection, actor, "application:give_role" if given else "application:take_role",
                     f"application:{role['client_id']}", {"role": role["name"], "user": user_id})
