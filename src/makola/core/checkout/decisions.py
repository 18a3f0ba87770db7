"""What a provider's word changes: decided on values alone, so that every order of events can be tried.

The rule of the one winner: the first payment that succeeds while its checkout is open takes it. Every other success
is surplus, and is paid back.
"""

import enum
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from makola.core.checkout.desk import CheckoutPolicy
from makola.core.checkout.ports import Progress, ProviderAnswer
from makola.core.checkout.states import transaction_may
from makola.core.checkout.types import (
    Checkout,
    CheckoutKind,
    CheckoutState,
    Failure,
    Transaction,
    TransactionKind,
    TransactionState,
)


class Money(enum.Enum):
    """What the ledger is to write."""

    NOTHING = "nothing"
    TAKEN = "taken"
    SURPLUS = "surplus"
    POSTED = "posted"
    VOIDED = "voided"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from an answer.

    Attributes:
        transaction: as it is from now on.
        checkout: likewise; None where the transaction has none.
        money: what moves.
        notify: the merchant is told: of the checkout's end, or, of a send or refund, of its own.
    """

    transaction: Transaction
    checkout: Checkout | None
    money: Money = Money.NOTHING
    notify: bool = False


def decide(transaction: Transaction, checkout: Checkout | None, answer: ProviderAnswer, at: datetime,
           policy: CheckoutPolicy, *, taken_over: bool = False) -> Decision:
    """Return what a provider's answer changes.

    Args:
        transaction: as it is stored, locked.
        checkout: what it pays or pays back, locked.
        answer: of the provider when it was asked, or of a person in its place; a notice from outside never comes here.
        at: when it was given.
        policy: how long providers are asked.
        taken_over: since it was asked about, a notice has had it asked about again, or somebody else has it in hand:
            the answer may be older than what the notice is about, so it stays due when it is.
    """
    known = replace(transaction, poll_count=transaction.poll_count + 1,
                    provider_reference=answer.provider_reference or transaction.provider_reference,
                    card_last4=answer.card_last4 or transaction.card_last4)
    match answer.progress:
        case Progress.SUCCEEDED if transaction_may(transaction.state, TransactionState.SUCCEEDED):
            return _succeeded(known, checkout, at)
        case Progress.FAILED if transaction_may(transaction.state, TransactionState.FAILED):
            return _failed(known, checkout, answer, at)
        case _ if transaction.is_open:
            return Decision(_still_open(known, answer.progress, at, policy, taken_over=taken_over), checkout)
        case _:
            return Decision(_asked_again(known, answer.progress, at, policy, taken_over=taken_over), checkout)


def _asked_again(transaction: Transaction, progress: Progress, at: datetime, policy: CheckoutPolicy, *,
                 taken_over: bool) -> Transaction:
    """Return what is no longer open, with when to ask again: only a notice has anybody ask about that.

    Where the provider has not answered, the notice is not looked into yet. What nobody has in hand is not due at all.
    """
    if taken_over:
        return transaction
    if transaction.due_at is None or progress is not Progress.UNREACHABLE:
        return replace(transaction, due_at=None, hint_count=None)
    return _unanswered(transaction, at, policy)


def _still_open(transaction: Transaction, progress: Progress, at: datetime, policy: CheckoutPolicy, *,
                taken_over: bool) -> Transaction:
    if progress is Progress.PENDING:
        transaction = replace(transaction, state=TransactionState.PENDING)
    if taken_over:
        return transaction
    if progress is Progress.UNREACHABLE:
        later = _unanswered(transaction, at, policy)
    else:
        later = replace(transaction, due_at=policy.next_due(transaction.created_at, at), hint_count=None)
    return later if later.due_at is not None else replace(later, state=TransactionState.UNDECIDED)


def _unanswered(transaction: Transaction, at: datetime, policy: CheckoutPolicy) -> Transaction:
    """Return it with when to ask again, as nobody has answered: soon, where a notice has had us ask."""
    due_at = policy.next_due(transaction.created_at, at)
    asked = transaction.hint_count
    if asked is None or asked >= len(policy.hint_delays_s):
        return replace(transaction, due_at=due_at, hint_count=None)
    soon = at + timedelta(seconds=policy.hint_delays_s[asked])
    return replace(transaction, due_at=min(soon, due_at or soon), hint_count=asked + 1)


def _succeeded(transaction: Transaction, checkout: Checkout | None, at: datetime) -> Decision:
    was_failed = transaction.state is TransactionState.FAILED
    done = replace(transaction, state=TransactionState.SUCCEEDED, due_at=None, finished_at=at, failure_code="",
                   failure_detail="", hint_count=None)
    if transaction.kind is not TransactionKind.PAYMENT:
        money = Money.LOST if was_failed else Money.POSTED
        if transaction.kind is TransactionKind.REFUND and checkout is not None and not transaction.surplus:
            checkout = _returned(checkout, transaction, was_failed=was_failed)
        return Decision(done, checkout, money, notify=True)
    if checkout is not None and checkout.state is CheckoutState.OPEN:
        paid = replace(checkout, state=CheckoutState.PAID, paid_by=transaction.transaction_id, failure_code="",
                       customer_number=transaction.number or checkout.customer_number, finished_at=at)
        return Decision(done, paid, Money.TAKEN, notify=True)
    return Decision(replace(done, surplus=True), checkout, Money.SURPLUS)


def _returned(checkout: Checkout, refund: Transaction, *, was_failed: bool) -> Checkout:
    """Return the checkout once a refund has reached its customer; a whole one ends it."""
    returned = checkout.returned_units + refund.amount_units
    refunded = checkout.refunded_units + (refund.amount_units if was_failed else 0)
    state = CheckoutState.REFUNDED if returned >= checkout.total_units else checkout.state
    return replace(checkout, state=state, returned_units=returned, refunded_units=refunded)


def _failed(transaction: Transaction, checkout: Checkout | None, answer: ProviderAnswer, at: datetime) -> Decision:
    failed = replace(transaction, state=TransactionState.FAILED, due_at=None, finished_at=at,
                     failure_code=answer.failure, failure_detail=answer.detail, hint_count=None)
    if transaction.kind is not TransactionKind.PAYMENT:
        if transaction.kind is TransactionKind.REFUND and checkout is not None and not transaction.surplus:
            checkout = replace(checkout, refunded_units=checkout.refunded_units - transaction.amount_units)
        return Decision(failed, checkout, Money.VOIDED, notify=True)
    if checkout is None or checkout.state is not CheckoutState.OPEN:
        return Decision(failed, checkout)
    tried = replace(checkout, failure_code=answer.failure)
    if checkout.kind is CheckoutKind.DIRECT:
        return Decision(failed, replace(tried, state=CheckoutState.FAILED, finished_at=at), notify=True)
    return Decision(failed, tried)


def ended(checkout: Checkout, state: CheckoutState, at: datetime) -> Checkout:
    """Return an open checkout that nobody has paid as it is after its end."""
    return replace(checkout, state=state, finished_at=at, failure_code=checkout.failure_code or Failure.OTHER)
