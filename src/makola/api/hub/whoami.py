"""Who the caller is."""

import msgspec
from litestar import get
from litestar.di import NamedDependency

from makola.core.identity.queries import find_users
from makola.core.organisations.errors import UnknownMemberError
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Database


class PermissionHeld(msgspec.Struct):
    """A permission; with `parent` it also counts for what the parent organisation shares with its children."""

    permission: str
    parent: bool


class Whoami(msgspec.Struct):
    """The authenticated user. During an emulation all but `real_id` and `real_name` is the emulated user's."""

    id: int
    name: str
    organisation: int
    real_id: int
    real_name: str
    currency: str
    locale: str
    timezone: str
    admin: bool
    root: bool
    modules: list[str]
    permissions: list[PermissionHeld]


@get("/whoami", tags=["Authentication"])
async def whoami(actor: NamedDependency[Actor], database: NamedDependency[Database]) -> Whoami:
    """Get details about the authenticated user.

    During an emulation everything except `real_id` and `real_name` is about the emulated user. `permissions` is what
    counts: of an administrator, everything that the modules allow.
    """
    if actor.user_id is None or actor.real_user_id is None:
        raise UnknownMemberError("There is no such user.")
    async with database.connection() as connection:
        users = await find_users(connection, {actor.user_id, actor.real_user_id})
    user, real = users.get(actor.user_id), users.get(actor.real_user_id)
    if user is None or real is None:
        raise UnknownMemberError("There is no such user.")
    return Whoami(
        user.user_id, user.name, user.organisation_id, real.user_id, real.name, user.currency, user.locale,
        user.timezone, actor.grants.admin or actor.grants.root, actor.grants.root, sorted(actor.modules),
        held_permissions(actor))


def held_permissions(actor: Actor) -> list[PermissionHeld]:
    """Return what an actor may do, by name."""
    return [PermissionHeld(str(permission), actor.may_for_parent(permission))
            for permission in sorted(Permission) if actor.may(permission)]


route_handlers = [whoami]
