"""What merchants are told, in the documents' very shape (seed, "Checkout Callback").

The names and their order are those of the samples: programs exist that compare whole texts.
"""

import msgspec

from makola.core.callbacks.types import NewCallback
from makola.core.checkout.types import (
    MEANINGS,
    Channel,
    Checkout,
    CheckoutKind,
    CheckoutState,
    Code,
    Transaction,
    TransactionKind,
    TransactionState,
)

_ONE = 10_000
_DESCRIPTIONS = {
    CheckoutState.PAID: "Invoice paid successfully",
    CheckoutState.ORDERED: "customer has placed an order",
    CheckoutState.CANCELLED: "The customer has cancelled the checkout.",
    CheckoutState.EXPIRED: "The checkout has expired before it was paid.",
}
_STATUSES = {CheckoutState.PAID: "Success", CheckoutState.REFUNDED: "Success", CheckoutState.ORDERED: "Ordered",
             CheckoutState.CANCELLED: "Cancelled", CheckoutState.EXPIRED: "Expired"}


def number(amount_units: int) -> msgspec.Raw:
    """Write an amount as an exact JSON number: no more decimals than it needs."""
    whole, rest = divmod(amount_units, _ONE)
    return msgspec.Raw((f"{whole}.{rest:04}".rstrip("0") if rest else str(whole)).encode())


def _number_with_point(amount_units: int) -> msgspec.Raw:
    """Write an amount as the sample of an order does: 1.0."""
    text = bytes(number(amount_units))
    return msgspec.Raw(text if b"." in text else text + b".0")


def of_checkout(checkout: Checkout, payment: Transaction | None) -> list[NewCallback]:
    """Return the callback that tells how a checkout has ended; none where nobody asked for it.

    Args:
        checkout: in a final state.
        payment: that won; else the last one that was tried, if any.
    """
    if checkout.kind is CheckoutKind.DIRECT:
        return of_transaction(payment, checkout) if payment is not None else []
    if not checkout.callback_url:
        return []
    return [_callback(checkout.organisation_id, checkout.application_id, f"checkout.{checkout.state}",
                      checkout.callback_url, checkout_body(checkout, payment), checkout)]


def checkout_body(checkout: Checkout, payment: Transaction | None) -> bytes:
    """Return the callback's body for a page's checkout."""
    state = checkout.state
    code = _code(checkout)
    data: dict[str, object] = {
        "CheckoutId": str(checkout.checkout_id),
        "SalesInvoiceId": checkout.sales_invoice_id,
        "ClientReference": checkout.client_reference,
        "Status": _STATUSES.get(state, "Failed"),
        "Amount": (_number_with_point if state is CheckoutState.ORDERED else number)(checkout.total_units),
        "CustomerPhoneNumber": checkout.customer_number,
        "PaymentDetails": None if payment is None or state is CheckoutState.ORDERED
        else _payment_details(payment, checkout.generation),
        "Description": _description(checkout),
    }
    if state is CheckoutState.ORDERED:
        data |= {"OrderNumber": checkout.order_number, "OrderToken": checkout.order_token}
    success = code in {Code.SUCCESS, Code.ORDERED}
    return msgspec.json.encode({"ResponseCode": code, "Status": "Success" if success else "Failed", "Data": data})


def _code(checkout: Checkout) -> Code:
    if checkout.state in {CheckoutState.PAID, CheckoutState.REFUNDED}:
        return Code.SUCCESS
    if checkout.state is CheckoutState.ORDERED:
        return Code.ORDERED
    return Code(checkout.failure_code or Code.FAILED)


def _description(checkout: Checkout) -> str:
    code = _code(checkout)
    if code is not Code.FAILED and code in MEANINGS and code not in {Code.SUCCESS, Code.ORDERED}:
        return MEANINGS[code]
    return _DESCRIPTIONS.get(checkout.state, MEANINGS[Code.FAILED])


def _payment_details(payment: Transaction, generation: int) -> dict[str, str]:
    if payment.channel is Channel.CARD:
        details = {"CardLastFour": payment.card_last4, "PaymentType": "Card"}
    else:
        details = {"MobileMoneyNumber": payment.number, "PaymentType": "MobileMoney"}
    return details | {"Channel": payment.channel} if generation > 2 else details


def of_transaction(transaction: Transaction, checkout: Checkout | None = None) -> list[NewCallback]:
    """Return the callbacks that tell how a direct call has ended: to the first address and the second.

    Args:
        transaction: decided.
        checkout: that it pays; of a direct receive.
    """
    body = _transaction_body(transaction, amount_asked(transaction, checkout))
    event = f"payments.{transaction.kind}"
    urls = dict.fromkeys((transaction.callback_url, transaction.secondary_callback_url))
    return [_callback(transaction.organisation_id, transaction.application_id, event, url, body, checkout,
                      transaction)
            for url in urls if url]


def _transaction_body(transaction: Transaction, amount_units: int) -> bytes:
    succeeded = transaction.state is TransactionState.SUCCEEDED and not transaction.surplus
    code = Code.SUCCESS if succeeded else Code(transaction.failure_code or Code.FAILED)
    return msgspec.json.encode({
        "ResponseCode": code,
        "Message": "success" if succeeded else "failed",
        "Data": {
            "AmountAfterCharges": number(amount_after_charges(transaction)),
            "TransactionId": transaction.transaction_id.hex,
            "ClientReference": transaction.client_reference,
            "Description": MEANINGS[code] if succeeded else transaction.failure_detail or MEANINGS[code],
            "ExternalTransactionId": transaction.provider_reference,
            "Amount": number(amount_units),
            "Charges": number(transaction.charges_units),
        }})


def amount_after_charges(transaction: Transaction) -> int:
    """Return what the merchant gets of a payment, or what the recipient gets of a payout."""
    if transaction.kind is TransactionKind.PAYMENT:
        return transaction.amount_units - transaction.charges_units
    return transaction.amount_units


def amount_asked(transaction: Transaction, checkout: Checkout | None) -> int:
    """Return what was asked for: of a payment without the fees that the customer paid on top."""
    if transaction.kind is TransactionKind.PAYMENT and checkout is not None:
        return checkout.total_units
    return transaction.amount_units


def _callback(organisation_id: int, application_id: int, event: str, url: str, body: bytes,
              checkout: Checkout | None, transaction: Transaction | None = None) -> NewCallback:
    subject_id = checkout.checkout_id if checkout is not None else \
        transaction.transaction_id if transaction is not None else None
    return NewCallback(organisation_id=organisation_id, application_id=application_id or None, event=event,
                       method="POST", url=url, body=body, subject_id=subject_id)
