"""SQL of the wallets."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias
from uuid import UUID

from makola.connectors.sandbox.store import Source
from makola.connectors.sandbox.types import HandsetState
from makola.connectors.sandbox.wallet_types import (
    NewOperation,
    OperationState,
    Wallet,
    WalletDefaults,
    WalletOperation,
    WalletRefusal,
)
from makola.core.checkout.types import TransactionKind
from makola.kit.database import Connection, Database, Record

_SELECT_WALLETS = """
SELECT h.number, h.network_id, h.state, coalesce(w.registered, true) AS registered,
       coalesce(w.balance_units, $1::bigint) AS balance_units,
       coalesce(w.limit_per_payment_units, $2::bigint) AS limit_per_payment_units,
       coalesce(w.limit_per_day_units, $3::bigint) AS limit_per_day_units,
       CASE WHEN w.spent_on = $4::date THEN w.spent_units ELSE 0 END AS spent_today_units,
       w.pin_digest IS NOT NULL AS has_own_pin
  FROM sandbox.handset h LEFT JOIN sandbox.wallet w ON w.number = h.number"""


# What the network knows of a request at its arrival: whether it is there at all, and whose wallet it is.
_SELECT_AT_NETWORK = _SELECT_WALLETS.replace("SELECT h.number", "SELECT o.available, h.number").replace(
    "FROM sandbox.handset h", "FROM sandbox.operator o LEFT JOIN sandbox.handset h ON h.number = $5")

# What its holder's answer is judged by. The names that both have are the operation's.
_SELECT_PROMPT = """
SELECT o.*, h.number AS handset, h.network_id AS handset_network_id, h.state AS handset_state, w.number AS wallet,
       coalesce(w.registered, true) AS registered, coalesce(w.balance_units, $1::bigint) AS balance_units,
       coalesce(w.limit_per_payment_units, $2::bigint) AS limit_per_payment_units,
       coalesce(w.limit_per_day_units, $3::bigint) AS limit_per_day_units,
       CASE WHEN w.spent_on = $4::date THEN w.spent_units ELSE 0 END AS spent_today_units, w.pin_salt, w.pin_digest
  FROM sandbox.wallet_operation o LEFT JOIN sandbox.handset h ON h.number = o.number
  LEFT JOIN sandbox.wallet w ON w.number = o.number
 WHERE o.transaction_id = $5"""

# The prompt is held first, so that of two approvals the second finds it answered.
_PAY = """
WITH held AS (
    SELECT transaction_id FROM sandbox.wallet_operation
     WHERE transaction_id = $1 AND state = 'pending' AND expires_at > $4 FOR UPDATE
), taken AS (
    UPDATE sandbox.wallet
       SET balance_units = balance_units - $3::bigint, spent_on = $5::date,
           spent_units = $3::bigint + CASE WHEN spent_on = $5::date THEN spent_units ELSE 0 END
     WHERE number = $2 AND EXISTS (SELECT FROM held) AND registered AND balance_units >= $3::bigint
       AND limit_per_payment_units >= $3::bigint AND pin_digest IS NOT DISTINCT FROM $6::bytea
       AND CASE WHEN spent_on = $5::date THEN spent_units ELSE 0 END + $3::bigint <= limit_per_day_units
    RETURNING number
)
UPDATE sandbox.wallet_operation SET state = 'successful', settled_at = $4
 WHERE transaction_id IN (SELECT transaction_id FROM held) AND EXISTS (SELECT FROM taken) RETURNING *"""

#: The salt and the digest of a PIN; None while the first PIN holds.
StoredPin: TypeAlias = tuple[bytes | None, bytes | None]


@dataclass(frozen=True, slots=True)
class Prompted:
    """An operation, and what decides about its holder's answer.

    Attributes:
        wallet: None where there is no such handset any more.
        is_stored: whether the wallet has a row of its own yet.
    """

    operation: WalletOperation
    wallet: Wallet | None
    is_stored: bool
    pin: StoredPin


def _wallet(row: Record) -> Wallet:
    return Wallet(
        row["number"], row["network_id"], HandsetState(row["state"]), row["registered"], row["balance_units"],
        row["limit_per_payment_units"], row["limit_per_day_units"], row["spent_today_units"], row["has_own_pin"])


def _operation(row: Record) -> WalletOperation:
    return WalletOperation(
        row["operation_id"], row["transaction_id"], TransactionKind(row["kind"]), row["number"], row["network_id"],
        row["amount_units"], row["currency"], OperationState(row["state"]),
        None if row["reason"] is None else WalletRefusal(row["reason"]), row["payee"], row["note"], row["refers_to"],
        row["created_at"], row["expires_at"], row["settled_at"])


async def fetch_wallets(source: Source, defaults: WalletDefaults, today: date) -> list[Wallet]:
    """Return the wallet of every handset, oldest handset first."""
    rows = await source.fetch(
        _SELECT_WALLETS + " ORDER BY h.created_at, h.number", defaults.balance_units,
        defaults.limit_per_payment_units, defaults.limit_per_day_units, today)
    return [_wallet(row) for row in rows]


async def fetch_wallet(source: Source, number: str, defaults: WalletDefaults, today: date) -> Wallet | None:
    """Return the wallet of one handset; None where there is no such handset."""
    row = await source.fetchrow(
        _SELECT_WALLETS + " WHERE h.number = $5", defaults.balance_units, defaults.limit_per_payment_units,
        defaults.limit_per_day_units, today, number)
    return None if row is None else _wallet(row)


async def fetch_at_network(source: Source, number: str, defaults: WalletDefaults,
                           today: date) -> tuple[bool, Wallet | None]:
    """Return whether the operator's link is up, and the wallet of a handset; None where there is no such handset."""
    row = await source.fetchrow(
        _SELECT_AT_NETWORK, defaults.balance_units, defaults.limit_per_payment_units, defaults.limit_per_day_units,
        today, number)
    if row is None:
        raise RuntimeError("sandbox.operator has lost its only row")
    return row["available"], None if row["number"] is None else _wallet(row)


async def fetch_prompt(source: Source, transaction_id: UUID, defaults: WalletDefaults,
                       today: date) -> Prompted | None:
    """Return an operation with what decides about its holder's answer; None where there is no such operation."""
    row = await source.fetchrow(
        _SELECT_PROMPT, defaults.balance_units, defaults.limit_per_payment_units, defaults.limit_per_day_units, today,
        transaction_id)
    if row is None:
        return None
    wallet = None if row["handset"] is None else Wallet(
        row["handset"], row["handset_network_id"], HandsetState(row["handset_state"]), row["registered"],
        row["balance_units"], row["limit_per_payment_units"], row["limit_per_day_units"], row["spent_today_units"],
        row["pin_digest"] is not None)
    return Prompted(_operation(row), wallet, row["wallet"] is not None, (row["pin_salt"], row["pin_digest"]))


async def is_link_up(source: Source) -> bool:
    """Say whether the operator answers anybody at all."""
    return bool(await source.fetchval("SELECT available FROM sandbox.operator"))


async def ensure_wallet(connection: Source, number: str, defaults: WalletDefaults) -> None:
    """Give a handset the row of its wallet, if there is the handset and not the row."""
    await connection.execute("""
        INSERT INTO sandbox.wallet (number, balance_units, limit_per_payment_units, limit_per_day_units)
        SELECT number, $2, $3, $4 FROM sandbox.handset WHERE number = $1
            ON CONFLICT (number) DO NOTHING""",
        number, defaults.balance_units, defaults.limit_per_payment_units, defaults.limit_per_day_units)


async def lock_wallet(connection: Connection, number: str) -> None:
    """Hold a wallet's row until the transaction ends."""
    await connection.fetchrow("SELECT 1 FROM sandbox.wallet WHERE number = $1 FOR UPDATE", number)


async def change_wallet(connection: Connection, number: str, *, registered: bool | None,
                        balance_units: int | None, limit_per_payment_units: int | None,
                        limit_per_day_units: int | None) -> None:
    """Store what is not None."""
    await connection.execute("""
        UPDATE sandbox.wallet
           SET registered = coalesce($2, registered), balance_units = coalesce($3, balance_units),
               limit_per_payment_units = coalesce($4, limit_per_payment_units),
               limit_per_day_units = coalesce($5, limit_per_day_units)
         WHERE number = $1""", number, registered, balance_units, limit_per_payment_units, limit_per_day_units)


async def set_pin(connection: Connection, number: str, salt: bytes, digest: bytes) -> None:
    """Store a PIN's digest."""
    await connection.execute(
        "UPDATE sandbox.wallet SET pin_salt = $2, pin_digest = $3 WHERE number = $1", number, salt, digest)


async def add_money(connection: Connection, number: str, amount_units: int) -> None:
    """Put money into a wallet."""
    await connection.execute(
        "UPDATE sandbox.wallet SET balance_units = balance_units + $2 WHERE number = $1", number, amount_units)


async def top_up(connection: Connection, number: str, amount_units: int, most_units: int) -> bool:
    """Put money into a wallet; False when there is none, or when it would hold more than `most_units`."""
    tag = await connection.execute("""
        UPDATE sandbox.wallet SET balance_units = balance_units + $2
         WHERE number = $1 AND balance_units + $2 <= $3""", number, amount_units, most_units)
    return tag == "UPDATE 1"


async def insert_operation(connection: Source, new: NewOperation, state: OperationState,
                           reason: WalletRefusal | None, at: datetime,
                           expires_at: datetime | None) -> WalletOperation | None:
    """Store an operation; None when there is one with this transaction_id already."""
    row = await connection.fetchrow("""
        INSERT INTO sandbox.wallet_operation
            (transaction_id, kind, number, network_id, amount_units, currency, state, reason, payee, note, refers_to,
             created_at, expires_at, settled_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            ON CONFLICT (transaction_id) DO NOTHING RETURNING *""",
        new.transaction_id, new.kind, new.number, new.network_id, new.amount_units, new.currency, state, reason,
        new.payee, new.note, new.refers_to, at, expires_at, None if state is OperationState.PENDING else at)
    return None if row is None else _operation(row)


async def fetch_operation(source: Source, transaction_id: UUID) -> WalletOperation | None:
    """Return one operation."""
    row = await source.fetchrow("SELECT * FROM sandbox.wallet_operation WHERE transaction_id = $1", transaction_id)
    return None if row is None else _operation(row)


async def fetch_at_link(source: Source, transaction_id: UUID) -> tuple[bool, WalletOperation | None]:
    """Return whether the operator's link is up, and one operation."""
    row = await source.fetchrow("""
        SELECT o.available, w.* FROM sandbox.operator o
          LEFT JOIN sandbox.wallet_operation w ON w.transaction_id = $1""", transaction_id)
    if row is None:
        raise RuntimeError("sandbox.operator has lost its only row")
    return row["available"], None if row["transaction_id"] is None else _operation(row)


async def lock_operation(connection: Connection, transaction_id: UUID) -> WalletOperation | None:
    """Return one operation, held until the transaction ends."""
    row = await connection.fetchrow(
        "SELECT * FROM sandbox.wallet_operation WHERE transaction_id = $1 FOR UPDATE", transaction_id)
    return None if row is None else _operation(row)


async def pay_operation(source: Source, operation: WalletOperation, pin: StoredPin, at: datetime,
                        ) -> WalletOperation | None:
    """Take an operation's money out of its wallet and record that it succeeded, both or neither.

    One statement, and so one commit. None when the operation is not open any more, or when the wallet is not any more
    what it was judged by: then nothing has changed.

    Args:
        source: a connection of its own will do.
        operation: as it was read.
        pin: the digest that its holder's PIN was compared with.
        at: now.
    """
    row = await source.fetchrow(_PAY, operation.transaction_id, operation.number, operation.amount_units, at,
                                at.date(), pin[1])
    return None if row is None else _operation(row)


async def fail_operation(source: Source, transaction_id: UUID, reason: WalletRefusal,
                         at: datetime) -> WalletOperation | None:
    """Record why an open operation failed; None when it is not open any more."""
    row = await source.fetchrow("""
        UPDATE sandbox.wallet_operation SET state = 'failed', reason = $2, settled_at = $3
         WHERE transaction_id = $1 AND state = 'pending' AND expires_at > $3 RETURNING *""",
        transaction_id, reason, at)
    return None if row is None else _operation(row)


async def expire_operations(database: Database, at: datetime, limit: int) -> list[WalletOperation]:
    """Fail prompts that nobody answered in time; return them."""
    rows = await database.fetch("""
        UPDATE sandbox.wallet_operation SET state = 'failed', reason = 'timed_out', settled_at = $1
         WHERE operation_id IN (SELECT operation_id FROM sandbox.wallet_operation
                                 WHERE state = 'pending' AND expires_at <= $1
                                 ORDER BY expires_at, operation_id LIMIT $2 FOR UPDATE SKIP LOCKED)
        RETURNING *""", at, limit)
    return [_operation(row) for row in rows]


async def fetch_prompts(source: Source, at: datetime, number: str | None, limit: int) -> list[WalletOperation]:
    """Return payments that wait for their payer, oldest first: of one handset, or of all."""
    rows = await source.fetch("""
        SELECT o.* FROM sandbox.wallet_operation o
         WHERE o.state = 'pending' AND o.expires_at > $1 AND o.number = coalesce($2, o.number)
           AND EXISTS (SELECT FROM sandbox.handset h WHERE h.number = o.number)
         ORDER BY o.operation_id LIMIT $3""", at, number, limit)
    return [_operation(row) for row in rows]


async def fetch_history(source: Source, number: str, limit: int) -> list[WalletOperation]:
    """Return the newest operations of a wallet, newest first."""
    rows = await source.fetch("""
        SELECT * FROM sandbox.wallet_operation WHERE number = $1 ORDER BY operation_id DESC LIMIT $2""", number, limit)
    return [_operation(row) for row in rows]


async def fetch_between(source: Source, start: datetime, end: datetime) -> list[WalletOperation]:
    """Return the operations made from `start` up to `end`, oldest first."""
    rows = await source.fetch("""
        SELECT * FROM sandbox.wallet_operation WHERE created_at >= $1 AND created_at < $2
         ORDER BY created_at, operation_id""", start, end)
    return [_operation(row) for row in rows]


async def refunded_units(connection: Connection, transaction_id: UUID) -> int:
    """Return how much of a payment was given back."""
    return int(await connection.fetchval("""
        SELECT coalesce(sum(amount_units), 0) FROM sandbox.wallet_operation
         WHERE refers_to = $1 AND kind = 'refund' AND state = 'successful'""", transaction_id))
