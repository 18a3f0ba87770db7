"""`/ussd`: the log of sessions with live follow and replay, and the codes that can be dialled.

Who is signed in sees the sessions of the organisation they act for and of those below it, and needs the permissions of
who looks after programs: `client:view` to look, `client:change` to replay and to send a code elsewhere. Where there is
the demonstration world, whoever asks without signing in sees every session, as on `/callbacks`: it is served under the
server's own names only.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from makola.core.organisations.errors import PermissionDeniedError
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.core.ussd.asking import Applications
from makola.core.ussd.errors import UnknownServiceError, UnknownSessionError, UnknownStepError
from makola.core.ussd.queries import count_sessions, get_session, list_failures, list_services, list_sessions
from makola.core.ussd.service.replay import ReplayState, replay_step
from makola.core.ussd.types import ErrorCode, OperatorError, Service
from makola.kit.clock import now
from makola.kit.database import Database
from makola.kit.errors import DomainError
from makola.kit.ids import parse_id
from makola.kit.origins import is_origin_of
from makola.web.pages import Pages
from makola.web.people.signed_in import sign_in_redirect, signed_in
from makola.web.ussd.follow import Follow
from makola.web.ussd.views import replay_steps, view_failure, view_replayed, view_service, view_session

_PAGE = 25
_ERRORS_SHOWN = 20
_ERRORS = frozenset({*ErrorCode, *OperatorError})
_COUNTED = timedelta(days=1)
_BODY_BYTES_AT_MOST = 16_384
_STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_STATUSES = {UnknownSessionError.code: 404, UnknownServiceError.code: 404, UnknownStepError.code: 404,
             PermissionDeniedError.code: 403}

_Request = Request[object, object, State]
_Body = TypeVar("_Body")

#: Sends a code (`*714#`) to an application's URL, as who is signed in, or nobody in the demonstration world.
MapCode = Callable[[Actor | None, str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Parts:
    pages: Pages
    database: Database
    applications: Applications
    follow: Follow
    map_code: MapCode
    demo: bool


class _RefusedError(Exception):
    """A request that is refused before it reaches a use case."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class _State(msgspec.Struct):
    session_id: str
    sequence: int
    client_state: str | None
    private: bool


class _Replay(msgspec.Struct):
    position: int
    state: _State | None = None
    typed: str | None = None


class _Mapping(msgspec.Struct):
    code: str
    url: str


def create_ussd_router(pages: Pages, database: Database, applications: Applications, map_code: MapCode,
                       stopping: asyncio.Event, *, demo: bool) -> Router:
    """Return `/ussd` and what its page and the handsets ask of it.

    Args:
        pages: the templates.
        database: where sessions are recorded.
        applications: asks applications, for replays.
        map_code: changes where a code goes.
        stopping: set when the process drains; event streams end then.
        demo: True where the demonstration world shows everything to whoever asks.
    """
    pages.offer(ussd=True)
    parts = _Parts(pages, database, applications, Follow(database, stopping), map_code, demo)
    return Router(
        path="/ussd", route_handlers=[sessions, one_session, events, replay_plan, replay, services, change_service],
        dependencies={"parts": Provide(lambda: parts, sync_to_thread=False)}, include_in_schema=False,
        request_max_body_size=_BODY_BYTES_AT_MOST,
        exception_handlers={_RefusedError: _answer_refused, DomainError: _answer_domain_error})


@get("/")
async def sessions(parts: NamedDependency[_Parts], request: _Request, before: FromQuery[str] = "",
                   service: FromQuery[int | None] = None, error: FromQuery[str] = "") -> Response[str]:
    """The newest sessions, or those older than `before`; of one service, or with one error, alone."""
    viewer = await signed_in(request)
    if viewer is None and not parts.demo:
        return sign_in_redirect(request)
    if viewer is not None and not viewer.actor.may(Permission.CLIENT_VIEW):
        return parts.pages.answer("missing.html", "ussd", 403, viewer=viewer)
    scope = await _scope(parts, request)
    error = error if error in _ERRORS else ""
    found = await list_sessions(parts.database, organisation_ids=scope, service_id=service, error=error,
                                limit=_PAGE + 1, before=parse_id(before))
    failures = await list_failures(parts.database, organisation_ids=scope, service_id=service, code=error,
                                   since=now() - _COUNTED, limit=_ERRORS_SHOWN)
    counts = await count_sessions(parts.database, organisation_ids=scope, since=now() - _COUNTED)
    offered = await list_services(parts.database, organisation_ids=scope)
    return parts.pages.answer(
        "ussd.html", "ussd", viewer=viewer, sessions=[view_session(each) for each in found[:_PAGE]],
        services=[view_service(each, counts.get(each.service_id)) for each in offered], service=service,
        failures=[view_failure(each) for each in failures], error=error,
        counted=sum(count for service_id, each in counts.items() if service in {None, service_id}
                    for code, count in each.errors.items() if error in {"", code}), errors_shown=_ERRORS_SHOWN,
        older=found[_PAGE - 1].session.session_id.hex if len(found) > _PAGE else "", first=not before, one=False)


@get("/sessions/{session_id:str}")
async def one_session(parts: NamedDependency[_Parts], request: _Request, session_id: FromPath[str]) -> Response[str]:
    """One session."""
    viewer = await signed_in(request)
    if viewer is None and not parts.demo:
        return sign_in_redirect(request)
    try:
        history = await get_session(parts.database, parse_id(session_id) or UUID(int=0),
                                    organisation_ids=await _scope(parts, request))
    except (UnknownSessionError, PermissionDeniedError):
        return parts.pages.answer("missing.html", "ussd", 404, viewer=viewer)
    return parts.pages.answer("ussd.html", "ussd", viewer=viewer, sessions=[view_session(history)], services=[],
                              failures=[], error="", service=None, older="", first=False, one=True)


@get("/events")
async def events(parts: NamedDependency[_Parts], request: _Request) -> Stream:
    """Stream which sessions change."""
    scope = await _scope(parts, request)
    if parts.follow.is_full:
        raise _RefusedError(503, "too many event streams are open already")
    return Stream(parts.follow.events(scope), media_type="text/event-stream", headers=_STREAM_HEADERS)


@get("/sessions/{session_id:str}/replay")
async def replay_plan(parts: NamedDependency[_Parts], request: _Request,
                      session_id: FromPath[str]) -> dict[str, object]:
    """The steps that a replay of this session has."""
    history = await get_session(parts.database, _session_id(session_id),
                                organisation_ids=await _scope(parts, request))
    return {"steps": replay_steps(history)}


@post("/sessions/{session_id:str}/replay", status_code=200)
async def replay(parts: NamedDependency[_Parts], request: _Request, session_id: FromPath[str]) -> dict[str, object]:
    """Put one step of a recorded session to the application again."""
    scope = await _scope(parts, request, Permission.CLIENT_CHANGE)
    body = await _body(request, _Replay)
    history = await get_session(parts.database, _session_id(session_id), organisation_ids=scope)
    service = await _service_of(parts, history.session.service_id, history.session.organisation_id)
    step = next((each for each in history.steps if each.position == body.position), history.steps[0])
    replayed = await replay_step(parts.applications, service, history, body.position, state=_state(body.state),
                                 typed=body.typed)
    return view_replayed(replayed, step)


@get("/services")
async def services(parts: NamedDependency[_Parts], request: _Request) -> dict[str, object]:
    """The codes that can be dialled, for the handsets."""
    return await _services(parts, request)


@post("/services", status_code=200)
async def change_service(parts: NamedDependency[_Parts], request: _Request) -> dict[str, object]:
    """Send a code to an application."""
    await _scope(parts, request, Permission.CLIENT_CHANGE)
    viewer = await signed_in(request)
    body = await _body(request, _Mapping)
    await parts.map_code(viewer.actor if viewer else None, body.code.strip(), body.url.strip())
    return await _services(parts, request)


async def _services(parts: _Parts, request: _Request) -> dict[str, object]:
    found = await list_services(parts.database, organisation_ids=await _scope(parts, request))
    return {"services": [{"code": each.code, "dial": f"*{each.code}#", "name": each.name, "url": each.url}
                         for each in found if each.enabled]}


async def _scope(parts: _Parts, request: _Request,
                 permission: Permission = Permission.CLIENT_VIEW) -> tuple[int, ...] | None:
    """Return whose sessions a request may see, and do `permission` to; None for everybody's."""
    viewer = await signed_in(request)
    if viewer is not None:
        viewer.actor.require(permission)
        return (viewer.actor.organisation_id,)
    if parts.demo:
        return None
    raise _RefusedError(401, "sign in first")


async def _service_of(parts: _Parts, service_id: int, organisation_id: int) -> Service:
    for service in await list_services(parts.database, organisation_ids=(organisation_id,)):
        if service.service_id == service_id:
            return service
    raise UnknownServiceError("The service of this session was removed.")


def _session_id(text: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise UnknownSessionError("There is no such session.")
    return found


def _state(given: _State | None) -> ReplayState | None:
    if given is None:
        return None
    session_id = parse_id(given.session_id)
    if session_id is None or not 0 < given.sequence < 10_000:
        raise _RefusedError(400, "the state is none of ours")
    return ReplayState(session_id, given.sequence, given.client_state, given.private)


async def _body(request: _Request, shape: type[_Body]) -> _Body:
    """Read a body of JSON that comes from this site: a form of another site can send neither."""
    origin = request.headers.get("origin")
    if origin is not None and not is_origin_of(origin, request.headers.get("host", "")):
        raise _RefusedError(403, "this is not for pages of another site")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _RefusedError(415, "send application/json")
    try:
        return msgspec.json.decode(await request.body(), type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _RefusedError(400, f"the body cannot be read: {error}") from error


def _answer_refused(_request: _Request, error: _RefusedError) -> Response[dict[str, str]]:
    return Response({"error": "refused", "detail": error.detail}, status_code=error.status)


def _answer_domain_error(_request: _Request, error: DomainError) -> Response[dict[str, str]]:
    return Response({"error": error.code, "detail": error.detail, "field": error.field},
                    status_code=_STATUSES.get(error.code, 400))
