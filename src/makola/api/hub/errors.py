"""The Hub API's errors: the core's codes as HTTP statuses, and every body as RFC 9457 problem details."""

from collections.abc import Sequence

import msgspec
import structlog
from litestar import Response
from litestar.connection import Request
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from makola.api.common.asgi import Answer, BodyTooLargeError
from makola.api.common.credentials import NotAuthenticatedError
from makola.core.ordering.errors import InvalidContentError
from makola.kit.database import OUTAGE
from makola.kit.errors import DomainError

_log = structlog.get_logger(__name__)

#: Core code -> HTTP status. Each domain's codes stand together; a code that is not here answers 400.
_TABLE: dict[str, int] = {
    # organisations, identity, applications
    "permission_denied": 403,
    "no_credit_account": 403,
    "no_user": 403,
    "unknown_organisation": 404,
    "unknown_address": 404,
    "unknown_user": 404,
    "unknown_role": 404,
    "unknown_client": 404,
    "unknown_emulation": 404,
    "unknown_application": 404,
    "unknown_secret": 404,
    "not_installed": 404,
    "unknown_submission": 404,
    "submission_decided": 409,
    "email_taken": 409,
    "role_name_taken": 409,
    "invalid_move": 409,
    # catalogue
    "unknown_price_rule": 404,
    # ordering
    "unknown_basket": 404,
    "unknown_order": 404,
    "unknown_shipping_type": 404,
    "basket_ordered": 409,
    "duplicate_purchase_order": 409,
    "wrong_order_state": 409,
    "request_key_reused": 409,
    # conventions
    "not_found": 404,
    "method_not_allowed": 405,
    "body_too_large": 413,
    "unsupported_media_type": 415,
    "failed": 500,
}

_TITLES = {400: "Bad request", 401: "Not authenticated", 403: "Permission denied", 404: "Not found",
           405: "Method not allowed", 409: "Conflict", 413: "Body too large", 415: "Unsupported media type",
           422: "Refused", 429: "Too many requests", 500: "Failed", 503: "Unavailable"}

_MEDIA_TYPE = "application/problem+json"


class FieldError(msgspec.Struct):
    """One field that is at fault, and why."""

    field: str
    message: str


class Problem(msgspec.Struct, omit_defaults=True):
    """Problem details, RFC 9457. `errors` names the fields of the query or the body that are at fault."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


class HubError(DomainError):
    """A refusal that this family makes itself, before the core is asked."""

    def __init__(self, code: str, detail: str, *, field: str = "", errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail, field=field)
        self.own_code = code
        self.errors = errors


def refused(field: str, message: str) -> HubError:
    """Return the 400 that names one field of the query or the body."""
    return HubError("invalid_request", f"{field}: {message}", errors=[FieldError(field, message)])


def problem_of(error: Exception) -> tuple[Problem, dict[str, str]]:
    """Return what to answer to an error, and the headers of the answer."""
    if isinstance(error, DomainError):
        return _of_domain_error(error), {}
    if isinstance(error, NotAuthenticatedError):
        challenge = 'Bearer realm="Makola"' + (', error="invalid_token"' if error.given else "")
        return _problem("not_authenticated", 401, str(error)), {"WWW-Authenticate": challenge}
    if isinstance(error, BodyTooLargeError):
        return _problem("body_too_large", 413, "The body is larger than this server reads."), {}
    if isinstance(error, HTTPException):
        return _of_http_exception(error)
    if isinstance(error, OUTAGE):
        return _problem("unavailable", 503, "The database cannot be reached; nothing was done."), {"Retry-After": "1"}
    _log.error("request_failed", exc_info=error)
    return _problem("failed", 500, "The request failed on the server."), {}


def answer_to(error: Exception) -> Answer:
    """Return the answer to an error, for a handler that stands outside Litestar."""
    problem, headers = problem_of(error)
    return Answer(problem.status, msgspec.json.encode(problem),
                  [(name.lower().encode(), value.encode()) for name, value in headers.items()], _MEDIA_TYPE.encode())


def response_to(_request: Request[object, object, State], error: Exception) -> Response[Problem]:
    """Return the answer to an error, for Litestar."""
    problem, headers = problem_of(error)
    return Response(problem, status_code=problem.status, headers=headers, media_type=_MEDIA_TYPE)


def _of_domain_error(error: DomainError) -> Problem:
    if isinstance(error, HubError):
        return _problem(error.own_code, _TABLE.get(error.own_code, 400), error.detail, error.errors)
    if isinstance(error, InvalidContentError):
        return _problem(error.code, 400, f"{error.field}: {error.detail}",
                        [FieldError(field, message) for field, message in error.problems])
    errors = [FieldError(error.field, error.detail)] if error.field else []
    return _problem(error.code, _TABLE.get(error.code, 400), error.detail, errors)


def _of_http_exception(error: HTTPException) -> tuple[Problem, dict[str, str]]:
    known = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
    code = known.get(error.status_code, "invalid_request")
    detail = {404: "There is no such resource.", 405: "This method is not allowed here.",
              413: "The body is larger than this server reads."}.get(error.status_code, error.detail)
    return (_problem(code if error.status_code < 500 else "failed", error.status_code, detail),
            {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"})


def _problem(code: str, status: int, detail: str, errors: Sequence[FieldError] = ()) -> Problem:
    return Problem(f"urn:makola:problem:{code.replace('_', '-')}", _TITLES.get(status, "Refused"), status, detail,
                   list(errors))
