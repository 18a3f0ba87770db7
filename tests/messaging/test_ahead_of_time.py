"""A scheduled message is decided and paid for shortly before its time; until that time it can be changed."""

import asyncio
from datetime import timedelta
from uuid import UUID

from makola.core.messaging.service.claim import Claims
from makola.core.messaging.service.schedule import cancel, reschedule
from makola.core.messaging.types import MessageStatus
from makola.kit.clock import now
from makola.kit.database import Database
from tests.messaging.world import CONNECTOR, LEASE_S, PRICE, World, make_world

_SOON = timedelta(seconds=2)
_HORIZON = timedelta(days=1)


def _claims(world: World, lease_s: float = LEASE_S) -> Claims:
    return Claims(world.database, {CONNECTOR: world.operator}, world.routing, world.prices, world.reports,
                  lease_s=lease_s)


async def _scheduled(world: World, ahead: timedelta = _SOON) -> UUID:
    (accepted,) = await world.accept(await world.draft(time=now() + ahead))
    return accepted.message_id


async def _is_reserved(world: World) -> bool:
    for _ in range(500):
        if (await world.spent_units())[1] == PRICE:
            return True
        await asyncio.sleep(0.005)
    return False


async def test_it_is_paid_before_its_time_and_leaves_at_it(database: Database) -> None:
    world = await make_world(database)
    async with world.process() as process:
        message_id = await _scheduled(world)
        process.wake.set()
        assert await _is_reserved(world)
        before = (await world.stored())[message_id]
        assert (before.status, before.scheduled, world.operator.got) == (MessageStatus.SCHEDULED, True, [])
        assert now() < before.time, "the test proves nothing: the machine was too slow"
        after = (await world.settled(process))[message_id]
    assert (after.status, after.scheduled, world.operator.got) == (MessageStatus.SENT, False, [message_id])
    assert after.updated_at >= before.time
    assert await world.spent_units() == (PRICE, 0)


async def test_cancelled_after_it_was_paid_it_never_leaves_and_costs_nothing(database: Database) -> None:
    world = await make_world(database)
    async with world.process() as process:
        message_id = await _scheduled(world)
        process.wake.set()
        assert await _is_reserved(world)
        await cancel(database, world.caller.actor, message_id)
        assert await world.spent_units() == (0, 0)
        await asyncio.sleep(_SOON.total_seconds() + 0.3)
        assert (await world.settled(process))[message_id].status is MessageStatus.DELETED
    assert world.operator.got == []


async def test_moved_after_it_was_paid_it_leaves_once_at_its_new_time(database: Database) -> None:
    world = await make_world(database)
    async with world.process() as process:
        message_id = await _scheduled(world)
        process.wake.set()
        assert await _is_reserved(world)
        later = now() + timedelta(seconds=3)
        moved = await reschedule(database, world.caller.actor, message_id, later, horizon=_HORIZON)
        assert moved.price_units == 0
        sent = (await world.settled(process))[message_id]
    assert (sent.status, world.operator.got) == (MessageStatus.SENT, [message_id])
    assert sent.updated_at >= later
    assert await world.spent_units() == (PRICE, 0)


async def test_the_process_that_paid_for_it_dies_and_it_is_paid_once(database: Database) -> None:
    world = await make_world(database)
    message_id = await _scheduled(world, timedelta(seconds=0.5))
    assert (await _claims(world).take(10)).row_count == 1  # and is never heard of again
    await database.execute("UPDATE messaging.message SET due_at = now() WHERE id = $1", message_id)
    async with world.process() as process:
        assert (await world.settled(process))[message_id].status is MessageStatus.SENT
    assert world.operator.got == [message_id]
    assert await world.spent_units() == (PRICE, 0)


async def test_a_short_lease_ends_and_is_not_renewed_for_ever(database: Database) -> None:
    world = await make_world(database)
    message_id = await _scheduled(world, timedelta(seconds=0.4))
    assert (await _claims(world, lease_s=1).take(10)).row_count == 1  # and is never heard of again
    async with world.process(lease_s=1) as process:
        assert (await world.settled(process))[message_id].status is MessageStatus.SENT
    assert world.operator.got == [message_id]
    assert await world.spent_units() == (PRICE, 0)


async def test_an_orderly_end_leaves_it_to_the_next_process_without_waiting_for_the_lease(database: Database) -> None:
    world = await make_world(database)
    async with world.process() as process:
        message_id = await _scheduled(world)
        process.wake.set()
        assert await _is_reserved(world)
    assert world.operator.got == []
    async with world.process() as process:
        sent = (await world.settled(process))[message_id]  # within half a minute; the lease has minutes left
    assert (sent.status, world.operator.got) == (MessageStatus.SENT, [message_id])
    assert await world.spent_units() == (PRICE, 0)
