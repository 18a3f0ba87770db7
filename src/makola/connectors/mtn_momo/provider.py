"""MTN MoMo as the core sees it: a provider of mobile money for one network."""

import re
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from uuid import UUID

import msgspec
import structlog

from makola.connectors.mtn_momo.wire import MomoProduct, MomoUnreachableError, MomoWire
from makola.core.checkout.ports import (
    PaymentRequest,
    Progress,
    ProviderAnswer,
    ProviderTransaction,
    RefundRequest,
    SendRequest,
    StatusQuestion,
)
from makola.core.checkout.types import Channel, Failure, TransactionKind
from makola.kit.money import decimal_text
from makola.kit.outgoing import Answer

_UNREACHABLE = ProviderAnswer(Progress.UNREACHABLE)
#: Where each kind of request is made, and asked for. A sweep is a transfer like any other.
_PLACES = {
    TransactionKind.PAYMENT: (MomoProduct.COLLECTION, "v1_0/requesttopay"),
    TransactionKind.SEND: (MomoProduct.DISBURSEMENT, "v1_0/transfer"),
    TransactionKind.SWEEP: (MomoProduct.DISBURSEMENT, "v1_0/transfer"),
    TransactionKind.REFUND: (MomoProduct.DISBURSEMENT, "v1_0/refund"),
}
_PROGRESS = {"PENDING": Progress.PENDING, "CREATED": Progress.PENDING, "SUCCESSFUL": Progress.SUCCEEDED,
             "FAILED": Progress.FAILED, "REJECTED": Progress.FAILED, "TIMEOUT": Progress.FAILED}
_FAILURES = {"NOT_ENOUGH_FUNDS": Failure.MTN_INSUFFICIENT_FUNDS, "PAYER_NOT_FOUND": Failure.MTN_NOT_REGISTERED,
             "PAYEE_NOT_FOUND": Failure.MTN_NOT_REGISTERED}
_DETAILS = {
    "APPROVAL_REJECTED": "The payment was declined on the phone.",
    "PAYMENT_NOT_APPROVED": "The payment was declined on the phone.",
    "EXPIRED": "Nobody approved the payment on the phone in time.",
    "PAYER_LIMIT_REACHED": "The amount is more than the wallet may still pay today.",
}
#: "Unsupported special characters in the body, for example an apostrophe" and more than 160 characters are refused.
_UNSUPPORTED = re.compile(r"[^A-Za-z0-9 .,:_/-]+")
_TEXT_LENGTH = 160

_log = structlog.get_logger(__name__)


class _Reason(msgspec.Struct):
    code: str = ""


class _Status(msgspec.Struct, rename="camel"):
    status: str
    financial_transaction_id: str | int | None = None
    reason: _Reason | str | None = None


class MtnMomo:
    """Asks MTN's customers in one country to pay.

    Args:
        wire: the API.
        notice_url: under which our door for callbacks is; empty for none.
        currency: used instead of the payment's where the environment knows no other (MTN's own sandbox: EUR).
    """

    name = "mtn_momo"
    channels = frozenset({Channel.MTN})
    has_list = False

    def __init__(self, wire: MomoWire, *, notice_url: str = "", currency: str = "") -> None:
        self._wire = wire
        self._notice_url = notice_url.rstrip("/")
        self._currency = currency

    async def request_payment(self, request: PaymentRequest) -> ProviderAnswer:
        """Ask the customer, on the phone, to pay."""
        return await self._make(TransactionKind.PAYMENT, request.transaction_id, {
            **self._amount(request.amount_units, request.currency),
            "externalId": request.transaction_id.hex,
            "payer": {"partyIdType": "MSISDN", "partyId": request.number.lstrip("+")},
            "payerMessage": _plain(request.payee), "payeeNote": _plain(request.description)})

    async def send(self, request: SendRequest) -> ProviderAnswer:
        """Pay out to a wallet."""
        return await self._make(TransactionKind.SEND, request.transaction_id, {
            **self._amount(request.amount_units, request.currency),
            "externalId": request.transaction_id.hex,
            "payee": {"partyIdType": "MSISDN", "partyId": request.number.lstrip("+")},
            "payerMessage": _plain(request.description), "payeeNote": _plain(request.name)})

    async def refund(self, request: RefundRequest) -> ProviderAnswer:
        """Give money back."""
        return await self._make(TransactionKind.REFUND, request.transaction_id, {
            **self._amount(request.amount_units, request.currency),
            "externalId": request.transaction_id.hex,
            "payerMessage": _plain(request.reason), "payeeNote": _plain(request.reason),
            "referenceIdToRefund": str(request.payment_id)})

    async def status(self, question: StatusQuestion) -> ProviderAnswer:
        """Say how a request stands."""
        product, path = _PLACES[question.kind]
        try:
            answer = await self._wire.call(product, "GET", f"{path}/{question.transaction_id}")
        except MomoUnreachableError:
            return _UNREACHABLE
        if answer.status == HTTPStatus.NOT_FOUND:
            return ProviderAnswer(Progress.UNKNOWN)
        return _read(answer) if answer.status == HTTPStatus.OK else _UNREACHABLE

    async def list_transactions(self, since: datetime, until: datetime) -> Sequence[ProviderTransaction] | None:
        """Return None: the API has no list."""
        del since, until
        return None

    async def _make(self, kind: TransactionKind, transaction_id: UUID, body: dict[str, object]) -> ProviderAnswer:
        product, path = _PLACES[kind]
        if not self._wire.has(product):
            return ProviderAnswer(Progress.FAILED, detail="MTN MoMo is not set up to pay out.")
        notice_url = f"{self._notice_url}/{transaction_id}" if self._notice_url else ""
        try:
            answer = await self._wire.call(product, "POST", path, body=body, reference=str(transaction_id),
                                           callback_url=notice_url)
        except MomoUnreachableError:
            return _UNREACHABLE
        if answer.status == HTTPStatus.ACCEPTED:
            return ProviderAnswer(Progress.PENDING)
        if answer.status == HTTPStatus.CONFLICT:  # made before: how does it stand?
            return await self.status(StatusQuestion(kind, transaction_id, "", Channel.MTN))
        if answer.status == HTTPStatus.BAD_REQUEST:
            _log.warning("mtn_momo_refused", path=path, transaction=transaction_id.hex)
            return ProviderAnswer(Progress.FAILED)
        return _UNREACHABLE

    def _amount(self, units: int, currency: str) -> dict[str, object]:
        return {"amount": decimal_text(units).removesuffix(".00"), "currency": self._currency or currency}


def _plain(text: str) -> str:
    return " ".join(_UNSUPPORTED.sub(" ", text).split())[:_TEXT_LENGTH] or "Payment"


def _read(answer: Answer) -> ProviderAnswer:
    try:
        status = msgspec.json.decode(answer.body, type=_Status)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _UNREACHABLE
    progress = _PROGRESS.get(status.status.upper())
    if progress is None:
        return _UNREACHABLE
    reference = "" if status.financial_transaction_id is None else str(status.financial_transaction_id)
    if progress is not Progress.FAILED:
        return ProviderAnswer(progress, provider_reference=reference)
    reason = status.reason if isinstance(status.reason, str) else (status.reason or _Reason()).code
    return ProviderAnswer(progress, _FAILURES.get(reason, Failure.OTHER), _DETAILS.get(reason, ""), reference)
