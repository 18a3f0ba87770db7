"""The ledger's holds in parts: however a hold is split, what is reserved and what moves is the same."""

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makola.core.ledger import service as ledger
from makola.core.ledger.errors import HoldClosedError
from makola.core.ledger.types import Leg, NewHold
from makola.kit.clock import now
from makola.kit.database import Connection, Database
from makola.kit.ids import new_id
from tests.ordering.world import check_ledger

_ANY_DATABASE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def _accounts(connection: Connection) -> tuple[int, int, int]:
    owner_id = await connection.fetchval("SELECT coalesce(max(owner_id), 0) + 1 FROM ledger.account")
    first, second, third = [await ledger.open_account(
        connection, owner_id + place, "trade", "GBP", credit_limit_units=1_000_000) for place in range(3)]
    return first, second, third


async def _figures(connection: Connection, account_ids: tuple[int, int, int]) -> list[tuple[int, int]]:
    rows = await connection.fetch("SELECT balance, held FROM ledger.account WHERE id = ANY($1::bigint[]) ORDER BY id",
                                  list(account_ids))
    return [(row["balance"], row["held"]) for row in rows]


@given(parts=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.booleans()), min_size=1, max_size=6),
       rest=st.tuples(st.integers(0, 50), st.integers(0, 50)))
@_ANY_DATABASE
async def test_parts_of_a_hold_settle_by_themselves(database: Database, parts: list[tuple[int, int, bool]],
                                                    rest: tuple[int, int]) -> None:
    async with database.transaction() as connection:
        low, middle, top = await _accounts(connection)

        def legs(first: int, second: int) -> tuple[Leg, ...]:
            return tuple(leg for leg in (Leg(low, middle, first), Leg(middle, top, second)) if leg.amount_units)

        whole = [sum(part[place] for part in parts) + rest[place] for place in (0, 1)]
        hold_id = new_id()
        await ledger.reserve(connection, [NewHold(hold_id, legs(*whole))], now())
        posted, held = [0, 0], list(whole)
        for first, second, post in parts:
            if not legs(first, second):
                continue
            part_id = await ledger.split(connection, hold_id, NewHold(new_id(), legs(first, second)))
            assert (part_id == hold_id) == (held == [first, second])
            await ledger.settle(connection, post=[part_id] if post else [], void=[] if post else [part_id], kind="test")
            held = [held[0] - first, held[1] - second]
            posted = [posted[0] + first, posted[1] + second] if post else posted
            assert await _figures(connection, (low, middle, top)) == [
                (-posted[0], held[0]), (posted[0] - posted[1], held[1]), (posted[1], 0)]
    await check_ledger(database)


async def test_more_than_is_reserved_cannot_be_taken_out(database: Database) -> None:
    async with database.transaction() as connection:
        low, middle, top = await _accounts(connection)
        hold_id = new_id()
        await ledger.reserve(connection, [NewHold(hold_id, (Leg(low, middle, 10),))], now())
    for legs in ((Leg(low, middle, 11),), (Leg(low, middle, 6), Leg(low, middle, 6)), (Leg(low, top, 1),),
                 (Leg(middle, low, 1),), (Leg(low, middle, 0),), (Leg(low, middle, -1),)):
        async with database.transaction() as connection:
            with pytest.raises(HoldClosedError):
                await ledger.split(connection, hold_id, NewHold(new_id(), legs))
    async with database.transaction() as connection:
        await ledger.settle(connection, void=[hold_id], kind="test")
        for closed in (hold_id, uuid4()):
            with pytest.raises(HoldClosedError):
                await ledger.split(connection, closed, NewHold(new_id(), (Leg(low, middle, 1),)))
    await check_ledger(database)
