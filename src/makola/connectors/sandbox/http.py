"""The control of the virtual operator over HTTP. It knows no credentials: it is for a sandbox."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from litestar import Response, Router, delete, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Stream

from makola.connectors.sandbox import ussd_http, wallet_http
from makola.connectors.sandbox.feed import Feed
from makola.connectors.sandbox.handsets import KEEP, Handsets, Kept
from makola.connectors.sandbox.http_parts import (
    BODY_BYTES_AT_MOST,
    EXCEPTION_HANDLERS,
    RESPONSE_HEADERS,
    SandboxRequest,
    read_body,
    read_integer,
    refuse_other_sites,
)
from makola.connectors.sandbox.schemas import (
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
from makola.connectors.sandbox.ussd import SandboxUssd
from makola.connectors.sandbox.wallets import Wallets
from makola.kit.database import Database, WakeUps

_MESSAGES_AT_MOST = 1_000
_STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

_Body = TypeVar("_Body")


@dataclass(frozen=True, slots=True)
class _Services:
    handsets: Handsets
    feed: Feed


def create_sandbox_router(database: Database, wake_ups: WakeUps, stopping: asyncio.Event,
                          defaults: OperatorDefaults | None = None, *, heartbeat_s: float = 15.0,
                          wallets: Wallets | None = None, ussd: SandboxUssd | None = None) -> Router:
    """Return the routes under `/sandbox`.

    Args:
        database: where the operator keeps its tables.
        wake_ups: listens on `CHANNELS`.
        stopping: set when the process drains; event streams end then.
        defaults: how the operator behaves where nobody said otherwise; the same as the connector's.
        heartbeat_s: after how long a silent event stream says that it lives.
        wallets: of the handsets; by default with what wallets have by default, and telling nobody.
        ussd: of the handsets; without it they cannot dial.
    """
    chosen = wallets or Wallets(database)
    services = _Services(Handsets(database, defaults),
                         Feed(database, wake_ups, stopping, defaults, heartbeat_s=heartbeat_s, wallets=chosen))
    return Router(
        path="/sandbox",
        route_handlers=[list_handsets, create_handset, get_handset, change_handset, delete_handset, list_messages,
                        send_message, clear_messages, handset_events, all_events, get_operator, change_operator,
                        *wallet_http.ROUTES, *(ussd_http.ROUTES if ussd is not None else ())],
        dependencies={"services": Provide(lambda: services, sync_to_thread=False),
                      "wallets": Provide(lambda: chosen, sync_to_thread=False),
                      "ussd": Provide(lambda: ussd, sync_to_thread=False)},
        guards=[refuse_other_sites],
        exception_handlers=EXCEPTION_HANDLERS,
        request_max_body_size=BODY_BYTES_AT_MOST,
        include_in_schema=False,
        response_headers=RESPONSE_HEADERS,
    )


@get("/handsets")
async def list_handsets(services: NamedDependency[_Services]) -> dict[str, list[HandsetView]]:
    """Answer with every handset."""
    return {"handsets": [view_handset(handset) for handset in await services.handsets.all()]}


@post("/handsets")
async def create_handset(services: NamedDependency[_Services], request: SandboxRequest) -> Response[HandsetView]:
    """Make a handset."""
    body = await read_body(request, NewHandset)
    handset = await services.handsets.create(number=body.number, network_id=body.network_id, name=body.name)
    return Response(view_handset(handset), status_code=201,
                    headers={"Location": f"/sandbox/handsets/{handset.number}"})


@get("/handsets/{number:str}")
async def get_handset(services: NamedDependency[_Services], number: FromPath[str]) -> HandsetView:
    """Answer with one handset."""
    return view_handset(await services.handsets.get(number))


@patch("/handsets/{number:str}")
async def change_handset(services: NamedDependency[_Services], request: SandboxRequest,
                         number: FromPath[str]) -> HandsetView:
    """Change a handset: switch it off, fill its memory, make the operator refuse its messages."""
    body = await read_body(request, HandsetChange)
    return view_handset(await services.handsets.change(
        number, name=_given(body.name), state=_given(body.state), deferral=_given(body.deferral),
        refusal=read_status(body.refusal, "refusal"),
        receipt_status=read_status(body.receipt_status, "receipt_status")))


@delete("/handsets/{number:str}")
async def delete_handset(services: NamedDependency[_Services], number: FromPath[str]) -> None:
    """Remove a handset and what is on it."""
    await services.handsets.delete(number)


@get("/handsets/{number:str}/messages")
async def list_messages(services: NamedDependency[_Services], request: SandboxRequest,
                        number: FromPath[str]) -> dict[str, list[MessageView]]:
    """Answer with messages of a number: those after an id, or the newest; oldest first."""
    after = read_integer(request, "after", 0, 2**63 - 1)
    limit = read_integer(request, "limit", 1, _MESSAGES_AT_MOST)
    found = await services.handsets.messages(number, after=after, limit=limit or 100)
    return {"messages": [view_message(message) for message in found]}


@post("/handsets/{number:str}/messages")
async def send_message(services: NamedDependency[_Services], request: SandboxRequest,
                       number: FromPath[str]) -> MessageView:
    """Send an SMS from a handset."""
    body = await read_body(request, NewMessage)
    return view_message(await services.handsets.send(number, recipient=body.to, content=body.content))


@delete("/handsets/{number:str}/messages")
async def clear_messages(services: NamedDependency[_Services], number: FromPath[str]) -> None:
    """Delete every message of a number."""
    await services.handsets.clear(number)


@get("/handsets/{number:str}/events")
async def handset_events(services: NamedDependency[_Services], request: SandboxRequest,
                         number: FromPath[str]) -> Stream:
    """Stream what happens on one handset."""
    handset = await services.handsets.get(number)
    return _stream(services.feed.stream(handset.number, _resume_after(request)))


@get("/events")
async def all_events(services: NamedDependency[_Services], request: SandboxRequest) -> Stream:
    """Stream what happens on all handsets: one connection for a page that shows several."""
    return _stream(services.feed.stream(None, _resume_after(request)))


@get("/operator")
async def get_operator(services: NamedDependency[_Services]) -> OperatorView:
    """Answer with how the operator behaves now."""
    return view_operator(await services.handsets.operator())


@patch("/operator")
async def change_operator(services: NamedDependency[_Services], request: SandboxRequest) -> OperatorView:
    """Take the operator down, bring it up, make it slower or faster."""
    body = await read_body(request, OperatorChange)
    return view_operator(await services.handsets.change_operator(
        available=body.available, delivery_delay_ms=body.delivery_delay_ms, buffer_expiry_s=body.buffer_expiry_s))


def _stream(events: AsyncIterator[bytes]) -> Stream:
    return Stream(events, media_type="text/event-stream", headers=_STREAM_HEADERS)


def _given(value: _Body | msgspec.UnsetType) -> _Body | Kept:
    return KEEP if isinstance(value, msgspec.UnsetType) else value


def _resume_after(request: SandboxRequest) -> int | None:
    """The header wins: a browser that reconnects repeats the query it began with."""
    last = request.headers.get("last-event-id", "")
    if last.isascii() and last.isdecimal() and len(last) < 19:
        return int(last)
    return read_integer(request, "after", 0, 2**63 - 1)


