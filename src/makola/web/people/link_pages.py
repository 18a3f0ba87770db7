"""The pages that a link opens, once, to choose a password: `/invitation/{token}` and `/reset/{token}`."""

from litestar import Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from makola.core.identity.accounts import accept_link
from makola.core.identity.errors import (
    InvalidUserError,
    LinkGoneError,
    PasswordRefusedError,
    TooBusyError,
    WrongCredentialsError,
)
from makola.core.identity.links import LinkPurpose, look_at_link
from makola.core.identity.types import User
from makola.core.organisations.queries import find_organisation
from makola.kit.errors import DomainError
from makola.web.pages import Pages
from makola.web.people.answers import chosen_password, form_page
from makola.web.people.cookies import SESSION
from makola.web.people.services import PeopleServices
from makola.web.people.signed_in import CSRF_FIELD, read_form, see_other

_Request = Request[object, object, State]


@get("/invitation/{token:str}")
async def invitation_page(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices], request: _Request,
                          token: FromPath[str]) -> Response[str]:
    """Ask an invited person for a name and a password."""
    return await _page(pages, people, request, token, LinkPurpose.INVITATION)


@get("/reset/{token:str}")
async def reset_page(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices], request: _Request,
                     token: FromPath[str]) -> Response[str]:
    """Ask for a new password."""
    return await _page(pages, people, request, token, LinkPurpose.RESET)


@post("/invitation/{token:str}")
async def accept_invitation(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices],
                            request: _Request, token: FromPath[str]) -> Response[str]:
    """Take an invited person's password, and sign them in."""
    return await _accept(pages, people, request, token, LinkPurpose.INVITATION)


@post("/reset/{token:str}")
async def reset(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices], request: _Request,
                token: FromPath[str]) -> Response[str]:
    """Take a new password; every session ends, and the person signs in with it."""
    return await _accept(pages, people, request, token, LinkPurpose.RESET)


def link_router() -> Router:
    """Return the pages that links open."""
    return Router(path="/", route_handlers=[invitation_page, reset_page, accept_invitation, reset])


async def _page(pages: Pages, people: PeopleServices, request: _Request, token: str, purpose: LinkPurpose, *,
                error: DomainError | None = None, name: str | None = None) -> Response[str]:
    try:
        user = await look_at_link(people.database, token, purpose)
    except LinkGoneError as gone:
        return form_page(pages, "people/link_gone.html", "sign-in", gone, purpose=purpose)
    answer = form_page(
        pages, "people/choose_password.html", "sign-in", error, purpose=purpose, user=user, path=f"/{purpose}/{token}",
        name=name if name is not None else user.name, organisation=await _organisation_of(people, user),
        form_token=people.form_token(request))
    people.keep_browser(request, answer)
    return answer


async def _accept(pages: Pages, people: PeopleServices, request: _Request, token: str,
                  purpose: LinkPurpose) -> Response[str]:
    form = await read_form(request)
    people.check_form(request, form.get(CSRF_FIELD, ""))
    name = form.get("name", "")
    try:
        user = await accept_link(people.database, people.passwords, token, purpose, chosen_password(form), name=name)
    except (PasswordRefusedError, InvalidUserError, LinkGoneError, TooBusyError) as error:
        return await _page(pages, people, request, token, purpose, error=error, name=name)
    if purpose is LinkPurpose.RESET:
        # No session: somebody who found the link still needs the second factor.
        return see_other("/sign-in?reset=1")
    try:
        session = await people.sign_in.after_link(user, people.browser_of(request),
                                                  replacing=people.cookies.read(request, SESSION))
    except WrongCredentialsError:
        return see_other("/sign-in")
    answer = see_other("/account/security?done=welcome")
    people.keep(request, answer, session)
    return answer


async def _organisation_of(people: PeopleServices, user: User) -> str:
    async with people.database.connection() as connection:
        organisation = await find_organisation(connection, user.organisation_id)
    return organisation.name if organisation is not None else ""
