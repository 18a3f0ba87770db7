"""Answers that leave these pages: to an application, or a page that says why not."""

from urllib.parse import urlsplit

from litestar import Response

from makola.core.oauth.errors import OAuthError
from makola.web.pages import Pages
from makola.web.people.signed_in import SignedIn

_BAD_REQUEST = 400
_FORM_ACTION = "form-action 'self'"


def leave(address: str) -> Response[str]:
    """Send the browser to an address that was checked. It goes in the header as it is, character by character."""
    return Response("", status_code=303, media_type="text/plain", headers={
        "Location": address, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def refusal_page(pages: Pages, error: OAuthError, viewer: SignedIn | None) -> Response[str]:
    """Say to the person what is wrong: the application's address is not known to be its own."""
    answer = pages.answer("consent/refused.html", "consent", _BAD_REQUEST, viewer=viewer, error=error)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def may_lead_to(answer: Response[str], address: str) -> Response[str]:
    """Let the forms of a page end at an application: browsers hold redirects after a form to `form-action` too."""
    parts = urlsplit(address)
    source = f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else f"{parts.scheme}:"
    if set(source) & set(" ;,'\""):  # no registered address has these; here they would end the directive
        return answer
    policy = answer.headers["Content-Security-Policy"]
    answer.headers["Content-Security-Policy"] = policy.replace(_FORM_ACTION, f"{_FORM_ACTION} {source}")
    answer.headers["Cache-Control"] = "no-store"
    return answer
