"""The accept queue: what waits is stored together, decided in its order, and answered when it is on disk."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from makola.core.messaging.do_not_contact import add_to_list
from makola.core.messaging.errors import (
    AcceptFailedError,
    AcceptQueueFullError,
    DoNotContactError,
    OutOfCreditError,
    RequestKeyReusedError,
)
from makola.core.messaging.ports import OutgoingMessage
from makola.core.messaging.service.accept import AcceptQueue
from makola.core.messaging.types import Accepted, Draft, MessageStatus
from makola.kit.clock import now
from makola.kit.database import Connection, Database
from tests.messaging.world import CONNECTOR, PRICE, World, make_world

_REFUSED = "refused by the database"
_LOST = asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")


class CountingDatabase(Database):
    """Counts its transactions."""

    count = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        self.count += 1
        async with super().transaction() as connection:
            yield connection


class LossyDatabase(Database):
    """Loses the connection at the commit of its first transaction, in the way that `loss` says."""

    loss = ""
    finishing: "asyncio.Task[None] | None" = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        loss, self.loss = self.loss, ""
        if loss == "in flight":
            async with self._finished_later() as connection:
                yield connection
            raise _LOST
        async with super().transaction() as connection:
            yield connection
            if loss == "before the commit":
                raise _LOST
        if loss == "after the commit":
            raise _LOST

    @asynccontextmanager
    async def _finished_later(self) -> AsyncIterator[Connection]:
        """The server commits 150 ms after the client was told that its connection is gone."""
        connection = await asyncpg.connect(self.url)
        transaction = connection.transaction()
        await transaction.start()
        yield connection

        async def finish() -> None:
            await asyncio.sleep(0.15)
            await transaction.commit()
            await connection.close()

        self.finishing = asyncio.create_task(finish())


def _lossy(world: World, loss: str) -> LossyDatabase:
    database = LossyDatabase(world.database.connections, world.database.url)
    database.loss = loss
    return database


async def _submit_all(queue: AcceptQueue, drafts: Sequence[Draft]) -> list[Accepted | BaseException]:
    """Submit drafts that wait together, and then let the queue begin."""
    waiting = [asyncio.create_task(queue.submit(draft)) for draft in drafts]
    await asyncio.sleep(0)
    queue.start()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    await queue.drain()
    return answers


def _kinds(answers: Sequence[object]) -> list[type]:
    return [type(answer) for answer in answers]


async def test_the_last_credit_goes_to_who_came_first(database: Database) -> None:
    world = await make_world(database, credit=3 * PRICE)
    drafts = [await world.draft("x" * 161), *[await world.draft() for _ in range(4)]]
    answers = await _submit_all(world.queue(), drafts)
    assert _kinds(answers) == [Accepted, Accepted, OutOfCreditError, OutOfCreditError, OutOfCreditError]
    assert set(await world.stored()) == {draft.message_id for draft in drafts[:2]}


async def test_a_batch_takes_what_waits_up_to_its_limit(database: Database) -> None:
    world = await make_world(database)
    counting = CountingDatabase(database.connections, database.url)
    answers = await _submit_all(world.queue(database=counting, batch=10), [await world.draft() for _ in range(25)])
    assert _kinds(answers) == [Accepted] * 25
    assert counting.count == 3
    assert len(await world.stored()) == 25


async def test_a_refusal_in_a_batch_costs_the_others_nothing(database: Database) -> None:
    world = await make_world(database)
    async with database.transaction() as connection:
        await add_to_list(connection, world.caller.actor.organisation_id, "+233241111111")
    counting = CountingDatabase(database.connections, database.url)
    drafts = [await world.draft(), await world.draft(to="+233241111111"), await world.draft()]
    answers = await _submit_all(world.queue(database=counting), drafts)
    assert _kinds(answers) == [Accepted, DoNotContactError, Accepted]
    assert counting.count == 1


async def test_more_than_may_wait_are_refused_and_those_before_are_stored(database: Database) -> None:
    world = await make_world(database)
    answers = await _submit_all(world.queue(limit=3), [await world.draft() for _ in range(5)])
    assert _kinds(answers) == [Accepted] * 3 + [AcceptQueueFullError] * 2


async def test_a_cancelled_request_is_stored_all_the_same(database: Database) -> None:
    world = await make_world(database)
    queue, drafts = world.queue(), [await world.draft(), await world.draft()]
    gone, stays = (asyncio.create_task(queue.submit(draft)) for draft in drafts)
    await asyncio.sleep(0)
    gone.cancel()
    queue.start()
    assert (await stays).message_id == drafts[1].message_id
    await queue.drain()
    assert gone.cancelled()
    assert set(await world.stored()) == {draft.message_id for draft in drafts}


async def test_draining_stores_what_waits_and_takes_no_more(database: Database) -> None:
    world = await make_world(database)
    queue, drafts = world.queue(batch=2), [await world.draft() for _ in range(7)]
    queue.start()
    waiting = [asyncio.create_task(queue.submit(draft)) for draft in drafts]
    await asyncio.sleep(0)
    await queue.drain()
    assert queue.waiting_count == 0
    assert len(await world.stored()) == 7
    assert _kinds(await asyncio.gather(*waiting)) == [Accepted] * 7
    with pytest.raises(AcceptQueueFullError):
        await queue.submit(await world.draft())


async def test_a_row_that_the_database_refuses_fails_alone(database: Database) -> None:
    world = await make_world(database)
    await database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no'; END$$")
    await database.execute("CREATE TRIGGER refuse BEFORE INSERT ON messaging.message"
                           " FOR EACH ROW WHEN (NEW.content = 'refused by the database') EXECUTE FUNCTION refuse()")
    contents = ["one", _REFUSED, "three", _REFUSED, "five"]
    answers = await _submit_all(world.queue(), [await world.draft(content) for content in contents])
    assert _kinds(answers) == [Accepted, AcceptFailedError, Accepted, AcceptFailedError, Accepted]
    assert sorted(message.content for message in (await world.stored()).values()) == ["five", "one", "three"]
    assert await world.spent_units() == (0, 3 * PRICE)
    assert _kinds(await _submit_all(world.queue(), [await world.draft(_REFUSED)])) == [AcceptFailedError]
    assert await world.spent_units() == (0, 3 * PRICE)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("keys", [True, False])
@pytest.mark.parametrize("loss", ["before the commit", "after the commit", "in flight"])
async def test_a_connection_lost_at_the_commit_is_answered_truly(database: Database, loss: str, keys: bool,
                                                                 count: int) -> None:
    """Credit for exactly these messages: a second attempt at one that is stored would find none left."""
    world = await make_world(database, credit=count * PRICE)
    lossy = _lossy(world, loss)
    drafts = [await world.draft(key=f"key {number}" if keys else "") for number in range(count)]
    answers = await _submit_all(world.queue(database=lossy), drafts)
    assert [answer.message_id for answer in answers if isinstance(answer, Accepted)] == [
        draft.message_id for draft in drafts]
    if lossy.finishing is not None:
        await lossy.finishing
    assert set(await world.stored()) == {draft.message_id for draft in drafts}
    assert await world.spent_units() == (0, count * PRICE)


async def test_while_the_database_is_away_nothing_is_promised(database: Database) -> None:
    world = await make_world(database)
    gone = await Database.connect(database.url, min_size=1, max_size=1)
    await gone.close()
    queue = world.queue(database=gone)
    (answer,) = await _submit_all(queue, [await world.draft()])
    assert isinstance(answer, AcceptFailedError)
    assert "not known" in answer.detail
    assert await world.stored() == {}


async def test_nobody_waits_for_a_queue_that_has_died(database: Database) -> None:
    world = await make_world(database)

    class Broken(Database):
        def transaction(self) -> object:  # type: ignore[override] # the mistake that this test makes
            raise LookupError("a mistake in the program")

    queue = world.queue(database=Broken(database.connections, database.url), batch=1)
    waiting = [asyncio.create_task(queue.submit(await world.draft())) for _ in range(3)]
    await asyncio.sleep(0)
    queue.start()
    async with asyncio.timeout(30):
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(AcceptFailedError):
            await queue.submit(await world.draft())
        with pytest.raises(LookupError):
            await queue.drain()
    assert _kinds(answers) == [AcceptFailedError] * 3


# -- repeated requests -------------------------------------------------------------------------------------------

async def test_a_key_twice_in_one_batch_is_one_message(database: Database) -> None:
    world = await make_world(database)
    drafts = [await world.draft(key="one", sha256=b"a"), await world.draft(key="one", sha256=b"a"),
              await world.draft(key="one", sha256=b"b"), await world.draft(key="two", sha256=b"a")]
    first, again, other, second = await _submit_all(world.queue(), drafts)
    assert isinstance(first, Accepted)
    assert again == first
    assert isinstance(other, RequestKeyReusedError)
    assert isinstance(second, Accepted)
    assert set(await world.stored()) == {first.message_id, second.message_id}
    assert await world.spent_units() == (0, 2 * PRICE)


async def test_a_key_twice_in_one_batch_whose_first_is_refused(database: Database) -> None:
    world = await make_world(database, credit=0)
    answers = await _submit_all(world.queue(), [await world.draft(key="one"), await world.draft(key="one")])
    assert _kinds(answers) == [OutOfCreditError, OutOfCreditError]


async def test_a_refused_request_may_be_made_again_with_its_key(database: Database) -> None:
    poor = await make_world(database, credit=0)
    assert _kinds(await _submit_all(poor.queue(), [await poor.draft(key="one")])) == [OutOfCreditError]
    assert await database.fetchval("SELECT count(*) FROM messaging.request_key") == 0


async def test_one_key_from_two_processes_at_once_is_one_message(database: Database) -> None:
    world = await make_world(database)
    queues = [world.queue(database=await Database.connect(database.url, min_size=1, max_size=2)) for _ in range(3)]
    for queue in queues:
        queue.start()
    for round_ in range(15):
        drafts = [await world.draft(key=f"round {round_}", sha256=b"same") for _ in queues]
        answers = await asyncio.gather(*(queue.submit(draft) for queue, draft in zip(queues, drafts, strict=True)))
        assert len({answer.message_id for answer in answers}) == 1
    assert len(await world.stored()) == 15
    assert await world.spent_units() == (0, 15 * PRICE)
    for queue in queues:
        await queue.drain()
        await queue._database.close()


async def test_a_reference_is_unique_where_the_application_asks(database: Database) -> None:
    strict, loose = await make_world(database, unique_reference=True), await make_world(database)
    for world, expected in ((strict, 1), (loose, 2)):
        answers = await _submit_all(world.queue(), [await world.draft("one", reference="1234")])
        answers += await _submit_all(world.queue(), [await world.draft("another", reference="1234")])
        assert _kinds(answers) == [Accepted, Accepted]
        assert len(await world.stored()) == expected
        assert (answers[0] == answers[1]) == (expected == 1)


# -- handing over --------------------------------------------------------------------------------------------------

@dataclass
class _Taker:
    """A dispatcher that only remembers what it was given."""

    free: int
    got: list[UUID] = field(default_factory=list)
    leases: set[datetime] = field(default_factory=set)

    def room(self, connector: str) -> int:
        assert connector == CONNECTOR
        return self.free - len(self.got)

    def take(self, connector: str, messages: Sequence[OutgoingMessage], lease_until: datetime) -> None:
        self.got += [message.message_id for message in messages]
        self.leases.add(lease_until)


async def test_what_the_dispatcher_has_room_for_is_leased_and_the_rest_is_due(database: Database) -> None:
    world = await make_world(database)
    drafts = [await world.draft(time=now() + timedelta(hours=1)), *[await world.draft() for _ in range(5)]]
    taker = _Taker(free=3)
    await _submit_all(world.queue(taker), drafts)
    assert taker.got == [draft.message_id for draft in drafts[1:4]]
    rows = await database.fetch("SELECT id, due_at, status FROM messaging.message")
    due_at = {row["id"]: row["due_at"] for row in rows}
    assert {due_at[message_id] for message_id in taker.got} == taker.leases
    assert due_at[drafts[0].message_id] == drafts[0].time
    assert all(due_at[draft.message_id] <= now() for draft in drafts[4:])
    assert {row["status"] for row in rows} == {MessageStatus.SCHEDULED, MessageStatus.ACCEPTED}


async def test_where_nobody_sends_the_workers_are_woken(database: Database) -> None:
    world = await make_world(database)
    heard = asyncio.Event()
    listener = await asyncpg.connect(database.url)
    await listener.add_listener("messages", lambda *_: heard.set())
    await _submit_all(world.queue(), [await world.draft()])
    async with asyncio.timeout(30):
        await heard.wait()
    heard.clear()
    await _submit_all(world.queue(), [await world.draft(time=now() + timedelta(hours=1))])
    await _submit_all(world.queue(_Taker(free=9)), [await world.draft()])
    await listener.fetchval("SELECT 1")
    assert not heard.is_set()
    await listener.close()
