"""Composition: settings become one process's application and background services. `makola.wiring` has the domains."""

from dataclasses import dataclass

from makola.api.common.asgi import AsgiApp, Receive, Scope, Send, header, send_answer
from makola.api.common.own_names import NOT_OURS, OwnNames
from makola.api.hub.app import TOKEN_PATH, HubApp
from makola.api.hub.context import HubContext
from makola.api.hub.products import product_routes
from makola.connectors import sandbox
from makola.core.callbacks.workers import CallbackWorker
from makola.core.catalogue.shelf.shelf import Shelf
from makola.core.checkout.desk import Desk
from makola.core.messaging.service.accept import AcceptQueue
from makola.core.oauth.openid.logout import note_session_event
from makola.demonstration import create_demonstration_world
from makola.kit.background import Background
from makola.kit.database import Database
from makola.settings import Settings, SettingsError
from makola.wiring import applications, callbacks, catalogue, checkout, checkout_pages, oauth, ordering, people, ussd
from makola.wiring.messaging import Messaging
from makola.wiring.pages import UNITY_DOCUMENT, pages
from makola.wiring.parts import Parts, connect
from makola.wiring.sealing import sealer
from makola.wiring.unity import unity_app
from makola.wiring.ussd import Ussd
from makola.wiring.ussd_payments import CheckoutHandover

__all__ = ["Runtime", "create_demonstration_world", "start_runtime"]

#: What the demonstration world shows to whoever asks: never under a name of somebody else's.
_WITHOUT_CREDENTIALS = frozenset({"callbacks", "handset", "sandbox", "ussd"})
#: The Unity API's mount points; the third generation of its checkout has none.
_UNITY = frozenset({"v1", "v2", "v3", "items", "transactions"})
_OAUTH = frozenset({"oauth", ".well-known"})


@dataclass(frozen=True, slots=True)
class Runtime:
    """What one process runs, and how it ends."""

    asgi: AsgiApp | None
    parts: Parts
    accept_queue: AcceptQueue | None
    callback_worker: CallbackWorker | None
    ussd: Ussd | None

    @property
    def background(self) -> Background:
        """The loops of the process."""
        return self.parts.background

    @property
    def database(self) -> Database:
        """The pool of connections of the process."""
        return self.parts.database

    async def stop(self) -> None:
        """Store everything that was accepted, stop the loops, close what is open."""
        try:
            if self.accept_queue is not None:
                await self.accept_queue.drain()
        finally:
            await self.parts.background.stop()
            if self.ussd is not None:
                await self.ussd.stop()
            if self.callback_worker is not None:
                await self.callback_worker.stop()
            await self.parts.close()


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
    if settings.fulfilment_url is not None and not settings.fulfilment_secret:
        raise SettingsError("setting fulfilment_url needs setting fulfilment_secret too")
    parts = await connect(settings)
    messaging = Messaging(parts)
    await messaging.start()
    dispatcher = messaging.start_worker() if worker else None
    desk = checkout.open_desk(parts)
    callback_worker = _start_workers(parts, desk) if worker else None
    accept_queue, asgi, gateway = None, None, None
    if web:
        shelf = await catalogue.start_shelf(parts)
        accept_queue = messaging.start_accepting(dispatcher)
        gateway = Ussd(parts, CheckoutHandover(desk))
        await gateway.start()
        asgi = _application(parts, messaging, accept_queue, shelf, desk, gateway)
    parts.wake_ups.start(sandbox.CHANNELS)
    return Runtime(asgi, parts, accept_queue, callback_worker, gateway)


def _start_workers(parts: Parts, desk: Desk) -> CallbackWorker:
    """Start what works on rows in the background; one line for each domain."""
    people.start_worker(parts, [note_session_event])
    applications.start_worker(parts)
    oauth.start_worker(parts)
    catalogue.start_worker(parts)
    ordering.start_worker(parts)
    checkout.start_worker(parts, desk)
    checkout_pages.start_worker(parts)
    ussd.start_worker(parts)
    return callbacks.start_worker(parts)


def _application(parts: Parts, messaging: Messaging, accept_queue: AcceptQueue, shelf: Shelf,
                 desk: Desk, gateway: Ussd) -> AsgiApp:
    settings = parts.settings
    unity = unity_app(parts, messaging, accept_queue, desk)
    hub = HubApp(HubContext(parts.database, parts.credentials, settings.max_body_bytes,
                            settings.callback_allow_private, sealer(settings)), product_routes(shelf))
    endpoints = oauth.oauth_endpoints(parts)
    others = pages(parts, hub, gateway, desk)
    operators = gateway.doors()
    own_names = OwnNames(settings.public_url or "")

    async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
        """Send a request to its family by the first part of its path; the hot routes are asked first."""
        first = scope["path"].lstrip("/").partition("/")[0]
        if first in _UNITY and scope["path"] != UNITY_DOCUMENT:
            await unity(scope, receive, send)
        elif first in _OAUTH and endpoints.app.serves(scope["path"]):
            await endpoints.app(scope, receive, send)
        elif first == "api" and scope["path"].rstrip("/") == TOKEN_PATH:
            await endpoints.tokens(scope, receive, send)
        elif first == "operators":
            await operators(scope, receive, send)
        elif first == "api":
            await hub(scope, receive, send)
        elif first in _WITHOUT_CREDENTIALS and not own_names.include(header(scope, b"host")):
            await send_answer(send, NOT_OURS)
        else:
            await others(scope, receive, send)  # type: ignore[arg-type] # Litestar's own names for the same shapes

    return entrance
