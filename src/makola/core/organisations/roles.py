"""Roles: named sets of permissions, made by an organisation for its users and for those of its descendants."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from makola.core.organisations.audit import record
from makola.core.organisations.errors import (
    InvalidOrganisationError,
    PermissionDeniedError,
    RoleNameTakenError,
    UnknownRoleError,
)
from makola.core.organisations.grants import permissions_of, read_permissions
from makola.core.organisations.permissions import Grants, Permission
from makola.core.organisations.queries import find_organisation, find_visible_organisation
from makola.core.organisations.texts import holds_control_character
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database, Record

_COLUMNS = "r.id, r.organisation_id, r.name, r.permissions, r.parent_permissions, r.shared"

# Those of the actor's subtree ($1), and those that its parent shares ($2; NULL where that is not wanted).
_VISIBLE = """
FROM organisations.role r JOIN organisations.organisation o ON o.id = r.organisation_id
WHERE (o.chain @> ARRAY[$1::bigint] OR (r.organisation_id = $2 AND r.shared))
"""

_MOST_NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of permissions. `shared` lets the users of the direct children see and give it too."""

    role_id: int
    organisation_id: int
    name: str
    permissions: Mapping[Permission, bool]
    shared: bool


async def list_roles(database: Database, actor: Actor, *, limit: int, offset: int) -> tuple[list[Role], int]:
    """Return a page of the roles in the actor's sight, by id, and how many there are.

    Raises:
        PermissionDeniedError: the actor may not look at roles.
    """
    actor.require(Permission.ROLE_VIEW)
    arguments = (actor.organisation_id, _sharing_parent(actor))
    total = await database.fetchval(f"SELECT count(*) {_VISIBLE}", *arguments)
    rows = await database.fetch(
        f"SELECT {_COLUMNS} {_VISIBLE} ORDER BY r.id LIMIT $3 OFFSET $4", *arguments, limit, offset)
    return [_role_of(row) for row in rows], total


async def find_role(connection: Connection, actor: Actor, role_id: int) -> Role:
    """Return one role in the actor's sight.

    Raises:
        PermissionDeniedError: the actor may not look at roles.
        UnknownRoleError: there is none, or it stands elsewhere in the tree.
    """
    actor.require(Permission.ROLE_VIEW)
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} {_VISIBLE} AND r.id = $3", actor.organisation_id, _sharing_parent(actor), role_id)
    if row is None:
        raise UnknownRoleError("There is no such role.")
    return _role_of(row)


async def add_role(connection: Connection, actor: Actor, organisation_id: int, name: str,
                   permissions: Sequence[tuple[str, bool]], *, shared: bool = False) -> Role:
    """Make a role.

    Raises:
        PermissionDeniedError: the actor may not, or does not hold every permission of the role.
        UnknownOrganisationError: the organisation is not in the actor's sight.
        RoleNameTakenError: the organisation has a role of this name.
        InvalidOrganisationError: a value is not possible; it names the field.
    """
    actor.require(Permission.ROLE_CHANGE)
    await find_visible_organisation(connection, actor, organisation_id, field="organisation")
    read = read_permissions(permissions)
    _require_held(actor, read)
    try:
        async with connection.transaction():
            role_id = await connection.fetchval(
                "INSERT INTO organisations.role (organisation_id, name, permissions, parent_permissions, shared)"
                " VALUES ($1, $2, $3, $4, $5) RETURNING id", organisation_id, _name(name), sorted(read),
                sorted(p for p, parent in read.items() if parent), shared)
    except asyncpg.UniqueViolationError as error:
        raise RoleNameTakenError("The organisation has a role of this name.", field="name") from error
    role = Role(role_id, organisation_id, _name(name), read, shared)
    await record(connection, actor, "role:create", f"role:{role_id}", _particulars(role),
                 organisation_id=organisation_id)
    return role


async def change_role(connection: Connection, actor: Actor, role_id: int, *, name: str | None = None,
                      permissions: Sequence[tuple[str, bool]] | None = None, shared: bool | None = None) -> Role:
    """Change a role, and thereby what everybody may do who has it; None leaves a value.

    Raises:
        PermissionDeniedError: the actor may not, or does not hold every permission of the role, before or after.
        UnknownRoleError: there is none, or it stands elsewhere in the tree.
        RoleNameTakenError: the organisation has another role of this name.
        InvalidOrganisationError: a value is not possible; it names the field.
    """
    before = await _find_own(connection, actor, role_id)
    read = read_permissions(permissions) if permissions is not None else dict(before.permissions)
    _require_held(actor, read)
    after = Role(role_id, before.organisation_id, _name(name) if name is not None else before.name, read,
                 before.shared if shared is None else shared)
    try:
        async with connection.transaction():
            await connection.execute(
                "UPDATE organisations.role SET name = $2, permissions = $3, parent_permissions = $4, shared = $5"
                " WHERE id = $1", role_id, after.name, sorted(read), sorted(p for p, parent in read.items() if parent),
                after.shared)
    except asyncpg.UniqueViolationError as error:
        raise RoleNameTakenError("The organisation has a role of this name.", field="name") from error
    await record(connection, actor, "role:change", f"role:{role_id}",
                 {"before": _particulars(before), "after": _particulars(after)},
                 organisation_id=after.organisation_id)
    return after


async def delete_role(connection: Connection, actor: Actor, role_id: int) -> None:
    """Take a role away, from everybody who has it; raises what `change_role` does."""
    before = await _find_own(connection, actor, role_id)
    await connection.execute("DELETE FROM organisations.role WHERE id = $1", role_id)
    await record(connection, actor, "role:delete", f"role:{role_id}", _particulars(before),
                 organisation_id=before.organisation_id)


async def assignable_permissions(connection: Connection, actor: Actor, role_ids: Collection[int],
                                 chain: Sequence[int]) -> dict[Permission, bool]:
    """Return what roles give to a user whose organisation's chain is given.

    Raises:
        UnknownRoleError: a role is not in the actor's sight, or belongs to no organisation of the chain.
    """
    together: dict[Permission, bool] = {}
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} {_VISIBLE} AND r.id = ANY($3::bigint[]) AND r.organisation_id = ANY($4::bigint[])",
        actor.organisation_id, _sharing_parent(actor), list(role_ids), list(chain))
    if len(rows) < len(set(role_ids)):
        raise UnknownRoleError("There is no such role for this user.", field="roles")
    for role in map(_role_of, rows):
        for permission, parent in role.permissions.items():
            together[permission] = together.get(permission, False) or parent
    return together


async def _find_own(connection: Connection, actor: Actor, role_id: int) -> Role:
    """Return a role that the actor may change: of its own subtree, and with nothing in it that the actor lacks."""
    actor.require(Permission.ROLE_CHANGE)
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM organisations.role r WHERE r.id = $1 FOR UPDATE", role_id)  # noqa: S608 - own text
    organisation = await find_organisation(connection, row["organisation_id"]) if row is not None else None
    if row is None or organisation is None or actor.organisation_id not in organisation.chain:
        raise UnknownRoleError("There is no such role.")
    role = _role_of(row)
    _require_held(actor, role.permissions)
    return role


def _require_held(actor: Actor, permissions: Mapping[Permission, bool]) -> None:
    if not actor.rights.covers(Grants(permissions)):
        raise PermissionDeniedError("A role cannot hold permissions that you do not hold.")


def _sharing_parent(actor: Actor) -> int | None:
    return actor.chain[-2] if not actor.is_platform and actor.may_for_parent(Permission.ROLE_VIEW) else None


def _name(given: str) -> str:
    name = given.strip()
    if not name or len(name) > _MOST_NAME_CHARACTERS:
        raise InvalidOrganisationError(f"A name has 1 to {_MOST_NAME_CHARACTERS} characters.", field="name")
    if holds_control_character(name):
        raise InvalidOrganisationError("A name holds no control characters.", field="name")
    return name


def _role_of(row: Record) -> Role:
    return Role(row["id"], row["organisation_id"], row["name"],
                permissions_of(row["permissions"], row["parent_permissions"]), row["shared"])


def _particulars(role: Role) -> dict[str, object]:
    return {"name": role.name, "permissions": {str(name): parent for name, parent in role.permissions.items()},
            "shared": role.shared}
