"""Users, and what they may do."""

from typing import Annotated

import msgspec
from litestar import Response, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Meta, UnsetType

from makola.api.hub.context import HubContext
from makola.api.hub.filters import check_organisations
from makola.api.hub.paging import Paging
from makola.api.hub.reading import Id, SearchText, from_body, from_query, given
from makola.api.hub.whoami import PermissionHeld
from makola.core.identity import types as identity
from makola.core.identity.types import UserChange
from makola.core.organisations import members
from makola.core.organisations.grants import AssignedGrants
from makola.core.organisations.members import NewGrants
from makola.core.organisations.members import NewUser as NewMember
from makola.core.organisations.permissions import Grants, Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Database

_TAGS = ["Users"]


class User(msgspec.Struct):
    """A person."""

    id: int
    organisation: int
    name: str
    email: str
    currency: str
    locale: str
    timezone: str
    suspended: bool


class UserQuery(Paging, frozen=True, kw_only=True):
    """Which users are wanted."""

    organisation: Annotated[tuple[Id, ...], Meta(description="Only those of these organisations.")] = ()
    text: Annotated[SearchText, Meta(description="A part of the name or of the e-mail address, in any case.")] = ""


class GivenPermission(msgspec.Struct, forbid_unknown_fields=True):
    """A permission to give; with `parent` also for what the parent organisation shares with its children."""

    permission: str
    parent: bool = False


class Rights(msgspec.Struct, forbid_unknown_fields=True):
    """What a user shall be able to do; it replaces what the user had. Without `modules`, all the organisation's."""

    permissions: list[GivenPermission] = []
    roles: list[Id] = []
    modules: list[str] | UnsetType = UNSET
    admin: bool = False
    root: bool = False


class NewUser(msgspec.Struct, forbid_unknown_fields=True):
    """A user to add; without `organisation`, to one's own; without `rights`, one that may do nothing yet."""

    name: str
    email: str
    organisation: Id | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    locale: str = "en"
    timezone: str = "UTC"
    rights: Rights | UnsetType = UNSET


class UserPatch(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    name: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    locale: str | UnsetType = UNSET
    timezone: str | UnsetType = UNSET


class UserRights(msgspec.Struct):
    """What was given to a user, and what counts of it."""

    permissions: Annotated[list[PermissionHeld], Meta(description="Given to the user directly.")]
    roles: list[int]
    modules: list[str]
    admin: bool
    root: bool
    effective_permissions: Annotated[list[PermissionHeld], Meta(
        description="What the user may do: directly, by roles, as an administrator, as far as the modules reach.")]
    effective_modules: Annotated[list[str], Meta(
        description="Those that the organisation and every one above it has.")]


@get("/users", dependencies={"filters": from_query(UserQuery)}, tags=_TAGS,
     opt={"permission": Permission.USER_VIEW})
async def list_users(actor: NamedDependency[Actor], database: NamedDependency[Database],
                     filters: NamedDependency[UserQuery]) -> Response[list[User]]:
    """Get a list of users (ours).

    Those of one's own organisation and of its descendants, by id.
    """
    await check_organisations(database, actor, filters.organisation, "organisation")
    found, total = await members.list_members(
        database, actor, organisation_ids=filters.organisation, text=filters.text, limit=filters.per_page,
        offset=filters.offset)
    return Response([_written(each) for each in found], headers=filters.headers(total))


@get("/users/{user_id:int}", tags=_TAGS, opt={"permission": Permission.USER_VIEW})
async def get_user(actor: NamedDependency[Actor], database: NamedDependency[Database],
                   user_id: FromPath[int]) -> User:
    """Get one user (ours)."""
    async with database.connection() as connection:
        return _written(await members.find_member(connection, actor, user_id))


@post("/users", dependencies={"sent": from_body(NewUser)}, tags=_TAGS,
      opt={"permission": Permission.USER_CREATE, "errors": (409,)})
async def create_user(actor: NamedDependency[Actor], database: NamedDependency[Database],
                      sent: NamedDependency[NewUser]) -> User:
    """Add a user (ours).

    Nobody can give rights that he does not hold himself.
    """
    rights = given(sent.rights)
    async with database.transaction() as connection:
        return _written(await members.add_member(
            connection, actor, given(sent.organisation) or actor.organisation_id,
            NewMember(sent.name, sent.email, given(sent.currency), sent.locale, sent.timezone),
            _read(rights) if rights is not None else None))


@patch("/users/{user_id:int}", dependencies={"sent": from_body(UserPatch)}, tags=_TAGS, opt={"errors": (409,)})
async def change_user(actor: NamedDependency[Actor], database: NamedDependency[Database],
                      context: NamedDependency[HubContext], user_id: FromPath[int],
                      sent: NamedDependency[UserPatch]) -> User:
    """Change a user (ours).

    Oneself without any permission; others with `user:change` and all of their rights.
    """
    async with database.transaction() as connection:
        changed = await members.change_member(connection, actor, user_id, UserChange(
            given(sent.name), given(sent.email), given(sent.currency), given(sent.locale), given(sent.timezone)))
    context.credentials.forget()
    return _written(changed)


@post("/users/{user_id:int}/suspend", status_code=200, tags=_TAGS, opt={"permission": Permission.USER_SUSPEND})
async def suspend_user(actor: NamedDependency[Actor], database: NamedDependency[Database],
                       context: NamedDependency[HubContext], user_id: FromPath[int]) -> User:
    """Suspend a user (ours).

    The user's API clients and tokens are refused until the user is resumed.
    """
    return await _set_suspended(actor, database, context, user_id, suspended=True)


@post("/users/{user_id:int}/resume", status_code=200, tags=_TAGS, opt={"permission": Permission.USER_SUSPEND})
async def resume_user(actor: NamedDependency[Actor], database: NamedDependency[Database],
                      context: NamedDependency[HubContext], user_id: FromPath[int]) -> User:
    """Let a suspended user act again (ours)."""
    return await _set_suspended(actor, database, context, user_id, suspended=False)


@get("/users/{user_id:int}/permissions", tags=_TAGS)
async def get_user_permissions(actor: NamedDependency[Actor], database: NamedDependency[Database],
                               user_id: FromPath[int]) -> UserRights:
    """Get what a user may do (ours).

    Oneself without any permission; others with `permission:view`.
    """
    async with database.connection() as connection:
        return _written_rights(*await members.member_grants(connection, actor, user_id))


@put("/users/{user_id:int}/permissions", dependencies={"sent": from_body(Rights)}, tags=_TAGS,
     opt={"permission": Permission.PERMISSION_CHANGE})
async def change_user_permissions(actor: NamedDependency[Actor], database: NamedDependency[Database],
                                  context: NamedDependency[HubContext], user_id: FromPath[int],
                                  sent: NamedDependency[Rights]) -> UserRights:
    """Replace what a user may do (ours).

    Nobody changes his own rights, gives what he does not hold himself, or touches somebody who holds more.
    """
    async with database.transaction() as connection:
        rights = await members.set_member_grants(connection, actor, user_id, _read(sent))
    context.credentials.forget()
    return _written_rights(*rights)


async def _set_suspended(actor: Actor, database: Database, context: HubContext, user_id: int, *,
                         suspended: bool) -> User:
    async with database.transaction() as connection:
        changed = await members.suspend_member(connection, actor, user_id, suspended=suspended)
    context.credentials.forget()
    return _written(changed)


def _read(sent: Rights) -> NewGrants:
    return NewGrants([(each.permission, each.parent) for each in sent.permissions], sent.roles, given(sent.modules),
                     sent.admin, sent.root)


def _written(user: identity.User) -> User:
    return User(user.user_id, user.organisation_id, user.name, user.email, user.currency, user.locale, user.timezone,
                user.suspended_at is not None)


def _written_rights(assigned: AssignedGrants, effective: Grants) -> UserRights:
    return UserRights(
        [PermissionHeld(str(name), parent) for name, parent in sorted(assigned.permissions.items())],
        list(assigned.role_ids), sorted(assigned.modules), assigned.admin, assigned.root,
        [PermissionHeld(str(name), effective.may_for_parent(name)) for name in sorted(Permission)
         if effective.may(name)],
        sorted(effective.modules))


route_handlers = [list_users, get_user, create_user, change_user, suspend_user, resume_user, get_user_permissions,
                  change_user_permissions]
