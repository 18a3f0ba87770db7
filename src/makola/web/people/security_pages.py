"""The security page: password, authenticator app, recovery codes, passkeys and sessions of whoever is signed in.

What would let somebody else in for good asks again who the person is, unless they have just shown it.
"""

from collections.abc import Mapping

from litestar import Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from makola.core.identity import passkeys, sessions
from makola.core.identity.accounts import change_password
from makola.core.identity.errors import (
    ChallengeGoneError,
    PasskeyRefusedError,
    PasswordRefusedError,
    TooBusyError,
    TooManyAttemptsError,
    UnknownSessionError,
    WrongCodeError,
    WrongPasswordError,
)
from makola.core.identity.second_factor import new_recovery_codes, remove_second_factor, second_factor_of
from makola.kit.errors import DomainError
from makola.kit.ids import parse_id
from makola.web.pages import Pages
from makola.web.people.answers import chosen_password, form_page, refused_json
from makola.web.people.services import PeopleServices
from makola.web.people.signed_in import (
    SignedIn,
    check_csrf,
    read_form,
    renewed,
    see_other,
    sign_in_redirect,
    signed_in,
)

HERE = "/account/security"
_PASSWORD_REFUSALS = (PasswordRefusedError, WrongPasswordError, TooManyAttemptsError, TooBusyError)

_Request = Request[object, object, State]


@get("/security")
async def security_page(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices],
                        request: _Request) -> Response[str]:
    """Show what a person signs in with, and where they are signed in."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request)
    return await _security(pages, people, request, viewer)


@get("/password")
async def password_page(pages: NamedDependency[Pages], request: _Request) -> Response[str]:
    """Ask for the present password and a new one."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request)
    return form_page(pages, "people/password.html", "account", None, viewer=viewer)


@post("/password")
async def set_password(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices],
                       request: _Request) -> Response[str]:
    """Change the password; every other session ends."""
    viewer, form = await _form_of(people, request)
    if viewer is None:
        return sign_in_redirect(request, next_path="/account/password")
    try:
        session = await change_password(people.database, people.passwords, viewer.user, viewer.session,
                                        form.get("present", ""), chosen_password(form))
    except _PASSWORD_REFUSALS as error:
        return form_page(pages, "people/password.html", "account", error, viewer=viewer)
    return _done(people, request, session, "password")


@post("/authenticator")
async def begin_authenticator(people: NamedDependency[PeopleServices], request: _Request) -> Response[str]:
    """Make a secret for an authenticator app."""
    viewer, _ = await _form_of(people, request)
    if viewer is None or not people.is_fresh(viewer):
        return sign_in_redirect(request, again=viewer is not None, next_path=HERE)
    async with people.database.transaction() as connection:
        if not (await second_factor_of(connection, viewer.user.user_id)).has_totp:
            await people.authenticators.begin(connection, viewer.user)
    return see_other("/account/authenticator")


@get("/authenticator")
async def authenticator_page(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices],
                             request: _Request) -> Response[str]:
    """Show the secret as a QR code, until a first code of it is given."""
    viewer = await signed_in(request)
    if viewer is None or not people.is_fresh(viewer):
        return sign_in_redirect(request, again=viewer is not None)
    return await _authenticator(pages, people, viewer)


@post("/authenticator/confirm")
async def confirm_authenticator(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices],
                                request: _Request) -> Response[str]:
    """Take the first code of an authenticator app; show the recovery codes, once."""
    viewer, form = await _form_of(people, request)
    if viewer is None or not people.is_fresh(viewer):
        return sign_in_redirect(request, again=viewer is not None, next_path="/account/authenticator")
    try:
        async with people.database.transaction() as connection:
            codes = await people.authenticators.confirm(connection, viewer.user.user_id, form.get("code", ""))
            await sessions.revoke_sessions(connection, viewer.user.user_id, but=viewer.session.session_id)
            session = await sessions.rotate_session(connection, viewer.session)
    except WrongCodeError as error:
        return await _authenticator(pages, people, viewer, error)
    return _show_codes(pages, people, request, viewer, session, codes)


@post("/authenticator/remove")
async def remove_authenticator(people: NamedDependency[PeopleServices], request: _Request) -> Response[str]:
    """Take the authenticator app and the recovery codes away."""
    viewer, _ = await _form_of(people, request)
    if viewer is None or not people.is_fresh(viewer):
        return sign_in_redirect(request, again=viewer is not None, next_path=HERE)
    async with people.database.transaction() as connection:
        await remove_second_factor(connection, viewer.user.user_id)
        session = await sessions.rotate_session(connection, viewer.session)
    return _done(people, request, session, "authenticator-removed")


@post("/recovery-codes")
async def replace_recovery_codes(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices],
                                 request: _Request) -> Response[str]:
    """Make new recovery codes and show them, once."""
    viewer, _ = await _form_of(people, request)
    if viewer is None or not people.is_fresh(viewer):
        return sign_in_redirect(request, again=viewer is not None, next_path=HERE)
    async with people.database.transaction() as connection:
        if not (await second_factor_of(connection, viewer.user.user_id)).has_totp:
            return see_other(HERE)
        codes = await new_recovery_codes(connection, viewer.user.user_id)
        session = await sessions.rotate_session(connection, viewer.session)
    return _show_codes(pages, people, request, viewer, session, codes)


@post("/passkeys/options", status_code=200)
async def begin_passkey(people: NamedDependency[PeopleServices], request: _Request) -> Response[str]:
    """Return what the browser needs to make a passkey."""
    viewer, _ = await _form_of(people, request)
    if viewer is None or not people.is_fresh(viewer):
        return refused_json(ChallengeGoneError("Sign in again first."))
    party = people.relying_party(request)
    if party is None:
        return refused_json(PasskeyRefusedError("There are no passkeys under this address."))
    async with people.database.transaction() as connection:
        options = await passkeys.begin_registration(connection, viewer.user, party, str(viewer.session.session_id))
    return Response(options, media_type="application/json", headers={"Cache-Control": "no-store"})


@post("/passkeys")
async def add_passkey(pages: NamedDependency[Pages], people: NamedDependency[PeopleServices],
                      request: _Request) -> Response[str]:
    """Store a passkey that the browser made."""
    viewer, form = await _form_of(people, request)
    party = people.relying_party(request)
    if viewer is None or party is None or not people.is_fresh(viewer):
        return sign_in_redirect(request, again=viewer is not None, next_path=HERE)
    try:
        async with people.database.transaction() as connection:
            await passkeys.finish_registration(
                connection, viewer.user, form.get("answer", ""),
                form.get("name", "") or people.browser_of(request).device, party, str(viewer.session.session_id))
            session = await sessions.rotate_session(connection, viewer.session)
    except (ChallengeGoneError, PasskeyRefusedError) as error:
        return await _security(pages, people, request, viewer, error)
    return _done(people, request, session, "passkey")


@post("/passkeys/{passkey_id:int}/remove")
async def remove_passkey(people: NamedDependency[PeopleServices], request: _Request,
                         passkey_id: FromPath[int]) -> Response[str]:
    """Take a passkey away."""
    viewer, _ = await _form_of(people, request)
    if viewer is None or not people.is_fresh(viewer):
        return sign_in_redirect(request, again=viewer is not None, next_path=HERE)
    try:
        async with people.database.transaction() as connection:
            await passkeys.remove_passkey(connection, viewer.user.user_id, passkey_id)
            session = await sessions.rotate_session(connection, viewer.session)
    except UnknownSessionError:
        return see_other(HERE)
    return _done(people, request, session, "passkey-removed")


@post("/sessions/revoke")
async def revoke(people: NamedDependency[PeopleServices], request: _Request) -> Response[str]:
    """End one session of the person, or all but this one."""
    viewer, form = await _form_of(people, request)
    if viewer is None:
        return sign_in_redirect(request, next_path=HERE)
    session_id = parse_id(form.get("session", ""))
    if form.get("session") == "others":
        await sessions.revoke_sessions(people.database, viewer.user.user_id, but=viewer.session.session_id)
    elif session_id is not None:
        try:
            await sessions.revoke_session(people.database, viewer.user.user_id, session_id)
        except UnknownSessionError:
            return see_other(HERE)  # it has ended meanwhile, which is what was wanted
    return see_other(f"{HERE}?done=sessions")


def security_router() -> Router:
    """Return `/account/security` and what its forms do."""
    return Router(path="/account", route_handlers=[
        security_page, password_page, set_password, begin_authenticator, authenticator_page, confirm_authenticator,
        remove_authenticator, replace_recovery_codes, begin_passkey, add_passkey, remove_passkey, revoke])


async def _form_of(people: PeopleServices, request: _Request) -> tuple[SignedIn | None, Mapping[str, str]]:
    """Return who sent a form, and the form, which is really theirs."""
    viewer = await signed_in(request)
    form = await read_form(request)
    if viewer is not None:
        people.check_origin(request)
        check_csrf(form, viewer)
    return viewer, form


def _done(people: PeopleServices, request: _Request, session: sessions.NewSession, what: str) -> Response[str]:
    answer = see_other(f"{HERE}?done={what}")
    people.keep(request, answer, session)
    return answer


def _show_codes(pages: Pages, people: PeopleServices, request: _Request, viewer: SignedIn,
                session: sessions.NewSession, codes: list[str]) -> Response[str]:
    answer = form_page(pages, "people/recovery_codes.html", "account", None, viewer=renewed(viewer, session),
                       codes=codes)
    people.keep(request, answer, session)
    return answer


async def _authenticator(pages: Pages, people: PeopleServices, viewer: SignedIn,
                         error: DomainError | None = None) -> Response[str]:
    enrolment = await people.authenticators.pending(people.database, viewer.user)
    if enrolment is None:
        return see_other(HERE)
    return form_page(pages, "people/authenticator.html", "account", error, viewer=viewer, enrolment=enrolment)


async def _security(pages: Pages, people: PeopleServices, request: _Request, viewer: SignedIn,
                    error: DomainError | None = None) -> Response[str]:
    user_id = viewer.user.user_id
    return form_page(
        pages, "people/security.html", "account", error, viewer=viewer, fresh=people.is_fresh(viewer),
        done=request.query_params.get("done", ""), passkeys_work=people.relying_party(request) is not None,
        second=await second_factor_of(people.database, user_id),
        passkeys=await passkeys.list_passkeys(people.database, user_id),
        sessions=await sessions.list_sessions(people.database, user_id, people.policy))
