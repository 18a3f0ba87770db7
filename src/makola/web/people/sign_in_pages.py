"""Signing in and out: a page for the password, one for the second factor, and a button for passkeys."""

from urllib.parse import quote

from litestar import Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromQuery

from makola.core.identity.errors import (
    ChallengeGoneError,
    PasskeyRefusedError,
    TooBusyError,
    TooManyAttemptsError,
    WrongCodeError,
    WrongCredentialsError,
)
from makola.core.identity.sessions import NewSession, end_session
from makola.core.identity.sign_in import SecondFactorNeeded
from makola.kit.errors import DomainError
from makola.web.pages import Pages
from makola.web.people.answers import form_page, refused_json, to_next
from makola.web.people.cookies import SESSION, WAITING
from makola.web.people.own_path import HOME, own_path
from makola.web.people.services import PeopleServices
from makola.web.people.signed_in import CSRF_FIELD, check_csrf, read_form, see_other, signed_in

_Request = Request[object, object, State]
_REFUSALS = (WrongCredentialsError, TooManyAttemptsError, TooBusyError, WrongCodeError, PasskeyRefusedError)
_WAITING_S = 600


@get("/sign-in")
async def sign_in_page(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices], request: _Request,
                       again: FromQuery[str] = "") -> Response[str]:
    """Ask who somebody is; whoever is signed in goes on at once, but with `again`."""
    viewer = await signed_in(request)
    target = own_path(request.query_params.get("next", HOME))
    if viewer is not None and not again:
        return see_other(target)
    return _password_page(pages, people, request, target, again=bool(again),
                          email=viewer.user.email if viewer is not None else "")


@post("/sign-in")
async def sign_in(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices],
                  request: _Request) -> Response[str]:
    """Take an e-mail address and a password."""
    form = await read_form(request)
    people.check_form(request, form.get(CSRF_FIELD, ""))
    target, again, email = own_path(form.get("next", HOME)), bool(form.get("again")), form.get("email", "")
    try:
        opened = await people.sign_in.with_password(
            email, form.get("password", ""), people.browser_of(request), browser_token=people.browser_token(request),
            replacing=people.cookies.read(request, SESSION))
    except _REFUSALS as error:
        return _password_page(pages, people, request, target, again=again, email=email, error=error)
    if isinstance(opened, SecondFactorNeeded):
        answer = see_other(f"/sign-in/code?next={quote(target, safe='/')}")
        people.cookies.write(request, answer, WAITING, opened.token, max_age_s=_WAITING_S)
        return answer
    return _signed_in(pages, people, request, opened, target)


@get("/sign-in/code")
async def code_page(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices],
                    request: _Request) -> Response[str]:
    """Ask for the second factor."""
    target = own_path(request.query_params.get("next", HOME))
    if not people.cookies.read(request, WAITING):
        return see_other(f"/sign-in?next={quote(target, safe='/')}")
    return _code_page(pages, people, request, target)


@post("/sign-in/code")
async def sign_in_with_code(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices],
                            request: _Request) -> Response[str]:
    """Take the second factor."""
    form = await read_form(request)
    people.check_form(request, form.get(CSRF_FIELD, ""))
    target = own_path(form.get("next", HOME))
    try:
        opened = await people.sign_in.with_code(
            people.cookies.read(request, WAITING), form.get("code", ""), people.browser_of(request),
            browser_token=people.browser_token(request), replacing=people.cookies.read(request, SESSION))
    except ChallengeGoneError as error:
        return _password_page(pages, people, request, target, error=error)
    except _REFUSALS as error:
        return _code_page(pages, people, request, target, error=error)
    return _signed_in(pages, people, request, opened, target)


@post("/sign-in/passkey/options", status_code=200)
async def passkey_options(people: NamedDependency[PeopleServices], request: _Request) -> Response[str]:
    """Begin a sign-in by passkey."""
    form = await read_form(request)
    people.check_form(request, form.get(CSRF_FIELD, ""))
    party = people.relying_party(request)
    if party is None:
        return refused_json(PasskeyRefusedError("There are no passkeys under this address."))
    try:
        options = await people.sign_in.begin_passkey(
            party, browser_token=people.browser_token(request), token=_waiting(people, request, form.get("second", "")))
    except ChallengeGoneError as error:
        return refused_json(error)
    return Response(options, media_type="application/json", headers={"Cache-Control": "no-store"})


@post("/sign-in/passkey", status_code=200)
async def sign_in_with_passkey(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices],
                               request: _Request) -> Response[str]:
    """Take a passkey's answer."""
    form = await read_form(request)
    people.check_form(request, form.get(CSRF_FIELD, ""))
    target = own_path(form.get("next", HOME))
    party = people.relying_party(request)
    if party is None:
        return _password_page(pages, people, request, target,
                              error=PasskeyRefusedError("There are no passkeys under this address."))
    try:
        opened = await people.sign_in.with_passkey(
            form.get("answer", ""), party, people.browser_of(request), browser_token=people.browser_token(request),
            token=_waiting(people, request, form.get("second", "")), replacing=people.cookies.read(request, SESSION))
    except (*_REFUSALS, ChallengeGoneError) as error:
        return _password_page(pages, people, request, target, error=error)
    return _signed_in(pages, people, request, opened, target)


@get("/sign-out")
async def sign_out_page(pages: NamedDependency[Pages], request: _Request) -> Response[str]:
    """Ask whether to sign out: a link alone signs nobody out."""
    viewer = await signed_in(request)
    return pages.answer("people/sign_out.html", "sign-in", viewer=viewer) if viewer is not None else see_other(HOME)


@post("/sign-out")
async def sign_out(people: NamedDependency[PeopleServices], request: _Request) -> Response[str]:
    """Sign out."""
    viewer = await signed_in(request)
    form = await read_form(request)
    if viewer is not None:
        check_csrf(form, viewer)
        await end_session(people.database, people.cookies.read(request, SESSION))
    answer = see_other(own_path(form.get("next", HOME)))
    people.cookies.remove(request, answer, SESSION)
    people.cookies.remove(request, answer, WAITING)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


def sign_in_router() -> Router:
    """Return the pages for signing in and out."""
    return Router(path="/", route_handlers=[sign_in_page, sign_in, code_page, sign_in_with_code, passkey_options,
                                            sign_in_with_passkey, sign_out_page, sign_out])


def _signed_in(pages: Pages, people: PeopleServices, request: _Request, opened: NewSession,
               target: str) -> Response[str]:
    answer = to_next(pages, target)
    people.keep(request, answer, opened)
    people.cookies.remove(request, answer, WAITING)
    return answer


def _waiting(people: PeopleServices, request: _Request, second: str) -> str:
    """Return the token of a sign-in that waits, where the page that asks for the second factor sent the request."""
    return people.cookies.read(request, WAITING) if second else ""


def _password_page(pages: Pages, people: PeopleServices, request: _Request, target: str, *, again: bool = False,
                   email: str = "", error: DomainError | None = None) -> Response[str]:
    answer = form_page(
        pages, "people/sign_in.html", "sign-in", error, next=target, again=again, email=email,
        demo_file=people.demo_file, was_reset=bool(request.query_params.get("reset")),
        form_token=people.form_token(request), passkeys=people.relying_party(request) is not None)
    people.keep_browser(request, answer)
    return answer


def _code_page(pages: Pages, people: PeopleServices, request: _Request, target: str,
               error: DomainError | None = None) -> Response[str]:
    answer = form_page(pages, "people/code.html", "sign-in", error, next=target,
                       form_token=people.form_token(request), passkeys=people.relying_party(request) is not None)
    people.keep_browser(request, answer)
    return answer
