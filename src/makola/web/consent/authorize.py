"""`/oauth`: an application sends a person here, and gets an answer when they have agreed, or have not."""

from datetime import datetime
from urllib.parse import parse_qsl

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect

from makola.core.oauth.authorization.answer import denied, grant
from makola.core.oauth.authorization.check import check_request
from makola.core.oauth.authorization.decision import Known, SignIn, known_answer, sign_in_needed
from makola.core.oauth.authorization.pending import bind_request, find_request, keep_request, take_request
from makola.core.oauth.authorization.request import AuthorizationRequest, Parameters, RedirectedError, read_parameters
from makola.core.oauth.errors import AccessDeniedError, InvalidRequestError, OAuthError, StaleRequestError
from makola.core.oauth.rights import may_grant
from makola.core.organisations.acting import load_acting
from makola.kit.clock import now
from makola.kit.database import Database
from makola.kit.whole_numbers import read_whole_number
from makola.web.consent.answers import leave, may_lead_to, refusal_page
from makola.web.consent.services import ConsentServices
from makola.web.consent.view import consent_view
from makola.web.pages import Pages
from makola.web.people.signed_in import SignedIn, check_csrf, read_form, sign_in_redirect, signed_in

_MOST_FIELDS = 60
#: More than any browser sends in an address; a request is kept while a person thinks about it.
_MOST_REQUEST_BYTES = 16_384

_Request = Request[object, object, State]
_Answer = Response[str] | Redirect


@get("/oauth")
async def authorize(pages: NamedDependency[Pages], consent: NamedDependency[ConsentServices],
                    request: _Request) -> _Answer:
    """Take a request in the query."""
    try:
        parameters = _parameters(request.scope["query_string"])
        return await _proceed(pages, consent, request, parameters, asked_at=now(), handle="")
    except RedirectedError as refused:
        return leave(refused.address(consent.issuer))
    except OAuthError as error:
        return refusal_page(pages, error, await signed_in(request))


@post("/oauth")
async def authorize_by_post(pages: NamedDependency[Pages], consent: NamedDependency[ConsentServices],
                            request: _Request) -> _Answer:
    """Take a request in a form (OpenID Connect Core 3.1.2.1).

    It comes from another site, so that the browser keeps our cookie back (SameSite); the next page gets it.
    """
    try:
        parameters = _parameters(await request.body())
        await check_request(consent.database, parameters, consent.issuer)
        handle = await keep_request(consent.database, parameters, lifetime_s=consent.lifetimes.request_s)
    except RedirectedError as refused:
        return leave(refused.address(consent.issuer))
    except OAuthError as error:
        return refusal_page(pages, error, None)
    return leave(_continue_path(handle))


@get("/oauth/continue")
async def continue_request(pages: NamedDependency[Pages], consent: NamedDependency[ConsentServices],
                           request: _Request, handle: FromQuery[str] = "") -> _Answer:
    """Go on with a request after the person has signed in."""
    try:
        pending = await find_request(consent.database, handle)
        return await _proceed(pages, consent, request, pending.parameters, asked_at=pending.asked_at, handle=handle)
    except RedirectedError as refused:
        return leave(refused.address(consent.issuer))
    except OAuthError as error:
        return refusal_page(pages, error, await signed_in(request))


@post("/oauth/consent")
async def decide(pages: NamedDependency[Pages], consent: NamedDependency[ConsentServices],
                 request: _Request) -> _Answer:
    """Take what the person says: all, or nothing."""
    viewer = await signed_in(request)
    if viewer is None:
        return refusal_page(pages, StaleRequestError("You are not signed in any more. Start again from the"
                                                     " application."), None)
    form = await read_form(request)
    check_csrf(form, viewer)
    try:
        return leave(await _decided(consent, viewer, form.get("request", ""), form.get("decision", ""),
                                    form.get("organisation", "")))
    except RedirectedError as refused:
        return leave(refused.address(consent.issuer))
    except OAuthError as error:
        return refusal_page(pages, error, viewer)


async def _decided(consent: ConsentServices, viewer: SignedIn, handle: str, decision: str, organisation: str) -> str:
    """Return where the browser goes; the request is answered once, whatever the answer is."""
    pending = await find_request(consent.database, handle)
    checked = await check_request(consent.database, pending.parameters, consent.issuer)
    organisation_id = read_whole_number(organisation) or 0
    may = decision == "allow" and await _may_let_in(consent.database, checked, viewer, organisation_id)
    async with consent.database.transaction() as connection:
        await take_request(connection, handle, viewer.session.session_id)
        if decision != "allow":
            return denied(checked, consent.issuer)
        if not may:
            raise RedirectedError(AccessDeniedError("The user may not act for this organisation."), checked.target)
        return await grant(connection, checked, viewer.session, organisation_id=organisation_id,
                           scopes=checked.scopes, lifetimes=consent.lifetimes, sealer=consent.sealer,
                           issuer=consent.issuer, asked=True)


async def _proceed(pages: Pages, consent: ConsentServices, request: _Request, parameters: Parameters, *,
                   asked_at: datetime, handle: str) -> _Answer:
    checked = await check_request(consent.database, parameters, consent.issuer)
    viewer = await signed_in(request)
    session = viewer.session if viewer is not None else None
    needed = sign_in_needed(checked, session, asked_at=asked_at, at=now())
    if viewer is None or needed is not SignIn.NOT_NEEDED:
        handle = handle or await keep_request(consent.database, parameters, lifetime_s=consent.lifetimes.request_s)
        return sign_in_redirect(request, again=needed is SignIn.AGAIN, next_path=_continue_path(handle))
    known = await known_answer(consent.database, checked, viewer.session)
    if known is not None and await _still_may(consent.database, checked, viewer, known):
        async with consent.database.transaction() as connection:
            return leave(await grant(
                connection, checked, viewer.session, organisation_id=known.organisation_id, scopes=known.scopes,
                lifetimes=consent.lifetimes, sealer=consent.sealer, issuer=consent.issuer, asked=False))
    return await _ask(pages, consent, checked, viewer, parameters, handle)


async def _ask(pages: Pages, consent: ConsentServices, checked: AuthorizationRequest, viewer: SignedIn,
               parameters: Parameters, handle: str) -> Response[str]:
    if handle:
        await bind_request(consent.database, handle, viewer.session.session_id)
    else:
        handle = await keep_request(consent.database, parameters, lifetime_s=consent.lifetimes.request_s,
                                    session_id=viewer.session.session_id)
    answer = pages.answer(
        "consent/consent.html", "consent", viewer=viewer, handle=handle, back=_continue_path(handle),
        view=await consent_view(consent.database, checked, viewer))
    return may_lead_to(answer, checked.target.redirect_uri)


async def _may_let_in(database: Database, checked: AuthorizationRequest, viewer: SignedIn,
                      organisation_id: int) -> bool:
    actor = await load_acting(database, viewer.user.user_id, organisation_id)
    return actor is not None and may_grant(actor, checked.scopes)


async def _still_may(database: Database, checked: AuthorizationRequest, viewer: SignedIn, known: Known) -> bool:
    """Say whether what was agreed to before may be agreed to now; nobody is asked about a trusted application."""
    if checked.client.skips_consent:
        return True
    actor = await load_acting(database, viewer.user.user_id, known.organisation_id)
    return actor is not None and may_grant(actor, known.scopes)


def _continue_path(handle: str) -> str:
    return f"/oauth/continue?handle={handle}"


def _parameters(raw: bytes) -> Parameters:
    if len(raw) > _MOST_REQUEST_BYTES:
        raise InvalidRequestError(f"The request is longer than {_MOST_REQUEST_BYTES} bytes.")
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise InvalidRequestError("The request is not readable.") from error
    return read_parameters(pairs)
