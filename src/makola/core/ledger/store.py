"""The ledger's SQL. Accounts are always locked in the order of their ids, so that no two writers deadlock."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from makola.core.ledger.types import Account, HoldState, Leg, NewHold
from makola.kit.database import Connection, Record

_OPEN = """
INSERT INTO ledger.account (owner_id, purpose, currency, credit_limit) VALUES ($1, $2, $3, $4)
ON CONFLICT ON CONSTRAINT account_owner DO UPDATE SET owner_id = excluded.owner_id
RETURNING id
"""

_READ = """
SELECT id, owner_id, purpose, currency, balance, held, credit_limit FROM ledger.account WHERE id = ANY($1::bigint[])
"""
_LOCK = f"{_READ} ORDER BY id FOR UPDATE"

# The guard repeats what the caller has decided under the same lock: no balance passes its limit, whoever asks.
_MOVE = """
UPDATE ledger.account a SET balance = a.balance + d.balance, held = a.held + d.held
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS d (id, balance, held)
WHERE a.id = d.id
  AND (a.credit_limit IS NULL OR d.balance - d.held >= 0
       OR a.balance + d.balance - a.held - d.held + a.credit_limit >= 0)
"""

_INSERT_HOLDS = """
INSERT INTO ledger.hold (id, debit_ids, credit_ids, amounts, created_at)
SELECT h.id, array_agg(h.debit_id ORDER BY h.position), array_agg(h.credit_id ORDER BY h.position),
       array_agg(h.amount ORDER BY h.position), $5
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) WITH ORDINALITY
     AS h (id, debit_id, credit_id, amount, position)
GROUP BY h.id
"""

# Two writers may close the same holds at once, one posting what the other voids.
_LOCK_HOLDS = "SELECT id FROM ledger.hold WHERE id = ANY($1::uuid[]) AND state = 0 ORDER BY id FOR UPDATE"

_CLOSE_HOLDS = """
UPDATE ledger.hold SET state = $2, closed_at = $3
WHERE id = ANY($1::uuid[]) AND state = 0
RETURNING id, debit_ids, credit_ids, amounts
"""

_LOCK_HOLD = "SELECT debit_ids, credit_ids, amounts FROM ledger.hold WHERE id = $1 AND state = 0 FOR UPDATE"

_REPLACE_LEGS = "UPDATE ledger.hold SET debit_ids = $2, credit_ids = $3, amounts = $4 WHERE id = $1"

_INSERT_TRANSFERS = """
INSERT INTO ledger.transfer (debit_id, credit_id, amount, kind, reference, created_at)
SELECT t.debit_id, t.credit_id, t.amount, $5, t.reference, $6
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::uuid[]) AS t (debit_id, credit_id, amount, reference)
"""

_TRANSFER_ALL = "SELECT ledger.transfer_all($1, $2, $3, $4, $5, $6, $7)"

_MOVED_FOR = """
SELECT reference, sum(CASE WHEN credit_id = $1 THEN amount ELSE -amount END) AS units
FROM ledger.transfer WHERE reference = ANY($2::uuid[]) AND $1 IN (debit_id, credit_id) GROUP BY reference
"""


def account_of(row: Record) -> Account:
    """Build an `Account` from a row of `ledger.account`."""
    return Account(row["id"], row["owner_id"], row["purpose"], row["currency"], row["balance"], row["held"],
                   row["credit_limit"])


async def open_account(connection: Connection, owner_id: int, purpose: str, currency: str,
                       credit_limit_units: int | None) -> int:
    """Return the id of an account, making it when there is none."""
    return int(await connection.fetchval(_OPEN, owner_id, purpose, currency, credit_limit_units))


async def lock_accounts(connection: Connection, account_ids: Iterable[int]) -> dict[int, Account]:
    """Lock the accounts until the transaction ends; return their figures by id."""
    rows = await connection.fetch(_LOCK, sorted(set(account_ids)))
    return {row["id"]: account_of(row) for row in rows}


async def read_accounts(connection: Connection, account_ids: Iterable[int]) -> dict[int, Account]:
    """Return the figures of accounts by id."""
    return {row["id"]: account_of(row) for row in await connection.fetch(_READ, sorted(set(account_ids)))}


async def move(connection: Connection, changes: Mapping[int, tuple[int, int]]) -> bool:
    """Add (balance, held) to each account; False when a limit forbids it (the caller must then roll back)."""
    ids = sorted(changes)
    tag = await connection.execute(_MOVE, ids, [changes[i][0] for i in ids], [changes[i][1] for i in ids])
    return tag == f"UPDATE {len(ids)}"


async def insert_holds(connection: Connection, holds: Sequence[NewHold], at: datetime) -> None:
    """Store open holds; each has at least one leg."""
    ids: list[UUID] = []
    debits: list[int] = []
    credits_: list[int] = []
    amounts: list[int] = []
    for hold in holds:
        for leg in hold.legs:
            ids.append(hold.hold_id)
            debits.append(leg.debit_id)
            credits_.append(leg.credit_id)
            amounts.append(leg.amount_units)
    await connection.execute(_INSERT_HOLDS, ids, debits, credits_, amounts, at)


async def lock_holds(connection: Connection, hold_ids: Sequence[UUID]) -> list[UUID]:
    """Lock those that are still open until the transaction ends, in the order of their ids; return them."""
    return [row["id"] for row in await connection.fetch(_LOCK_HOLDS, hold_ids)]


async def delete_holds(connection: Connection, hold_ids: Sequence[UUID]) -> None:
    """Forget holds that were given back."""
    await connection.execute("DELETE FROM ledger.hold WHERE id = ANY($1::uuid[]) AND state = 2", hold_ids)


async def close_holds(connection: Connection, hold_ids: Sequence[UUID], state: HoldState,
                      at: datetime) -> list[NewHold]:
    """Close those that are still open; return exactly these, with their legs."""
    rows = await connection.fetch(_CLOSE_HOLDS, hold_ids, int(state), at)
    return [NewHold(row["id"], tuple(map(Leg, row["debit_ids"], row["credit_ids"], row["amounts"])))
            for row in rows]


async def lock_hold(connection: Connection, hold_id: UUID) -> dict[tuple[int, int], int] | None:
    """Lock an open hold; return its amounts by debited and credited account. None when it is not open."""
    row = await connection.fetchrow(_LOCK_HOLD, hold_id)
    if row is None:
        return None
    amounts: dict[tuple[int, int], int] = {}
    for pair, amount in zip(zip(row["debit_ids"], row["credit_ids"], strict=True), row["amounts"], strict=True):
        amounts[pair] = amounts.get(pair, 0) + amount
    return amounts


async def replace_legs(connection: Connection, hold_id: UUID, legs: Sequence[Leg]) -> None:
    """Let a locked hold reserve `legs` instead of what it did."""
    await connection.execute(_REPLACE_LEGS, hold_id, [leg.debit_id for leg in legs],
                             [leg.credit_id for leg in legs], [leg.amount_units for leg in legs])


async def insert_transfers(connection: Connection, legs: Sequence[tuple[Leg, UUID]], kind: str,
                           at: datetime) -> None:
    """Store transfers, each with the id of what it is for."""
    await connection.execute(
        _INSERT_TRANSFERS, [leg.debit_id for leg, _ in legs], [leg.credit_id for leg, _ in legs],
        [leg.amount_units for leg, _ in legs], [reference for _, reference in legs], kind, at)


async def transfer_all(connection: Connection, legs: Sequence[tuple[Leg, UUID]], kind: str, at: datetime, *,
                       in_full: bool) -> None:
    """Move amounts, each for what has the id beside it; raises where an account cannot cover them (`is_uncovered`)."""
    await connection.execute(
        _TRANSFER_ALL, [leg.debit_id for leg, _ in legs], [leg.credit_id for leg, _ in legs],
        [leg.amount_units for leg, _ in legs], [reference for _, reference in legs], kind, at, in_full)


def is_uncovered(error: asyncpg.PostgresError) -> bool:
    """Say whether an error is that of `ledger.transfer_all`: an account cannot cover what it is to pay."""
    return isinstance(error, asyncpg.CheckViolationError) and error.constraint_name == "account_covers"


async def moved_for(connection: Connection, account_id: int, references: Sequence[UUID]) -> dict[UUID, int]:
    """Return the sums of an account's transfers by reference."""
    rows = await connection.fetch(_MOVED_FOR, account_id, list(references))
    return {row["reference"]: int(row["units"]) for row in rows}
