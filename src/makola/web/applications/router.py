"""Which pages of applications there are."""

from collections.abc import Callable

from litestar import Response, Router
from litestar.di import Provide

from makola.core.applications.errors import NotInstalledError, UnknownApplicationError, UnknownSubmissionError
from makola.core.organisations.errors import PermissionDeniedError, UnknownMemberError
from makola.web.applications.directory_pages import directory_router
from makola.web.applications.installed_pages import installed_router
from makola.web.applications.owner_pages import owner_router
from makola.web.applications.services import ApplicationServices, PageRequest
from makola.web.form_refusals import form_refusals
from makola.web.pages import Pages
from makola.web.people.signed_in import ForgedFormError, SignedIn

_MOST_BODY_BYTES = 256 * 1024
_FORBIDDEN = 403
_NOT_FOUND = 404


def application_pages(services: ApplicationServices) -> Callable[[Pages], Router]:
    """Return what makes the pages: for `create_web_router(more=...)`."""
    def make(pages: Pages) -> Router:
        pages.offer(applications=True)

        def refused(request: PageRequest, error: Exception) -> Response[str]:
            return pages.answer("applications/refused.html", "applications", _FORBIDDEN, viewer=_viewer(request),
                                detail=getattr(error, "detail", ""))

        def missing(request: PageRequest, _error: Exception) -> Response[str]:
            return pages.answer("missing.html", "applications", _NOT_FOUND, viewer=_viewer(request))

        return Router(
            path="/", include_in_schema=False, request_max_body_size=_MOST_BODY_BYTES,
            route_handlers=[owner_router(), directory_router(), installed_router()],
            dependencies={"pages": Provide(lambda: pages, sync_to_thread=False),
                          "apps": Provide(lambda: services, sync_to_thread=False)},
            exception_handlers={ForgedFormError: refused, PermissionDeniedError: refused,
                                **form_refusals(pages, "applications", _viewer),
                                UnknownApplicationError: missing, UnknownSubmissionError: missing,
                                NotInstalledError: missing, UnknownMemberError: missing})

    return make


def _viewer(request: PageRequest) -> SignedIn | None:
    """Return who was found to be signed in before the refusal: an exception handler cannot wait for the database."""
    found = request.scope["state"].get("makola_signed_in")
    return found if isinstance(found, SignedIn) else None
