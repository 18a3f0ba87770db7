"""The virtual card provider: a page at which the published test numbers pay, and a `CardProvider` over it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import structlog

from makola.connectors.sandbox import card_store
from makola.connectors.sandbox.card_numbers import CHALLENGE_CODE, CardOutcome, find_test_card
from makola.connectors.sandbox.card_store import CardPayment, CardRefund, CardState
from makola.connectors.sandbox.errors import CardSessionNotFoundError, InvalidInputError
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
from makola.kit.database import OUTAGE, Database
from makola.kit.ids import new_id

#: Told of every payment that was settled, after it is on disk.
Settled = Callable[[UUID], Awaitable[None]]

_log = structlog.get_logger(__name__)
_Result = TypeVar("_Result")

_REASONS = {
    CardOutcome.DECLINED: "The bank declined the card.",
    CardOutcome.INSUFFICIENT_FUNDS: "There is not enough money on the card.",
    CardOutcome.EXPIRED: "The card has expired.",
}
_WRONG_CODE = "The bank did not accept the 3-D Secure code."
_CANCELLED = "The payment was cancelled at the card page."
_TOO_LATE = "The card page was open for too long."


class CardDesk:
    """What a customer can do at the provider's page.

    Args:
        database: where the provider keeps its tables.
        settled: told of every outcome, after it is on disk.
    """

    def __init__(self, database: Database, settled: Settled | None = None) -> None:
        self._database = database
        self._settled = settled or _nobody

    async def session(self, session_id: UUID) -> CardPayment:
        """Return the payment of a page.

        Raises:
            CardSessionNotFoundError: there is no such page.
        """
        found = await card_store.fetch_session(self._database, session_id)
        if found is None:
            raise CardSessionNotFoundError("there is no such card payment")
        return found

    async def pay(self, session_id: UUID, number: str) -> CardPayment:
        """Take a card. A payment that is settled, or waits for its code, stays as it is.

        Raises:
            CardSessionNotFoundError: there is no such page.
            InvalidInputError: it is no test number.
        """
        card = find_test_card(number)
        if card is None:
            raise InvalidInputError("only the test numbers are taken here", field="number")

        def paid(payment: CardPayment) -> CardPayment:
            if payment.state is not CardState.OPEN:
                return payment
            known = replace(payment, brand=card.brand, last_four=card.number[-4:])
            if card.outcome is CardOutcome.CHALLENGE:
                return replace(known, state=CardState.CHALLENGED)
            if card.outcome is CardOutcome.SUCCESS:
                return replace(known, state=CardState.SUCCESSFUL)
            return replace(known, state=CardState.FAILED, reason=_REASONS[card.outcome])

        return await self._change(session_id, paid)

    async def answer_challenge(self, session_id: UUID, code: str) -> CardPayment:
        """Take the 3-D Secure code; a wrong one fails the payment.

        Raises:
            CardSessionNotFoundError: there is no such page.
        """
        def answered(payment: CardPayment) -> CardPayment:
            if payment.state is not CardState.CHALLENGED:
                return payment
            if code.strip() == CHALLENGE_CODE:
                return replace(payment, state=CardState.SUCCESSFUL)
            return replace(payment, state=CardState.FAILED, reason=_WRONG_CODE)

        return await self._change(session_id, answered)

    async def cancel(self, session_id: UUID) -> CardPayment:
        """Give up; raises as `session`."""
        return await self._change(session_id, lambda payment: payment if payment.is_settled else replace(
            payment, state=CardState.FAILED, reason=_CANCELLED))

    async def _change(self, session_id: UUID, following: Callable[[CardPayment], CardPayment]) -> CardPayment:
        at = now()
        async with self._database.transaction() as connection:
            before = await card_store.fetch_session(connection, session_id, hold=True)
            if before is None:
                raise CardSessionNotFoundError("there is no such card payment")
            after = following(_in_time(before, at))
            if after != before:
                await card_store.update_payment(connection, after, at)
        if after.is_settled and not before.is_settled:
            await self._settled(after.transaction_id)
        return after


class SandboxCards:
    """Sends customers to the virtual provider's page.

    Args:
        database: where the provider keeps its tables.
        public_url: the address under which customers reach this server.
        session_s: how long a page can be paid at.
    """

    name = "sandbox_cards"
    channels = frozenset({Channel.CARD})
    has_list = True

    def __init__(self, database: Database, public_url: str, *, session_s: float = 900.0) -> None:
        self._database = database
        self._public_url = public_url.rstrip("/")
        self._session_s = session_s

    async def start(self, request: PaymentRequest) -> CardStart:
        """Open a page for a payment."""
        at = now()
        payment = await _reached(lambda: card_store.insert_payment(self._database, CardPayment(
            new_id(), request.transaction_id, request.amount_units, request.currency, CardState.OPEN, "",
            request.payee, request.description, request.return_url, "", "", at,
            at + timedelta(seconds=self._session_s))))
        if payment is None:
            return CardStart(ProviderAnswer(Progress.UNREACHABLE))
        return CardStart(_as_answer(payment), f"{self._public_url}/sandbox/cards/{payment.session_id.hex}")

    async def status(self, question: StatusQuestion) -> ProviderAnswer:
        """Say how a payment or a refund stands."""
        if question.kind is TransactionKind.REFUND:
            refund = await _reached(lambda: self._refund_status(question.transaction_id))
            return refund or ProviderAnswer(Progress.UNREACHABLE)
        return await _reached(lambda: self._status(question.transaction_id)) or ProviderAnswer(Progress.UNREACHABLE)

    async def refund(self, request: RefundRequest) -> ProviderAnswer:
        """Give money back to the card; more than was paid is refused."""
        return await _reached(lambda: self._refund(request)) or ProviderAnswer(Progress.UNREACHABLE)

    async def list_transactions(self, since: datetime, until: datetime) -> Sequence[ProviderTransaction] | None:
        """Return the provider's list; None while its tables cannot be reached."""
        return await _reached(lambda: self._list(since, until))

    async def _status(self, transaction_id: UUID) -> ProviderAnswer:
        at = now()
        async with self._database.transaction() as connection:
            before = await card_store.lock_payment(connection, transaction_id)
            if before is None:
                return ProviderAnswer(Progress.UNKNOWN)
            payment = _in_time(before, at)
            if payment != before:
                await card_store.update_payment(connection, payment, at)
        return _as_answer(payment)

    async def _refund_status(self, transaction_id: UUID) -> ProviderAnswer:
        refund = await card_store.fetch_refund(self._database, transaction_id)
        return ProviderAnswer(Progress.UNKNOWN if refund is None else Progress.SUCCEEDED)

    async def _refund(self, request: RefundRequest) -> ProviderAnswer:
        async with self._database.transaction() as connection:
            payment = await card_store.lock_payment(connection, request.payment_id)
            if await card_store.fetch_refund(connection, request.transaction_id) is not None:
                return ProviderAnswer(Progress.SUCCEEDED)
            if payment is None or payment.state is not CardState.SUCCESSFUL:
                return ProviderAnswer(Progress.FAILED, detail="There is no such payment to give back.")
            returned = await card_store.refunded_units(connection, request.payment_id)
            if returned + request.amount_units > payment.amount_units:
                return ProviderAnswer(Progress.FAILED, detail="More would be given back than was paid.")
            await card_store.insert_refund(connection, CardRefund(
                request.transaction_id, request.payment_id, request.amount_units, payment.currency, now()))
        return ProviderAnswer(Progress.SUCCEEDED, provider_reference=request.transaction_id.hex)

    async def _list(self, since: datetime, until: datetime) -> Sequence[ProviderTransaction]:
        payments = await card_store.fetch_payments_between(self._database, since, until)
        refunds = await card_store.fetch_refunds_between(self._database, since, until)
        return [
            *(ProviderTransaction(payment.transaction_id, payment.transaction_id.hex, TransactionKind.PAYMENT,
                                  _as_answer(payment).progress, payment.amount_units, payment.currency,
                                  payment.created_at) for payment in payments),
            *(ProviderTransaction(refund.transaction_id, refund.transaction_id.hex, TransactionKind.REFUND,
                                  Progress.SUCCEEDED, refund.amount_units, refund.currency, refund.created_at)
              for refund in refunds)]


def _in_time(payment: CardPayment, at: datetime) -> CardPayment:
    """Return a payment as it is at a moment: one whose page was open for too long has failed."""
    if payment.is_settled or at < payment.expires_at:
        return payment
    return replace(payment, state=CardState.FAILED, reason=_TOO_LATE)


_PROGRESS = {CardState.OPEN: Progress.PENDING, CardState.CHALLENGED: Progress.PENDING,
             CardState.SUCCESSFUL: Progress.SUCCEEDED, CardState.FAILED: Progress.FAILED}


def _as_answer(payment: CardPayment) -> ProviderAnswer:
    return ProviderAnswer(_PROGRESS[payment.state], detail=payment.reason,
                          provider_reference=payment.transaction_id.hex, card_last4=payment.last_four)


async def _reached(work: Callable[[], Awaitable[_Result]]) -> _Result | None:
    try:
        return await work()
    except OUTAGE as error:
        _log.warning("sandbox_cards_unreachable", error=str(error))
        return None


async def _nobody(_transaction_id: UUID) -> None:
    """Tell nobody."""
