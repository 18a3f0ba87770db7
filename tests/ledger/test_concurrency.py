"""Many writers at once: none waits for another for ever, nothing is spent twice."""

import asyncio
import random

import asyncpg

from makola.core.ledger import service as ledger
from makola.core.ledger.errors import InsufficientFundsError
from makola.core.ledger.types import HoldState, Leg, NewHold
from makola.kit.clock import now
from makola.kit.database import Database
from makola.kit.ids import new_id
from tests.ledger.books import Books, open_books

_WRITERS = 8
_TURNS = 25


async def test_random_writers_neither_deadlock_nor_overspend(ledger_database: Database) -> None:
    limit = 500
    books = await open_books(ledger_database, [None, *[limit] * 5])
    open_holds: list[NewHold] = []
    async with asyncio.timeout(30):
        await asyncio.gather(*(_write(books, open_holds, random.Random(seed)) for seed in range(_WRITERS)))
    await books.check()
    for account in (await books.accounts())[1:]:
        assert account.balance_units - account.held_units >= -limit


async def _write(books: Books, open_holds: list[NewHold], chance: random.Random) -> None:
    """Do what is drawn; a deadlock would be an error of the database, and is not caught."""
    for _ in range(_TURNS):
        async with books.database.transaction() as connection:
            match chance.choice(["transfer", "several", "reserve", "reserve", "settle"]):
                case "transfer":
                    try:
                        async with connection.transaction():
                            await ledger.transfer(connection, _leg(books, chance, most=200), kind="test",
                                                  reference=new_id())
                    except InsufficientFundsError:
                        pass
                case "several":
                    try:
                        async with connection.transaction():
                            await ledger.transfer_all(
                                connection, [(_leg(books, chance, most=50), new_id()) for _ in range(4)], kind="test")
                    except InsufficientFundsError:
                        pass
                case "reserve":
                    holds = [NewHold(new_id(), tuple(
                        _leg(books, chance, most=50) for _ in range(chance.randint(1, 4)))) for _ in range(10)]
                    made = await ledger.reserve(connection, holds, now())
                    open_holds.extend(hold for hold in holds if hold.hold_id in made)
                case _:
                    # Two writers may well try to close the same holds at once, one way and the other.
                    some = [hold.hold_id for hold in chance.sample(open_holds, min(len(open_holds), 12))]
                    await ledger.settle(connection, post=some[:6], void=some[6:], kind="test")


def _leg(books: Books, chance: random.Random, *, most: int) -> Leg:
    debit, credit = chance.sample(range(len(books.account_ids)), 2)
    return books.leg(debit, credit, chance.randint(1, most))


async def test_the_last_unit_is_spent_once(ledger_database: Database) -> None:
    """Twenty writers want 10 of the same 55: five get it."""
    books = await open_books(ledger_database, [None, 0, 0])
    async with ledger_database.transaction() as connection:
        await ledger.transfer(connection, books.leg(0, 1, 55), kind="test", reference=new_id())

    async def spend(number: int) -> int:
        async with ledger_database.transaction() as connection:
            hold = NewHold(new_id(), (books.leg(1, 2, 10),))
            if number % 2:
                return len(await ledger.reserve(connection, [hold], now()))
            try:
                await ledger.transfer(connection, hold.legs[0], kind="test", reference=new_id())
            except InsufficientFundsError:
                return 0
            return 1

    assert sum(await asyncio.gather(*(spend(number) for number in range(20)))) == 5
    await books.check()
    _, spender, _ = await books.accounts()
    assert spender.available_units == 5


async def test_a_hold_is_closed_once_whoever_comes_first(ledger_database: Database) -> None:
    books = await open_books(ledger_database, [None, 1_000, 0])
    holds = [NewHold(new_id(), (books.leg(1, 2, 7),)) for _ in range(40)]
    async with ledger_database.transaction() as connection:
        assert len(await ledger.reserve(connection, holds, now())) == 40

    async def close(number: int) -> None:
        ids = [hold.hold_id for hold in holds]
        random.Random(number).shuffle(ids)
        async with ledger_database.transaction() as connection:
            await ledger.settle(connection, **{"post" if number % 2 else "void": ids}, kind="test")

    async with asyncio.timeout(30):
        await asyncio.gather(*(close(number) for number in range(8)))
    await books.check()
    assert all(held == 0 for _, held in await books.balances())
    transfers = await ledger_database.fetchval(
        "SELECT count(*) FROM ledger.transfer WHERE debit_id = $1", books.account_ids[1])
    states = await ledger_database.fetch(
        "SELECT state, count(*) AS n FROM ledger.hold WHERE debit_ids && $1::bigint[] GROUP BY state",
        books.account_ids)
    counts = {row["state"]: row["n"] for row in states}
    assert counts.get(HoldState.OPEN, 0) == 0
    assert counts.get(HoldState.POSTED, 0) == transfers
    assert sum(counts.values()) == 40


async def test_an_account_is_opened_once(ledger_database: Database) -> None:
    async def open_it() -> int:
        async with ledger_database.transaction() as connection:
            return await ledger.open_account(connection, 77, "test", "ONCE", credit_limit_units=5)

    assert len(set(await asyncio.gather(*(open_it() for _ in range(8))))) == 1


async def test_the_database_itself_refuses_what_the_code_must_not_do(ledger_database: Database) -> None:
    books = await open_books(ledger_database, [None, 10])
    for statement in ("UPDATE ledger.account SET held = -1 WHERE id = $1",
                      "UPDATE ledger.account SET credit_limit = -1 WHERE id = $1",
                      "INSERT INTO ledger.transfer (debit_id, credit_id, amount, kind, reference, created_at)"
                      " VALUES ($1, $1, 1, 'test', gen_random_uuid(), now())"):
        try:
            await ledger_database.execute(statement, books.account_ids[1])
        except asyncpg.CheckViolationError:
            continue
        raise AssertionError(statement)
