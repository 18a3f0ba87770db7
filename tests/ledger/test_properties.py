"""Whatever is done in whatever order, the ledger does what a small model of it does, and its laws hold."""

from dataclasses import dataclass, field
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makola.core.ledger import service as ledger
from makola.core.ledger.errors import InsufficientFundsError
from makola.core.ledger.types import Leg, NewHold
from makola.kit.clock import now
from makola.kit.database import Database
from makola.kit.ids import new_id
from tests.ledger.books import Books, open_books

_ACCOUNTS = 4
_places = st.integers(0, _ACCOUNTS - 1)
_amounts = st.integers(1, 60)
_pairs = st.tuples(_places, _places).filter(lambda pair: pair[0] != pair[1])
_legs = st.lists(st.tuples(_pairs, _amounts), max_size=3)


@dataclass(frozen=True)
class Transfer:
    pair: tuple[int, int]
    amount: int


@dataclass(frozen=True)
class TransferAll:
    moves: list[tuple[tuple[int, int], int]]
    in_full: bool


@dataclass(frozen=True)
class Reserve:
    holds: list[list[tuple[tuple[int, int], int]]]


@dataclass(frozen=True)
class Settle:
    """Holds by the order in which they were tried; any may be named twice, or be closed or refused already."""

    post: list[int]
    void: list[int]


@dataclass(frozen=True)
class Limit:
    place: int
    limit: int | None


_steps = st.lists(st.one_of(
    st.builds(Transfer, _pairs, _amounts), st.builds(TransferAll, _legs, st.booleans()),
    st.builds(Reserve, st.lists(_legs, min_size=1, max_size=4)),
    st.builds(Settle, st.lists(st.integers(0, 8), max_size=4), st.lists(st.integers(0, 8), max_size=4)),
    st.builds(Limit, _places, st.none() | st.integers(0, 60))), max_size=12)


@dataclass
class Model:
    """The same in a few lines, one thing at a time."""

    limits: list[int | None]
    balances: list[int] = field(default_factory=lambda: [0] * _ACCOUNTS)
    open_holds: dict[UUID, list[tuple[tuple[int, int], int]]] = field(default_factory=dict)

    def held(self, place: int) -> int:
        return sum(amount for legs in self.open_holds.values() for (debit, _), amount in legs if debit == place)

    def covers(self, needs: dict[int, int]) -> bool:
        return all(limit is None or self.balances[place] - self.held(place) + limit >= amount
                   for place, amount in needs.items() for limit in (self.limits[place],))

    def transfer(self, pair: tuple[int, int], amount: int) -> bool:
        if not self.covers({pair[0]: amount}):
            return False
        self.balances[pair[0]] -= amount
        self.balances[pair[1]] += amount
        return True

    def transfer_all(self, moves: list[tuple[tuple[int, int], int]], *, in_full: bool) -> bool:
        paid, received = [0] * _ACCOUNTS, [0] * _ACCOUNTS
        for (debit, credit), amount in moves:
            paid[debit] += amount
            received[credit] += amount
        if not self.covers({place: paid[place] - (0 if in_full else received[place]) for place in range(_ACCOUNTS)
                            if paid[place] > (0 if in_full else received[place])}):
            return False
        self.balances = [balance + received[place] - paid[place] for place, balance in enumerate(self.balances)]
        return True

    def reserve(self, hold_id: UUID, legs: list[tuple[tuple[int, int], int]]) -> bool:
        needs: dict[int, int] = {}
        for (debit, _), amount in legs:
            needs[debit] = needs.get(debit, 0) + amount
        if not self.covers(needs):
            return False
        if legs:
            self.open_holds[hold_id] = legs
        return True

    def post(self, hold_id: UUID) -> None:
        for (debit, credit), amount in self.open_holds.pop(hold_id, []):
            self.balances[debit] -= amount
            self.balances[credit] += amount


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limits=st.lists(st.none() | st.integers(0, 100), min_size=_ACCOUNTS, max_size=_ACCOUNTS), steps=_steps)
async def test_the_ledger_does_what_its_model_does(ledger_database: Database, limits: list[int | None],
                                                   steps: list[object]) -> None:
    books = await open_books(ledger_database, limits)
    model = Model(list(limits))
    tried: list[UUID] = []
    for step in steps:
        await _take(books, model, tried, step)
        assert await books.balances() == [(balance, model.held(place)) for place, balance in enumerate(model.balances)]
    await books.check()


async def _take(books: Books, model: Model, tried: list[UUID], step: object) -> None:
    if isinstance(step, Transfer):
        try:
            async with books.database.transaction() as connection:
                await ledger.transfer(connection, books.leg(*step.pair, step.amount), kind="test", reference=new_id())
            moved = True
        except InsufficientFundsError:
            moved = False
        assert moved == model.transfer(step.pair, step.amount)
    elif isinstance(step, TransferAll):
        transfers = [(books.leg(*pair, amount), new_id()) for pair, amount in step.moves]
        try:
            async with books.database.transaction() as connection:
                await ledger.transfer_all(connection, transfers, kind="test", in_full=step.in_full)
            moved = True
        except InsufficientFundsError:
            moved = False
        assert moved == model.transfer_all(step.moves, in_full=step.in_full)
    elif isinstance(step, Reserve):
        await _reserve(books, model, tried, step)
    elif isinstance(step, Settle):
        post = list(dict.fromkeys(tried[place] for place in step.post if place < len(tried)))
        void = [tried[place] for place in step.void if place < len(tried) and tried[place] not in post]
        async with books.database.transaction() as connection:
            await ledger.settle(connection, post=post, void=void, kind="test")
        for hold_id in post:
            model.post(hold_id)
        for hold_id in void:
            model.open_holds.pop(hold_id, None)
    elif isinstance(step, Limit):
        async with books.database.transaction() as connection:
            await ledger.set_credit_limit(connection, books.account_ids[step.place], step.limit)
        model.limits[step.place] = step.limit


async def _reserve(books: Books, model: Model, tried: list[UUID], step: Reserve) -> None:
    holds = [NewHold(new_id(), tuple(books.leg(*pair, amount) for pair, amount in legs)) for legs in step.holds]
    async with books.database.transaction() as connection:
        possible = await ledger.can_reserve(connection, holds[0].legs)
        made = await ledger.reserve(connection, holds, now())
    expected = [hold.hold_id for hold, legs in zip(holds, step.holds, strict=True)
                if model.reserve(hold.hold_id, legs)]
    assert made == frozenset(expected)
    assert possible == (holds[0].hold_id in made)
    tried.extend(hold.hold_id for hold in holds)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(legs=st.lists(st.tuples(_pairs, _amounts), min_size=1, max_size=4), data=st.data())
async def test_a_part_that_is_split_off_is_settled_by_itself(
        ledger_database: Database, legs: list[tuple[tuple[int, int], int]], data: st.DataObject) -> None:
    books = await open_books(ledger_database, [None] * _ACCOUNTS)
    whole = NewHold(new_id(), tuple(books.leg(*pair, amount) for pair, amount in legs))
    place = data.draw(st.integers(0, len(legs) - 1))
    part = Leg(whole.legs[place].debit_id, whole.legs[place].credit_id,
               data.draw(st.integers(1, whole.legs[place].amount_units)))
    async with books.database.transaction() as connection:
        await ledger.reserve(connection, [whole], now())
        split = await ledger.split(connection, whole.hold_id, NewHold(new_id(), (part,)))
    await books.check()
    async with books.database.transaction() as connection:
        await ledger.settle(connection, post=[split], kind="test")
    await books.check()
    left = sum(leg.amount_units for leg in whole.legs) - part.amount_units
    assert sum(held for _, held in await books.balances()) == left
    async with books.database.transaction() as connection:
        await ledger.settle(connection, void=[whole.hold_id], kind="test")
    await books.check()
    assert sum(held for _, held in await books.balances()) == 0
    assert sum(balance for balance, _ in await books.balances() if balance > 0) == part.amount_units
