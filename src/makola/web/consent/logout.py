"""`/oauth/logout`: an application sends a person here to sign out (OpenID Connect RP-Initiated Logout 1.0)."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from joserfc.errors import JoseError
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency

from makola.core.applications.clients import find_client, permits_post_logout_redirect_uri
from makola.core.applications.types import OAuthClient
from makola.core.identity.errors import UnknownSessionError
from makola.core.identity.sessions import revoke_session
from makola.core.oauth.errors import InvalidRedirectUriError, InvalidRequestError, OAuthError
from makola.web.consent.answers import leave, may_lead_to, refusal_page
from makola.web.consent.services import ConsentServices
from makola.web.pages import Pages
from makola.web.people.signed_in import SignedIn, check_csrf, read_form, signed_in

_Request = Request[object, object, State]
_PARAMETERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was checked of a request to sign out; `target` is empty where the person stays here."""

    client: OAuthClient | None
    session_id: str
    target: str


@get("/oauth/logout")
async def logout(pages: NamedDependency[Pages], consent: NamedDependency[ConsentServices],
                 request: _Request) -> Response[str]:
    """Sign out at once where the application shows the ID token of this very session; otherwise ask."""
    viewer = await signed_in(request)
    values = {name: request.query_params.get(name, "") for name in _PARAMETERS}
    try:
        wish = await _check(consent, values)
    except OAuthError as error:
        return refusal_page(pages, error, viewer)
    if viewer is None:
        return _gone(pages, wish)
    if wish.session_id == str(viewer.session.session_id):
        await _end(consent, viewer)
        return _gone(pages, wish)
    answer = pages.answer("consent/logout.html", "consent", viewer=viewer, client=wish.client, values=values)
    answer.headers["Cache-Control"] = "no-store"
    return may_lead_to(answer, wish.target) if wish.target else answer


@post("/oauth/logout")
async def logout_by_post(request: _Request) -> Response[str]:
    """Take a request in a form: it may come from another site, without our cookie; the next request has it."""
    form = await read_form(request)
    return leave(f"/oauth/logout?{urlencode({name: form[name] for name in _PARAMETERS if form.get(name)})}")


@post("/oauth/logout/confirm")
async def confirm(pages: NamedDependency[Pages], consent: NamedDependency[ConsentServices],
                  request: _Request) -> Response[str]:
    """Sign out, as the person says on our own page."""
    viewer = await signed_in(request)
    form = await read_form(request)
    try:
        wish = await _check(consent, {name: form.get(name, "") for name in _PARAMETERS})
    except OAuthError as error:
        return refusal_page(pages, error, viewer)
    if viewer is not None:
        check_csrf(form, viewer)
        await _end(consent, viewer)
    return _gone(pages, wish)


async def _end(consent: ConsentServices, viewer: SignedIn) -> None:
    try:
        await revoke_session(consent.database, viewer.user.user_id, viewer.session.session_id)
    except UnknownSessionError:  # another window was faster
        return


def _gone(pages: Pages, wish: _Wish) -> Response[str]:
    if wish.target:
        return leave(wish.target)
    return pages.answer("consent/signed_out.html", "consent", client=wish.client)


async def _check(consent: ConsentServices, values: Mapping[str, str]) -> _Wish:
    claims = await _claims(consent, values["id_token_hint"]) if values["id_token_hint"] else {}
    audience = claims.get("aud", "")
    client_id = str(audience) if audience else values["client_id"]
    if values["client_id"] and values["client_id"] != client_id:
        raise InvalidRequestError("The ID token is another application's.", field="client_id")
    client = await find_client(consent.database, client_id) if client_id else None
    wanted = values["post_logout_redirect_uri"]
    if not wanted:
        return _Wish(client, str(claims.get("sid", "")), "")
    if client is None or client.suspended or not permits_post_logout_redirect_uri(client, wanted):
        raise InvalidRedirectUriError("The address to go to afterwards is not one that the application has set.",
                                      field="post_logout_redirect_uri")
    parts = urlsplit(wanted)
    query = "&".join([*([parts.query] if parts.query else []),
                      *([urlencode({"state": values["state"]})] if values["state"] else [])])
    return _Wish(client, str(claims.get("sid", "")), urlunsplit(parts._replace(query=query)))


async def _claims(consent: ConsentServices, hint: str) -> dict[str, object]:
    """Return what an ID token of ours says; it may have expired (section 2)."""
    try:
        claims = await consent.keys.verify(hint)
    except (JoseError, ValueError) as error:
        raise InvalidRequestError("The id_token_hint is not an ID token of this server.",
                                  field="id_token_hint") from error
    if claims.get("iss") != consent.issuer:
        raise InvalidRequestError("The id_token_hint is not an ID token of this server.", field="id_token_hint")
    return claims
