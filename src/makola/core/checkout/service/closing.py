"""End a checkout without a payment: cancelled by its customer, expired, or ordered for payment on delivery."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from makola.core.callbacks.service import enqueue
from makola.core.checkout.decisions import ended
from makola.core.checkout.desk import Desk
from makola.core.checkout.errors import ChannelNotPermittedError, CheckoutClosedError, UnknownCheckoutError
from makola.core.checkout.service.initiate import stamp
from makola.core.checkout.store import invoices, transactions
from makola.core.checkout.types import (
    Checkout,
    CheckoutKind,
    CheckoutState,
    MerchantState,
    Transaction,
    TransactionKind,
)
from makola.kit.clock import now
from makola.kit.database import Connection
from makola.kit.ids import new_id

_BATCH = 200


async def cancel(desk: Desk, checkout_id: UUID) -> Checkout:
    """Cancel a checkout for its customer; return it. One that has ended already is returned as it is.

    A payment that is approved later all the same is paid back.

    Raises:
        UnknownCheckoutError: there is none.
    """
    async with desk.database.transaction() as connection:
        checkout = await _lock(connection, checkout_id)
        if checkout.state is not CheckoutState.OPEN:
            return checkout
        cancelled = ended(checkout, CheckoutState.CANCELLED, now())
        await _end(desk, connection, cancelled)
    return cancelled


async def order_pay_on_delivery(desk: Desk, checkout_id: UUID, customer_number: str) -> Checkout:
    """Turn a checkout into an order that is paid in cash on delivery; return it, with its order number and token.

    Args:
        desk: the services' own.
        checkout_id: which one.
        customer_number: international with `+`, to call about the delivery.

    Raises:
        UnknownCheckoutError: there is none.
        CheckoutClosedError: it has ended, or its time is over.
        ChannelNotPermittedError: this merchant takes no such orders.
    """
    async with desk.database.transaction() as connection:
        checkout = await _lock(connection, checkout_id)
        at = now()
        if checkout.state is CheckoutState.ORDERED:
            return checkout
        if checkout.state is not CheckoutState.OPEN or checkout.expires_at <= at:
            raise CheckoutClosedError("This checkout has ended.", field="checkout_id")
        merchant = await desk.account_of(connection, checkout.merchant_account_id)
        if (not merchant.pay_on_delivery or merchant.state is not MerchantState.ACTIVE
                or checkout.kind is not CheckoutKind.PAGE):
            raise ChannelNotPermittedError("This merchant takes no payment on delivery.", field="channel")
        number = await invoices.next_order_number(connection)
        ordered = replace(checkout, state=CheckoutState.ORDERED, customer_number=customer_number,
                          order_number=f"{number:07}", order_token=f"{new_id().hex}-{stamp(at)}", finished_at=at)
        await _end(desk, connection, ordered)
    return ordered


async def expire_due(desk: Desk) -> bool:
    """End the checkouts whose time is over; True when there may be more."""
    at = now()
    due = await invoices.expired(desk.database, at, at - timedelta(seconds=desk.policy.grace_s), _BATCH)
    if not due:
        return False
    async with desk.database.transaction() as connection:
        for checkout in (await invoices.lock(connection, due)).values():
            if checkout.state is CheckoutState.OPEN:
                await _end(desk, connection, ended(checkout, CheckoutState.EXPIRED, at))
    return len(due) == _BATCH


async def _lock(connection: Connection, checkout_id: UUID) -> Checkout:
    checkout = (await invoices.lock(connection, [checkout_id])).get(checkout_id)
    if checkout is None:
        raise UnknownCheckoutError("There is no such checkout.", field="checkout_id")
    return checkout


async def _end(desk: Desk, connection: Connection, checkout: Checkout) -> None:
    await invoices.save(connection, [checkout])
    await enqueue(connection, desk.notices.of_checkout(checkout, await _last_payment(connection, checkout)))


async def _last_payment(connection: Connection, checkout: Checkout) -> Transaction | None:
    tried = await transactions.of_checkout(connection, checkout.checkout_id) if checkout.attempt_count else []
    return next((one for one in reversed(tried) if one.kind is TransactionKind.PAYMENT), None)
