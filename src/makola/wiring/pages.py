"""What Litestar serves beside the families: the pages, the documents of the APIs, and what operators call."""

from litestar import Litestar, Response, get
from litestar.types import ControllerRouterHandler

from makola import __version__
from makola.api.hub.app import DOCUMENT as HUB_DOCUMENT
from makola.api.hub.app import HubApp
from makola.api.unity import openapi
from makola.connectors.sandbox.http import create_sandbox_router
from makola.web import ApiDocument, create_web_router
from makola.wiring import ordering
from makola.wiring.messaging import operator_defaults
from makola.wiring.parts import Parts
from makola.wiring.unity import UNITY_ENDPOINTS

UNITY_DOCUMENT = "/v1/openapi.json"


def pages(parts: Parts, hub: HubApp) -> Litestar:
    """Return the application that serves what belongs to no API family.

    Args:
        parts: of the process.
        hub: whose document is shown.
    """
    demo = parts.settings.demo
    unity_document = openapi.document(UNITY_ENDPOINTS, version=__version__)
    documents = (
        ApiDocument("unity", "Unity API", "Send messages and follow them to the handset.", UNITY_DOCUMENT,
                    lambda: unity_document),
        ApiDocument("hub", "Hub API", "Organisations, catalogue and orders of a multi-tier distributor.", HUB_DOCUMENT,
                    lambda: hub.document))

    @get(UNITY_DOCUMENT, include_in_schema=False)
    async def answer_unity_document() -> dict[str, object]:
        """Answer with the OpenAPI document of the Unity API."""
        return unity_document

    @get("/health", include_in_schema=False)
    async def health() -> Response[dict[str, str]]:
        """Say whether this process can reach its database."""
        await parts.database.fetchval("SELECT 1")
        return Response({"status": "ok"})

    handlers: list[ControllerRouterHandler] = [answer_unity_document, health]
    handlers.append(create_web_router(documents, handset=demo, callbacks=parts.database if demo else None))
    handlers.extend(ordering.routes(parts))
    if demo:
        handlers.append(create_sandbox_router(parts.database, parts.wake_ups, parts.background.stopping,
                                              operator_defaults(parts.settings)))
    return Litestar(handlers, openapi_config=None, logging_config=None)
