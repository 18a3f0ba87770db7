"""`/installed`: what the organisation has authorized, and the button that takes it back."""

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from makola.core.applications import published_roles
from makola.core.applications.errors import NotInstalledError
from makola.core.applications.scopes import by_category
from makola.core.oauth import administration
from makola.core.oauth.administration import InstalledApplication
from makola.core.organisations.members import list_members
from makola.core.organisations.permissions import Permission
from makola.kit.whole_numbers import read_whole_number
from makola.web.applications.services import ApplicationServices, PageRequest
from makola.web.pages import Pages
from makola.web.people.signed_in import SignedIn, check_csrf, read_form, see_other, sign_in_redirect, signed_in

_HERE = "installed"
_MOST_PEOPLE = 200


@get("/installed")
async def installed_page(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices],
                         request: PageRequest) -> Response[str]:
    """Show the authorized applications with their permissions and last use."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request)
    found = await administration.list_installed(apps.database, viewer.actor)
    return pages.answer(
        "applications/installed.html", _HERE, viewer=viewer, may_change=viewer.actor.may(Permission.CLIENT_CHANGE),
        installed=[(each, by_category(each.installation.scopes)) for each in found],
        with_roles=await published_roles.applications_with_roles(
            apps.database, [each.installation.application_id for each in found]))


@post("/installed/{client_id:str}/deauthorise")
async def deauthorise(apps: NamedDependency[ApplicationServices], request: PageRequest,
                      client_id: FromPath[str]) -> Response[str]:
    """Take the authorization back: tokens die at once, and the application is told."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request, next_path="/installed")
    check_csrf(await read_form(request), viewer)
    async with apps.database.transaction() as connection:
        await administration.deauthorise_installed(connection, viewer.actor, client_id, apps.sealer)
    apps.forget()
    return see_other("/installed")


@get("/installed/{client_id:str}")
async def roles_page(pages: NamedDependency[Pages], apps: NamedDependency[ApplicationServices], request: PageRequest,
                     client_id: FromPath[str]) -> Response[str]:
    """Show which people have which roles in an application that publishes some."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request)
    each = await _installed(apps, viewer, client_id)
    application_id = each.installation.application_id
    people, _ = await list_members(apps.database, viewer.actor, organisation_ids=[viewer.actor.organisation_id],
                                   limit=_MOST_PEOPLE, offset=0)
    return pages.answer(
        "applications/roles.html", _HERE, viewer=viewer, each=each, people=people,
        roles=await published_roles.list_published_roles(apps.database, application_id),
        holders=await published_roles.role_holders(apps.database, viewer.actor.organisation_id, application_id),
        may_change=viewer.actor.may(Permission.PERMISSION_CHANGE))


@post("/installed/{client_id:str}/roles/{role_id:int}")
async def give_role(apps: NamedDependency[ApplicationServices], request: PageRequest, client_id: FromPath[str],
                    role_id: FromPath[int]) -> Response[str]:
    """Give a person a role, or take it away."""
    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request, next_path="/installed")
    form = await read_form(request)
    check_csrf(form, viewer)
    each = await _installed(apps, viewer, client_id)
    user_id = read_whole_number(form.get("user", "")) or 0
    async with apps.database.transaction() as connection:
        await published_roles.give_role(connection, viewer.actor, each.installation.application_id, role_id, user_id,
                                        given=form.get("given") == "yes")
    return see_other(f"/installed/{client_id}")


def installed_router() -> Router:
    """Return `/installed` and what is below it."""
    return Router(path="/", route_handlers=[installed_page, deauthorise, roles_page, give_role])


async def _installed(apps: ApplicationServices, viewer: SignedIn, client_id: str) -> InstalledApplication:
    for each in await administration.list_installed(apps.database, viewer.actor):
        if each.installation.client_id == client_id:
            return each
    raise NotInstalledError("Your organisation has not authorized this application.")
