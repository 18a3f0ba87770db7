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
from makola.core.messaging.service.accept import AcceptQueue
from makola.demonstration import create_demonstration_world
from makola.kit.background import Background
from makola.kit.database import Database
from makola.settings import Settings, SettingsError
from makola.wiring import callbacks, catalogue, oauth, ordering
from makola.wiring.messaging import Messaging
from makola.wiring.pages import UNITY_DOCUMENT, pages
from makola.wiring.parts import Parts, connect
from makola.wiring.unity import unity_app

__all__ = ["Runtime", "create_demonstration_world", "start_runtime"]

#: What the demonstration world shows to whoever asks: never under a name of somebody else's.
_WITHOUT_CREDENTIALS = frozenset({"callbacks", "handset", "sandbox"})
_TOKEN_PATHS = frozenset({"/oauth/token", TOKEN_PATH})


@dataclass(frozen=True, slots=True)
class Runtime:
    """What one process runs, and how it ends."""

    asgi: AsgiApp | None
    parts: Parts
    accept_queue: AcceptQueue | None
    callback_worker: CallbackWorker | None

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
    callback_worker = _start_workers(parts) if worker else None
    accept_queue, asgi = None, None
    if web:
        shelf = await catalogue.start_shelf(parts)
        accept_queue = messaging.start_accepting(dispatcher)
        asgi = _application(parts, messaging, accept_queue, shelf)
    parts.wake_ups.start(sandbox.CHANNELS)
    return Runtime(asgi, parts, accept_queue, callback_worker)


def _start_workers(parts: Parts) -> CallbackWorker:
    """Start what works on rows in the background; one line for each domain."""
    oauth.start_worker(parts)
    ordering.start_worker(parts)
    return callbacks.start_worker(parts)


def _application(parts: Parts, messaging: Messaging, accept_queue: AcceptQueue, shelf: Shelf) -> AsgiApp:
    settings = parts.settings
    unity = unity_app(parts, messaging, accept_queue)
    hub = HubApp(HubContext(parts.database, parts.credentials, settings.max_body_bytes,
                            settings.callback_allow_private), product_routes(shelf))
    tokens = oauth.token_endpoint(parts)
    others = pages(parts, hub)
    own_names = OwnNames(settings.public_url or "")

    async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
        """Send a request to its family by the first part of its path; the hot routes are asked first."""
        first = scope["path"].lstrip("/").partition("/")[0]
        if first in {"v1", "v2", "v3"} and scope["path"] != UNITY_DOCUMENT:
            await unity(scope, receive, send)
        elif first in {"api", "oauth"} and scope["path"].rstrip("/") in _TOKEN_PATHS:
            await tokens(scope, receive, send)
        elif first == "api":
            await hub(scope, receive, send)
        elif first in _WITHOUT_CREDENTIALS and not own_names.include(header(scope, b"host")):
            await send_answer(send, NOT_OURS)
        else:
            await others(scope, receive, send)  # type: ignore[arg-type] # Litestar's own names for the same shapes

    return entrance
