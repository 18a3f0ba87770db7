"""Which pages there are."""

from collections.abc import Callable

from litestar import Request, Response, Router
from litestar.datastructures import State
from litestar.di import Provide

from makola.web.consent.authorize import authorize, authorize_by_post, continue_request, decide
from makola.web.consent.logout import confirm, logout, logout_by_post
from makola.web.consent.services import ConsentServices
from makola.web.form_refusals import form_refusals
from makola.web.pages import Pages
from makola.web.people.signed_in import ForgedFormError

_MOST_BODY_BYTES = 64 * 1024
_FORBIDDEN = 403

_Request = Request[object, object, State]


def consent_pages(services: ConsentServices) -> Callable[[Pages], Router]:
    """Return what makes `/oauth`, `/oauth/continue`, `/oauth/consent` and `/oauth/logout`."""
    def make(pages: Pages) -> Router:
        def forged(request: _Request, error: ForgedFormError) -> Response[str]:
            del request
            return pages.answer("people/forged.html", "consent", _FORBIDDEN, detail=error.detail)

        return Router(
            path="/", include_in_schema=False, request_max_body_size=_MOST_BODY_BYTES,
            route_handlers=[authorize, authorize_by_post, continue_request, decide, logout, logout_by_post, confirm],
            dependencies={"pages": Provide(lambda: pages, sync_to_thread=False),
                          "consent": Provide(lambda: services, sync_to_thread=False)},
            exception_handlers={ForgedFormError: forged, **form_refusals(pages, "consent")})

    return make
