"""What the ledger refuses, and that a refusal leaves nothing behind."""

import pytest

from makola.core.ledger import service as ledger
from makola.core.ledger.errors import (
    HoldClosedError,
    InsufficientFundsError,
    InvalidTransferError,
    UnknownAccountError,
)
from makola.core.ledger.types import Leg, NewHold
from makola.kit.clock import now
from makola.kit.database import Database
from makola.kit.errors import DomainError
from makola.kit.ids import new_id
from tests.ledger.books import Books, open_books

_NOBODY = 2**62


async def _transfer(books: Books, leg: Leg) -> None:
    async with books.database.transaction() as connection:
        await ledger.transfer(connection, leg, kind="test", reference=new_id())


@pytest.mark.parametrize("amount", [0, -1, -10_000])
async def test_an_amount_is_above_zero(ledger_database: Database, amount: int) -> None:
    books = await open_books(ledger_database, [None, None])
    with pytest.raises(InvalidTransferError):
        await _transfer(books, books.leg(0, 1, amount))
    await books.check()


async def test_an_account_does_not_pay_itself(ledger_database: Database) -> None:
    books = await open_books(ledger_database, [None])
    with pytest.raises(InvalidTransferError):
        await _transfer(books, books.leg(0, 0, 5))
    assert await books.balances() == [(0, 0)]


async def test_two_currencies_do_not_mix(ledger_database: Database) -> None:
    one, other = await open_books(ledger_database, [None]), await open_books(ledger_database, [None])
    with pytest.raises(InvalidTransferError):
        await _transfer(one, Leg(one.account_ids[0], other.account_ids[0], 5))
    await one.check()
    await other.check()


@pytest.mark.parametrize("places", [(0, None), (None, 0), (None, None)])
async def test_an_account_that_is_not_there(ledger_database: Database, places: tuple[int | None, int | None]) -> None:
    books = await open_books(ledger_database, [None])
    debit, credit = (_NOBODY + number if place is None else books.account_ids[place]
                     for number, place in enumerate(places))
    with pytest.raises(UnknownAccountError):
        await _transfer(books, Leg(debit, credit, 5))
    await books.check()
    async with ledger_database.transaction() as connection:
        assert await ledger.reserve(connection, [NewHold(new_id(), (Leg(_NOBODY, 1, 1),))], now()) == frozenset()
        assert not await ledger.can_reserve(connection, [Leg(_NOBODY, 1, 1)])
        with pytest.raises(UnknownAccountError):
            await ledger.set_credit_limit(connection, _NOBODY, 1)


async def test_one_leg_without_cover_refuses_the_whole_hold(ledger_database: Database) -> None:
    books = await open_books(ledger_database, [None, 100, 100, 5])
    holds = [NewHold(new_id(), (books.leg(1, 2, 60), books.leg(3, 0, 6))),
             NewHold(new_id(), (books.leg(1, 2, 60), books.leg(3, 0, 5))),
             NewHold(new_id(), (books.leg(1, 2, 60),)),
             NewHold(new_id(), (books.leg(1, 2, 40),))]
    async with ledger_database.transaction() as connection:
        made = await ledger.reserve(connection, holds, now())
    assert made == {holds[1].hold_id, holds[3].hold_id}
    assert await books.balances() == [(0, 0), (0, 100), (0, 0), (0, 5)]
    await books.check()


async def test_a_limit_that_was_lowered_stops_spending_and_not_settling(ledger_database: Database) -> None:
    books = await open_books(ledger_database, [None, 100])
    hold = NewHold(new_id(), (books.leg(1, 0, 80),))
    async with ledger_database.transaction() as connection:
        await ledger.reserve(connection, [hold], now())
        await ledger.set_credit_limit(connection, books.account_ids[1], 10)
    with pytest.raises(InsufficientFundsError):
        await _transfer(books, books.leg(1, 0, 1))
    async with ledger_database.transaction() as connection:
        await ledger.settle(connection, post=[hold.hold_id], kind="test")
    assert await books.balances() == [(80, 0), (-80, 0)]
    await _transfer(books, books.leg(0, 1, 5))  # what comes in is always welcome
    await books.check()


@pytest.mark.parametrize(("closed", "amount"), [(True, 5), (False, 11), (False, 0)])
async def test_a_part_that_is_not_there_is_not_split_off(ledger_database: Database, closed: bool, amount: int) -> None:
    books = await open_books(ledger_database, [None, 100])
    hold = NewHold(new_id(), (books.leg(1, 0, 10),))
    async with ledger_database.transaction() as connection:
        await ledger.reserve(connection, [hold], now())
        if closed:
            await ledger.settle(connection, void=[hold.hold_id], kind="test")
    with pytest.raises(HoldClosedError):
        async with ledger_database.transaction() as connection:
            await ledger.split(connection, hold.hold_id, NewHold(new_id(), (books.leg(1, 0, amount),)))
    await books.check()


async def test_a_refusal_is_a_domain_error_with_a_code() -> None:
    for error in (HoldClosedError, InsufficientFundsError, InvalidTransferError, UnknownAccountError):
        assert issubclass(error, DomainError)
        assert error.code != DomainError.code
