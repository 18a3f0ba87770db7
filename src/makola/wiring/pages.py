"""What Litestar serves beside the families: the pages, the documents of the APIs, and what operators call."""

from functools import cache, partial

from litestar import Litestar, Response, get
from litestar.types import ControllerRouterHandler

from makola import __version__
from makola.api.hub.app import DOCUMENT as HUB_DOCUMENT
from makola.api.hub.app import HubApp
from makola.api.unity import openapi
from makola.connectors.sandbox.http import create_sandbox_router
from makola.core.checkout.desk import Desk
from makola.web import ApiDocument, create_web_router, failures
from makola.web.consent.router import consent_pages
from makola.wiring import applications, checkout_pages, oauth, ordering, people, ussd_pages
from makola.wiring.messaging import operator_defaults
from makola.wiring.parts import Parts
from makola.wiring.payment_providers import notice_routes, virtual_wallets
from makola.wiring.unity import UNITY_ENDPOINTS
from makola.wiring.ussd import Ussd

UNITY_DOCUMENT = "/v1/openapi.json"


def pages(parts: Parts, hub: HubApp, ussd: Ussd, desk: Desk) -> Litestar:
    """Return the application that serves what belongs to no API family.

    Args:
        parts: of the process.
        hub: whose document is shown.
        ussd: what the handsets dial.
        desk: what checkout's services work with.
    """
    demo = parts.settings.demo
    unity_document = cache(partial(openapi.document, UNITY_ENDPOINTS, version=__version__))
    documents = (
        ApiDocument("unity", "Unity API", "Send messages and follow them to the handset.", UNITY_DOCUMENT,
                    unity_document),
        ApiDocument("hub", "Hub API", "Organisations, catalogue and orders of a multi-tier distributor.", HUB_DOCUMENT,
                    lambda: hub.document))

    @get(UNITY_DOCUMENT, include_in_schema=False)
    async def answer_unity_document() -> dict[str, object]:
        """Answer with the OpenAPI document of the Unity API."""
        return unity_document()

    @get("/health", include_in_schema=False)
    async def health() -> Response[dict[str, str]]:
        """Say whether this process can reach its database."""
        await parts.database.fetchval("SELECT 1")
        return Response({"status": "ok"})

    signing_in = people.people_services(parts)
    handlers: list[ControllerRouterHandler] = [answer_unity_document, health]
    handlers.append(create_web_router(documents, handset=demo, callbacks=parts.database if demo else None, sign_in=True,
                                      more=[people.pages(signing_in),
                                            partial(ussd_pages.pages, parts),
                                            consent_pages(oauth.consent_services(parts)),
                                            applications.pages(parts),
                                            checkout_pages.pages(parts, desk)]))
    handlers.extend(ordering.routes(parts))
    handlers.extend(notice_routes(parts))
    if demo:
        handlers.append(create_sandbox_router(parts.database, parts.wake_ups, parts.background.stopping,
                                              operator_defaults(parts.settings), wallets=virtual_wallets(parts),
                                              ussd=ussd.handsets))
        handlers.append(ussd_pages.bank())
        handlers.append(checkout_pages.card_page(parts))
    return Litestar(handlers, openapi_config=None, logging_config=None, state=people.state(signing_in),
                    exception_handlers={404: failures.missing, 413: failures.too_large, 500: failures.failed})
