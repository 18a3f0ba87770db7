"""Roles: named sets of permissions."""

from typing import Annotated

import msgspec
from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Meta, UnsetType

from makola.api.hub.context import HubContext
from makola.api.hub.paging import Paging
from makola.api.hub.reading import Id, from_body, from_query, given
from makola.api.hub.users import GivenPermission
from makola.api.hub.whoami import PermissionHeld
from makola.core.organisations import roles
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Database

_TAGS = ["Users"]


class Role(msgspec.Struct):
    """A named set of permissions, for the users of an organisation and of its descendants."""

    id: int
    organisation: int
    name: str
    permissions: list[PermissionHeld]
    shared: Annotated[bool, Meta(description="Whether the direct children see it, and give it, too.")]


class RoleQuery(Paging, frozen=True, kw_only=True):
    """Which roles are wanted."""


class NewRole(msgspec.Struct, forbid_unknown_fields=True):
    """A role to make; without `organisation`, of one's own."""

    name: str
    permissions: list[GivenPermission]
    organisation: Id | UnsetType = UNSET
    shared: bool = False


class RolePatch(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    name: str | UnsetType = UNSET
    permissions: list[GivenPermission] | UnsetType = UNSET
    shared: bool | UnsetType = UNSET


@get("/roles", dependencies={"filters": from_query(RoleQuery)}, tags=_TAGS, opt={"permission": Permission.ROLE_VIEW})
async def list_roles(actor: NamedDependency[Actor], database: NamedDependency[Database],
                     filters: NamedDependency[RoleQuery]) -> Response[list[Role]]:
    """Get a list of roles (ours).

    Those of one's own organisation and of its descendants; with `parent` also those that the parent shares.
    """
    found, total = await roles.list_roles(database, actor, limit=filters.per_page, offset=filters.offset)
    return Response([_written(each) for each in found], headers=filters.headers(total))


@get("/roles/{role_id:int}", tags=_TAGS, opt={"permission": Permission.ROLE_VIEW})
async def get_role(actor: NamedDependency[Actor], database: NamedDependency[Database],
                   role_id: FromPath[int]) -> Role:
    """Get one role (ours)."""
    async with database.connection() as connection:
        return _written(await roles.find_role(connection, actor, role_id))


@post("/roles", dependencies={"sent": from_body(NewRole)}, tags=_TAGS,
      opt={"permission": Permission.ROLE_CHANGE, "errors": (409,)})
async def create_role(actor: NamedDependency[Actor], database: NamedDependency[Database],
                      sent: NamedDependency[NewRole]) -> Role:
    """Make a role (ours).

    It cannot hold a permission that one does not hold oneself.
    """
    async with database.transaction() as connection:
        return _written(await roles.add_role(
            connection, actor, given(sent.organisation) or actor.organisation_id, sent.name, _read(sent.permissions),
            shared=sent.shared))


@patch("/roles/{role_id:int}", dependencies={"sent": from_body(RolePatch)}, tags=_TAGS,
       opt={"permission": Permission.ROLE_CHANGE, "errors": (409,)})
async def change_role(actor: NamedDependency[Actor], database: NamedDependency[Database],
                      context: NamedDependency[HubContext], role_id: FromPath[int],
                      sent: NamedDependency[RolePatch]) -> Role:
    """Change a role, and with it what everybody may do who has it (ours)."""
    permissions = given(sent.permissions)
    async with database.transaction() as connection:
        changed = await roles.change_role(
            connection, actor, role_id, name=given(sent.name), shared=given(sent.shared),
            permissions=_read(permissions) if permissions is not None else None)
    context.credentials.forget()
    return _written(changed)


@delete("/roles/{role_id:int}", tags=_TAGS, opt={"permission": Permission.ROLE_CHANGE})
async def delete_role(actor: NamedDependency[Actor], database: NamedDependency[Database],
                      context: NamedDependency[HubContext], role_id: FromPath[int]) -> None:
    """Take a role away, from everybody who has it (ours)."""
    async with database.transaction() as connection:
        await roles.delete_role(connection, actor, role_id)
    context.credentials.forget()


def _read(sent: list[GivenPermission]) -> list[tuple[str, bool]]:
    return [(each.permission, each.parent) for each in sent]


def _written(role: roles.Role) -> Role:
    return Role(role.role_id, role.organisation_id, role.name,
                [PermissionHeld(str(name), parent) for name, parent in sorted(role.permissions.items())], role.shared)


route_handlers = [list_roles, get_role, create_role, change_role, delete_role]
