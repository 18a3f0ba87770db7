"""SQL of the wallets."""

from collections.abc import Sequence
from datetime import date, datetime
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


async def ensure_wallet(connection: Connection, number: str, defaults: WalletDefaults) -> None:
    """Give a handset the row of its wallet, if there is the handset and not the row."""
    await connection.execute("""
        INSERT INTO sandbox.wallet (number, balance_units, limit_per_payment_units, limit_per_day_units)
        SELECT number, $2, $3, $4 FROM sandbox.handset WHERE number = $1
            ON CONFLICT (number) DO NOTHING""",
        number, defaults.balance_units, defaults.limit_per_payment_units, defaults.limit_per_day_units)


async def lock_wallet(connection: Connection, number: str) -> None:
    """Hold a wallet's row until the transaction ends."""
    await connection.fetchrow("SELECT FROM sandbox.wallet WHERE number = $1 FOR UPDATE", number)


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


async def fetch_pin(connection: Connection, number: str) -> tuple[bytes, bytes] | None:
    """Return a PIN's salt and digest; None while the first PIN holds."""
    row = await connection.fetchrow("SELECT pin_salt, pin_digest FROM sandbox.wallet WHERE number = $1", number)
    return None if row is None or row["pin_digest"] is None else (row["pin_salt"], row["pin_digest"])


async def add_money(connection: Connection, number: str, amount_units: int) -> None:
    """Put money into a wallet."""
    await connection.execute(
        "UPDATE sandbox.wallet SET balance_units = balance_units + $2 WHERE number = $1", number, amount_units)


async def take_money(connection: Connection, number: str, amount_units: int, today: date) -> None:
    """Take money out of a wallet whose row is held and whose balance was checked; count it for the day."""
    await connection.execute("""
        UPDATE sandbox.wallet
           SET balance_units = balance_units - $2, spent_on = $3,
               spent_units = $2 + CASE WHEN spent_on = $3 THEN spent_units ELSE 0 END
         WHERE number = $1""", number, amount_units, today)


async def insert_operation(connection: Connection, new: NewOperation, state: OperationState,
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


async def lock_operation(connection: Connection, transaction_id: UUID) -> WalletOperation | None:
    """Return one operation, held until the transaction ends."""
    row = await connection.fetchrow(
        "SELECT * FROM sandbox.wallet_operation WHERE transaction_id = $1 FOR UPDATE", transaction_id)
    return None if row is None else _operation(row)


async def settle_operation(connection: Connection, transaction_id: UUID, state: OperationState,
                           reason: WalletRefusal | None, at: datetime) -> None:
    """Record the outcome of an operation that is held."""
    await connection.execute("""
        UPDATE sandbox.wallet_operation SET state = $2, reason = $3, settled_at = $4 WHERE transaction_id = $1""",
        transaction_id, state, reason, at)


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


async def forget_old(database: Database, before: datetime, limit: int) -> Sequence[Record]:
    """Remove settled operations that are older than `before`."""
    return await database.fetch("""
        DELETE FROM sandbox.wallet_operation WHERE operation_id IN (
            SELECT operation_id FROM sandbox.wallet_operation
             WHERE created_at < $1 AND state <> 'pending' ORDER BY created_at, operation_id LIMIT $2)
        RETURNING operation_id""", before, limit)
