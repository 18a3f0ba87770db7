"""Which organisation a session acts for: a list with a search, and a switch.

A trusted application sends a person here with `client_id`; afterwards the person goes on at the application's
switch-session URL, or here where it has none (document, "Switch Session URL").
"""

from litestar import Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency

from makola.core.applications.clients import find_client
from makola.core.applications.types import OAuthClient
from makola.core.identity.errors import UnknownSessionError
from makola.core.identity.sessions import switch_organisation
from makola.core.organisations.acting import list_administrable, load_acting
from makola.kit.whole_numbers import read_whole_number
from makola.web.consent.answers import leave, may_lead_to
from makola.web.pages import Pages
from makola.web.people.answers import form_page
from makola.web.people.own_path import HOME, own_path
from makola.web.people.services import PeopleServices
from makola.web.people.signed_in import check_csrf, read_form, see_other, sign_in_redirect, signed_in

_MOST = 50

_Request = Request[object, object, State]


@get("/account/organisation")
async def organisation_page(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices],
                            request: _Request) -> Response[str]:
    """Offer the organisations that a person may act for."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request)
    text = request.query_params.get("q", "").replace("\0", "").strip()
    client = await _trusted(people, request.query_params.get("client_id", ""))
    async with people.database.connection() as connection:
        found = await list_administrable(connection, viewer.actor, text=text, limit=_MOST + 1)
    answer = form_page(pages, "people/organisation.html", "account", None, viewer=viewer, found=found[:_MOST],
                       more=len(found) > _MOST, text=text, next=own_path(request.query_params.get("next", HOME)),
                       client=client)
    return may_lead_to(answer, client.switch_session_uri) if client is not None else answer


@post("/account/organisation")
async def switch(people: NamedDependency[PeopleServices], request: _Request) -> Response[str]:
    """Act for another organisation from now on."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request, next_path="/account/organisation")
    form = await read_form(request)
    people.check_origin(request)
    check_csrf(form, viewer)
    wanted = read_whole_number(form.get("organisation", "")) or 0
    if await load_acting(people.database, viewer.user.user_id, wanted) is None:
        return see_other("/account/organisation")
    try:
        async with people.database.transaction() as connection:
            session = await switch_organisation(connection, viewer.session, wanted)
    except UnknownSessionError:
        return sign_in_redirect(request, next_path="/account/organisation")
    client = await _trusted(people, form.get("client_id", ""))
    answer = leave(client.switch_session_uri) if client is not None else see_other(own_path(form.get("next", HOME)))
    people.keep(request, answer, session)
    return answer


def organisation_router() -> Router:
    """Return the page for switching."""
    return Router(path="/", route_handlers=[organisation_page, switch])


async def _trusted(people: PeopleServices, client_id: str) -> OAuthClient | None:
    """Return the application that sent the person, where it says where to go on afterwards."""
    client = await find_client(people.database, client_id) if client_id else None
    if client is None or client.suspended or not client.skips_consent or not client.switch_session_uri:
        return None
    return client
