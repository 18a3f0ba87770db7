"""Pay customers back: the whole of a payment or parts of it."""

from dataclasses import dataclass, field, replace
from uuid import UUID

from makola.core.checkout.desk import Desk
from makola.core.checkout.errors import (
    BalanceTooSmallError,
    NotRefundableError,
    ReferenceReusedError,
    UnknownTransactionError,
)
from makola.core.checkout.ports import Progress
from makola.core.checkout.service import asking
from makola.core.checkout.service.checks import (
    check_amount,
    check_callback,
    check_reference,
    check_same,
    check_text,
)
from makola.core.checkout.service.initiate import own_account
from makola.core.checkout.service.outcomes import Answered, record, refund_of
from makola.core.checkout.store import invoices, transactions
from makola.core.checkout.types import (
    Checkout,
    MerchantAccount,
    Transaction,
    TransactionKind,
)
from makola.core.ledger.service import reserve
from makola.core.ledger.types import Leg, NewHold
from makola.core.organisations.types import Actor
from makola.kit.clock import now
from makola.kit.database import Connection


@dataclass(frozen=True, slots=True)
class RefundCall:
    """A merchant's wish to pay back.

    Attributes:
        payment_id: the payment's `transaction_id`, or the id of the checkout that it paid.
        amount_units: in 1/10,000 of the currency's unit; None for all that is left.
    """

    account_number: str
    payment_id: UUID
    amount_units: int | None
    reason: str
    client_reference: str = ""
    callback_url: str = field(default="", repr=False)
    content_sha256: bytes = b""


async def refund(desk: Desk, actor: Actor, call: RefundCall) -> tuple[Transaction, Transaction]:
    """Pay back all of a payment or a part; return the refund and the payment.

    The amount is reserved on the settlement balance first. The same call again (by its client reference) returns the
    same refund.

    Raises:
        UnknownMerchantAccountError, NotOwnerError, MerchantAccountUnavailableError: of the account.
        UnknownTransactionError: the account has no such payment.
        NotRefundableError: it did not succeed, or less of it is left.
        BalanceTooSmallError: the settlement balance does not cover it.
    """
    account = await own_account(desk, actor, call.account_number)
    check_callback(call.callback_url, desk.policy, "callback_url")
    check_text(call.reason, "reason")
    check_reference(call.client_reference, desk.policy)
    payment = await _payment(desk, account, call.payment_id)
    books = await desk.books(payment.provider, payment.currency)
    async with desk.database.transaction() as connection:
        made, is_new = await _reserve(desk, connection, account, payment, call, books.clearing_id)
    if not is_new:
        return made, payment
    answer = await asking.request_payout(desk, made, payment)
    if answer.progress in {Progress.UNREACHABLE, Progress.UNKNOWN}:
        return made, payment  # the poller asks
    return (await record(desk, [Answered(made, answer)]))[made.transaction_id], payment


async def _payment(desk: Desk, account: MerchantAccount, payment_id: UUID) -> Transaction:
    payment = await transactions.find(desk.database, payment_id)
    if payment is None:
        checkout = await invoices.find(desk.database, payment_id)
        if checkout is not None and checkout.paid_by is not None:
            payment = await transactions.find(desk.database, checkout.paid_by)
    if (payment is None or payment.merchant_account_id != account.merchant_account_id
            or payment.kind is not TransactionKind.PAYMENT):
        raise UnknownTransactionError("This merchant account has no such payment.", field="payment_id")
    return payment


async def _reserve(desk: Desk, connection: Connection, account: MerchantAccount, payment: Transaction,
                   call: RefundCall, clearing_id: int) -> tuple[Transaction, bool]:
    """Store the refund with its hold, or return the one that the same call made before."""
    if payment.checkout_id is None:
        raise LookupError("a payment pays a checkout")
    checkout = (await invoices.lock(connection, [payment.checkout_id]))[payment.checkout_id]
    if call.client_reference:
        before = await transactions.find_by_reference(connection, account.merchant_account_id, TransactionKind.REFUND,
                                                      call.client_reference)
        if before is not None:
            check_same(before[1], call.content_sha256)
            return before[0], False
    made = _refund(checkout, payment, call, desk)
    if not await transactions.insert(connection, made, call.content_sha256):
        # Of another checkout of this account, at the same moment.
        raise ReferenceReusedError("This reference was used for another request.", field="client_reference")
    await invoices.save(connection, [replace(checkout, refunded_units=checkout.refunded_units + made.amount_units)])
    hold = NewHold(made.transaction_id, (Leg(account.settlement_id, clearing_id, made.amount_units),))
    if not await reserve(connection, [hold], made.created_at):
        raise BalanceTooSmallError("The settlement balance does not cover this refund.", field="amount_units")
    return made, True


def _refund(checkout: Checkout, payment: Transaction, call: RefundCall, desk: Desk) -> Transaction:
    if checkout.paid_by != payment.transaction_id:
        raise NotRefundableError("This payment did not succeed, or was paid back already.", field="payment_id")
    left = payment.amount_units - checkout.refunded_units
    amount = left if call.amount_units is None else call.amount_units
    if left <= 0 or amount > left:
        raise NotRefundableError("Less of this payment is left than that.", field="amount_units")
    if call.amount_units is not None:
        check_amount(amount, replace(desk.policy, minimum_units=1), "amount_units")
    at = now()
    return replace(
        refund_of(payment, amount, at, due_at=desk.policy.first_due(at)), reason=call.reason,
        client_reference=call.client_reference, callback_url=call.callback_url)
