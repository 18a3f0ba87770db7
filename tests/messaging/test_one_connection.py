"""No use case waits for a second connection while it holds one: with a pool of one, it would wait for ever."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio

from makola.core.messaging.queries import MessageFilter, list_messages
from makola.core.messaging.service.receipts import sweep_parked
from makola.core.messaging.service.schedule import cancel, reschedule
from makola.core.messaging.types import MessageStatus
from makola.kit.clock import now
from makola.kit.database import Database
from tests.messaging.world import World, make_world


@pytest_asyncio.fixture
async def narrow(database: Database) -> AsyncIterator[World]:
    """A world whose only connection is one."""
    opened = await Database.connect(database.url, min_size=1, max_size=1)
    yield await make_world(opened)
    await opened.close()


async def test_a_message_from_its_schedule_to_its_handset(narrow: World) -> None:
    async with asyncio.timeout(30):
        drafts = [await narrow.draft(time=now() + timedelta(days=1)), await narrow.draft("x" * 200, report=True)]
        scheduled, _ = await narrow.accept(*drafts)
        actor = narrow.caller.actor
        await reschedule(narrow.database, actor, scheduled.message_id, now(), horizon=timedelta(days=2))
        async with narrow.process() as process:
            stored = await narrow.settled(process)
            for message_id in stored:
                await process.events.receipts(narrow.operator.receipts(message_id, MessageStatus.DELIVERED))
            await sweep_parked(narrow.database, narrow.reports)
        messages, count = await list_messages(narrow.database, actor, MessageFilter(), skip=0, limit=10)
        assert count == 2
        assert {message.status for message in messages} == {MessageStatus.DELIVERED}


async def test_cancels_that_wait_for_the_row_of_a_message_that_is_due(narrow: World) -> None:
    async with asyncio.timeout(30):
        accepted = await narrow.accept(*[await narrow.draft(time=now() + timedelta(days=1)) for _ in range(5)])
        async with narrow.process():
            await asyncio.gather(*(cancel(narrow.database, narrow.caller.actor, each.message_id) for each in accepted))
        assert {message.status for message in (await narrow.stored()).values()} == {MessageStatus.DELETED}
