"""Paystack as the core sees it: a provider of cards."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import structlog

from makola.connectors.paystack.wire import (
    Begun,
    PaystackRefund,
    PaystackRefusedError,
    PaystackTransaction,
    PaystackUnreachableError,
    PaystackWire,
)
from makola.core.checkout.ports import (
    CardStart,
    PaymentRequest,
    Progress,
    ProviderAnswer,
    ProviderTransaction,
    RefundRequest,
    StatusQuestion,
)
from makola.core.checkout.types import Channel, TransactionKind
from makola.kit.clock import now
from makola.kit.ids import parse_id

_UNREACHABLE = ProviderAnswer(Progress.UNREACHABLE)
_UNITS_PER_SUBUNIT = 100
_NOTE = "Refund "
_PAGE = 100
_PAGES_AT_MOST = 200
#: How much longer than a refund is asked about it is looked for: clocks differ, and an outage takes its time.
_REFUNDS_MARGIN = timedelta(days=2)
_PAGES_REMEMBERED = 10_000

#: "abandoned" is a page that was opened and not yet paid at: the customer may still come back to it.
_PROGRESS = {"success": Progress.SUCCEEDED, "failed": Progress.FAILED, "reversed": Progress.FAILED}
_REFUND_PROGRESS = {"processed": Progress.SUCCEEDED, "failed": Progress.FAILED}
_DETAILS = (("insufficient", "There is not enough money on the card."), ("expired", "The card has expired."))
_DECLINED = "The bank declined the card."
_UNKNOWN_CODES = frozenset({"transaction_not_found", "refund_not_found"})
_NO_SUCH = ("not found", "invalid transaction")

_log = structlog.get_logger(__name__)
_Listed = TypeVar("_Listed")


class Paystack:
    """Sends customers to Paystack's page.

    Args:
        wire: the API.
        fallback_email: given for customers whose address nobody knows: Paystack asks for one.
        asked_for: how long after its beginning a refund may be asked about.
    """

    name = "paystack"
    channels = frozenset({Channel.CARD})
    has_list = True

    def __init__(self, wire: PaystackWire, *, fallback_email: str, asked_for: timedelta = timedelta(days=1)) -> None:
        self._wire = wire
        self._fallback_email = fallback_email
        self._refunds_kept = asked_for + _REFUNDS_MARGIN
        self._begun: OrderedDict[UUID, str] = OrderedDict()

    async def start(self, request: PaymentRequest) -> CardStart:
        """Open a page. A repeat gets the page of the first time as long as this process remembers it."""
        known = self._begun.get(request.transaction_id)
        if known is not None:
            return CardStart(ProviderAnswer(Progress.PENDING), known)
        try:
            begun = await self._wire.call("POST", "transaction/initialize", Begun, body={
                "email": request.email or self._fallback_email,
                "amount": str(request.amount_units // _UNITS_PER_SUBUNIT), "currency": request.currency,
                "reference": request.transaction_id.hex, "callback_url": request.return_url, "channels": ["card"],
                "metadata": {"payee": request.payee, "description": request.description,
                             "client_reference": request.client_reference}})
        except PaystackUnreachableError:
            return CardStart(_UNREACHABLE)
        except PaystackRefusedError as error:
            return CardStart(await self._refused(request, error))
        self._begun[request.transaction_id] = begun.authorization_url
        while len(self._begun) > _PAGES_REMEMBERED:
            self._begun.popitem(last=False)
        return CardStart(ProviderAnswer(Progress.PENDING), begun.authorization_url)

    async def status(self, question: StatusQuestion) -> ProviderAnswer:
        """Say how a payment or a refund stands."""
        try:
            if question.kind is TransactionKind.REFUND:
                return await self._refund_status(question)
            transaction = await self._wire.call("GET", f"transaction/verify/{question.transaction_id.hex}",
                                                PaystackTransaction)
        except PaystackUnreachableError:
            return _UNREACHABLE
        except PaystackRefusedError as error:
            return ProviderAnswer(Progress.UNKNOWN) if _is_unknown(error) else _UNREACHABLE
        answer = _payment_answer(transaction)
        if answer.progress is Progress.SUCCEEDED and not _is_whole(transaction, question):
            # Whoever has the public key can pay what they like at Paystack under a reference that is free. It stays
            # open, and the reconciliation lists the difference.
            _log.error("paystack_amount_differs", transaction=question.transaction_id.hex, amount=transaction.amount,
                       currency=transaction.currency)
            return replace(answer, progress=Progress.PENDING)
        return answer

    async def refund(self, request: RefundRequest) -> ProviderAnswer:
        """Give money back. Paystack takes no id of ours for a refund: its note carries it, and is looked for first."""
        try:
            before = await self._find_refund(request.transaction_id, transaction=request.payment_reference)
            if before is None:
                before = await self._wire.call("POST", "refund", PaystackRefund, body={
                    "transaction": request.payment_id.hex, "amount": request.amount_units // _UNITS_PER_SUBUNIT,
                    "currency": request.currency, "merchant_note": _NOTE + request.transaction_id.hex,
                    "customer_note": request.reason})
        except PaystackUnreachableError:
            return _UNREACHABLE
        except PaystackRefusedError as error:
            _log.warning("paystack_refund_refused", transaction=request.transaction_id.hex, reason=error.message)
            return ProviderAnswer(Progress.FAILED)
        return _refund_answer(before)

    async def list_transactions(self, since: datetime, until: datetime) -> Sequence[ProviderTransaction] | None:
        """Return Paystack's list; None while it does not answer."""
        period = {"from": since.isoformat(), "to": until.isoformat()}
        try:
            payments = await self._pages("transaction", list[PaystackTransaction], period)
            refunds = await self._pages("refund", list[PaystackRefund], period)
        except (PaystackUnreachableError, PaystackRefusedError):
            return None
        return [*(ProviderTransaction(parse_id(payment.reference), str(payment.id), TransactionKind.PAYMENT,
                                      _payment_answer(payment).progress, payment.amount * _UNITS_PER_SUBUNIT,
                                      payment.currency, payment.created_at or since)
                  for payment in payments if since <= (payment.created_at or since) < until),
                *(ProviderTransaction(_id_of(refund), str(refund.id), TransactionKind.REFUND,
                                      _refund_answer(refund).progress, refund.amount * _UNITS_PER_SUBUNIT,
                                      refund.currency, refund.created_at or since)
                  for refund in refunds if since <= (refund.created_at or since) < until)]

    async def _refused(self, request: PaymentRequest, error: PaystackRefusedError) -> ProviderAnswer:
        if error.code == "duplicate_reference" or "duplicate" in error.message.lower():
            return await self.status(StatusQuestion(TransactionKind.PAYMENT, request.transaction_id, "", Channel.CARD,
                                                    request.amount_units, request.currency))
        _log.warning("paystack_refused", transaction=request.transaction_id.hex, reason=error.message)
        return ProviderAnswer(Progress.FAILED)

    async def _refund_status(self, question: StatusQuestion) -> ProviderAnswer:
        if question.provider_reference:
            return _refund_answer(await self._wire.call("GET", f"refund/{question.provider_reference}", PaystackRefund))
        found = await self._find_refund(question.transaction_id)
        return ProviderAnswer(Progress.UNKNOWN) if found is None else _refund_answer(found)

    async def _find_refund(self, refund_id: UUID, *, transaction: str = "") -> PaystackRefund | None:
        query = {"transaction": transaction} if transaction else {"from": (now() - self._refunds_kept).isoformat()}
        refunds = await self._pages("refund", list[PaystackRefund], query)
        return next((refund for refund in refunds if _id_of(refund) == refund_id), None)

    async def _pages(self, path: str, shape: type[list[_Listed]], query: dict[str, str]) -> list[_Listed]:
        found: list[_Listed] = []
        for page in range(1, _PAGES_AT_MOST + 1):
            listed = await self._wire.call("GET", path, shape, query={**query, "perPage": str(_PAGE),
                                                                      "page": str(page)})
            found += listed
            if len(listed) < _PAGE:
                return found
        raise PaystackUnreachableError("the list does not end")


def _payment_answer(transaction: PaystackTransaction) -> ProviderAnswer:
    progress = _PROGRESS.get(transaction.status, Progress.PENDING)
    last4 = (transaction.authorization.last4 or "") if transaction.authorization is not None else ""
    return ProviderAnswer(progress, detail=_detail(transaction.gateway_response) if progress is Progress.FAILED else "",
                          provider_reference=str(transaction.id), card_last4=last4[-4:])


def _is_whole(transaction: PaystackTransaction, question: StatusQuestion) -> bool:
    """Say whether that was paid which was asked for, and not something smaller under the same reference."""
    return not question.amount_units or (
        transaction.amount * _UNITS_PER_SUBUNIT >= question.amount_units
        and transaction.currency == question.currency)


def _refund_answer(refund: PaystackRefund) -> ProviderAnswer:
    return ProviderAnswer(_REFUND_PROGRESS.get(refund.status, Progress.PENDING), provider_reference=str(refund.id))


def _id_of(refund: PaystackRefund) -> UUID | None:
    return parse_id((refund.merchant_note or "").removeprefix(_NOTE))


def _detail(words: str | None) -> str:
    lower = (words or "").lower()
    return next((detail for part, detail in _DETAILS if part in lower), _DECLINED)


def _is_unknown(error: PaystackRefusedError) -> bool:
    return error.code in _UNKNOWN_CODES or any(part in error.message.lower() for part in _NO_SUCH)
