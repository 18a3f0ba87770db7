"""Composition: settings become wiring, and the wiring an ASGI application and background services."""

from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.metadata import version

from litestar import Litestar, Response, get
from litestar.types import ControllerRouterHandler

from makola.api.common.asgi import AsgiApp, Receive, Scope, Send
from makola.api.common.credentials import Credentials
from makola.api.unity import account, messages, openapi
from makola.api.unity.app import UnityApp
from makola.api.unity.endpoint import UnityContext
from makola.connectors import sandbox
from makola.connectors.sandbox.http import create_sandbox_router
from makola.core.billing.service import PriceList
from makola.core.callbacks.service import CHANNEL as CALLBACKS_CHANNEL
from makola.core.callbacks.types import CallbackPolicy
from makola.core.callbacks.workers import CallbackWorker
from makola.core.messaging import store
from makola.core.messaging.ports import SmsConnector
from makola.core.messaging.reports import Reports
from makola.core.messaging.routing import CHANNEL as ROUTES_CHANNEL
from makola.core.messaging.routing import RoutingTable
from makola.core.messaging.service.accept import AcceptLimits, AcceptQueue
from makola.core.messaging.service.claim import Claims
from makola.core.messaging.service.dispatch import Dispatcher
from makola.core.messaging.service.events import MessageEvents
from makola.core.messaging.service.prepare import Preparation
from makola.core.messaging.service.receipts import sweep_parked
from makola.demonstration import create_demonstration_world
from makola.kit.background import Background
from makola.kit.database import Database, WakeUps
from makola.kit.outgoing import AddressPolicy, OutgoingHttp
from makola.settings import Settings
from makola.web import create_web_router

__all__ = ["Runtime", "create_demonstration_world", "start_runtime"]

_UNITY_ENDPOINTS = (*messages.ENDPOINTS, *account.ENDPOINTS)
_ROUTES_TICK_S = 5.0
_SWEEP_TICK_S = 5.0


@dataclass(slots=True)
class Runtime:
    """What one process runs, and how it ends."""

    asgi: AsgiApp | None
    background: Background
    database: Database
    wake_ups: WakeUps
    accept_queue: AcceptQueue | None
    callback_worker: CallbackWorker | None
    outgoing: OutgoingHttp

    async def stop(self) -> None:
        """Store everything that was accepted, stop the loops, close what is open."""
        if self.accept_queue is not None:
            await self.accept_queue.drain()
        await self.background.stop()
        if self.callback_worker is not None:
            await self.callback_worker.stop()
        await self.wake_ups.stop()
        await self.outgoing.close()
        await self.database.close()


async def start_runtime(settings: Settings, *, web: bool, worker: bool) -> Runtime:
    """Wire and start one process.

    Args:
        settings: of this installation; `database_url` is set.
        web: serve HTTP.
        worker: send messages and callbacks, and run the virtual operator.

    Raises:
        DatabaseUnavailableError: the database cannot be reached.
    """
    if settings.database_url is None:
        raise ValueError("database_url must be set")
    database = await Database.connect(settings.database_url, max_size=settings.database_pool_size)
    wake_ups = WakeUps(settings.database_url)
    background = Background()
    outgoing = OutgoingHttp(AddressPolicy(allow_private=settings.callback_allow_private))
    parts = _Parts(settings, database, wake_ups, background)
    await parts.routing.refresh()
    background.every("routes", parts.routing.refresh, idle_s=_ROUTES_TICK_S, wake=wake_ups.on(ROUTES_CHANNEL))
    dispatcher, callback_worker = _start_worker(parts, outgoing) if worker else (None, None)
    accept_queue = _start_accepting(parts, dispatcher) if web else None
    asgi = _application(parts, accept_queue) if accept_queue is not None else None
    wake_ups.start((ROUTES_CHANNEL, CALLBACKS_CHANNEL, store.CHANNEL, *sandbox.CHANNELS))
    return Runtime(asgi, background, database, wake_ups, accept_queue, callback_worker, outgoing)


class _Parts:
    """What several pieces of a process share."""

    def __init__(self, settings: Settings, database: Database, wake_ups: WakeUps, background: Background) -> None:
        self.settings = settings
        self.database = database
        self.wake_ups = wake_ups
        self.background = background
        self.routing = RoutingTable(database)
        self.prices = PriceList(database, remember_s=settings.actor_cache_s)
        self.reports = Reports(messages.report_parameters)
        self.operator = sandbox.OperatorDefaults(
            delivery_delay_ms=settings.sandbox_delivery_delay_ms,
            buffer_expiry_s=int(settings.sandbox_buffer_expiry_s))
        self.connectors: dict[str, SmsConnector] = {}
        if settings.demo:
            virtual = sandbox.SandboxConnector(database, self.operator)
            self.connectors[virtual.name] = virtual


def _start_worker(parts: _Parts, outgoing: OutgoingHttp) -> tuple[Dispatcher, CallbackWorker]:
    settings, database, background = parts.settings, parts.database, parts.background
    claims = Claims(database, parts.connectors, parts.routing, parts.prices, parts.reports, lease_s=settings.lease_s)
    dispatcher = Dispatcher(database, parts.connectors, claims, parts.reports, lease_s=settings.lease_s)
    dispatcher.start(background, parts.wake_ups.on(store.CHANNEL))

    async def sweep() -> bool:
        return await sweep_parked(database, parts.reports)

    background.every("parked-receipts", sweep, idle_s=_SWEEP_TICK_S)
    if settings.demo:
        sandbox.Delivery(database, MessageEvents(database, parts.reports), parts.operator,
                         lease_s=settings.lease_s).start(background, parts.wake_ups)
    policy = replace(CallbackPolicy(), retry_delays_s=settings.callback_retry_delays_s,
                     connect_timeout_s=settings.callback_connect_timeout_s, timeout_s=settings.callback_timeout_s)
    callback_worker = CallbackWorker(database, outgoing, policy, wake=parts.wake_ups.on(CALLBACKS_CHANNEL))
    callback_worker.run_in(background)
    return dispatcher, callback_worker


def _start_accepting(parts: _Parts, dispatcher: Dispatcher | None) -> AcceptQueue:
    settings = parts.settings
    queue = AcceptQueue(parts.database, AcceptLimits(
        queue=settings.accept_queue_limit, batch=settings.accept_batch_limit, lease_s=settings.lease_s,
        validity_s=settings.message_validity_s), dispatcher)
    queue.start()
    return queue


def _application(parts: _Parts, accept_queue: AcceptQueue) -> AsgiApp:
    settings = parts.settings
    horizon = timedelta(days=settings.schedule_horizon_days)
    preparation = Preparation(parts.routing, parts.prices, frozenset(parts.connectors), horizon)
    context = UnityContext(parts.database, preparation, accept_queue, horizon, settings.callback_allow_private)
    unity = UnityApp(context, Credentials(parts.database, remember_s=settings.actor_cache_s), _UNITY_ENDPOINTS,
                     max_body_bytes=settings.max_body_bytes, public_url=settings.public_url or "")
    pages = _pages(parts)

    async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
        """Send a request to its family by the first part of its path; the hot routes are asked first."""
        if scope["path"].lstrip("/").partition("/")[0] in {"v1", "v2", "v3"} and scope["path"] != _UNITY_DOCUMENT:
            await unity(scope, receive, send)
        else:
            await pages(scope, receive, send)  # type: ignore[arg-type] # Litestar's own names for the same shapes

    return entrance


_UNITY_DOCUMENT = "/v1/openapi.json"


def _pages(parts: _Parts) -> Litestar:
    document = openapi.document(_UNITY_ENDPOINTS, version=version("makola"))

    @get(_UNITY_DOCUMENT, include_in_schema=False)
    async def unity_document() -> dict[str, object]:
        """Answer with the OpenAPI document of the Unity API."""
        return document

    @get("/health", include_in_schema=False)
    async def health() -> Response[dict[str, str]]:
        """Say whether this process can reach its database."""
        await parts.database.fetchval("SELECT 1")
        return Response({"status": "ok"})

    handlers: list[ControllerRouterHandler] = [unity_document, health]
    handlers += _web_handlers(parts, {"unity": document})
    return Litestar(handlers, openapi_config=None, logging_config=None)


def _web_handlers(parts: _Parts, documents: dict[str, dict[str, object]]) -> list[ControllerRouterHandler]:
    handlers: list[ControllerRouterHandler] = [create_web_router(documents)]
    if parts.settings.demo:
        handlers.append(create_sandbox_router(parts.database, parts.wake_ups, parts.background.stopping,
                                              parts.operator))
    return handlers
