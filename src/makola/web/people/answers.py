"""Answers that several of these pages give."""

import json
from collections.abc import Mapping

from litestar import Response

from makola.core.identity.errors import PasswordRefusedError, TooBusyError, TooManyAttemptsError
from makola.kit.errors import DomainError
from makola.web.pages import Pages
from makola.web.people.signed_in import SignedIn, see_other

_UNPROCESSABLE = 422
_TOO_MANY = 429
_BUSY = 503
_BUSY_RETRY_S = 3
#: Pages there answer with a redirect to another site.
_LEADS_ELSEWHERE = "/oauth"


def form_page(pages: Pages, template: str, here: str, error: DomainError | None, *, viewer: SignedIn | None = None,
                 **values: object) -> Response[str]:
    """Render a page with a form, and with what was wrong where something was."""
    answer = pages.answer(template, here, _status(error), viewer=viewer, error=error, wait=_wait(error), **values)
    answer.headers["Cache-Control"] = "no-store"
    _retry_after(answer, error)
    return answer


def refused_json(error: DomainError) -> Response[str]:
    """Answer a script of ours."""
    answer = Response(json.dumps({"error": error.code, "detail": error.detail}), status_code=_status(error),
                      media_type="application/json", headers={"Cache-Control": "no-store"})
    _retry_after(answer, error)
    return answer


def to_next(pages: Pages, target: str) -> Response[str]:
    """Send a browser on after a form.

    Where the page ahead may redirect to another site, a page in between does it: the rule that a form is sent to us
    only (Content-Security-Policy `form-action`) holds for every redirect that follows the form, and would stop it.
    """
    if target.startswith(_LEADS_ELSEWHERE):
        answer = pages.answer("people/onward.html", "sign-in", target=target)
        answer.headers["Cache-Control"] = "no-store"
        return answer
    return see_other(target)


def chosen_password(form: Mapping[str, str]) -> str:
    """Return the password that somebody chose and typed twice.

    Raises:
        PasswordRefusedError: the two are not the same.
    """
    if form.get("password") != form.get("repeated"):
        raise PasswordRefusedError("The two passwords are not the same.", field="repeated")
    return form.get("password", "")


def _status(error: DomainError | None) -> int:
    if error is None:
        return 200
    return {TooManyAttemptsError: _TOO_MANY, TooBusyError: _BUSY}.get(type(error), _UNPROCESSABLE)


def _retry_after(answer: Response[str], error: DomainError | None) -> None:
    if isinstance(error, TooManyAttemptsError):
        answer.headers["Retry-After"] = str(error.retry_after_s)
    elif isinstance(error, TooBusyError):
        answer.headers["Retry-After"] = str(_BUSY_RETRY_S)


def _wait(error: DomainError | None) -> str:
    """Return in words how long one must wait; empty when not."""
    if not isinstance(error, TooManyAttemptsError):
        return ""
    if error.retry_after_s < 90:
        return f"{error.retry_after_s} second{'s' if error.retry_after_s != 1 else ''}"
    return f"{-(-error.retry_after_s // 60)} minutes"
