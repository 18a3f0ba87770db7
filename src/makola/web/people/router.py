"""Which pages of people there are."""

from collections.abc import Callable

from litestar import Request, Response, Router
from litestar.datastructures import State
from litestar.di import Provide

from makola.web.form_refusals import form_refusals
from makola.web.pages import Pages
from makola.web.people.link_pages import link_router
from makola.web.people.members_pages import members_router
from makola.web.people.organisation_pages import organisation_router
from makola.web.people.security_pages import security_router
from makola.web.people.services import PeopleServices
from makola.web.people.sign_in_pages import sign_in_router
from makola.web.people.signed_in import ForgedFormError

_MOST_BODY_BYTES = 128 * 1024
_FORBIDDEN = 403

_Request = Request[object, object, State]


def people_pages(services: PeopleServices) -> Callable[[Pages], Router]:
    """Return what makes the pages: for `create_web_router(more=...)`.

    The same services belong in the application's state under `signed_in.STATE_NAME`.
    """
    def make(pages: Pages) -> Router:
        def forged(request: _Request, error: ForgedFormError) -> Response[str]:
            del request
            return pages.answer("people/forged.html", "sign-in", _FORBIDDEN, detail=error.detail)

        return Router(
            path="/", include_in_schema=False, request_max_body_size=_MOST_BODY_BYTES,
            route_handlers=[sign_in_router(), security_router(), link_router(), organisation_router(),
                            members_router()],
            dependencies={"pages": Provide(lambda: pages, sync_to_thread=False),
                          "people": Provide(lambda: services, sync_to_thread=False)},
            exception_handlers={ForgedFormError: forged, **form_refusals(pages, "sign-in")})

    return make
