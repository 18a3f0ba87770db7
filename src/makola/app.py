"""Composition: settings become wiring, and the wiring an ASGI application and background services."""

from dataclasses import dataclass, replace
from datetime import timedelta

from litestar import Litestar, Response, get
from litestar.types import ControllerRouterHandler

from makola import __version__
from makola.api.common.asgi import AsgiApp, Receive, Scope, Send, header, send_answer
from makola.api.common.credentials import Credentials
from makola.api.common.own_names import NOT_OURS, OwnNames
from makola.api.common.token_endpoint import TokenEndpoint
from makola.api.hub.app import DOCUMENT as HUB_DOCUMENT
from makola.api.hub.app import TOKEN_PATH, HubApp
from makola.api.hub.context import HubContext
from makola.api.hub.products import product_routes
from makola.api.unity import account, messages, openapi
from makola.api.unity.app import UnityApp
from makola.api.unity.endpoint import UnityContext
from makola.connectors import sandbox
from makola.connectors.sandbox.http import create_sandbox_router
from makola.connectors.webhook_fulfilment import WebhookFulfilment, create_fulfilment_router
from makola.core.billing.service import PriceList
from makola.core.callbacks.service import CHANNEL as CALLBACKS_CHANNEL
from makola.core.callbacks.types import CallbackPolicy
from makola.core.callbacks.workers import CallbackWorker
from makola.core.catalogue.shelf.shelf import Shelf
from makola.core.catalogue.types import CHANNEL as CATALOGUE_CHANNEL
from makola.core.messaging.ports import SmsConnector
from makola.core.messaging.reports import Reports
from makola.core.messaging.routing import CHANNEL as ROUTES_CHANNEL
from makola.core.messaging.routing import RoutingTable
from makola.core.messaging.service.accept import AcceptLimits, AcceptQueue
from makola.core.messaging.service.claim import Claims
from makola.core.messaging.service.dispatch import CHANNEL as MESSAGES_CHANNEL
from makola.core.messaging.service.dispatch import Dispatcher
from makola.core.messaging.service.events import MessageEvents
from makola.core.messaging.service.prepare import Preparation
from makola.core.messaging.service.receipts import sweep_parked
from makola.core.oauth.service import purge_expired
from makola.core.ordering import workers as ordering
from makola.core.ordering.catalogue_prices import CataloguePrices
from makola.core.ordering.ports import Fulfilment, ManualFulfilment
from makola.core.ordering.service.processing import HandoverPolicy, Processing
from makola.core.ordering.workers import CHANNEL as ORDERS_CHANNEL
from makola.core.organisations.permissions import Permission
from makola.demonstration import create_demonstration_world
from makola.kit.background import Background
from makola.kit.database import Database, WakeUps
from makola.kit.outgoing import AddressPolicy, OutgoingHttp
from makola.settings import Settings, SettingsError
from makola.web import ApiDocument, create_web_router

__all__ = ["Runtime", "create_demonstration_world", "start_runtime"]

_UNITY_ENDPOINTS = (*messages.ENDPOINTS, *account.ENDPOINTS)
_ROUTES_TICK_S = 5.0
_SWEEP_TICK_S = 5.0
#: A price is never older than this, even where a notification was lost.
_CATALOGUE_TICK_S = 1.0
_PURGE_TICK_S = 600.0
#: A callback is left to its worker for so many of its time-outs; then the worker is taken for dead.
_CALLBACK_LEASE_TIMEOUTS = 4


@dataclass(slots=True)
class Runtime:
    """What one process runs, and how it ends.

    Attributes:
        outgoing: calls what customers name.
        outgoing_to_operator: calls what the operator's settings name, wherever it is.
    """

    asgi: AsgiApp | None
    background: Background
    database: Database
    wake_ups: WakeUps
    accept_queue: AcceptQueue | None
    callback_worker: CallbackWorker | None
    outgoing: OutgoingHttp
    outgoing_to_operator: OutgoingHttp

    async def stop(self) -> None:
        """Store everything that was accepted, stop the loops, close what is open."""
        try:
            if self.accept_queue is not None:
                await self.accept_queue.drain()
        finally:
            await self._close()

    async def _close(self) -> None:
        await self.background.stop()
        if self.callback_worker is not None:
            await self.callback_worker.stop()
        await self.wake_ups.stop()
        await self.outgoing.close()
        await self.outgoing_to_operator.close()
        await self.database.close()


async def start_runtime(settings: Settings, *, web: bool, worker: bool) -> Runtime:
    """Wire and start one process.

    Args:
        settings: of this installation; `database_url` is set.
        web: serve HTTP.
        worker: send messages and callbacks, and run the virtual operator.

    Raises:
        DatabaseUnavailableError: the database cannot be reached.
        SettingsError: two settings do not go together.
    """
    if settings.database_url is None:
        raise ValueError("database_url must be set")
    if settings.fulfilment_url is not None and not settings.fulfilment_secret:
        raise SettingsError("setting fulfilment_url needs setting fulfilment_secret too")
    database = await Database.connect(settings.database_url, max_size=settings.database_pool_size)
    wake_ups = WakeUps(settings.database_url)
    background = Background()
    outgoing = OutgoingHttp(AddressPolicy(allow_private=settings.callback_allow_private))
    outgoing_to_operator = OutgoingHttp(AddressPolicy(allow_private=True))
    parts = _Parts(settings, database, wake_ups, background)
    await parts.routing.refresh()
    background.every("routes", parts.routing.refresh, idle_s=_ROUTES_TICK_S, wake=wake_ups.on(ROUTES_CHANNEL))
    if web:
        await parts.shelf.refresh()
        background.every("catalogue", parts.shelf.refresh, idle_s=_CATALOGUE_TICK_S,
                         wake=wake_ups.on(CATALOGUE_CHANNEL))
    dispatcher, callback_worker = _start_worker(parts, outgoing) if worker else (None, None)
    if worker:
        _start_ordering(parts, outgoing_to_operator)
    accept_queue = _start_accepting(parts, dispatcher) if web else None
    asgi = _application(parts, accept_queue) if accept_queue is not None else None
    wake_ups.start((ROUTES_CHANNEL, CALLBACKS_CHANNEL, CATALOGUE_CHANNEL, MESSAGES_CHANNEL, ORDERS_CHANNEL,
                    *sandbox.CHANNELS))
    return Runtime(asgi, background, database, wake_ups, accept_queue, callback_worker, outgoing,
                   outgoing_to_operator)


class _Parts:
    """What several pieces of a process share."""

    def __init__(self, settings: Settings, database: Database, wake_ups: WakeUps, background: Background) -> None:
        self.settings = settings
        self.database = database
        self.wake_ups = wake_ups
        self.background = background
        self.routing = RoutingTable(database)
        self.prices = PriceList(database, remember_s=settings.actor_cache_s)
        self.shelf = Shelf(database)
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
    dispatcher.start(background, parts.wake_ups.on(MESSAGES_CHANNEL))

    async def sweep() -> bool:
        return await sweep_parked(database, parts.reports)

    async def purge() -> bool:
        return await purge_expired(database)

    background.every("parked-receipts", sweep, idle_s=_SWEEP_TICK_S)
    background.every("expired-tokens", purge, idle_s=_PURGE_TICK_S)
    if settings.demo:
        sandbox.Delivery(database, MessageEvents(database, parts.reports), parts.operator,
                         lease_s=settings.lease_s).start(background, parts.wake_ups)
    policy = replace(CallbackPolicy(), retry_delays_s=settings.callback_retry_delays_s,
                     connect_timeout_s=settings.callback_connect_timeout_s, timeout_s=settings.callback_timeout_s,
                     lease_s=_CALLBACK_LEASE_TIMEOUTS * settings.callback_timeout_s)
    callback_worker = CallbackWorker(database, outgoing, policy, wake=parts.wake_ups.on(CALLBACKS_CHANNEL))
    callback_worker.run_in(background)
    return dispatcher, callback_worker


def _start_ordering(parts: _Parts, outgoing: OutgoingHttp) -> None:
    settings = parts.settings
    fulfilment: Fulfilment = ManualFulfilment()
    if settings.fulfilment_url is not None:
        fulfilment = WebhookFulfilment(outgoing, settings.fulfilment_url, settings.fulfilment_secret,
                                       timeout_s=settings.fulfilment_timeout_s)
    policy = HandoverPolicy(settings.fulfilment_retry_delays_s, settings.lease_s + settings.fulfilment_timeout_s)
    ordering.run_in(parts.background, parts.database,
                    Processing(parts.database, CataloguePrices(), fulfilment, policy),
                    parts.wake_ups.on(ORDERS_CHANNEL))


def _start_accepting(parts: _Parts, dispatcher: Dispatcher | None) -> AcceptQueue:
    settings = parts.settings
    queue = AcceptQueue(parts.database, AcceptLimits(
        queue=settings.accept_queue_limit, batch=settings.accept_batch_limit, lease_s=settings.lease_s,
        validity_s=settings.message_validity_s), dispatcher)
    queue.start(parts.background.failed)
    return queue


def _application(parts: _Parts, accept_queue: AcceptQueue) -> AsgiApp:
    settings = parts.settings
    horizon = timedelta(days=settings.schedule_horizon_days)
    preparation = Preparation(parts.routing, parts.prices, frozenset(parts.connectors), horizon)
    context = UnityContext(parts.database, preparation, accept_queue, horizon, settings.callback_allow_private)
    credentials = Credentials(parts.database, remember_s=settings.actor_cache_s)
    unity = UnityApp(context, credentials, _UNITY_ENDPOINTS,
                     max_body_bytes=settings.max_body_bytes, public_url=settings.public_url or "")
    hub = HubApp(HubContext(parts.database, credentials, settings.max_body_bytes,
                            settings.callback_allow_private), product_routes(parts.shelf))
    tokens = TokenEndpoint(parts.database, lifetime_s=settings.access_token_lifetime_s, known_scopes=_SCOPES)
    pages = _pages(parts, hub)
    own_names = OwnNames(settings.public_url or "")

    async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
        """Send a request to its family by the first part of its path; the hot routes are asked first."""
        first = scope["path"].lstrip("/").partition("/")[0]
        if first in {"v1", "v2", "v3"} and scope["path"] != _UNITY_DOCUMENT:
            await unity(scope, receive, send)
        elif first in {"api", "oauth"} and scope["path"].rstrip("/") in _TOKEN_PATHS:
            await tokens(scope, receive, send)
        elif first == "api":
            await hub(scope, receive, send)
        elif first in _WITHOUT_CREDENTIALS and not own_names.include(header(scope, b"host")):
            await send_answer(send, NOT_OURS)
        else:
            await pages(scope, receive, send)  # type: ignore[arg-type] # Litestar's own names for the same shapes

    return entrance


_UNITY_DOCUMENT = "/v1/openapi.json"
#: What the demonstration world shows to whoever asks: never under a name of somebody else's.
_WITHOUT_CREDENTIALS = frozenset({"callbacks", "handset", "sandbox"})
_TOKEN_PATHS = frozenset({"/oauth/token", TOKEN_PATH})
#: What a client may ask its token to be limited to.
_SCOPES = frozenset({*(endpoint.scope for endpoint in _UNITY_ENDPOINTS), *map(str, Permission)})


def _pages(parts: _Parts, hub: HubApp) -> Litestar:
    document = openapi.document(_UNITY_ENDPOINTS, version=__version__)

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
    unity = ApiDocument("unity", "Unity API", "Send messages and follow them to the handset.", _UNITY_DOCUMENT,
                        lambda: document)
    hub_document = ApiDocument("hub", "Hub API", "Organisations, catalogue and orders of a multi-tier distributor.",
                               HUB_DOCUMENT, lambda: hub.document)
    handlers.append(create_web_router((unity, hub_document), handset=parts.settings.demo,
                                      callbacks=parts.database if parts.settings.demo else None))
    if parts.settings.fulfilment_url is not None:
        handlers.append(create_fulfilment_router(parts.database, CataloguePrices(), parts.settings.fulfilment_secret))
    if parts.settings.demo:
        handlers.append(create_sandbox_router(parts.database, parts.wake_ups, parts.background.stopping,
                                              parts.operator))
    return Litestar(handlers, openapi_config=None, logging_config=None)

