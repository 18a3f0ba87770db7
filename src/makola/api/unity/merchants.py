"""Merchant accounts: made, verified, looked at and paid out (ours: the documents have no calls for this)."""

import base64
import binascii

import msgspec

from makola.api.common.asgi import Answer
from makola.api.unity import values
from makola.api.unity.amounts import is_missing, number, units
from makola.api.unity.checkout import content_hash
from makola.api.unity.endpoint import Endpoint, UnityContext
from makola.api.unity.payment_codes import MEANINGS, Code
from makola.api.unity.payment_errors import PaymentAnswer, PaymentError, direct_refusal
from makola.api.unity.payments import TransactionAnswer, transaction_answer
from makola.api.unity.request import UnityRequest
from makola.core.checkout import queries
from makola.core.checkout.errors import InvalidCheckoutError, InvalidDocumentError
from makola.core.checkout.service import documents, merchants, payouts
from makola.core.checkout.types import Channel, MerchantAccount, SweepAccount
from makola.core.organisations import audit
from makola.core.organisations.permissions import Module

_GROUP = "Merchant accounts"
#: A document of the largest size that the settings may allow, in Base64, and what is around it.
_LARGEST_DOCUMENT_BODY = 16 * 1_048_576


class NewMerchant(msgspec.Struct, rename="pascal"):
    """A new merchant account; the platform activates it."""

    name: str


class MerchantChange(msgspec.Struct, rename="pascal"):
    """What to change; what is left out stays. The three values of the sweep account go together."""

    name: str = ""
    sweep_channel: str = ""
    sweep_number: str = ""
    sweep_name: str = ""
    pay_on_delivery: bool = True
    fees_on_customer: bool = False


class Merchant(msgspec.Struct, rename="pascal"):
    """A merchant account. `Balance` is what may be paid out; `Reserved` is on its way."""

    account_number: str
    name: str
    state: str
    verification: str
    refused_because: str
    currency: str
    balance: float
    reserved: float
    sweep_channel: str
    sweep_number: str
    sweep_name: str
    pay_on_delivery: bool
    fees_on_customer: bool
    channels: list[str]


class MerchantAnswer(PaymentAnswer, rename="pascal"):
    """A merchant account."""

    data: Merchant


class MerchantsAnswer(PaymentAnswer, rename="pascal"):
    """The organisation's merchant accounts."""

    data: list[Merchant]


class NewDocument(msgspec.Struct, rename="pascal"):
    """A verification document: a whole PDF, PNG or JPEG file in Base64."""

    kind: str
    file_name: str
    content: str


class Document(msgspec.Struct, rename="pascal"):
    """A document that was submitted."""

    document_id: str
    kind: str
    file_name: str
    content_type: str
    size_bytes: int
    state: str
    note: str
    created: str


class DocumentsAnswer(PaymentAnswer, rename="pascal"):
    """What was submitted, the first one first."""

    data: list[Document]


class Payout(msgspec.Struct, rename="pascal"):
    """Pay out to the sweep account: `Amount`, or everything where it is left out."""

    amount: float | None = None
    client_reference: str = ""


async def list_merchants(context: UnityContext, request: UnityRequest) -> Answer:
    """Answer with the organisation's merchant accounts and their balances."""
    accounts = await queries.list_accounts(context.checkout, request.caller.actor.organisation_id)
    return _done(200, [await _shown(context, account) for account in accounts])


async def create_merchant(context: UnityContext, request: UnityRequest) -> Answer:
    """Make a merchant account. It takes payments once the platform has activated it."""
    async with context.database.transaction() as connection:
        account = await merchants.create_merchant_account(
            connection, request.caller.actor.organisation_id, name=values.text(request.body, "name", field="name"))
        await audit.record(connection, request.caller.actor, "merchant_account:create",
                           f"merchant_account:{account.number}", {"name": account.name})
    return _done(201, await _shown(context, account))


async def get_merchant(context: UnityContext, request: UnityRequest) -> Answer:
    """Answer with a merchant account and its balance."""
    return _done(200, await _shown(context, await _own(context, request)))


async def change_merchant(context: UnityContext, request: UnityRequest) -> Answer:
    """Change a merchant account. Another sweep account has to be verified by the platform again."""
    given = request.body
    account = await _own(context, request)
    async with context.database.transaction() as connection:
        account = await merchants.change(
            connection, account.number, name=_optional(given, "name", "name"), sweep_account=_sweep(given),
            pay_on_delivery=_flag(given, "payondelivery", "pay_on_delivery"),
            fees_on_customer=_flag(given, "feesoncustomer", "fees_on_customer"))
        sweep = account.sweep_account
        await audit.record(connection, request.caller.actor, "merchant_account:change",
                           f"merchant_account:{account.number}",
                           {"name": account.name, "sweep_number": sweep.number if sweep is not None else "",
                            "verification": account.kyc_state})
    return _done(200, await _shown(context, account))


async def submit_document(context: UnityContext, request: UnityRequest) -> Answer:
    """Submit a verification document: a PDF, PNG or JPEG file in Base64."""
    account = await _own(context, request)
    try:
        content = base64.b64decode(values.text(request.body, "content", field="content"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidDocumentError("This is not Base64.", field="content") from error
    await documents.submit(context.checkout, account.number, kind=values.text(request.body, "kind", field="kind"),
                           file_name=values.text(request.body, "filename", field="file_name"), content=content)
    return await _documents(context, request, account, 201)


async def list_documents(context: UnityContext, request: UnityRequest) -> Answer:
    """Answer with the verification documents of a merchant account and what came of them."""
    return await _documents(context, request, await _own(context, request), 200)


async def pay_out(context: UnityContext, request: UnityRequest) -> Answer:
    """Pay the settlement balance, or a part, to the sweep account. The business must be verified."""
    made = await payouts.sweep(
        context.checkout, request.caller.actor, request.path["account_number"],
        units(request.body, "amount", field="amount", required=False),
        client_reference=values.text(request.body, "clientreference", field="client_reference"),
        content_sha256=content_hash(request.body))
    return transaction_answer(made)


async def _documents(context: UnityContext, request: UnityRequest, account: MerchantAccount, status: int) -> Answer:
    zone = request.caller.actor.time_zone
    return _done(status, [
        {"DocumentId": row.document_id.hex, "Kind": row.kind, "FileName": row.file_name,
         "ContentType": row.content_type, "SizeBytes": row.size_bytes, "State": row.state, "Note": row.note,
         "Created": values.format_time(row.created_at, zone)}
        for row in await documents.list_documents(context.checkout, account)])


async def _own(context: UnityContext, request: UnityRequest) -> MerchantAccount:
    return await queries.find_account(context.checkout, request.caller.actor, request.path["account_number"])


async def _shown(context: UnityContext, account: MerchantAccount) -> dict[str, object]:
    money = await payouts.balance(context.checkout, account)
    sweep = account.sweep_account
    return {
        "AccountNumber": account.number, "Name": account.name, "State": account.state,
        "Verification": account.kyc_state, "RefusedBecause": account.refused_because, "Currency": account.currency,
        "Balance": number(money.balance_units - money.held_units), "Reserved": number(money.held_units),
        "SweepChannel": sweep.channel if sweep else "", "SweepNumber": sweep.number if sweep else "",
        "SweepName": sweep.name if sweep else "", "PayOnDelivery": account.pay_on_delivery,
        "FeesOnCustomer": account.fees_on_customer, "Channels": sorted(account.channels)}


def _done(status: int, data: object) -> Answer:
    return Answer(status, msgspec.json.encode({
        "ResponseCode": Code.SUCCESS, "Message": MEANINGS[Code.SUCCESS], "Data": data}))


def _optional(given: values.Values, name: str, field: str) -> str | None:
    return values.text(given, name, field=field) if given.get(name) is not None else None


def _flag(given: values.Values, name: str, field: str) -> bool | None:
    if is_missing(given.get(name)):
        return None
    return values.boolean(given, name, field=field)


def _sweep(given: values.Values) -> SweepAccount | None:
    channel, number_, name = (values.text(given, key, field=field) for key, field in (
        ("sweepchannel", "sweep_channel"), ("sweepnumber", "sweep_number"), ("sweepname", "sweep_name")))
    if not (channel or number_ or name):
        return None
    try:
        return SweepAccount(Channel(channel.strip().lower()), number_, name)
    except ValueError as error:
        raise InvalidCheckoutError("There is no such channel.", field="sweep_channel") from error


_REFUSAL = direct_refusal()
_ERRORS = (400, 401, 402, 403, 404, 413)
_ROOT = "/merchantaccount/merchants"
_ACCOUNT = f"{_ROOT}/{{account_number}}"

ENDPOINTS = (
    Endpoint("GET", _ROOT, list_merchants, "payments.read", "List merchant accounts", _GROUP, {200: MerchantsAnswer},
             errors=_ERRORS, module=Module.PAYMENTS, refusal=_REFUSAL, error=PaymentError),
    Endpoint("POST", _ROOT, create_merchant, "merchants.edit", "Create a merchant account", _GROUP,
             {201: MerchantAnswer}, body=NewMerchant, errors=_ERRORS, module=Module.PAYMENTS, refusal=_REFUSAL,
             error=PaymentError),
    Endpoint("GET", _ACCOUNT, get_merchant, "payments.read", "Read a merchant account", _GROUP, {200: MerchantAnswer},
             errors=_ERRORS, module=Module.PAYMENTS, refusal=_REFUSAL, error=PaymentError),
    Endpoint("PUT", _ACCOUNT, change_merchant, "merchants.edit", "Change a merchant account", _GROUP,
             {200: MerchantAnswer}, body=MerchantChange, errors=_ERRORS, module=Module.PAYMENTS,
             refusal=_REFUSAL, error=PaymentError),
    Endpoint("GET", f"{_ACCOUNT}/documents", list_documents, "payments.read", "List verification documents", _GROUP,
             {200: DocumentsAnswer}, errors=_ERRORS, module=Module.PAYMENTS, refusal=_REFUSAL,
             error=PaymentError),
    Endpoint("POST", f"{_ACCOUNT}/documents", submit_document, "merchants.edit", "Submit a verification document",
             _GROUP, {201: DocumentsAnswer}, body=NewDocument, errors=_ERRORS, module=Module.PAYMENTS,
             refusal=_REFUSAL, error=PaymentError, max_body_bytes=_LARGEST_DOCUMENT_BODY),
    Endpoint("POST", f"{_ACCOUNT}/payouts", pay_out, "payments.send", "Pay out to the sweep account", _GROUP,
             {200: TransactionAnswer}, body=Payout, errors=_ERRORS, module=Module.PAYMENTS, refusal=_REFUSAL,
             error=PaymentError),
)
