"""The Hub API as one ASGI application: hot routes first, then Litestar."""

from collections.abc import Sequence
from functools import cached_property

from litestar import Litestar, get
from litestar.connection import Request
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from makola import __version__
from makola.api.common.asgi import AsgiApp, Receive, Scope, Send, send_answer
from makola.api.common.token_endpoint import TOKEN_OPERATION
from makola.api.hub import (
    addresses,
    api_clients,
    application_directory,
    applications,
    audit_log,
    baskets,
    callback_secret,
    credit_accounts,
    emulations,
    fulfilment,
    order_settings,
    orders,
    organisations,
    products_prices,
    products_reference,
    reference,
    roles,
    shipping_types,
    users,
    whoami,
)
from makola.api.hub.context import HubContext
from makola.api.hub.document import BASE, document
from makola.api.hub.door import Door, actor_of
from makola.api.hub.errors import answer_to, response_to
from makola.api.hub.hot import HotRequest, HotRoute
from makola.core.organisations.types import Actor
from makola.kit.database import Database
from makola.kit.whole_numbers import read_whole_number

DOCUMENT = f"{BASE}/openapi.json"
TOKEN_PATH = f"{BASE}/oauth/create_token"

#: Each resource names its routes in `route_handlers`; the paths are below `/api/v1`.
_RESOURCES = (whoami, organisations, addresses, credit_accounts, users, roles, api_clients, applications,
              application_directory, emulations, audit_log,
              reference, products_reference, products_prices, shipping_types, baskets, orders,
              fulfilment, order_settings, callback_secret)


class HubApp:
    """Serves `/api/v1`.

    Args:
        context: what the handlers work with.
        hot_routes: GET routes that are served before Litestar is asked.
    """

    def __init__(self, context: HubContext, hot_routes: Sequence[HotRoute] = ()) -> None:
        self._door = Door(context.credentials)
        self._lists = {f"{BASE}{route.path}": route for route in hot_routes if route.is_list}
        self._items = {f"{BASE}{route.path.rpartition('/')[0]}": route for route in hot_routes if not route.is_list}
        self._hot_routes = hot_routes
        self.litestar = _litestar(context, self._door)

        @get(DOCUMENT.removeprefix(BASE), include_in_schema=False, opt={"public": True})
        async def openapi_document() -> dict[str, object]:
            """Answer with the OpenAPI document."""
            return self.document

        self.litestar.register(openapi_document)
        self._framework: AsgiApp = self.litestar  # type: ignore[assignment] # Litestar's own names for the same shapes

    @cached_property
    def document(self) -> dict[str, object]:
        """The OpenAPI document; made when somebody looks at it."""
        return document(self.litestar, self._hot_routes, version=__version__,
                        extra_paths={TOKEN_PATH: {"post": TOKEN_OPERATION}})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["method"] == "GET" and (found := self._hot(scope["path"])) is not None:
            await self._serve_hot(scope, send, *found)
        else:
            await self._framework(scope, receive, send)

    def _hot(self, path: str) -> tuple[HotRoute, int] | None:
        path = path.rstrip("/")
        if (route := self._lists.get(path)) is not None:
            return route, 0
        stem, _, last = path.rpartition("/")
        if (route := self._items.get(stem)) is None:
            return None
        number = read_whole_number(last)
        return (route, number) if number else None

    async def _serve_hot(self, scope: Scope, send: Send, route: HotRoute, path_id: int) -> None:
        try:
            actor = await self._door.actor(scope, route.permission)
            answer = await route.answer(HotRequest(scope, actor, path_id))
        except Exception as error:  # noqa: BLE001 - the last resort of a request; `answer_to` logs what is unexpected
            answer = answer_to(error)
        await send_answer(send, answer)


def _litestar(context: HubContext, door: Door) -> Litestar:
    async def provide_actor(request: Request[object, object, State]) -> Actor:
        return actor_of(request.scope)

    def provide_database() -> Database:
        return context.database

    def provide_context() -> HubContext:
        return context

    handlers: list[ControllerRouterHandler] = [
        handler for resource in _RESOURCES for handler in resource.route_handlers]
    return Litestar(
        handlers, path=BASE, guards=[door.guard], openapi_config=None, logging_config=None,
        exception_handlers={Exception: response_to}, request_max_body_size=context.max_body_bytes,
        dependencies={"actor": Provide(provide_actor),
                      "database": Provide(provide_database, sync_to_thread=False),
                      "context": Provide(provide_context, sync_to_thread=False)})


