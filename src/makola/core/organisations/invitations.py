"""Invitations: a person is added with rights, and gets a link with which they choose a password, once."""

from makola.core.identity import links
from makola.core.identity.links import LinkPurpose, NewLink
from makola.core.identity.types import User
from makola.core.organisations.audit import record
from makola.core.organisations.emulation import refuse_while_emulating
from makola.core.organisations.members import (
    NewGrants,
    NewUser,
    add_member,
    find_member,
    require_no_more_rights,
)
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Connection


async def invite(connection: Connection, actor: Actor, organisation_id: int, new: NewUser, grants: NewGrants, *,
                 lifetime_s: int) -> tuple[User, NewLink]:
    """Add a person who has no password yet, and make the link with which they choose one.

    Args:
        connection: an open transaction.
        actor: who invites.
        organisation_id: the person's; the actor's own or one below.
        new: the person; whoever has the link cannot change the e-mail address.
        grants: what the person may do, at most what the actor may.
        lifetime_s: how long the link works.

    Raises:
        PermissionDeniedError: the actor may not, or would give what it does not hold.
        UnknownOrganisationError: the organisation is not in the actor's sight.
        EmailTakenError: somebody signs in with this e-mail address, or is invited already.
        InvalidUserError, InvalidOrganisationError: a value is not possible; it names the field.
    """
    refuse_while_emulating(actor)
    user = await add_member(connection, actor, organisation_id, new, grants)
    return user, await _link(connection, actor, user, lifetime_s)


async def invite_again(connection: Connection, actor: Actor, user_id: int, *,
                       lifetime_s: int) -> tuple[User, NewLink]:
    """Make a new link for a person who has no password yet; the one before ends.

    Raises:
        PermissionDeniedError: the actor may not, or does not hold every right of the person.
        UnknownMemberError: the person is not in the actor's sight.
        NothingToInviteToError: the person has a password.
    """
    refuse_while_emulating(actor)
    actor.require(Permission.USER_CREATE)
    user = await find_member(connection, actor, user_id, lock=True, field="user")
    await require_no_more_rights(connection, actor, user)
    return user, await _link(connection, actor, user, lifetime_s)


async def withdraw_invitation(connection: Connection, actor: Actor, user_id: int) -> User:
    """End the links of a person who has not accepted; the person stays, without a way in.

    Raises:
        PermissionDeniedError: the actor may not.
        UnknownMemberError: the person is not in the actor's sight.
    """
    actor.require(Permission.USER_CREATE)
    user = await find_member(connection, actor, user_id, lock=True, field="user")
    if await links.withdraw_links(connection, user_id):
        await record(connection, actor, "user:withdraw_invitation", f"user:{user_id}",
                     organisation_id=user.organisation_id)
    return user


async def _link(connection: Connection, actor: Actor, user: User, lifetime_s: int) -> NewLink:
    link = await links.make_link(connection, user, LinkPurpose.INVITATION, lifetime_s=lifetime_s)
    await record(connection, actor, "user:invite", f"user:{user.user_id}",
                 {"email": user.email, "expires_at": link.expires_at.isoformat()},
                 organisation_id=user.organisation_id)
    return link
