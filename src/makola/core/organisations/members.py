"""The users of an organisation, and what they may do: made, changed and suspended by those above, or beside them.

One rule stands over everything here: nobody does to another user what would give more than he holds himself. Whoever
changes a user, suspends one or makes credentials for one must hold every right of that user.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from makola.core.identity import queries as identity_queries
from makola.core.identity import service as identity
from makola.core.identity.types import User, UserChange
from makola.core.organisations.audit import last_author_above, record
from makola.core.organisations.countries import is_currency
from makola.core.organisations.errors import InvalidOrganisationError, PermissionDeniedError, UnknownMemberError
from makola.core.organisations.grants import (
    AssignedGrants,
    assigned_grants,
    effective_grants,
    read_modules,
    read_permissions,
    save_grants,
)
from makola.core.organisations.permissions import Grants, Permission
from makola.core.organisations.queries import (
    Place,
    find_organisation,
    find_visible_organisation,
    subtree_ids,
    unknown_among,
)
from makola.core.organisations.roles import assignable_permissions
from makola.core.organisations.texts import holds_control_character
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database


@dataclass(frozen=True, slots=True)
class NewUser:
    """A person to add. Without a currency, the person sees that of whoever adds him."""

    name: str
    email: str
    currency: str | None = None
    locale: str = "en"
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class NewGrants:
    """What to give to a user; it replaces what the user had.

    Attributes:
        permissions: names, and whether each also counts for what the parent shares.
        role_ids: roles of the user's organisation or of one above it.
        modules: names of modules that the organisation has; None for all of them.
    """

    permissions: Sequence[tuple[str, bool]] = ()
    role_ids: Collection[int] = ()
    modules: Collection[str] | None = None
    admin: bool = False
    root: bool = False


async def list_members(database: Database, actor: Actor, *, organisation_ids: Collection[int] = (), text: str = "",
                       limit: int, offset: int) -> tuple[list[User], int]:
    """Return a page of the users of the actor's subtree, by id, and how many there are.

    Raises:
        PermissionDeniedError: the actor may not look at users.
    """
    actor.require(Permission.USER_VIEW)
    async with database.connection() as connection:
        visible = await subtree_ids(connection, actor)
    chosen = set(organisation_ids)
    wanted = [each for each in visible if each in chosen] if chosen else visible
    return await identity_queries.list_users(database, wanted, text, limit=limit, offset=offset)


async def find_member(connection: Connection, actor: Actor, user_id: int, *, lock: bool = False,
                      field: str = "") -> User:
    """Return a user of the actor's subtree.

    Args:
        connection: to read with.
        actor: who asks.
        user_id: which one.
        lock: keep others from changing the user until the transaction ends.
        field: the input that names the user, for the refusal.

    Raises:
        UnknownMemberError: there is none, or the user is elsewhere in the tree.
    """
    find = identity_queries.lock_user if lock else identity_queries.find_user
    user = await find(connection, user_id)
    organisation = await find_organisation(connection, user.organisation_id) if user is not None else None
    if user is None or organisation is None or actor.organisation_id not in organisation.chain:
        raise UnknownMemberError("There is no such user.", field=field)
    return user


async def unknown_members_among(database: Database, actor: Actor, user_ids: Collection[int]) -> list[int]:
    """Return those of the ids that name no user in the actor's sight."""
    if not user_ids:
        return []
    async with database.connection() as connection:
        users = await identity_queries.find_users(connection, user_ids)
    elsewhere = set(await unknown_among(database, actor, {user.organisation_id for user in users.values()}))
    seen = {user.user_id for user in users.values() if user.organisation_id not in elsewhere}
    return sorted(set(user_ids) - seen)


async def require_no_more_rights(connection: Connection, actor: Actor, user: User) -> None:
    """Refuse an actor that does not hold every right of a user.

    Raises:
        PermissionDeniedError: the user may do something that the actor may not.
    """
    oneself = user.user_id == actor.user_id and actor.scopes is None
    if not oneself and not actor.rights.covers(await _grants_of(connection, user)):
        raise PermissionDeniedError("This user holds rights that you do not hold.")


async def add_member(connection: Connection, actor: Actor, organisation_id: int, new: NewUser,
                     grants: NewGrants | None = None) -> User:
    """Add a user to the actor's organisation or to one below it; without `grants` the user may do nothing yet.

    Raises:
        PermissionDeniedError: the actor may not, or would give what it does not hold.
        UnknownOrganisationError: the organisation is not in the actor's sight.
        EmailTakenError: somebody signs in with this e-mail address.
        InvalidUserError, InvalidOrganisationError: a value is not possible; it names the field.
    """
    actor.require(Permission.USER_CREATE)
    await find_visible_organisation(connection, actor, organisation_id, field="organisation")
    _check_particulars(new.name, new.currency)
    user = await identity.create_user(
        connection, organisation_id, name=new.name, email=new.email, currency=new.currency or actor.currency or "GBP",
        locale=new.locale, timezone=new.timezone)
    await record(connection, actor, "user:create", f"user:{user.user_id}", _particulars(user),
                 organisation_id=organisation_id)
    await _give(connection, actor, user, grants or NewGrants())
    return user


async def change_member(connection: Connection, actor: Actor, user_id: int, change: UserChange) -> User:
    """Change a user's particulars; one's own need no permission.

    Raises:
        PermissionDeniedError: the actor may not, or does not hold every right of the user.
        UnknownMemberError: the user is not in the actor's sight.
        EmailTakenError: somebody else signs in with this e-mail address.
        InvalidUserError: a value is not possible; it names the field.
    """
    if user_id != actor.user_id:
        actor.require(Permission.USER_CHANGE)
    before = await find_member(connection, actor, user_id, lock=True)
    await require_no_more_rights(connection, actor, before)
    _check_particulars(change.name, change.currency)
    after = await identity.change_user(connection, before, change)
    await record(connection, actor, "user:change", f"user:{user_id}",
                 {"before": _particulars(before), "after": _particulars(after)}, organisation_id=after.organisation_id)
    return after


async def suspend_member(connection: Connection, actor: Actor, user_id: int, *, suspended: bool) -> User:
    """Suspend a user, or let the user act again. Nobody suspends himself.

    Raises:
        PermissionDeniedError: the actor may not, or does not hold every right of the user.
        UnknownMemberError: the user is not in the actor's sight.
    """
    actor.require(Permission.USER_SUSPEND)
    user = await find_member(connection, actor, user_id, lock=True)
    if user_id in {actor.user_id, actor.real_user_id}:
        raise PermissionDeniedError("Nobody suspends himself.")
    await require_no_more_rights(connection, actor, user)
    is_from_above = user.suspended_at is not None and await last_author_above(
        connection, actor, "user:suspend", f"user:{user_id}")
    if is_from_above and not suspended:
        raise PermissionDeniedError("This user was suspended by those above you.")
    # A suspension by somebody higher takes the place of one that is there.
    if await identity.set_suspended(connection, user_id, suspended=suspended) or (suspended and not is_from_above):
        await record(connection, actor, "user:suspend" if suspended else "user:resume", f"user:{user_id}",
                     organisation_id=user.organisation_id)
    return await find_member(connection, actor, user_id)


async def member_grants(connection: Connection, actor: Actor, user_id: int) -> tuple[AssignedGrants, Grants]:
    """Return what was given to a user, and what counts of it.

    Raises:
        PermissionDeniedError: the actor may not look at permissions.
        UnknownMemberError: the user is not in the actor's sight.
    """
    if user_id != actor.user_id:
        actor.require(Permission.PERMISSION_VIEW)
    user = await find_member(connection, actor, user_id)
    return await assigned_grants(connection, user_id), await _grants_of(connection, user)


async def set_member_grants(connection: Connection, actor: Actor, user_id: int,
                            grants: NewGrants) -> tuple[AssignedGrants, Grants]:
    """Replace what a user may do. Nobody changes his own rights.

    Raises:
        PermissionDeniedError: the actor may not, or does not hold what the user has or would get.
        UnknownMemberError: the user is not in the actor's sight.
        UnknownRoleError: a role is not in the actor's sight, or not for this organisation.
        InvalidOrganisationError: a value is not possible; it names the field.
    """
    actor.require(Permission.PERMISSION_CHANGE)
    user = await find_member(connection, actor, user_id, lock=True)
    if user_id in {actor.user_id, actor.real_user_id}:
        raise PermissionDeniedError("Nobody changes his own rights.")
    await require_no_more_rights(connection, actor, user)
    await _give(connection, actor, user, grants)
    return await assigned_grants(connection, user_id), await _grants_of(connection, user)


async def _give(connection: Connection, actor: Actor, user: User, new: NewGrants) -> None:
    place = await _place(connection, user)
    permissions = read_permissions(new.permissions)
    modules = read_modules(new.modules) if new.modules is not None else place.modules & actor.modules
    if not modules <= place.modules:
        raise InvalidOrganisationError("The organisation does not have all of these modules.", field="modules")
    if new.root and len(place.chain) > 1:
        raise InvalidOrganisationError("Only a user of the root of the tree can be root.", field="root")
    by_role = await assignable_permissions(connection, actor, new.role_ids, place.chain)
    together = {name: permissions.get(name, False) or by_role.get(name, False) for name in permissions | by_role}
    if not actor.rights.covers(Grants(together, modules, new.admin, new.root)):
        raise PermissionDeniedError("You cannot give rights that you do not hold.")
    assigned = AssignedGrants(permissions, sorted(set(new.role_ids)), modules, new.admin, new.root)
    before = await assigned_grants(connection, user.user_id)
    if before == replace(assigned, role_ids=tuple(assigned.role_ids)):
        return
    await save_grants(connection, user.user_id, assigned)
    await record(connection, actor, "permission:change", f"user:{user.user_id}",
                 {"before": _rights(before), "after": _rights(assigned)}, organisation_id=user.organisation_id)


def _check_particulars(name: str | None, currency: str | None) -> None:
    if name is not None and holds_control_character(name):
        raise InvalidOrganisationError("A name holds no control characters.", field="name")
    if currency is not None and not is_currency(currency):
        raise InvalidOrganisationError("A currency is an ISO 4217 code such as GBP.", field="currency")


async def _place(connection: Connection, user: User) -> Place:
    """Return where a user stands, suspended or not."""
    organisation = await find_organisation(connection, user.organisation_id)
    if organisation is None:
        raise LookupError("organisations are never deleted")
    rows = [await find_organisation(connection, each) for each in organisation.chain]
    modules = frozenset.intersection(*(each.modules for each in rows if each is not None))
    return Place(organisation.chain, "", "", modules)


async def _grants_of(connection: Connection, user: User) -> Grants:
    return await effective_grants(connection, user.user_id, await _place(connection, user))


def _particulars(user: User) -> dict[str, object]:
    return {"organisation": user.organisation_id, "name": user.name, "email": user.email, "currency": user.currency,
            "locale": user.locale, "timezone": user.timezone}


def _rights(grants: AssignedGrants) -> dict[str, object]:
    return {"permissions": {str(name): parent for name, parent in grants.permissions.items()},
            "roles": list(grants.role_ids), "modules": sorted(grants.modules), "admin": grants.admin,
            "root": grants.root}
