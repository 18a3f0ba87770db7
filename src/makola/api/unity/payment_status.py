"""How transactions stand: both status calls of the clients (reference, section 4)."""

from datetime import datetime

import msgspec

from makola.api.common.asgi import Answer
from makola.api.unity import values
from makola.api.unity.amounts import amount_after_charges, amount_asked, number
from makola.api.unity.checkout import text_of
from makola.api.unity.endpoint import Endpoint, UnityContext
from makola.api.unity.payment_codes import Code
from makola.api.unity.payment_errors import PaymentAnswer, PaymentError, direct_refusal
from makola.api.unity.request import UnityRequest
from makola.core.checkout import queries
from makola.core.checkout.types import (
    Channel,
    Checkout,
    CheckoutState,
    Transaction,
    TransactionKind,
    TransactionState,
)
from makola.core.organisations.permissions import Module

_GROUP = "Payments"


class PaidQuery(msgspec.Struct, rename="camel"):
    """Which transaction: one of these."""

    client_reference: str = ""
    hubtel_transaction_id: str = ""
    network_transaction_id: str = ""


class StatusQuery(PaidQuery, rename="camel"):
    """Which transaction: one of these; the word None stands for what is left out."""

    invoice_token: str = ""
    checkout_id: str = ""


class Cycle(msgspec.Struct, rename="pascal"):
    """One step of a transaction: `Status` Pending, Success, Failed, Refunded, Ordered, Cancelled or Expired."""

    date: str
    status: str


class TransactionStatus(msgspec.Struct, rename="pascal"):
    """A transaction and its steps, the first one first."""

    start_date: str
    transaction_status: str
    transaction_id: str
    network_transaction_id: str
    invoice_token: str
    transaction_type: str
    payment_method: str
    client_reference: str
    currency_code: str
    transaction_amount: float
    fee: float
    amount_after_fees: float
    mobile_number: str
    transaction_cycle: list[Cycle]


class FoundTransactions(PaymentAnswer, rename="pascal"):
    """The transactions found."""

    data: list[TransactionStatus]


class PaidStatus(msgspec.Struct, rename="camel"):
    """Whether it was paid: `status` is Paid, Unpaid or Refunded."""

    date: str
    status: str
    transaction_id: str
    external_transaction_id: str
    payment_method: str
    client_reference: str
    currency_code: str
    amount: float
    charges: float
    amount_after_charges: float
    is_fulfilled: bool | None


class PaidAnswer(msgspec.Struct, rename="camel"):
    """Whether it was paid. 0000 says that the question was answered; the answer is in `data.status`."""

    message: str
    response_code: str
    data: PaidStatus


async def transaction_status(context: UnityContext, request: UnityRequest) -> Answer:
    """Answer with a transaction and its steps, by whatever id of it is known."""
    query = request.query
    _, checkout, transaction = await queries.find_by_any(
        context.checkout, request.caller.actor, request.path["account_number"],
        client_reference=text_of(query, "client_reference"),
        some_id=(text_of(query, "hubtel_transaction_id") or text_of(query, "invoice_token")
                 or text_of(query, "checkout_id")),
        provider_reference=text_of(query, "network_transaction_id"))
    zone = request.caller.actor.time_zone
    tried = await queries.transactions_of(context.checkout, checkout) if checkout is not None else \
        [transaction] if transaction is not None else []
    cycle = [{"Date": values.format_time(at, zone), "Status": word} for at, word in _cycle(checkout, tried)]
    return Answer(200, msgspec.json.encode({
        "ResponseCode": Code.SUCCESS, "Message": "Transaction Found",
        "Data": [_status(checkout, transaction, zone) | {"TransactionCycle": cycle}]}))


_ENDS = {CheckoutState.ORDERED: "Ordered", CheckoutState.CANCELLED: "Cancelled", CheckoutState.EXPIRED: "Expired"}


def _cycle(checkout: Checkout | None, tried: list[Transaction]) -> list[tuple[datetime, str]]:
    """Return the steps in the order of time."""
    steps: list[tuple[datetime, str]] = []
    if checkout is not None:
        steps.append((checkout.created_at, "Pending"))
        if checkout.state in _ENDS and checkout.finished_at is not None:
            steps.append((checkout.finished_at, _ENDS[checkout.state]))
    for one in tried:
        if checkout is None:
            steps.append((one.created_at, "Pending"))
        if one.finished_at is not None:
            steps.append((one.finished_at, _word(one)))
    return sorted(steps, key=lambda step: step[0])


def _word(transaction: Transaction) -> str:
    if transaction.state is TransactionState.FAILED:
        return "Failed"
    if transaction.state is not TransactionState.SUCCEEDED:
        return "Pending"
    return "Refunded" if transaction.kind is TransactionKind.REFUND else "Success"


def _status(checkout: Checkout | None, transaction: Transaction | None, zone: str) -> dict[str, object]:
    amount, charges, after = _amounts(checkout, transaction)
    created_at = checkout.created_at if checkout is not None else \
        transaction.created_at if transaction is not None else None
    return {
        "StartDate": values.format_time(created_at, zone) if created_at is not None else "",
        "TransactionStatus": _overall(checkout, transaction),
        "TransactionId": _id(transaction),
        "NetworkTransactionId": transaction.provider_reference if transaction is not None else "",
        "InvoiceToken": checkout.checkout_id.hex if checkout is not None else "",
        "TransactionType": transaction.kind.capitalize() if transaction is not None else "Payment",
        "PaymentMethod": _method(transaction),
        "ClientReference": _reference(checkout, transaction),
        "CurrencyCode": _currency(checkout, transaction),
        "TransactionAmount": number(amount), "Fee": number(charges), "AmountAfterFees": number(after),
        "MobileNumber": transaction.number if transaction is not None else ""}


def _overall(checkout: Checkout | None, transaction: Transaction | None) -> str:
    if checkout is not None and checkout.state is not CheckoutState.FAILED:
        return {CheckoutState.OPEN: "Pending", CheckoutState.PAID: "Success",
                CheckoutState.REFUNDED: "Refunded"}.get(checkout.state) or _ENDS[checkout.state]
    return _word(transaction) if transaction is not None else "Pending"


def _amounts(checkout: Checkout | None, transaction: Transaction | None) -> tuple[int, int, int]:
    """Return the amount, the charges, and what is left after them."""
    if transaction is None:
        total = checkout.total_units if checkout is not None else 0
        return total, 0, total
    return amount_asked(transaction, checkout), transaction.charges_units, amount_after_charges(transaction)


def _method(transaction: Transaction | None) -> str:
    if transaction is None:
        return ""
    return "card" if transaction.channel is Channel.CARD else "mobilemoney"


def _reference(checkout: Checkout | None, transaction: Transaction | None) -> str:
    one = checkout or transaction
    return one.client_reference if one is not None else ""


def _currency(checkout: Checkout | None, transaction: Transaction | None) -> str:
    one = checkout or transaction
    return one.currency if one is not None else ""


async def paid_status(context: UnityContext, request: UnityRequest) -> Answer:
    """Answer with whether something was paid, by whatever id of it is known."""
    query = request.query
    _, checkout, transaction = await queries.find_by_any(
        context.checkout, request.caller.actor, request.path["account_number"],
        client_reference=text_of(query, "client_reference"), some_id=text_of(query, "hubtel_transaction_id"),
        provider_reference=text_of(query, "network_transaction_id"))
    return Answer(200, msgspec.json.encode({
        "message": "Successful", "responseCode": Code.SUCCESS,
        "data": _paid(checkout, transaction, request.caller.actor.time_zone)}))


def _paid(checkout: Checkout | None, transaction: Transaction | None, zone: str) -> dict[str, object]:
    state = "Unpaid"
    if checkout is not None:
        state = {CheckoutState.PAID: "Paid", CheckoutState.REFUNDED: "Refunded"}.get(checkout.state, state)
    elif transaction is not None and transaction.state is TransactionState.SUCCEEDED:
        state = "Paid"
    amount, charges, after = _amounts(checkout, transaction)
    one = checkout or transaction
    at = (one.finished_at or one.created_at) if one is not None else None
    return {
        "date": values.format_time(at, zone) if at is not None else "", "status": state,
        "transactionId": _id(transaction),
        "externalTransactionId": transaction.provider_reference if transaction is not None else "",
        "paymentMethod": _method(transaction), "clientReference": _reference(checkout, transaction),
        "currencyCode": _currency(checkout, transaction), "amount": number(amount), "charges": number(charges),
        "amountAfterCharges": number(after), "isFulfilled": None}


def _id(transaction: Transaction | None) -> str:
    return transaction.transaction_id.hex if transaction is not None else ""


_REFUSAL = direct_refusal(some_id="hubtel_transaction_id", provider_reference="network_transaction_id")
_ERRORS = (400, 401, 402, 403, 404, 413)
_ACCOUNT = "/merchantaccount/merchants/{account_number}"

ENDPOINTS = (
    Endpoint("GET", f"{_ACCOUNT}/transactions/status", transaction_status, "payments.read",
             "Read a transaction's steps", _GROUP, {200: FoundTransactions}, query=StatusQuery, errors=_ERRORS,
             module=Module.PAYMENTS, refusal=_REFUSAL, error=PaymentError),
    Endpoint("GET", "/transactions/{account_number}/status", paid_status, "payments.read",
             "Read whether a transaction was paid", _GROUP, {200: PaidAnswer}, query=PaidQuery, mounts=("",),
             errors=_ERRORS, module=Module.PAYMENTS, refusal=_REFUSAL, error=PaymentError),
)
