"""The page at which customers pay, and the virtual wallets and cards behind it."""

from collections.abc import Callable

from litestar import Router

from makola.connectors.sandbox.card_http import create_card_page_router
from makola.core.checkout.desk import Desk
from makola.web.checkout.router import checkout_pages
from makola.web.checkout.services import CheckoutServices
from makola.web.pages import Pages
from makola.wiring.parts import Parts
from makola.wiring.payment_providers import virtual_card_desk, virtual_wallets
from makola.wiring.sealing import sealer

_PROMPTS_TICK_S = 1.0


def pages(parts: Parts, desk: Desk) -> Callable[[Pages], Router]:
    """Return what makes the page at which customers pay."""
    return checkout_pages(CheckoutServices(
        desk, sealer(parts.settings), (parts.settings.public_url or "").rstrip("/"), parts.background.stopping))


def card_page(parts: Parts) -> Router:
    """Return the virtual card provider's page."""
    return create_card_page_router(virtual_card_desk(parts))


def start_worker(parts: Parts) -> None:
    """End what nobody approved on the virtual handsets; nothing where there are none.

    Nothing is forgotten: a payment may be paid back, and its day be compared, as long as the checkout knows of it.
    """
    if not parts.settings.demo:
        return
    wallets = virtual_wallets(parts)

    async def expire() -> bool:
        return await wallets.expire()

    parts.background.every("sandbox-prompts", expire, idle_s=_PROMPTS_TICK_S)
