"""Who is signed in, for every page: the session of the request's cookie, and the forms that only it may send.

    viewer = await signed_in(request)
    if viewer is None:
        return sign_in_redirect(request)
    form = await read_form(request)
    check_csrf(form, viewer)            # in each POST; the form has {{ csrf_field(viewer.session.csrf_token) }}
    return pages.answer("page.html", "page", viewer=viewer)

`viewer.actor` is who the person acts as now: for the organisation that the session was switched to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hmac import compare_digest
from typing import TYPE_CHECKING
from urllib.parse import quote

from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import PermissionDeniedException

from makola.core.identity.sessions import NewSession, csrf_token
from makola.core.identity.types import SignInSession, User
from makola.core.organisations.types import Actor
from makola.web.form_data import read_form_data
from makola.web.people.own_path import own_path

if TYPE_CHECKING:
    from makola.web.people.services import PeopleServices

#: Where the services of these pages are kept in the application's state.
STATE_NAME = "people"
CSRF_FIELD = "csrf_token"

_Request = Request[object, object, State]
_MOST_FIELDS = 64
_REMEMBERED = "makola_signed_in"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person, their session, and whom they act for.

    Attributes:
        actor: application 0, no scopes: whatever the person may do for `session.organisation_id`.
        organisation_name: of the organisation acted for.
    """

    session: SignInSession
    user: User
    actor: Actor
    organisation_name: str


class ForgedFormError(PermissionDeniedException):
    """A form came without the token of its session: from another site, or from a page that is too old."""

    detail = "This form is too old, or came from elsewhere. Go back, load the page again, and repeat it."


async def signed_in(request: _Request) -> SignedIn | None:
    """Return who sent a request; None for nobody, or somebody who may not act any more."""
    services: PeopleServices | None = request.app.state.get(STATE_NAME)
    if services is None:
        return None
    if _REMEMBERED not in request.scope["state"]:
        request.scope["state"][_REMEMBERED] = await services.viewer_of(request)
    found: SignedIn | None = request.scope["state"][_REMEMBERED]
    return found


def sign_in_redirect(request: _Request, *, again: bool = False, next_path: str | None = None) -> Response[str]:
    """Send a browser to the sign-in page, and back here afterwards.

    Args:
        request: which page to come back to.
        again: ask for the password even of somebody who is signed in (OpenID Connect `max_age`, `prompt=login`).
        next_path: another page to come back to; a path of ours, with its query.
    """
    # Not from `request.url`, which needs a Host header and a query that can be read; `own_path` takes what is left.
    query = request.scope["query_string"].decode("latin-1")
    here = request.scope["root_path"] + request.scope["path"] + (f"?{query}" if query else "")
    target = own_path(next_path if next_path is not None else here)
    return see_other(f"/sign-in?next={quote(target, safe='/')}" + ("&again=1" if again else ""))


def see_other(path: str) -> Response[str]:
    """Send a browser to a page of ours, after a form or instead of a page."""
    return Response("", status_code=303, headers={"Location": path, "Cache-Control": "no-store"})


def renewed(viewer: SignedIn, session: NewSession) -> SignedIn:
    """Return who is signed in under a session's new token, for a page that is answered with it."""
    return replace(viewer, session=replace(viewer.session, csrf_token=csrf_token(session.token)))


async def read_form(request: _Request) -> Mapping[str, str]:
    """Return a form's text fields without NUL, which no field has a use for; of several of one name the last.

    Raises:
        UnreadableFormError: it cannot be read, or is too large; the answer is 400 or 413.
    """
    data = await read_form_data(request)
    fields = list(data.multi_items())[:_MOST_FIELDS]
    return {name: value.replace("\0", "") for name, value in fields if isinstance(value, str)}


def check_csrf(form: Mapping[str, str], viewer: SignedIn) -> None:
    """Refuse a form that was not made for this session.

    Raises:
        ForgedFormError: it was not; the answer is 403.
    """
    given = form.get(CSRF_FIELD, "")
    if not compare_digest(given.encode("utf-8", "surrogatepass"), viewer.session.csrf_token.encode()):
        raise ForgedFormError
