"""Accounts of one test, and what must be true of them at any time."""

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass

from makola.core.ledger import service as ledger
from makola.core.ledger.types import Account, Leg
from makola.kit.database import Connection, Database

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Books:
    """The world's account, which has no limit, and some accounts that have one, in a currency of their own."""

    database: Database
    currency: str
    account_ids: tuple[int, ...]

    async def accounts(self) -> list[Account]:
        async with self.database.connection() as connection:
            return await _read(connection, self.account_ids)

    async def balances(self) -> list[tuple[int, int]]:
        """The balance and what of it is held, of each account."""
        return [(account.balance_units, account.held_units) for account in await self.accounts()]

    def leg(self, debit: int, credit: int, amount: int) -> Leg:
        """A leg between two accounts by their places."""
        return Leg(self.account_ids[debit], self.account_ids[credit], amount)

    async def check(self) -> None:
        """The laws of the ledger."""
        accounts = await self.accounts()
        assert sum(account.balance_units for account in accounts) == 0
        held = await self.database.fetch("""
            SELECT leg.debit_id, sum(leg.amount)::bigint AS amount
            FROM ledger.hold, unnest(debit_ids, amounts) AS leg (debit_id, amount)
            WHERE state = 0 AND debit_ids && $1::bigint[] GROUP BY leg.debit_id""", self.account_ids)
        open_holds = {row["debit_id"]: row["amount"] for row in held}
        moved = await self.database.fetch("""
            SELECT id, sum(amount)::bigint AS amount FROM (
                SELECT credit_id AS id, amount FROM ledger.transfer WHERE credit_id = ANY($1::bigint[])
                UNION ALL SELECT debit_id, -amount FROM ledger.transfer WHERE debit_id = ANY($1::bigint[])) AS line
            GROUP BY id""", self.account_ids)
        transfers = {row["id"]: row["amount"] for row in moved}
        for account in accounts:
            assert account.held_units == open_holds.get(account.account_id, 0)
            assert account.balance_units == transfers.get(account.account_id, 0)


async def open_books(database: Database, limits: Sequence[int | None]) -> Books:
    """Open an account for each limit, all at zero."""
    currency = f"T{os.getpid()}-{next(_numbers)}"
    async with database.transaction() as connection:
        ids = [await ledger.open_account(connection, place, "test", currency, credit_limit_units=limit)
               for place, limit in enumerate(limits)]
    return Books(database, currency, tuple(ids))


async def _read(connection: Connection, account_ids: Sequence[int]) -> list[Account]:
    rows = await connection.fetch(
        "SELECT owner_id FROM ledger.account WHERE id = ANY($1::bigint[])", list(account_ids))
    accounts = await ledger.accounts_of(connection, [row["owner_id"] for row in rows], "test")
    by_id = {account.account_id: account for account in accounts}
    return [by_id[account_id] for account_id in account_ids]
