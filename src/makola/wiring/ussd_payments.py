"""Payments inside a USSD session: the gateway's handover, made of the checkout."""

import asyncio
from hashlib import sha256

import structlog

from makola.core.checkout.desk import Desk
from makola.core.checkout.handover import collect
from makola.core.checkout.types import Checkout, Transaction
from makola.core.organisations.queries import find_place
from makola.core.organisations.types import Actor
from makola.core.ussd.errors import HandoverUnavailableError
from makola.core.ussd.ports import CartOrder, HandedOver
from makola.kit.errors import DomainError
from makola.kit.money import decimal_text

_log = structlog.get_logger(__name__)

#: The operator waits for the screen: a provider that takes longer is left to its own pace.
_PATIENCE_S = 2.0


class CheckoutHandover:
    """Asks the subscriber's phone to pay the service's owner. The checkout's own callback tells of the outcome.

    Args:
        desk: checkout's services.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._under_way: set[asyncio.Task[tuple[Checkout, Transaction]]] = set()

    async def hand_over(self, order: CartOrder) -> HandedOver:
        """Begin a payment; see `makola.core.ussd.ports.PaymentHandover`."""
        place = await find_place(self._desk.database, order.organisation_id)
        if place is None:
            raise HandoverUnavailableError("The organisation, or one above it, is suspended.")
        actor = Actor(order.organisation_id, place.chain, 0, None, place.country_code, place.time_zone)
        amount_units = order.item.quantity * order.item.price_units
        task = asyncio.create_task(collect(
            self._desk, actor, number=order.mobile, amount_units=amount_units, description=order.item.name,
            client_reference=order.session_id.hex, callback_url=order.fulfilment_url,
            content_sha256=sha256(f"{order.item}".encode()).digest()))
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        done, _ = await asyncio.wait({task}, timeout=_PATIENCE_S)
        if done:
            try:
                task.result()
            except DomainError as error:
                raise HandoverUnavailableError(error.detail) from error
        return HandedOver(order.session_id, f"You will be asked to approve {decimal_text(amount_units)}"
                                            f" for {order.item.name}.")

    def _ended(self, task: asyncio.Task[tuple[Checkout, Transaction]]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, DomainError):
            _log.error("ussd_payment_failed", kind=type(error).__name__)
