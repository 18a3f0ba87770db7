"""What is answered to a form that cannot be read: a page, for a person has sent it."""

from collections.abc import Callable

from litestar import Request, Response
from litestar.datastructures import State
from litestar.types import ExceptionHandlersMap

from makola.web import failures
from makola.web.form_data import FormTooLargeError, UnreadableFormError
from makola.web.pages import Pages
from makola.web.people.signed_in import SignedIn

_Request = Request[object, object, State]


def _nobody(_request: _Request) -> None:
    return None


def form_refusals(pages: Pages, here: str,
                  viewer: Callable[[_Request], SignedIn | None] = _nobody) -> ExceptionHandlersMap:
    """Return the exception handlers of a router that takes forms.

    Args:
        pages: the templates.
        here: the page that the navigation marks.
        viewer: says who is known to be signed in.
    """
    def unreadable(request: _Request, error: UnreadableFormError) -> Response[str]:
        return pages.answer("people/unreadable.html", here, error.status_code, viewer=viewer(request),
                            detail=error.detail)

    def too_large(request: _Request, error: Exception) -> Response[str] | Response[dict[str, object]]:
        return (unreadable(request, error) if isinstance(error, FormTooLargeError)
                else failures.too_large(request, error))

    return {UnreadableFormError: unreadable, 413: too_large}
