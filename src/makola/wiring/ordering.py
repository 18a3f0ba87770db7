"""Orders: their processing, and who fulfils them."""

from litestar.types import ControllerRouterHandler

from makola.connectors.webhook_fulfilment import WebhookFulfilment, create_fulfilment_router
from makola.core.ordering import workers
from makola.core.ordering.catalogue_prices import CataloguePrices
from makola.core.ordering.ports import Fulfilment, ManualFulfilment
from makola.core.ordering.service.processing import HandoverPolicy, Processing
from makola.core.ordering.workers import CHANNEL
from makola.wiring.parts import Parts


def start_worker(parts: Parts) -> None:
    """Accept orders, and hand them over to whoever fulfils them."""
    settings = parts.settings
    fulfilment: Fulfilment = ManualFulfilment()
    if settings.fulfilment_url is not None:
        fulfilment = WebhookFulfilment(parts.outgoing_to_operator, settings.fulfilment_url,
                                       settings.fulfilment_secret, timeout_s=settings.fulfilment_timeout_s)
    policy = HandoverPolicy(settings.fulfilment_retry_delays_s, settings.lease_s + settings.fulfilment_timeout_s)
    workers.run_in(parts.background, parts.database, Processing(parts.database, CataloguePrices(), fulfilment, policy),
                   parts.wake_ups.on(CHANNEL))


def routes(parts: Parts) -> list[ControllerRouterHandler]:
    """Return what the warehouse's program calls."""
    if parts.settings.fulfilment_url is None:
        return []
    return [create_fulfilment_router(parts.database, CataloguePrices(), parts.settings.fulfilment_secret)]
