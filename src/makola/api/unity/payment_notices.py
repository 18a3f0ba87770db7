"""What merchants are told by callback, in the documents' very shape (seed, "Checkout Callback").

The names and their order are those of the samples: programs exist that compare whole texts.
"""

import msgspec

from makola.api.unity.amounts import amount_after_charges, amount_asked, number, number_with_point
from makola.api.unity.payment_codes import MEANINGS, Code, code_of
from makola.core.checkout.types import Channel, Checkout, CheckoutState, Transaction, TransactionState

_DESCRIPTIONS = {
    CheckoutState.PAID: "Invoice paid successfully",
    CheckoutState.ORDERED: "customer has placed an order",
    CheckoutState.CANCELLED: "The customer has cancelled the checkout.",
    CheckoutState.EXPIRED: "The checkout has expired before it was paid.",
}
_STATUSES = {CheckoutState.PAID: "Success", CheckoutState.REFUNDED: "Success", CheckoutState.ORDERED: "Ordered",
             CheckoutState.CANCELLED: "Cancelled", CheckoutState.EXPIRED: "Expired"}


def checkout_body(checkout: Checkout, payment: Transaction | None) -> bytes:
    """Return the callback's body for a page's checkout.

    Args:
        checkout: in a final state.
        payment: that won; else the last one that was tried, if any.
    """
    state = checkout.state
    code = _code(checkout)
    data: dict[str, object] = {
        "CheckoutId": str(checkout.checkout_id),
        "SalesInvoiceId": checkout.sales_invoice_id,
        "ClientReference": checkout.client_reference,
        "Status": _STATUSES.get(state, "Failed"),
        "Amount": (number_with_point if state is CheckoutState.ORDERED else number)(checkout.total_units),
        "CustomerPhoneNumber": checkout.customer_number,
        "PaymentDetails": None if payment is None or state is CheckoutState.ORDERED
        else _payment_details(payment, checkout.generation),
        "Description": _description(checkout),
    }
    if state is CheckoutState.ORDERED:
        data |= {"OrderNumber": checkout.order_number, "OrderToken": checkout.order_token}
    success = code in {Code.SUCCESS, Code.ORDERED}
    return msgspec.json.encode({"ResponseCode": code, "Status": "Success" if success else "Failed", "Data": data})


def transaction_body(transaction: Transaction, checkout: Checkout | None) -> bytes:
    """Return the callback's body for a direct call.

    Args:
        transaction: decided.
        checkout: that it pays; of a direct receive.
    """
    succeeded = transaction.state is TransactionState.SUCCEEDED and not transaction.surplus
    code = Code.SUCCESS if succeeded else code_of(transaction.failure_code)
    return msgspec.json.encode({
        "ResponseCode": code,
        "Message": "success" if succeeded else "failed",
        "Data": {
            "AmountAfterCharges": number(amount_after_charges(transaction)),
            "TransactionId": transaction.transaction_id.hex,
            "ClientReference": transaction.client_reference,
            "Description": MEANINGS[code] if succeeded else transaction.failure_detail or MEANINGS[code],
            "ExternalTransactionId": transaction.provider_reference,
            "Amount": number(amount_asked(transaction, checkout)),
            "Charges": number(transaction.charges_units),
        }})


def _code(checkout: Checkout) -> Code:
    if checkout.state in {CheckoutState.PAID, CheckoutState.REFUNDED}:
        return Code.SUCCESS
    return Code.ORDERED if checkout.state is CheckoutState.ORDERED else code_of(checkout.failure_code)


def _description(checkout: Checkout) -> str:
    code = _code(checkout)
    if code not in {Code.FAILED, Code.SUCCESS, Code.ORDERED}:
        return MEANINGS[code]
    return _DESCRIPTIONS.get(checkout.state, MEANINGS[Code.FAILED])


def _payment_details(payment: Transaction, generation: int) -> dict[str, str]:
    if payment.channel is Channel.CARD:
        details = {"CardLastFour": payment.card_last4, "PaymentType": "Card"}
    else:
        details = {"MobileMoneyNumber": payment.number, "PaymentType": "MobileMoney"}
    return details | {"Channel": payment.channel} if generation > 2 else details
