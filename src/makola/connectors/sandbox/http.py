"""The control of the virtual operator over HTTP. It knows no credentials: it is for a sandbox."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath
from litestar.response import Stream

from makola.connectors.sandbox import errors
from makola.connectors.sandbox.feed import Feed
from makola.connectors.sandbox.handsets import KEEP, Handsets, Kept
from makola.connectors.sandbox.schemas import (
    ErrorView,
    HandsetChange,
    HandsetView,
    MessageView,
    NewHandset,
    NewMessage,
    OperatorChange,
    OperatorView,
    read_status,
    view_handset,
    view_message,
    view_operator,
)
from makola.connectors.sandbox.types import OperatorDefaults
from makola.kit.database import Database, WakeUps
from makola.kit.errors import DomainError

_BODY_BYTES_AT_MOST = 65_536
_MESSAGES_AT_MOST = 1_000
_JSON = "application/json"
_STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

_STATUSES = {
    errors.InvalidInputError: HTTPStatus.BAD_REQUEST,
    errors.HandsetNotFoundError: HTTPStatus.NOT_FOUND,
    errors.HandsetExistsError: HTTPStatus.CONFLICT,
    errors.TooManyHandsetsError: HTTPStatus.CONFLICT,
    errors.HandsetCannotSendError: HTTPStatus.CONFLICT,
    errors.TooManyStreamsError: HTTPStatus.SERVICE_UNAVAILABLE,
}

_Body = TypeVar("_Body")
_Request = Request[object, object, State]


class _RefusedRequestError(Exception):
    """A request that is refused before it reaches a use case."""

    def __init__(self, status: HTTPStatus, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class _Services:
    handsets: Handsets
    feed: Feed


def create_sandbox_router(database: Database, wake_ups: WakeUps, stopping: asyncio.Event,
                          defaults: OperatorDefaults | None = None, *, heartbeat_s: float = 15.0) -> Router:
    """Return the routes under `/sandbox`.

    Args:
        database: where the operator keeps its tables.
        wake_ups: listens on `CHANNELS`.
        stopping: set when the process drains; event streams end then.
        defaults: how the operator behaves where nobody said otherwise; the same as the connector's.
        heartbeat_s: after how long a silent event stream says that it lives.
    """
    services = _Services(Handsets(database, defaults),
                         Feed(database, wake_ups, stopping, defaults, heartbeat_s=heartbeat_s))
    return Router(
        path="/sandbox",
        route_handlers=[list_handsets, create_handset, get_handset, change_handset, delete_handset, list_messages,
                        send_message, clear_messages, handset_events, all_events, get_operator, change_operator],
        dependencies={"services": Provide(lambda: services, sync_to_thread=False)},
        guards=[_refuse_other_sites],
        exception_handlers={DomainError: _answer_refusal, _RefusedRequestError: _answer_bad_request,
                            HTTPException: _answer_http_error},
        request_max_body_size=_BODY_BYTES_AT_MOST,
        include_in_schema=False,
        response_headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )


@get("/handsets")
async def list_handsets(services: NamedDependency[_Services]) -> dict[str, list[HandsetView]]:
    """Answer with every handset."""
    return {"handsets": [view_handset(handset) for handset in await services.handsets.all()]}


@post("/handsets")
async def create_handset(services: NamedDependency[_Services], request: _Request) -> Response[HandsetView]:
    """Make a handset."""
    body = await _body(request, NewHandset)
    handset = await services.handsets.create(number=body.number, network_id=body.network_id, name=body.name)
    return Response(view_handset(handset), status_code=201,
                    headers={"Location": f"/sandbox/handsets/{handset.number}"})


@get("/handsets/{number:str}")
async def get_handset(services: NamedDependency[_Services], number: FromPath[str]) -> HandsetView:
    """Answer with one handset."""
    return view_handset(await services.handsets.get(number))


@patch("/handsets/{number:str}")
async def change_handset(services: NamedDependency[_Services], request: _Request, number: FromPath[str]) -> HandsetView:
    """Change a handset: switch it off, fill its memory, make the operator refuse its messages."""
    body = await _body(request, HandsetChange)
    return view_handset(await services.handsets.change(
        number, name=_given(body.name), state=_given(body.state), deferral=_given(body.deferral),
        refusal=read_status(body.refusal, "refusal"),
        receipt_status=read_status(body.receipt_status, "receipt_status")))


@delete("/handsets/{number:str}")
async def delete_handset(services: NamedDependency[_Services], number: FromPath[str]) -> None:
    """Remove a handset and what is on it."""
    await services.handsets.delete(number)


@get("/handsets/{number:str}/messages")
async def list_messages(services: NamedDependency[_Services], request: _Request,
                        number: FromPath[str]) -> dict[str, list[MessageView]]:
    """Answer with messages of a number: those after an id, or the newest; oldest first."""
    after = _integer(request, "after", 0, 2**63 - 1)
    limit = _integer(request, "limit", 1, _MESSAGES_AT_MOST)
    found = await services.handsets.messages(number, after=after, limit=limit or 100)
    return {"messages": [view_message(message) for message in found]}


@post("/handsets/{number:str}/messages")
async def send_message(services: NamedDependency[_Services], request: _Request, number: FromPath[str]) -> MessageView:
    """Send an SMS from a handset."""
    body = await _body(request, NewMessage)
    return view_message(await services.handsets.send(number, recipient=body.to, content=body.content))


@delete("/handsets/{number:str}/messages")
async def clear_messages(services: NamedDependency[_Services], number: FromPath[str]) -> None:
    """Delete every message of a number."""
    await services.handsets.clear(number)


@get("/handsets/{number:str}/events")
async def handset_events(services: NamedDependency[_Services], request: _Request, number: FromPath[str]) -> Stream:
    """Stream what happens on one handset."""
    handset = await services.handsets.get(number)
    return _stream(services.feed.stream(handset.number, _resume_after(request)))


@get("/events")
async def all_events(services: NamedDependency[_Services], request: _Request) -> Stream:
    """Stream what happens on all handsets: one connection for a page that shows several."""
    return _stream(services.feed.stream(None, _resume_after(request)))


@get("/operator")
async def get_operator(services: NamedDependency[_Services]) -> OperatorView:
    """Answer with how the operator behaves now."""
    return view_operator(await services.handsets.operator())


@patch("/operator")
async def change_operator(services: NamedDependency[_Services], request: _Request) -> OperatorView:
    """Take the operator down, bring it up, make it slower or faster."""
    body = await _body(request, OperatorChange)
    return view_operator(await services.handsets.change_operator(
        available=body.available, delivery_delay_ms=body.delivery_delay_ms, buffer_expiry_s=body.buffer_expiry_s))


def _stream(events: AsyncIterator[bytes]) -> Stream:
    return Stream(events, media_type="text/event-stream", headers=_STREAM_HEADERS)


def _given(value: _Body | msgspec.UnsetType) -> _Body | Kept:
    return KEEP if isinstance(value, msgspec.UnsetType) else value


async def _body(request: _Request, shape: type[_Body]) -> _Body:
    try:
        return msgspec.json.decode(await request.body(), type=shape)
    except msgspec.ValidationError as error:
        detail, _, path = str(error).partition(" - at `$.")
        raise errors.InvalidInputError(detail, field=path.rstrip("`")) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.InvalidInputError(f"the body is not valid JSON: {error}") from error


def _integer(request: _Request, name: str, least: int, most: int) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) <= most):
        raise errors.InvalidInputError(f"must be a whole number from {least} to {most}", field=name)
    return int(text)


def _resume_after(request: _Request) -> int | None:
    """The header wins: a browser that reconnects repeats the query it began with."""
    last = request.headers.get("last-event-id", "")
    if last.isascii() and last.isdecimal() and len(last) < 19:
        return int(last)
    return _integer(request, "after", 0, 2**63 - 1)


def _refuse_other_sites(connection: ASGIConnection[BaseRouteHandler, object, object, State],
                        _handler: BaseRouteHandler) -> None:
    """Let only this site's pages change anything: a form of another site can send neither JSON nor our Origin."""
    if not isinstance(connection, Request) or connection.method in {"GET", "HEAD", "OPTIONS"}:
        return
    origin = connection.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != connection.headers.get("host", "").lower():
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
