"""SQL of the virtual card provider. Of a card, its brand and last four digits are kept and nothing else."""

import enum
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from makola.connectors.sandbox.store import Source
from makola.kit.database import Connection, Database, Record


class CardState(enum.StrEnum):
    """Where a card payment stands."""

    OPEN = "open"
    CHALLENGED = "challenged"
    SUCCESSFUL = "successful"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CardPayment:
    """A payment at the provider's page.

    Attributes:
        session_id: names the page; who knows it may pay there.
        transaction_id: what the hub called the payment.
        amount_units: in 1/10,000 of the currency's unit.
        reason: why it failed, in words; empty unless it did.
        return_url: where the customer goes back to.
        last_four: of the card; empty until one was taken.
    """

    session_id: UUID
    transaction_id: UUID
    amount_units: int
    currency: str
    state: CardState
    reason: str
    payee: str
    note: str
    return_url: str = field(repr=False)
    brand: str
    last_four: str
    created_at: datetime
    expires_at: datetime

    @property
    def is_settled(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.state in {CardState.SUCCESSFUL, CardState.FAILED}


@dataclass(frozen=True, slots=True)
class CardRefund:
    """Money that went back to a card."""

    transaction_id: UUID
    refers_to: UUID
    amount_units: int
    currency: str
    created_at: datetime


_SELECT_REFUNDS = """
SELECT r.*, p.currency FROM sandbox.card_refund r JOIN sandbox.card_payment p ON p.transaction_id = r.refers_to"""


def _payment(row: Record) -> CardPayment:
    return CardPayment(
        row["session_id"], row["transaction_id"], row["amount_units"], row["currency"], CardState(row["state"]),
        row["reason"] or "", row["payee"], row["note"], row["return_url"], row["brand"] or "", row["last_four"] or "",
        row["created_at"], row["expires_at"])


def _refund(row: Record) -> CardRefund:
    return CardRefund(
        row["transaction_id"], row["refers_to"], row["amount_units"], row["currency"], row["created_at"])


async def insert_payment(database: Database, payment: CardPayment) -> CardPayment:
    """Store a payment; return it, or the one that was there under its transaction's id."""
    await database.execute("""
        INSERT INTO sandbox.card_payment
            (session_id, transaction_id, amount_units, currency, state, payee, note, return_url, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (transaction_id) DO NOTHING""",
        payment.session_id, payment.transaction_id, payment.amount_units, payment.currency, payment.state,
        payment.payee, payment.note, payment.return_url, payment.created_at, payment.expires_at)
    stored = await fetch_payment(database, payment.transaction_id)
    if stored is None:
        raise RuntimeError("a card payment that was stored is not there")
    return stored


async def fetch_payment(source: Source, transaction_id: UUID) -> CardPayment | None:
    """Return a payment by the hub's id."""
    row = await source.fetchrow("SELECT * FROM sandbox.card_payment WHERE transaction_id = $1", transaction_id)
    return None if row is None else _payment(row)


async def lock_payment(connection: Connection, transaction_id: UUID) -> CardPayment | None:
    """Return a payment by the hub's id, held until the transaction ends."""
    row = await connection.fetchrow(
        "SELECT * FROM sandbox.card_payment WHERE transaction_id = $1 FOR UPDATE", transaction_id)
    return None if row is None else _payment(row)


async def fetch_session(source: Source, session_id: UUID, *, hold: bool = False) -> CardPayment | None:
    """Return a payment by its page, held until the transaction ends if so wished."""
    row = await source.fetchrow(
        f"SELECT * FROM sandbox.card_payment WHERE session_id = $1 {'FOR UPDATE' if hold else ''}",  # noqa: S608 - ours
        session_id)
    return None if row is None else _payment(row)


async def update_payment(connection: Connection, payment: CardPayment, at: datetime) -> None:
    """Store what became of a payment that is held."""
    await connection.execute("""
        UPDATE sandbox.card_payment SET state = $2, reason = $3, brand = $4, last_four = $5, settled_at = $6
         WHERE session_id = $1""",
        payment.session_id, payment.state, payment.reason or None, payment.brand or None, payment.last_four or None,
        at if payment.is_settled else None)


async def insert_refund(connection: Connection, refund: CardRefund) -> None:
    """Store a refund."""
    await connection.execute("""
        INSERT INTO sandbox.card_refund (transaction_id, refers_to, amount_units, created_at)
        VALUES ($1, $2, $3, $4)""",
        refund.transaction_id, refund.refers_to, refund.amount_units, refund.created_at)


async def fetch_refund(source: Source, transaction_id: UUID) -> CardRefund | None:
    """Return a refund by the hub's id."""
    row = await source.fetchrow(_SELECT_REFUNDS + " WHERE r.transaction_id = $1", transaction_id)
    return None if row is None else _refund(row)


async def refunded_units(connection: Connection, transaction_id: UUID) -> int:
    """Return how much of a payment went back."""
    return int(await connection.fetchval(
        "SELECT coalesce(sum(amount_units), 0) FROM sandbox.card_refund WHERE refers_to = $1", transaction_id))


async def fetch_payments_between(source: Source, since: datetime, until: datetime) -> list[CardPayment]:
    """Return the payments of a period, oldest first."""
    rows = await source.fetch("""
        SELECT * FROM sandbox.card_payment WHERE created_at >= $1 AND created_at < $2
         ORDER BY created_at, transaction_id""", since, until)
    return [_payment(row) for row in rows]


async def fetch_refunds_between(source: Source, since: datetime, until: datetime) -> list[CardRefund]:
    """Return the refunds of a period, oldest first."""
    rows = await source.fetch(
        _SELECT_REFUNDS + " WHERE r.created_at >= $1 AND r.created_at < $2 ORDER BY r.created_at, r.transaction_id",
        since, until)
    return [_refund(row) for row in rows]
