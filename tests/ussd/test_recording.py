"""What is written together: what waits for the disk, and what a row that is refused costs the others."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg
from msgspec.structs import replace

from makola.core.ussd.lane import Lane
from makola.core.ussd.recording import Recorder
from makola.core.ussd.service.breakdowns import note_breakdown
from makola.core.ussd.store import reading, writing
from makola.core.ussd.store.rows import Intent, Opening, Stored
from makola.core.ussd.types import EndReason, StepKind
from makola.core.ussd.wording import Wording
from makola.kit.clock import now
from makola.kit.database import Connection, Database


def beginning(session_id: UUID) -> Intent:
    """Return the first step of a session."""
    return Intent(session_id, 1, 1, StepKind.INITIATION, "1", "*714#", False, now(),
                  Opening(1, 1, "714", "test", session_id.hex, "233244123456", "MTN"))


def ending(session_id: UUID) -> Intent:
    """Return the second step of a session, a time-out."""
    return Intent(session_id, 2, 2, StepKind.TIMEOUT, "", "", False, now(), end_reason=EndReason.TIMEOUT, error="ST")


async def test_a_step_does_not_wait_for_the_disk_and_an_end_does(database: Database) -> None:
    step = beginning(uuid4())
    async with database.connection() as connection:
        async with connection.transaction():
            assert await writing.insert_intents(connection, [step])
            assert await connection.fetchval("SHOW synchronous_commit") == "off"
        async with connection.transaction():
            assert await writing.insert_intents(connection, [ending(step.session_id)])
            assert await connection.fetchval("SHOW synchronous_commit") == "on"


async def test_the_screen_that_there_is_no_credit_is_on_disk(database: Database) -> None:
    step = beginning(uuid4())
    async with database.transaction() as connection:
        await writing.insert_intents(connection, [step])
        await writing.end_unpaid(connection, [step], now(), screen="NOCR", cause="none")
        assert await connection.fetchval("SHOW synchronous_commit") == "on"


async def test_of_two_ends_of_a_session_at_once_one_counts(database: Database) -> None:
    recorder = Recorder(database, Wording())
    step = beginning(uuid4())
    assert await recorder.intend(step) is Stored.DONE
    end = ending(step.session_id)
    first, second = await asyncio.gather(recorder.intend(end), recorder.intend(replace(end, error="")))
    assert (first, second) == (Stored.DONE, Stored.CONFLICT)
    await recorder.drain()


async def test_two_that_notice_a_breakdown_at_once_agree(database: Database) -> None:
    await database.execute("DELETE FROM ussd.continuity")
    at = now()
    try:
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO ussd.continuity (since) VALUES ($1)", at)
            second = asyncio.create_task(reading.unbroken_since(database))
            await asyncio.sleep(0.1)  # it waits for the first
        assert await second == at
    finally:
        await database.execute("UPDATE ussd.continuity SET since = 'epoch'")


async def test_a_new_connection_marks_a_breakdown_before_anything_is_recorded(module_database_url: str) -> None:
    database = await Database.connect(module_database_url, min_size=1, max_size=2, on_connect=note_breakdown)
    try:
        await database.execute("DELETE FROM ussd.continuity")
        connections = [await database.connections.take() for _ in range(2)]
        for each in connections:  # a breakdown ends them
            await each.close()
            await database.connections.give_back(each, None)
        step = beginning(uuid4())
        async with database.connection() as connection:
            await writing.insert_intents(connection, [step])
            marked = await connection.fetchval(
                "SELECT since <= recorded_at FROM ussd.continuity, ussd.step WHERE session_id = $1", step.session_id)
        assert marked is True
    finally:
        await database.execute("UPDATE ussd.continuity SET since = 'epoch'")
        await database.close()


async def test_a_connection_to_an_empty_database_marks_nothing(bare_database_url: str) -> None:
    database = await Database.connect(bare_database_url, min_size=1, max_size=2, on_connect=note_breakdown)
    assert await database.fetchval("SELECT 1") == 1
    await database.close()


class Store:
    """Takes every item but those that are called bad."""

    def __init__(self, error: Exception) -> None:
        self.stored: set[str] = set()
        self.error = error

    async def __call__(self, _: Connection, items: Sequence[str]) -> list[bool]:
        """Store items, slowly enough that others come meanwhile."""
        await asyncio.sleep(0.02)
        if "bad" in items:
            raise self.error
        self.stored.update(items)
        return [True] * len(items)


async def test_what_the_database_refuses_costs_nothing_of_what_comes_meanwhile(database: Database) -> None:
    store = Store(asyncpg.DataError("refused"))
    lane = Lane("test", database, store, failed=False)
    results = [asyncio.create_task(lane.put(item)) for item in ("bad", "a")]
    await asyncio.sleep(0.01)
    results += [asyncio.create_task(lane.put(item)) for item in ("bad", "b")]
    await asyncio.sleep(0.02)  # now both writers are storing one by one
    others = [f"{number}" for number in range(300)]  # more than a batch
    results += [asyncio.create_task(lane.put(item)) for item in others]
    async with asyncio.timeout(20):
        assert await asyncio.gather(*results) == [False, True, False, True, *[True] * 300]
    assert store.stored == {"a", "b", *others}
    await lane.drain()


async def test_a_mistake_of_the_program_leaves_nobody_waiting(database: Database) -> None:
    async def store(_: Connection, items: Sequence[str]) -> list[bool]:
        await asyncio.sleep(0.01)
        if len(items) > 1:
            raise asyncpg.DataError("refused")
        if items == ["odd"]:
            raise TypeError("a mistake")
        return [True]

    lane = Lane("test", database, store, failed=False)
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    async with asyncio.timeout(20):
        assert await asyncio.gather(*(lane.put(item) for item in ("a", "odd", "c"))) == [True, False, False]
        assert not await lane.put("odd")
        assert await lane.put("d")
        await lane.drain()


async def test_what_somebody_stopped_waiting_for_is_stored_all_the_same(database: Database) -> None:
    store = Store(ValueError())
    lane = Lane("test", database, store, failed=False)
    tasks = [asyncio.create_task(lane.put(f"{number}")) for number in range(5)]
    await asyncio.sleep(0.01)
    tasks += [asyncio.create_task(lane.put(f"{number}")) for number in range(5, 8)]
    await asyncio.sleep(0)
    for task in (tasks[0], tasks[6]):
        task.cancel()
    async with asyncio.timeout(20):
        await lane.drain()
    assert store.stored == {f"{number}" for number in range(8)}
