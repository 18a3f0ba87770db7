"""What every route of the virtual operator's control shares: how it reads a body, whom it refuses, how it says so."""

from http import HTTPStatus
from typing import TypeVar

import msgspec
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.types import ExceptionHandlersMap

from makola.connectors.sandbox import errors
from makola.connectors.sandbox.schemas import ErrorView
from makola.kit.errors import DomainError
from makola.kit.origins import is_origin_of

BODY_BYTES_AT_MOST = 65_536
RESPONSE_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_JSON = "application/json"

_STATUSES = {
    errors.InvalidInputError: HTTPStatus.BAD_REQUEST,
    errors.HandsetNotFoundError: HTTPStatus.NOT_FOUND,
    errors.HandsetExistsError: HTTPStatus.CONFLICT,
    errors.TooManyHandsetsError: HTTPStatus.CONFLICT,
    errors.HandsetCannotSendError: HTTPStatus.CONFLICT,
    errors.TooManyStreamsError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.PromptNotFoundError: HTTPStatus.NOT_FOUND,
    errors.PromptClosedError: HTTPStatus.CONFLICT,
    errors.NoUssdSessionError: HTTPStatus.CONFLICT,
}

_Body = TypeVar("_Body")
SandboxRequest = Request[object, object, State]


class _RefusedRequestError(Exception):
    """A request that is refused before it reaches a use case."""

    def __init__(self, status: HTTPStatus, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


async def read_body(request: SandboxRequest, shape: type[_Body]) -> _Body:
    """Return the JSON body as `shape`.

    Raises:
        InvalidInputError: it is something else; the error names the field.
    """
    try:
        return msgspec.json.decode(await request.body(), type=shape)
    except msgspec.ValidationError as error:
        detail, _, path = str(error).partition(" - at `$.")
        raise errors.InvalidInputError(detail, field=path.rstrip("`")) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.InvalidInputError(f"the body is not valid JSON: {error}") from error


def read_integer(request: SandboxRequest, name: str, least: int, most: int) -> int | None:
    """Return a whole number of the query; None where it is left out.

    Raises:
        InvalidInputError: it is out of its range, or no number.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) <= most):
        raise errors.InvalidInputError(f"must be a whole number from {least} to {most}", field=name)
    return int(text)


async def refuse_other_sites(connection: ASGIConnection[BaseRouteHandler, object, object, State],
                             _handler: BaseRouteHandler) -> None:
    """Let only this site's pages change anything: a form of another site can send neither JSON nor our Origin.

    It waits for nothing; the framework would run it in a thread of its own if it were no coroutine.
    """
    if not isinstance(connection, Request) or connection.method in {"GET", "HEAD", "OPTIONS"}:
        return
    origin = connection.headers.get("origin")
    if origin is not None and not is_origin_of(origin, connection.headers.get("host", "")):
        raise _RefusedRequestError(HTTPStatus.FORBIDDEN, "other_origin", "this is not for pages of another site")
    content_type = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if connection.method != "DELETE" and content_type != _JSON:
        raise _RefusedRequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not_json", f"send {_JSON}")


def _answer(status: int, error: str, detail: str, field: str = "") -> Response[ErrorView]:
    return Response(ErrorView(error, detail, field), status_code=status, media_type=_JSON,
                    headers={"Cache-Control": "no-store"})


def _answer_refusal(_request: Request[object, object, State], error: DomainError) -> Response[ErrorView]:
    return _answer(_STATUSES.get(type(error), HTTPStatus.BAD_REQUEST), error.code, error.detail, error.field)


def _answer_bad_request(_request: Request[object, object, State],
                        error: _RefusedRequestError) -> Response[ErrorView]:
    return _answer(error.status, error.code, error.detail)


def _answer_http_error(_request: Request[object, object, State], error: HTTPException) -> Response[ErrorView]:
    code = HTTPStatus(error.status_code).name.lower()
    return _answer(error.status_code, code, error.detail)


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    DomainError: _answer_refusal, _RefusedRequestError: _answer_bad_request, HTTPException: _answer_http_error}
