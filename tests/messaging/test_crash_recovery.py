"""A process dies between any two of its steps: nothing is lost, nothing is paid twice, what is in doubt is known."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from makola.core.messaging.errors import AcceptFailedError
from makola.core.messaging.ports import OnUnknown
from makola.core.messaging.service.claim import Claims
from makola.core.messaging.service.dispatch import Dispatcher
from makola.core.messaging.types import MessageStatus
from makola.kit.background import Background
from makola.kit.clock import now
from makola.kit.database import Database
from tests.messaging.world import CONNECTOR, LEASE_S, PRICE, DyingDatabase, Operator, Process, World, make_world

_MOST_MOMENTS = 60
_LONG = "x" * 400  # three segments


@dataclass
class _Run:
    """What one process did before it died."""

    answered: list[UUID] = field(default_factory=list)
    survived: bool = False


async def _run_until_death(world: World, lives: int) -> _Run:
    """Accept two messages and send them and one whose time has come, in a process that dies after `lives` moments."""
    run = _Run()
    drafts = [await world.draft(), await world.draft(_LONG)]
    dying = DyingDatabase(world.database.connections, world.database.url, lives)

    def die_in_the_operator_s_hands() -> None:
        dying.live()

    world.operator.before_answering = die_in_the_operator_s_hands
    async with world.process(dying) as process:
        for draft in drafts:
            try:
                run.answered.append((await process.queue.submit(draft)).message_id)
            except AcceptFailedError:
                break
        await _work(world, process, dying)
    world.operator.before_answering = lambda: None
    run.survived = not dying.is_dead
    return run


async def _work(world: World, process: Process, dying: DyingDatabase) -> None:
    async with asyncio.timeout(30):
        while not dying.is_dead and any(
                message.status < MessageStatus.SENT for message in (await world.stored()).values()):
            process.wake.set()
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("on_unknown", OnUnknown)
async def test_death_between_any_two_steps(database: Database, on_unknown: OnUnknown) -> None:
    doubtful = 0
    for lives in range(1, _MOST_MOMENTS):
        operator = Operator(on_unknown)
        world = await make_world(database, operator)
        (scheduled,) = await world.accept(await world.draft(time=now() + timedelta(days=1)))
        await database.execute("UPDATE messaging.message SET due_at = now() WHERE id = $1", scheduled.message_id)
        run = await _run_until_death(world, lives)
        await world.end_leases()
        async with world.process() as process:
            stored = await world.settled(process)
            assert {scheduled.message_id, *run.answered} <= set(stored)
            doubtful += sum(message.status is MessageStatus.UNKNOWN for message in stored.values())
            await _check_sent(world, on_unknown)
            for message_id in operator.taken:
                await process.events.receipts(operator.receipts(message_id, MessageStatus.DELIVERED))
        await _check_end(world, on_unknown)
        if run.survived:
            assert lives > 10, "there are more moments than these at which to die"
            assert (doubtful > 0) == (on_unknown is OnUnknown.HOLD)
            return
    raise AssertionError("the process died every time")


async def _check_sent(world: World, on_unknown: OnUnknown) -> None:
    """Each message has reached the operator or is in doubt; is paid once, by its segments; and nothing is held."""
    stored = await world.stored()
    if on_unknown is OnUnknown.HOLD:
        assert len(world.operator.got) == len(set(world.operator.got)), "a message in doubt was sent again"
        assert {message.status for message in stored.values()} <= {MessageStatus.SENT, MessageStatus.UNKNOWN}
        assert {message_id for message_id, message in stored.items()
                if message.status is MessageStatus.SENT} <= set(world.operator.got)
    else:
        assert set(stored) == set(world.operator.got)
        assert {message.status for message in stored.values()} == {MessageStatus.SENT}
    assert await world.spent_units() == (sum(message.units for message in stored.values()) * PRICE, 0)


async def _check_end(world: World, on_unknown: OnUnknown) -> None:
    """All are delivered, but those whose ids were lost with the operator's answer."""
    stored = await world.stored()
    expected = {MessageStatus.DELIVERED}
    if on_unknown is OnUnknown.HOLD:
        expected |= {MessageStatus.UNKNOWN}
    assert {message.status for message in stored.values()} <= expected
    assert await world.spent_units() == (sum(message.units for message in stored.values()) * PRICE, 0)


async def test_what_was_leased_and_never_left_is_sent_even_where_doubt_means_hold(database: Database) -> None:
    """Only what was recorded as leaving is in doubt: a message that waited in memory is not."""
    world = await make_world(database, Operator(OnUnknown.HOLD))
    (scheduled,) = await world.accept(await world.draft(time=now() + timedelta(days=1)))
    await database.execute("UPDATE messaging.message SET due_at = now() WHERE id = $1", scheduled.message_id)
    claims = Claims(database, {CONNECTOR: world.operator}, world.routing, world.prices, world.reports, lease_s=LEASE_S)
    claimed = await claims.take(10)
    assert [message.message_id for group in claimed.groups.values() for message in group] == [scheduled.message_id]
    assert (await world.stored())[scheduled.message_id].status is MessageStatus.ACCEPTED
    assert (await claims.take(10)).row_count == 0  # it is leased
    await world.end_leases()
    async with world.process() as process:
        assert (await world.settled(process))[scheduled.message_id].status is MessageStatus.SENT
    assert world.operator.got == [scheduled.message_id]


async def test_a_lease_that_was_lost_is_not_used(database: Database) -> None:
    """A process that slept through its lease sends nothing: another one has."""
    world = await make_world(database, Operator(OnUnknown.HOLD))
    (accepted,) = await world.accept(await world.draft())
    claims = Claims(database, {CONNECTOR: world.operator}, world.routing, world.prices, world.reports, lease_s=LEASE_S)
    slept = await claims.take(10)
    await world.end_leases()
    async with world.process() as process:
        await world.settled(process)
    sleeper = Dispatcher(database, {CONNECTOR: world.operator}, claims, world.reports, lease_s=LEASE_S)

    background = Background()
    sleeper.start(background, asyncio.Event())
    for (connector, _), messages in slept.groups.items():
        sleeper.take(connector, messages, slept.lease_until)
    await asyncio.sleep(0.1)
    await background.stop()
    assert world.operator.got == [accepted.message_id]
    assert await world.spent_units() == (PRICE, 0)
