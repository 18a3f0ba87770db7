"""The people of an organisation: who there is, and invitations by whoever may add users."""

from litestar import Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from makola.core.identity.accounts import has_password
from makola.core.identity.errors import EmailTakenError, InvalidUserError, NothingToInviteToError
from makola.core.identity.links import LinkPurpose, NewLink, pending_invitations
from makola.core.identity.types import User
from makola.core.organisations.errors import (
    InvalidOrganisationError,
    PermissionDeniedError,
    UnknownMemberError,
    UnknownRoleError,
)
from makola.core.organisations.invitations import invite, invite_again, withdraw_invitation
from makola.core.organisations.members import NewGrants, NewUser, list_members
from makola.core.organisations.permissions import Permission
from makola.core.organisations.roles import Role, list_roles
from makola.kit.errors import DomainError
from makola.kit.whole_numbers import read_whole_number
from makola.web.page_numbers import page_number
from makola.web.pages import Pages
from makola.web.people.answers import form_page
from makola.web.people.services import PeopleServices
from makola.web.people.signed_in import SignedIn, check_csrf, read_form, see_other, sign_in_redirect, signed_in

_PAGE = 50
_MOST_ROLES = 100
_ADMIN = "admin"
_REFUSALS = (EmailTakenError, InvalidUserError, InvalidOrganisationError, PermissionDeniedError, UnknownRoleError,
             UnknownMemberError, NothingToInviteToError)

_Request = Request[object, object, State]


@get("/people")
async def people_page(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices],
                      request: _Request) -> Response[str]:
    """Show the people of the organisation acted for."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request)
    return await _page(pages, people, request, viewer)


@post("/people")
async def invite_person(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices],
                        request: _Request) -> Response[str]:
    """Invite somebody; the link is shown once."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request)
    form = await read_form(request)
    people.check_origin(request)
    check_csrf(form, viewer)
    email, role = form.get("email", ""), form.get("role", "")
    role_ids = [read_whole_number(role) or 0] if role not in {"", _ADMIN} else []  # 0 is the id of no role
    name = form.get("name", "").strip() or email.partition("@")[0]
    try:
        async with people.database.transaction() as connection:
            user, link = await invite(
                connection, viewer.actor, viewer.actor.organisation_id, NewUser(name, email),
                NewGrants(role_ids=role_ids, admin=role == _ADMIN),
                lifetime_s=people.invitation_lifetime_s)
    except _REFUSALS as error:
        return await _page(pages, people, request, viewer, error=error, given=dict(form))
    return await _page(pages, people, request, viewer, invited=(user, link))


@post("/people/{user_id:int}/invite-again")
async def invite_person_again(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices],
                              request: _Request, user_id: FromPath[int]) -> Response[str]:
    """Make a new link for somebody who has no password yet."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request, next_path="/people")
    people.check_origin(request)
    check_csrf(await read_form(request), viewer)
    try:
        async with people.database.transaction() as connection:
            invited = await invite_again(connection, viewer.actor, user_id, lifetime_s=people.invitation_lifetime_s)
    except _REFUSALS as error:
        return await _page(pages, people, request, viewer, error=error)
    return await _page(pages, people, request, viewer, invited=invited)


@post("/people/{user_id:int}/withdraw")
async def withdraw(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices], request: _Request,
                   user_id: FromPath[int]) -> Response[str]:
    """End an invitation that was not accepted."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request, next_path="/people")
    people.check_origin(request)
    check_csrf(await read_form(request), viewer)
    try:
        async with people.database.transaction() as connection:
            await withdraw_invitation(connection, viewer.actor, user_id)
    except _REFUSALS as error:
        return await _page(pages, people, request, viewer, error=error)
    return see_other("/people")


def members_router() -> Router:
    """Return `/people`."""
    return Router(path="/", route_handlers=[people_page, invite_person, invite_person_again, withdraw])


async def _page(pages: Pages, people: PeopleServices, request: _Request, viewer: SignedIn, *,
                error: DomainError | None = None, invited: tuple[User, NewLink] | None = None,
                given: dict[str, str] | None = None) -> Response[str]:
    page = page_number(request)
    members: list[User] = []
    total = 0
    if viewer.actor.may(Permission.USER_VIEW):
        members, total = await list_members(
            people.database, viewer.actor, organisation_ids=[viewer.actor.organisation_id], limit=_PAGE,
            offset=(page - 1) * _PAGE)
    ids = [member.user_id for member in members]
    can_invite = viewer.actor.may(Permission.USER_CREATE)
    link = f"{people.public_url}{invited[1].path(LinkPurpose.INVITATION)}" if invited is not None else ""
    return form_page(
        pages, "people/members.html", "people", error, viewer=viewer, members=members, total=total, page=page,
        last_page=-(-total // _PAGE), may_view=viewer.actor.may(Permission.USER_VIEW), can_invite=can_invite,
        registered=await has_password(people.database, ids), pending=await pending_invitations(people.database, ids),
        roles=await _roles(people, viewer) if can_invite else [], given=given or {}, link=link,
        invited=invited[0] if invited is not None else None,
        expires_at=invited[1].expires_at if invited is not None else None)


async def _roles(people: PeopleServices, viewer: SignedIn) -> list[Role]:
    if not viewer.actor.may(Permission.ROLE_VIEW):
        return []
    roles, _ = await list_roles(people.database, viewer.actor, limit=_MOST_ROLES, offset=0)
    return roles
