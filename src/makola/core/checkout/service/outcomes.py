"""Record what providers say: states, money and the merchants' callbacks in one transaction, many at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from makola.core.callbacks.service import enqueue
from makola.core.callbacks.types import NewCallback
from makola.core.checkout.decisions import Decision, Money, decide
from makola.core.checkout.desk import Books, Desk
from makola.core.checkout.ports import ProviderAnswer
from makola.core.checkout.store import invoices, transactions
from makola.core.checkout.types import Checkout, Transaction, TransactionKind
from makola.core.ledger.service import lock, reserve, settle, transfer_all
from makola.core.ledger.types import Leg, NewHold
from makola.kit.clock import now
from makola.kit.database import Connection, Database
from makola.kit.ids import new_id


@dataclass(frozen=True, slots=True)
class Answered:
    """A transaction, as it was when its provider was asked, and what the provider said."""

    transaction: Transaction
    answer: ProviderAnswer


@dataclass(slots=True)
class _Writes:
    """What one database transaction is to write, collected."""

    transfers: list[tuple[Leg, UUID]] = field(default_factory=list)
    post: list[UUID] = field(default_factory=list)
    void: list[UUID] = field(default_factory=list)
    refunds: list[tuple[Transaction, NewHold]] = field(default_factory=list)
    callbacks: list[NewCallback] = field(default_factory=list)
    account_ids: set[int] = field(default_factory=set)


async def record(desk: Desk, answered: Sequence[Answered]) -> dict[UUID, Transaction]:
    """Record providers' answers; return the transactions as they are then, by id.

    What comes here is what a provider answers when it is asked, or what a person has found out in its place where it
    never said (`reconciliation.decide_by_hand`). A notice from outside is only a hint (`hint`).

    Args:
        desk: the services' own.
        answered: at most one answer for each transaction.
    """
    books = {(one.transaction.provider, one.transaction.currency):
             await desk.books(one.transaction.provider, one.transaction.currency) for one in answered}
    answers = {one.transaction.transaction_id: one for one in answered}
    checkout_ids = {one.transaction.checkout_id for one in answered if one.transaction.checkout_id is not None}
    at = now()
    async with desk.database.transaction() as connection:
        checkouts = await invoices.lock(connection, sorted(checkout_ids)) if checkout_ids else {}
        locked = await transactions.lock(connection, sorted(answers))
        writes = _Writes()
        changed: dict[UUID, Checkout] = {}
        decided: dict[UUID, Transaction] = {}
        for transaction_id, one in locked.items():
            transaction = one.transaction
            checkout = checkouts.get(transaction.checkout_id) if transaction.checkout_id is not None else None
            asked = answers[transaction_id]
            # Told by what is stored, not by a clock: those of other processes may be ahead.
            taken_over = transaction.due_at != asked.transaction.due_at
            decision = decide(transaction, checkout, asked.answer, at, desk.policy, taken_over=taken_over)
            decided[transaction_id] = decision.transaction
            if decision.checkout is not None and decision.checkout is not checkout:
                checkouts[decision.checkout.checkout_id] = decision.checkout
                changed[decision.checkout.checkout_id] = decision.checkout
            _collect(writes, decision, books[(transaction.provider, transaction.currency)], one.settlement_id, at)
            writes.callbacks += _told(desk, decision)
        await _write(connection, writes, list(changed.values()), list(decided.values()), at)
    return decided


def _collect(writes: _Writes, decision: Decision, books: Books, settlement_id: int, at: datetime) -> None:
    transaction = decision.transaction
    transaction_id = transaction.transaction_id
    if decision.money is not Money.NOTHING:
        writes.account_ids |= {books.clearing_id, books.fees_id, books.surplus_id, books.losses_id, settlement_id}
    match decision.money:
        case Money.TAKEN:
            left = transaction.amount_units - transaction.charges_units
            writes.transfers.append((Leg(books.clearing_id, settlement_id, left), transaction_id))
            if transaction.charges_units:
                writes.transfers.append(
                    (Leg(books.clearing_id, books.fees_id, transaction.charges_units), transaction_id))
        case Money.SURPLUS:
            leg = Leg(books.clearing_id, books.surplus_id, transaction.amount_units)
            writes.transfers.append((leg, transaction_id))
            refund = _surplus_refund(transaction, at)
            back = Leg(books.surplus_id, books.clearing_id, transaction.amount_units)
            writes.refunds.append((refund, NewHold(refund.transaction_id, (back,))))
        case Money.LOST:
            leg = Leg(books.losses_id, books.clearing_id, transaction.amount_units)
            writes.transfers.append((leg, transaction_id))
        case Money.POSTED:
            writes.post.append(transaction_id)
        case Money.VOIDED:
            writes.void.append(transaction_id)
        case Money.NOTHING:
            pass


def _told(desk: Desk, decision: Decision) -> list[NewCallback]:
    if not decision.notify:
        return []
    if decision.transaction.kind is TransactionKind.PAYMENT and decision.checkout is not None:
        return desk.notices.of_checkout(decision.checkout, decision.transaction)
    return desk.notices.of_transaction(decision.transaction)


def _surplus_refund(payment: Transaction, at: datetime) -> Transaction:
    """Return the refund that pays back what came too much: its provider is asked at once."""
    return replace(refund_of(payment, payment.amount_units, at, due_at=at), surplus=True,
                   reason="The checkout had ended, or was paid already.")


def refund_of(payment: Transaction, amount_units: int, at: datetime, *, due_at: datetime) -> Transaction:
    """Return a refund of a payment, to where it came from, as it is recorded before its provider is called.

    Args:
        payment: what is paid back.
        amount_units: how much of it.
        at: now.
        due_at: when its provider is asked about it, at the latest.
    """
    return Transaction(
        transaction_id=new_id(), kind=TransactionKind.REFUND, merchant_account_id=payment.merchant_account_id,
        organisation_id=payment.organisation_id, application_id=payment.application_id, provider=payment.provider,
        channel=payment.channel, number=payment.number, name=payment.name, amount_units=amount_units, charges_units=0,
        currency=payment.currency, created_at=at, due_at=due_at, checkout_id=payment.checkout_id,
        refunds=payment.transaction_id, card_last4=payment.card_last4)


async def _write(connection: Connection, writes: _Writes, changed: Sequence[Checkout],
                 decided: Sequence[Transaction], at: datetime) -> None:
    """Write everything; what many transactions share is locked last."""
    await transactions.save(connection, decided)
    if changed:
        await invoices.save(connection, changed)
    for refund, _ in writes.refunds:
        await transactions.insert(connection, refund)
    await enqueue(connection, writes.callbacks)
    if (writes.post or writes.void) and writes.transfers:
        await lock(connection, writes.account_ids)
    if writes.post or writes.void:
        await settle(connection, post=writes.post, void=writes.void, kind="payout")
    await transfer_all(connection, writes.transfers, kind="payment")
    if writes.refunds:
        await reserve(connection, [hold for _, hold in writes.refunds], at)
        await transactions.hint(connection, [refund.transaction_id for refund, _ in writes.refunds], at)


async def hint(database: Database, transaction_ids: Sequence[UUID]) -> None:
    """Take a provider's notice: nothing of it is believed, but the provider is asked at once.

    Args:
        database: where transactions are.
        transaction_ids: which ones the notice names; those that succeeded are passed over.
    """
    await transactions.hint(database, transaction_ids, now())
