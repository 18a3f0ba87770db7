"""Direct calls to wallets, refunds, and how transactions stand (reference, section 4)."""

import msgspec

from makola.api.common.asgi import Answer
from makola.api.unity import values
from makola.api.unity.amounts import amount_after_charges, amount_asked, exact_units, number, units
from makola.api.unity.checkout import content_hash, text_of
from makola.api.unity.endpoint import Endpoint, UnityContext
from makola.api.unity.payment_codes import MEANINGS, Code, code_of
from makola.api.unity.payment_errors import PaymentAnswer, PaymentError, direct_refusal
from makola.api.unity.request import UnityRequest
from makola.core.checkout import queries
from makola.core.checkout.errors import ChannelNotPermittedError, InvalidCheckoutError, UnknownTransactionError
from makola.core.checkout.service import payouts, refunds
from makola.core.checkout.service.payments import Receive, receive
from makola.core.checkout.types import Channel, Checkout, Transaction, TransactionKind, TransactionState
from makola.core.numbering.errors import InvalidPhoneNumberError
from makola.core.numbering.phone_numbers import parse_phone_number
from makola.core.organisations.permissions import Module
from makola.kit.ids import parse_id

_GROUP = "Payments"


class MoneyCall(msgspec.Struct, rename="pascal", kw_only=True):
    """What calls to wallets have in common. The outcome follows by callback."""

    channel: str
    amount: float
    primary_callback_url: str
    secondary_callback_url: str = ""
    description: str
    client_reference: str = ""
    customer_email: str = ""


class ReceiveMoney(MoneyCall, rename="pascal", kw_only=True):
    """Ask a wallet to pay. The outcome follows by callback."""

    customer_msisdn: str
    customer_name: str = ""
    token: str = ""
    fees_on_customer: bool = False


class SendMoney(MoneyCall, rename="pascal", kw_only=True):
    """Pay out of the settlement balance to a wallet. The outcome follows by callback."""

    recipient_name: str
    recipient_msisdn: str


class Refund(msgspec.Struct, rename="pascal"):
    """Pay a customer back: all of a payment (`Full`), or `Amount` of it."""

    transaction_id: str
    reason: str = ""
    client_reference: str = ""
    description: str = ""
    amount: float | None = None
    full: bool = False
    primary_callback_url: str = ""


class TransactionData(msgspec.Struct, rename="pascal"):
    """What was asked for. `AmountCharged` is what the customer pays, `AmountAfterCharges` what the merchant gets."""

    transaction_id: str
    description: str
    client_reference: str
    amount: float
    charges: float
    amount_after_charges: float
    amount_charged: float
    external_transaction_id: str = ""


class TransactionAnswer(PaymentAnswer, rename="pascal"):
    """`ResponseCode` 0001: accepted, the callback follows; 0000: done; another: it failed at once."""

    data: TransactionData


class ChargesQuestion(msgspec.Struct, rename="pascal"):
    """What would it cost to send this?"""

    channel: str
    amount: float


class Charges(ChargesQuestion, rename="pascal"):
    """What sending costs."""

    charges: float
    amount_charged: float


class ChargesAnswer(PaymentAnswer, rename="pascal"):
    """What sending costs."""

    data: Charges


# -- calls --------------------------------------------------------------------------------------------------------


async def receive_money(context: UnityContext, request: UnityRequest) -> Answer:
    """Ask a wallet to pay; a prompt appears on the phone, and the outcome follows by callback."""
    given = request.body
    fees = None if given.get("feesoncustomer") is None else \
        values.boolean(given, "feesoncustomer", field="fees_on_customer")
    callback_url = text_of(given, "primary_callback_url")
    if not callback_url:
        raise InvalidCheckoutError("A callback URL is needed.", field="primary_callback_url")
    call = Receive(
        account_number=request.path["account_number"], channel=_channel(given),
        number=_number(request, "customer_msisdn"), name=text_of(given, "customer_name"),
        email=text_of(given, "customer_email"), amount_units=units(given, "amount", field="amount") or 0,
        description=text_of(given, "description"), client_reference=text_of(given, "client_reference"),
        callback_url=callback_url, secondary_callback_url=text_of(given, "secondary_callback_url"),
        fees_on_customer=fees, content_sha256=content_hash(given))
    checkout, payment = await receive(context.checkout, request.caller.actor, call)
    return transaction_answer(payment, checkout)


async def send_money(context: UnityContext, request: UnityRequest) -> Answer:
    """Pay out of the settlement balance to a wallet, the fees on top; the outcome follows by callback."""
    given = request.body
    call = payouts.SendCall(
        account_number=request.path["account_number"], channel=_channel(given),
        number=_number(request, "recipient_msisdn"), name=text_of(given, "recipient_name"),
        amount_units=units(given, "amount", field="amount") or 0, description=text_of(given, "description"),
        client_reference=text_of(given, "client_reference"), callback_url=text_of(given, "primary_callback_url"),
        secondary_callback_url=text_of(given, "secondary_callback_url"), content_sha256=content_hash(given))
    return transaction_answer(await payouts.send(context.checkout, request.caller.actor, call))


async def refund_payment(context: UnityContext, request: UnityRequest) -> Answer:
    """Pay a customer back, out of the settlement balance. Parts may be paid back until nothing is left."""
    given = request.body
    payment_id = parse_id(text_of(given, "transaction_id"))
    if payment_id is None:
        raise UnknownTransactionError("There is no such transaction.", field="transaction_id")
    is_full = values.boolean(given, "full", field="full")
    amount = None if is_full else units(given, "amount", field="amount")
    made, _ = await refunds.refund(context.checkout, request.caller.actor, refunds.RefundCall(
        account_number=request.path["account_number"], payment_id=payment_id, amount_units=amount,
        reason=text_of(given, "reason") or text_of(given, "description"),
        client_reference=text_of(given, "client_reference"), callback_url=text_of(given, "primary_callback_url"),
        content_sha256=content_hash(given)))
    return transaction_answer(made)


async def ask_charges(context: UnityContext, request: UnityRequest) -> Answer:
    """Answer with what sending an amount costs."""
    account = await queries.find_account(context.checkout, request.caller.actor, request.path["account_number"])
    channel = _channel(request.body)
    amount = exact_units(request.body.get("amount", ""), "amount")
    charges = await payouts.charges_of(context.checkout, account, amount)
    return Answer(200, msgspec.json.encode({
        "ResponseCode": Code.SUCCESS, "Message": MEANINGS[Code.SUCCESS], "Data": {
            "Channel": channel, "Amount": number(amount), "Charges": number(charges),
            "AmountCharged": number(amount + charges)}}))


def transaction_answer(transaction: Transaction, checkout: Checkout | None = None) -> Answer:
    """Answer to a call: 0001 while the outcome is open, 0000 when it is done already, the failure's code otherwise."""
    code = Code.ACCEPTED
    if transaction.state is TransactionState.SUCCEEDED:
        code = Code.SUCCESS
    elif transaction.state is TransactionState.FAILED:
        code = code_of(transaction.failure_code)
    return Answer(200, msgspec.json.encode({
        "ResponseCode": code, "Message": transaction.failure_detail or MEANINGS[code], "Data": {
            "TransactionId": transaction.transaction_id.hex,
            "Description": transaction.failure_detail or MEANINGS[code],
            "ClientReference": transaction.client_reference,
            "Amount": number(amount_asked(transaction, checkout)), "Charges": number(transaction.charges_units),
            "AmountAfterCharges": number(amount_after_charges(transaction)),
            "AmountCharged": number(_charged(transaction)),
            "ExternalTransactionId": transaction.provider_reference}}))


def _charged(transaction: Transaction) -> int:
    """Return what leaves the payer: the customer's wallet, or the merchant's balance."""
    if transaction.kind is TransactionKind.PAYMENT:
        return transaction.amount_units
    return transaction.amount_units + transaction.charges_units


def _channel(given: values.Values) -> Channel:
    word = values.text(given, "channel", field="channel").strip().lower()
    try:
        return Channel(word)
    except ValueError as error:
        known = ", ".join(channel for channel in Channel if channel is not Channel.CARD)
        raise ChannelNotPermittedError(f"There is no channel {word[:40]!r}; there are {known}.",
                                       field="channel") from error


def _number(request: UnityRequest, field: str) -> str:
    text = text_of(request.body, field)
    try:
        return parse_phone_number(text, region=request.caller.actor.country_code, field=field).e164
    except InvalidPhoneNumberError as error:
        raise InvalidCheckoutError(error.detail, field=field) from error


_ERRORS = (400, 401, 402, 403, 404, 413)
_ACCOUNT = "/merchantaccount/merchants/{account_number}"

ENDPOINTS = (
    Endpoint("POST", f"{_ACCOUNT}/receive/mobilemoney", receive_money, "payments.receive", "Receive mobile money",
             _GROUP, {200: TransactionAnswer}, body=ReceiveMoney, errors=_ERRORS, module=Module.PAYMENTS,
             refusal=direct_refusal(name="customer_name", number="customer_msisdn", email="customer_email"),
             error=PaymentError),
    Endpoint("POST", f"{_ACCOUNT}/send/mobilemoney", send_money, "payments.send", "Send mobile money", _GROUP,
             {200: TransactionAnswer}, body=SendMoney, errors=_ERRORS, module=Module.PAYMENTS,
             refusal=direct_refusal(name="recipient_name", number="recipient_msisdn"), error=PaymentError),
    Endpoint("POST", f"{_ACCOUNT}/transactions/refund", refund_payment, "payments.refund", "Refund a payment", _GROUP,
             {200: TransactionAnswer}, body=Refund, errors=_ERRORS, module=Module.PAYMENTS,
             refusal=direct_refusal(payment_id="transaction_id"), error=PaymentError),
    Endpoint("POST", f"{_ACCOUNT}/charges/mobile/send", ask_charges, "payments.read", "Ask what sending costs", _GROUP,
             {200: ChargesAnswer}, body=ChargesQuestion, errors=_ERRORS, module=Module.PAYMENTS,
             refusal=direct_refusal(), error=PaymentError),
)
