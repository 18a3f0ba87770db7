"""Who takes payments in this installation: the sandbox in the demonstration world, and what the settings name."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from litestar import Router

from makola.connectors.mtn_momo import MomoAccount, MomoProduct, MtnMomo
from makola.connectors.mtn_momo.http import NOTICE_PATH, create_mtn_momo_router
from makola.connectors.mtn_momo.wire import MomoWire
from makola.connectors.paystack import Paystack
from makola.connectors.paystack.http import create_paystack_router
from makola.connectors.paystack.wire import PaystackWire
from makola.connectors.sandbox.cards import CardDesk, SandboxCards
from makola.connectors.sandbox.wallet_provider import SandboxMobileMoney
from makola.connectors.sandbox.wallet_types import WalletDefaults
from makola.connectors.sandbox.wallets import Wallets
from makola.core.checkout.ports import CardProvider, MobileMoneyProvider, Providers
from makola.core.checkout.service.outcomes import hint
from makola.wiring.parts import Parts


def payment_providers(parts: Parts) -> Providers:
    """Return the providers, the most wanted of a channel first."""
    mobile_money: list[MobileMoneyProvider] = []
    cards: list[CardProvider] = []
    settings = parts.settings
    if settings.mtn_momo_url is not None:
        mobile_money.append(_mtn_momo(parts, settings.mtn_momo_url))
    if settings.paystack_secret_key:
        cards.append(Paystack(
            PaystackWire(parts.outgoing_to_operator, settings.paystack_url, settings.paystack_secret_key),
            fallback_email=settings.paystack_fallback_email,
            asked_for=timedelta(seconds=settings.payment_poll_for_s)))
    if parts.settings.demo:
        mobile_money.append(SandboxMobileMoney(virtual_wallets(parts)))
        cards.append(SandboxCards(parts.database, parts.settings.public_url or ""))
    return Providers(tuple(mobile_money), tuple(cards))


def _mtn_momo(parts: Parts, url: str) -> MtnMomo:
    settings = parts.settings
    accounts = {
        MomoProduct.COLLECTION: MomoAccount(settings.mtn_momo_collection_subscription_key,
                                            settings.mtn_momo_collection_user, settings.mtn_momo_collection_key),
        MomoProduct.DISBURSEMENT: MomoAccount(settings.mtn_momo_disbursement_subscription_key,
                                              settings.mtn_momo_disbursement_user, settings.mtn_momo_disbursement_key)}
    wire = MomoWire(parts.outgoing_to_operator, url, settings.mtn_momo_environment,
                    {product: account for product, account in accounts.items() if account.subscription_key})
    return MtnMomo(wire, notice_url=f"{settings.public_url}{NOTICE_PATH}", currency=settings.mtn_momo_currency)


def notice_routes(parts: Parts) -> list[Router]:
    """Return the doors at which the providers of the settings announce what has happened."""
    settings = parts.settings
    routers: list[Router] = []
    if settings.mtn_momo_url is not None:
        routers.append(create_mtn_momo_router(_hinting(parts)))
    if settings.paystack_secret_key:
        routers.append(create_paystack_router(_hinting(parts), settings.paystack_secret_key))
    return routers


def virtual_wallets(parts: Parts) -> Wallets:
    """Return the wallets of the handsets: whatever is settled there, the checkout asks about at once."""
    return Wallets(parts.database, WalletDefaults(prompt_timeout_s=parts.settings.sandbox_prompt_timeout_s),
                   _hinting(parts))


def virtual_card_desk(parts: Parts) -> CardDesk:
    """Return the page of the virtual card provider, likewise."""
    return CardDesk(parts.database, _hinting(parts))


def _hinting(parts: Parts) -> Callable[[UUID], Awaitable[None]]:
    async def settled(transaction_id: UUID) -> None:
        if not parts.payment_hints.take([transaction_id]):
            await hint(parts.database, [transaction_id])

    return settled
