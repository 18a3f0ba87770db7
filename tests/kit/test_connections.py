"""Connections that are lent again and again: nobody waits for ever, and nobody gets one that is not in order."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from makola.kit.database import OUTAGE, Database

_MOST = 2
_WHO = "SELECT pg_backend_pid()"


@pytest_asyncio.fixture
async def small(database_url: str) -> AsyncIterator[Database]:
    """A database with two connections at most."""
    opened = await Database.connect(database_url, min_size=1, max_size=_MOST)
    yield opened
    await opened.close()


async def test_the_last_used_is_lent_first(small: Database) -> None:
    async with small.connection() as one, small.connection() as other:
        first, last = await one.fetchval(_WHO), await other.fetchval(_WHO)
    assert first != last
    assert await small.fetchval(_WHO) == first  # the inner block ended before the outer one
    assert await small.fetchval(_WHO) == first


async def test_who_asked_first_is_served_first(small: Database) -> None:
    served: list[int] = []

    async def use(number: int) -> None:
        async with small.connection() as connection:
            await connection.fetchval("SELECT 1")
            served.append(number)

    held = [await small.connections.take() for _ in range(_MOST)]
    waiting = [asyncio.create_task(use(number)) for number in range(20)]
    await asyncio.sleep(0)
    await small.connections.give_back(held.pop(), None)
    await asyncio.gather(*waiting)
    assert served == list(range(20))
    await small.connections.give_back(held.pop(), None)


async def test_hundreds_share_two(small: Database) -> None:
    async def use(number: int) -> object:
        async with small.transaction() as connection:
            return await connection.fetchval("SELECT $1::int", number)

    async with asyncio.timeout(20):
        assert await asyncio.gather(*(use(number) for number in range(300))) == list(range(300))


async def test_who_stops_waiting_takes_none_with_them(small: Database) -> None:
    held = [await small.connections.take() for _ in range(_MOST)]
    waiting = [asyncio.create_task(small.connections.take()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    await small.connections.give_back(held.pop(), None)  # it goes to the second, which is cancelled as it comes
    waiting[1].cancel()
    async with asyncio.timeout(5):
        third = await waiting[2]
    assert await third.fetchval("SELECT 1") == 1
    assert [task.cancelled() for task in waiting] == [True, True, False]
    for connection in (third, *held):
        await small.connections.give_back(connection, None)
    async with asyncio.timeout(5):
        assert await asyncio.gather(*(small.fetchval("SELECT 1") for _ in range(5))) == [1] * 5


async def test_nobody_is_overtaken_by_who_fails_and_asks_again(small: Database) -> None:
    served: list[str] = []
    held = await small.connections.take()

    async def fail(times: int) -> None:
        for _ in range(times):
            with pytest.raises(TimeoutError):
                async with small.connection():
                    served.append("fails")
                    raise TimeoutError

    async def wait() -> None:
        async with small.connection():
            served.append("waits")

    async with asyncio.timeout(10):
        failing = asyncio.create_task(fail(5))
        await asyncio.sleep(0)  # it has the last connection
        await asyncio.gather(failing, wait())
    assert served.index("waits") <= 1
    await small.connections.give_back(held, None)


async def test_closing_ends_though_who_waits_is_cancelled_as_they_are_served(database_url: str) -> None:
    database = await Database.connect(database_url, min_size=1, max_size=1)
    held = await database.connections.take()
    waiting = asyncio.create_task(database.connections.take())
    await asyncio.sleep(0)
    await database.connections.give_back(held, None)
    waiting.cancel()
    async with asyncio.timeout(5):
        await database.close()


async def test_a_refusal_leaves_the_connection_as_it_was(small: Database) -> None:
    before = await small.fetchval(_WHO)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await small.fetchval("SELECT 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with small.transaction() as connection:
            await connection.execute("SELECT 1 / 0")
    with pytest.raises(ValueError, match="ours"):
        async with small.transaction():
            raise ValueError("ours")
    assert await small.fetchval(_WHO) == before
    async with small.connection() as connection:
        assert not connection.is_in_transaction()


async def test_what_was_cancelled_in_mid_statement_holds_nobody_up(small: Database) -> None:
    asking = [asyncio.create_task(small.fetchval("SELECT pg_sleep(30)")) for _ in range(_MOST)]
    await asyncio.sleep(0.1)
    for task in asking:
        task.cancel()
    async with asyncio.timeout(5):
        assert await asyncio.gather(*(small.fetchval("SELECT $1::int", number) for number in range(9))) == [*range(9)]


async def test_a_transaction_left_open_is_ended(small: Database) -> None:
    connection = await small.connections.take()
    await connection.execute("BEGIN")
    await small.connections.give_back(connection, None)
    async with small.connection() as again:
        assert not again.is_in_transaction()


@pytest.mark.parametrize("ended", [1, _MOST])
async def test_connections_that_the_server_ended_are_replaced(small: Database, database: Database, ended: int) -> None:
    held = [await small.connections.take() for _ in range(_MOST)]
    pids = [await connection.fetchval(_WHO) for connection in held]
    for connection in held:
        await small.connections.give_back(connection, None)
    for pid in pids[:ended]:
        await database.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    await asyncio.sleep(0.05)  # the word of it comes
    async with asyncio.timeout(5):
        now = set(await asyncio.gather(*(small.fetchval(_WHO) for _ in range(6))))
    assert not now & set(pids[:ended])
    assert len(now) <= _MOST


async def test_a_connection_that_ends_in_use_is_not_lent_again(small: Database, database: Database) -> None:
    with pytest.raises(OUTAGE):
        async with small.connection() as connection:
            await database.execute("SELECT pg_terminate_backend($1, 5000)", await connection.fetchval(_WHO))
            await connection.fetchval("SELECT 1")
    async with asyncio.timeout(5):
        assert await small.fetchval("SELECT 1") == 1


async def test_closing_waits_for_what_is_in_use(database_url: str) -> None:
    database = await Database.connect(database_url, min_size=1, max_size=_MOST)
    await database.fetchval("SELECT 1")
    slow = asyncio.create_task(database.fetchval("SELECT 7 FROM pg_sleep(0.2)"))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(5):
        await database.close()
    assert await slow == 7
    with pytest.raises(asyncpg.InterfaceError):
        await database.fetchval("SELECT 1")
