"""`/applications`: what an organisation's own applications are, and everything that their owner does with them."""

from collections.abc import Awaitable, Callable

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from makola.core.applications import live_secrets, published_roles, registration, review
from makola.core.applications.drafts import with_values
from makola.core.applications.errors import (
    InvalidApplicationError,
    SubmissionDecidedError,
    UnknownSecretError,
    UnknownSubmissionError,
)
from makola.core.applications.listings import CATEGORIES
from makola.core.applications.types import ApplicationKind, Draft, RegisteredApplication
from makola.core.oauth import administration
from makola.core.organisations.permissions import Permission
from makola.kit.database import Connection
from makola.kit.errors import DomainError
from makola.web.applications.forms import Fields, read_fields, scope_choices, shown, shown_again, values_of
from makola.web.applications.services import ApplicationServices, PageRequest
from makola.web.page_numbers import page_number
from makola.web.pages import Pages
from makola.web.people.signed_in import SignedIn, check_csrf, read_form, see_other, sign_in_redirect, signed_in

_PAGE = 50
_UNPROCESSABLE = 422
_HERE = "applications"
_MAKEABLE = {kind.value: kind for kind in (ApplicationKind.PRIVATE, ApplicationKind.PUBLIC, ApplicationKind.TRUSTED)}
#: For how long the present secret may go on: what the page offers, in seconds.
OVERLAPS_S = {"0": "ends now", "3600": "goes on for 1 hour", "86400": "goes on for 1 day",
              "604800": "goes on for 7 days"}
_REFUSALS = (InvalidApplicationError, UnknownSecretError, UnknownSubmissionError, SubmissionDecidedError)


@get("/applications")
async def list_page(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices],
                    request: PageRequest) -> Response[str]:
    """Show the applications of the organisation acted for."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request)
    page = page_number(request)
    found, total = await registration.list_applications(
        apps.database, viewer.actor, limit=_PAGE, offset=(page - 1) * _PAGE)
    return pages.answer(
        "applications/list.html", _HERE, viewer=viewer, applications=found, page=page, last_page=-(-total // _PAGE),
        may_change=viewer.actor.may(Permission.CLIENT_CHANGE), may_review=registration.may_run_the_platform(
            viewer.actor))


@get("/applications/new")
async def new_page(pages: NamedDependency[Pages], request: PageRequest) -> Response[str]:
    """Show the kinds, or the form of one."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request)
    viewer.actor.require(Permission.CLIENT_CHANGE)
    kind = _MAKEABLE.get(request.query_params.get("kind", ""))
    if kind is None:
        return pages.answer("applications/kinds.html", _HERE, viewer=viewer,
                            may_trust=registration.may_run_the_platform(viewer.actor))
    return _form(pages, viewer, kind, shown(Draft("")), None)


@post("/applications/new")
async def create(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices],
                 request: PageRequest) -> Response[str]:
    """Make an application, and show its secret this once."""
    viewer, fields = await _sender(request)
    if viewer is None:
        return sign_in_redirect(request)
    kind = _MAKEABLE.get(fields.text("kind"))
    if kind is None:
        return see_other("/applications/new")
    try:
        async with apps.database.transaction() as connection:
            made = await registration.register(connection, viewer.actor, kind,
                                               with_values(Draft(""), values_of(kind, fields)), apps.policy)
    except InvalidApplicationError as error:
        return _form(pages, viewer, kind, shown_again(kind, Draft(""), fields), error)
    if not made.client_secret:
        return see_other(f"/applications/{made.application.client_id}")
    return pages.answer("applications/secret.html", _HERE, 201, viewer=viewer, application=made.application,
                        client_secret=made.client_secret, overlap="")


@get("/applications/{client_id:str}")
async def detail_page(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices], request: PageRequest,
                      client_id: FromPath[str]) -> Response[str]:
    """Show one application: its credentials, where it stands, and what can be done."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request)
    return await _detail(pages, apps, viewer, client_id, None)


@get("/applications/{client_id:str}/edit")
async def edit_page(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices], request: PageRequest,
                    client_id: FromPath[str]) -> Response[str]:
    """Show the form with everything that an owner may change."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request)
    viewer.actor.require(Permission.CLIENT_CHANGE)
    found = await registration.find_application(apps.database, viewer.actor, client_id)
    return _form(pages, viewer, found.kind, shown(found.draft), None, found)


@post("/applications/{client_id:str}/edit")
async def edit(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices], request: PageRequest,
               client_id: FromPath[str]) -> Response[str]:
    """Save the form."""
    viewer, fields = await _sender(request)
    if viewer is None:
        return sign_in_redirect(request)
    found = await registration.find_application(apps.database, viewer.actor, client_id)
    try:
        values = values_of(found.kind, fields)
        async with apps.database.transaction() as connection:
            await registration.change(connection, viewer.actor, client_id,
                                      lambda draft: with_values(draft, values), apps.policy)
    except InvalidApplicationError as error:
        return _form(pages, viewer, found.kind, shown_again(found.kind, found.draft, fields), error, found)
    apps.forget()
    return see_other(f"/applications/{client_id}")


@post("/applications/{client_id:str}/rotate")
async def rotate(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices], request: PageRequest,
                 client_id: FromPath[str]) -> Response[str]:
    """Make a new secret, and show it this once."""
    viewer, fields = await _sender(request)
    if viewer is None:
        return sign_in_redirect(request, next_path="/applications")
    overlap = fields.text("overlap_s")
    if overlap not in OVERLAPS_S:
        overlap = "0"
    try:
        async with apps.database.transaction() as connection:
            client_secret = await administration.rotate_secret(connection, viewer.actor, client_id,
                                                               overlap_s=int(overlap))
    except InvalidApplicationError as error:
        return await _detail(pages, apps, viewer, client_id, error)
    apps.forget()
    found = await registration.find_application(apps.database, viewer.actor, client_id)
    return pages.answer("applications/secret.html", _HERE, viewer=viewer, application=found,
                        client_secret=client_secret, overlap=OVERLAPS_S[overlap])


@post("/applications/{client_id:str}/secrets/{secret_id:int}/revoke")
async def revoke_secret(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices],
                        request: PageRequest, client_id: FromPath[str], secret_id: FromPath[int]) -> Response[str]:
    """End one secret at once."""
    async def do(connection: Connection, viewer: SignedIn, _form: Fields) -> None:
        await administration.revoke_secret(connection, viewer.actor, client_id, secret_id)

    return await _done(pages, apps, request, client_id, do)


@post("/applications/{client_id:str}/submit")
async def submit(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices], request: PageRequest,
                 client_id: FromPath[str]) -> Response[str]:
    """Ask the platform to publish the application as it is now."""
    async def do(connection: Connection, viewer: SignedIn, _form: Fields) -> None:
        await review.submit(connection, viewer.actor, client_id)

    return await _done(pages, apps, request, client_id, do)


@post("/applications/{client_id:str}/withdraw")
async def withdraw(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices], request: PageRequest,
                   client_id: FromPath[str]) -> Response[str]:
    """Take a submission back."""
    async def do(connection: Connection, viewer: SignedIn, _form: Fields) -> None:
        await review.withdraw(connection, viewer.actor, client_id)

    return await _done(pages, apps, request, client_id, do)


@post("/applications/{client_id:str}/unpublish")
async def unpublish(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices], request: PageRequest,
                    client_id: FromPath[str]) -> Response[str]:
    """Take the application out of the directory."""
    async def do(connection: Connection, viewer: SignedIn, _form: Fields) -> None:
        await review.unpublish(connection, viewer.actor, client_id)

    return await _done(pages, apps, request, client_id, do)


@post("/applications/{client_id:str}/roles")
async def publish_roles(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices],
                        request: PageRequest, client_id: FromPath[str]) -> Response[str]:
    """Replace the roles that a trusted application publishes: one a line, `name: description`."""
    async def do(connection: Connection, viewer: SignedIn, form: Fields) -> None:
        lines = [line.partition(":") for line in form.text("roles").splitlines() if line.strip()]
        await published_roles.publish_roles(connection, viewer.actor, client_id,
                                            [(name.strip(), words.strip()) for name, _, words in lines])

    return await _done(pages, apps, request, client_id, do)


@post("/applications/{client_id:str}/close")
async def close(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices], request: PageRequest,
                client_id: FromPath[str]) -> Response[str]:
    """Give the application up for good."""
    async def do(connection: Connection, viewer: SignedIn, _form: Fields) -> None:
        await administration.close_application(connection, viewer.actor, client_id)

    return await _done(pages, apps, request, client_id, do, then="/applications")


def owner_router() -> Router:
    """Return `/applications` and what is below it."""
    return Router(path="/", route_handlers=[
        list_page, new_page, create, detail_page, edit_page, edit, rotate, revoke_secret, submit, withdraw, unpublish,
        publish_roles, close])


async def _sender(request: PageRequest) -> tuple[SignedIn | None, Fields]:
    """Return who sent a form, and the form; it must be of that person's session."""
    viewer = await signed_in(request)
    if viewer is None:
        return None, Fields({})
    check_csrf(await read_form(request), viewer)
    return viewer, await read_fields(request)


async def _done(pages: Pages, apps: ApplicationServices, request: PageRequest, client_id: str,
                do: Callable[[Connection, SignedIn, Fields], Awaitable[None]], *, then: str = "") -> Response[str]:
    """Do what a button says, in one transaction, and come back to the application."""
    viewer, fields = await _sender(request)
    if viewer is None:
        return sign_in_redirect(request, next_path="/applications")
    try:
        async with apps.database.transaction() as connection:
            await do(connection, viewer, fields)
    except _REFUSALS as error:
        return await _detail(pages, apps, viewer, client_id, error)
    apps.forget()
    return see_other(then or f"/applications/{client_id}")


async def _detail(pages: Pages, apps: ApplicationServices, viewer: SignedIn, client_id: str,
                  error: DomainError | None) -> Response[str]:
    found = await registration.find_application(apps.database, viewer.actor, client_id)
    listing = found.draft.listing
    return pages.answer(
        "applications/detail.html", _HERE, _UNPROCESSABLE if error is not None else 200, viewer=viewer,
        application=found, secrets=await live_secrets.list_secrets(apps.database, found), error=error,
        submission=await review.find_latest(apps.database, viewer.actor, client_id),
        draft_content=review.content_of(found), overlaps=OVERLAPS_S,
        roles=await published_roles.list_published_roles(apps.database, found.application_id),
        pictures=list((await apps.pictures_of([listing])).values()), listing=listing,
        may_change=viewer.actor.may(Permission.CLIENT_CHANGE) and found.closed_at is None)


def _form(pages: Pages, viewer: SignedIn, kind: ApplicationKind, values: dict[str, object],
          error: DomainError | None, application: RegisteredApplication | None = None) -> Response[str]:
    return pages.answer(
        "applications/form.html", _HERE, _UNPROCESSABLE if error is not None else 200, viewer=viewer, kind=kind.value,
        values=values, error=error, application=application, categories=CATEGORIES, scopes=scope_choices(),
        may_set_lifetime=registration.may_run_the_platform(viewer.actor))
