"""A provider of wallets and cards that does what a test says, and remembers whose money it moved."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from makola.core.checkout.ports import (
    CardStart,
    PaymentRequest,
    Progress,
    ProviderAnswer,
    ProviderTransaction,
    RefundRequest,
    SendRequest,
    StatusQuestion,
)
from makola.core.checkout.types import MOBILE_MONEY, Channel, Failure, TransactionKind
from makola.kit.clock import now


class KilledError(Exception):
    """Stands for the end of the process between two lines."""


@dataclass
class Operation:
    """What the provider has of one transaction."""

    transaction_id: UUID
    kind: TransactionKind
    amount_units: int
    currency: str
    progress: Progress
    failure: Failure = Failure.OTHER
    request_count: int = 1
    at: datetime = field(default_factory=now)
    card_last4: str = ""

    @property
    def moved_units(self) -> int:
        """What the customer has less of."""
        if self.progress is not Progress.SUCCEEDED:
            return 0
        return self.amount_units if self.kind is TransactionKind.PAYMENT else -self.amount_units


class Double:
    """Idempotent by our ids, as the port demands.

    Attributes:
        at_once: how a request is answered: pending until the test decides, or decided already.
        reachable: whether it answers at all.
        dies_after: raise `KilledError` after the next request was taken.
        dies_before: raise it before.
    """

    def __init__(self, name: str = "double", channels: frozenset[Channel] = frozenset(MOBILE_MONEY.values())) -> None:
        self.name = name
        self.channels = channels
        self.has_list = True
        self.operations: dict[UUID, Operation] = {}
        self.at_once = ProviderAnswer(Progress.PENDING)
        self.payouts_at_once = ProviderAnswer(Progress.SUCCEEDED)
        self.reachable = True
        self.answers_lost = False
        self.dies_after = False
        self.dies_before = False
        self.extra: list[ProviderTransaction] = []

    async def request_payment(self, request: PaymentRequest) -> ProviderAnswer:
        return self._request(request.transaction_id, TransactionKind.PAYMENT, request.amount_units, request.currency,
                             self.at_once)

    async def start(self, request: PaymentRequest) -> CardStart:
        answer = self._request(request.transaction_id, TransactionKind.PAYMENT, request.amount_units,
                               request.currency, self.at_once)
        return CardStart(answer, f"https://cards.example/{request.transaction_id.hex}")

    async def send(self, request: SendRequest) -> ProviderAnswer:
        return self._request(request.transaction_id, TransactionKind.SEND, request.amount_units, request.currency,
                             self.payouts_at_once)

    async def refund(self, request: RefundRequest) -> ProviderAnswer:
        paid = self.operations.get(request.payment_id)
        assert paid is not None, "a refund of nothing"
        assert paid.progress is Progress.SUCCEEDED, "a refund of what was not paid"
        return self._request(request.transaction_id, TransactionKind.REFUND, request.amount_units, request.currency,
                             self.payouts_at_once)

    async def status(self, question: StatusQuestion) -> ProviderAnswer:
        if not self.reachable:
            return ProviderAnswer(Progress.UNREACHABLE)
        operation = self.operations.get(question.transaction_id)
        return ProviderAnswer(Progress.UNKNOWN) if operation is None else _answer(operation)

    async def list_transactions(self, since: datetime, until: datetime) -> Sequence[ProviderTransaction] | None:
        if not self.reachable or not self.has_list:
            return None
        own = [ProviderTransaction(one.transaction_id, f"D{one.transaction_id.hex[:8]}", one.kind, one.progress,
                                   one.amount_units, one.currency, one.at) for one in self.operations.values()]
        return [one for one in (*own, *self.extra) if since <= one.at < until]

    # -- what the test does ---------------------------------------------------------------------------------------

    def waiting(self) -> list[Operation]:
        """What the customer has not decided."""
        return [one for one in self.operations.values() if one.progress is Progress.PENDING]

    def approve(self, transaction_id: UUID) -> None:
        """The customer approves."""
        self.operations[transaction_id].progress = Progress.SUCCEEDED

    def decline(self, transaction_id: UUID, failure: Failure = Failure.OTHER) -> None:
        """It comes to nothing."""
        self.operations[transaction_id].progress = Progress.FAILED
        self.operations[transaction_id].failure = failure

    @property
    def moved_units(self) -> int:
        """What customers have less of, all in all."""
        return sum(one.moved_units for one in self.operations.values())

    def _request(self, transaction_id: UUID, kind: TransactionKind, amount_units: int, currency: str,
                 answer: ProviderAnswer) -> ProviderAnswer:
        if self.dies_before:
            self.dies_before = False
            raise KilledError
        if not self.reachable:
            return ProviderAnswer(Progress.UNREACHABLE)
        before = self.operations.get(transaction_id)
        if before is not None:
            before.request_count += 1
            return _answer(before)
        made = Operation(transaction_id, kind, amount_units, currency, answer.progress, answer.failure,
                         card_last4=answer.card_last4)
        self.operations[transaction_id] = made
        if self.dies_after:
            self.dies_after = False
            raise KilledError
        if self.answers_lost:
            return ProviderAnswer(Progress.UNREACHABLE)
        return _answer(made)


def _answer(operation: Operation) -> ProviderAnswer:
    return ProviderAnswer(operation.progress, operation.failure, "", f"D{operation.transaction_id.hex[:8]}",
                          operation.card_last4)
