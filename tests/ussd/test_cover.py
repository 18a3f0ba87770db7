"""Who pays when credit is short: the first who came, and nobody else's batch is the worse for it."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID, uuid4

import asyncpg
import pytest
from asyncpg.connection import LoggedQuery
from hypothesis import given
from hypothesis import strategies as st

from makola.core.ledger import service as ledger
from makola.core.ledger.types import Leg
from makola.core.ussd import cover
from makola.core.ussd.recording import Recorder
from makola.core.ussd.store import writing
from makola.core.ussd.store.rows import Intent, Opening, Stored
from makola.core.ussd.types import StepKind
from makola.core.ussd.wording import Wording
from makola.kit.clock import now
from makola.kit.database import Connection, Database
from tests.statements import logged

_ACCOUNTS = st.integers(1, 4)
_LEGS = st.lists(st.builds(Leg, _ACCOUNTS, _ACCOUNTS, st.integers(1, 3)), max_size=3).map(tuple)
_AVAILABLE = st.fixed_dictionaries({account: st.none() | st.integers(-2, 9) for account in range(1, 5)})


def dial(*legs: Leg) -> Intent:
    """Return the first step of a session that costs this."""
    session_id = uuid4()
    return Intent(session_id, 1, 1, StepKind.INITIATION, "1", "*714#", False, now(),
                  Opening(1, 1, "714", "test", session_id.hex, "233244123456", "MTN"), legs)


@given(st.lists(_LEGS, min_size=1, max_size=12), _AVAILABLE)
def test_what_is_covered_can_be_paid_together_and_the_first_never_waits(
        costs: list[tuple[Leg, ...]], available: dict[int, int | None]) -> None:
    waiting = {place: dial(*legs) for place, legs in enumerate(costs)}
    covered, unpaid, short = cover.sort_out(waiting, available)
    assert not set(covered) & set(unpaid)
    assert 0 in {*covered, *unpaid}
    paid = _needed(leg for place in covered for leg in costs[place])
    assert all(has is None or paid[account] <= has for account, has in available.items() if paid[account])
    for place in unpaid:
        lacks = {account for account, units in _needed(costs[place]).items()
                 if (has := available[account]) is not None and has < units}
        assert lacks
        assert lacks <= short


@given(st.integers(0, 12), st.integers(1, 12))
def test_the_last_credit_goes_to_who_came_first(credit: int, dials: int) -> None:
    waiting = {place: dial(Leg(1, 2, 1)) for place in range(dials)}
    covered, unpaid, _ = cover.sort_out(waiting, {1: credit})
    assert covered == list(range(min(credit, dials)))
    assert unpaid == ([] if credit else list(range(dials)))


def _needed(legs: Iterable[Leg]) -> Counter[int]:
    needed: Counter[int] = Counter()
    for leg in legs:
        needed[leg.debit_id] += leg.amount_units
    return needed


async def _open(database: Database, balances: list[int]) -> tuple[int, list[int]]:
    """Return the account at the root, and one for each balance."""
    async with database.transaction() as connection:
        root = await ledger.open_account(connection, 1, "messaging", "CREDIT", credit_limit_units=None)
        accounts = [await ledger.open_account(connection, owner, "messaging", "CREDIT")
                    for owner in range(2, 2 + len(balances))]
        for account, balance in zip(accounts, balances, strict=True):
            if balance:
                await ledger.transfer(connection, Leg(root, account, balance), kind="top-up", reference=uuid4())
    return root, accounts


@pytest.mark.parametrize("poor", [0, 5, 31])
async def test_one_without_credit_does_not_cost_the_others_their_batch(database: Database, poor: int) -> None:
    root, accounts = await _open(database, [0 if place == poor else 1_000 for place in range(32)])
    statements: list[str] = []

    def log(record: LoggedQuery) -> None:
        statements.append(record.query)

    recorder = Recorder(database, Wording())
    for _ in range(2):  # the second time it is known who has none
        statements.clear()
        async with logged(database, log):
            warm = [asyncio.create_task(recorder.intend(dial(Leg(accounts[poor - 1], root, 1)))) for _ in range(2)]
            await asyncio.sleep(0)
            stored = await asyncio.gather(*(recorder.intend(dial(Leg(account, root, 1))) for account in accounts))
        assert stored == [Stored.NO_CREDIT if place == poor else Stored.DONE for place in range(32)]
        assert await asyncio.gather(*warm) == [Stored.DONE] * 2
        assert len(statements) <= 20, "they were stored one by one"
    await recorder.drain()
    assert await database.fetchval("SELECT count(*) FROM ussd.session WHERE error = 'NOCR'") == 2
    assert await database.fetchval("SELECT count(*) FROM ussd.failure WHERE code = 'NOCR'") == 2
    assert await database.fetchval("SELECT sum(balance) FROM ledger.account") == 0


async def test_what_is_stored_is_not_tried_again_when_the_rest_of_its_batch_fails(
        database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    root, (tier, owner, nobody) = await _open(database, [1, 100, 0])
    recorder = Recorder(database, Wording())
    insert, counted = writing.insert_intents, 0

    async def fail_later(connection: Connection, batch: Sequence[Intent]) -> set[UUID]:
        nonlocal counted
        counted += 1
        if counted > 2:
            raise asyncpg.DeadlockDetectedError("deadlock detected")
        return await insert(connection, batch)

    monkeypatch.setattr(writing, "insert_intents", fail_later)
    dials = [dial(Leg(owner, tier, 2), Leg(tier, root, 1)) for _ in range(4)]
    stored = await asyncio.gather(*map(recorder.intend, [*dials, dial(Leg(nobody, root, 1))]))
    assert stored == [Stored.DONE, *[Stored.FAILED] * 4]  # none is called somebody else's
    assert await database.fetchval("SELECT balance FROM ledger.account WHERE id = $1", owner) == 98
    await recorder.drain()


async def test_a_tier_that_is_paid_by_the_dials_it_pays_for_serves_all_of_them(database: Database) -> None:
    root, (tier, owner) = await _open(database, [1, 100])
    recorder = Recorder(database, Wording())
    dials = [dial(Leg(owner, tier, 2), Leg(tier, root, 1)) for _ in range(16)]
    assert await asyncio.gather(*map(recorder.intend, dials)) == [Stored.DONE] * 16
    await recorder.drain()


async def test_who_has_credit_again_dials_again(database: Database) -> None:
    root, (account,) = await _open(database, [0])
    recorder = Recorder(database, Wording())
    assert await recorder.intend(dial(Leg(account, root, 1))) is Stored.NO_CREDIT
    async with database.transaction() as connection:
        await ledger.transfer(connection, Leg(root, account, 1), kind="top-up", reference=uuid4())
    assert await recorder.intend(dial(Leg(account, root, 1))) is Stored.DONE
    assert await recorder.intend(dial(Leg(account, root, 1))) is Stored.NO_CREDIT
    await recorder.drain()


async def test_a_repeat_of_a_dial_without_credit_is_a_repeat(database: Database) -> None:
    root, (account,) = await _open(database, [0])
    recorder = Recorder(database, Wording())
    step = dial(Leg(account, root, 1))
    assert await recorder.intend(step) is Stored.NO_CREDIT
    assert await recorder.intend(step) is Stored.CONFLICT
    assert await database.fetchval("SELECT count(*) FROM ussd.failure") == 1
    await recorder.drain()
