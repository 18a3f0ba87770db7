"""Messages from subscribers: whatever they write is taken, once."""

import asyncio

import pytest

from makola.core.messaging.ports import InboundMessage
from makola.core.messaging.service.inbound import take_inbound
from makola.core.messaging.types import Direction, MessageStatus
from makola.core.numbering.short_codes import assign_short_code
from makola.kit.clock import now
from makola.kit.database import Database
from makola.kit.ids import new_id
from tests.messaging.world import CONNECTOR, World, make_world


def _message(content: str = "Hello", *, to: str = "1400", provider_id: str = "") -> InboundMessage:
    return InboundMessage(CONNECTOR, provider_id or str(new_id()), "+233241234567", to, content, "62001", now())


async def _owner(database: Database) -> World:
    world = await make_world(database)
    async with database.transaction() as connection:
        await assign_short_code(connection, "1400", world.caller.actor.organisation_id)
    return world


@pytest.mark.parametrize(("content", "kept", "units"), [
    ("Hello", "Hello", 1), ("", "", 1), ("\0", "", 1), ("a\0b", "ab", 1), ("x" * 161, "x" * 161, 2),
    ("x" * 1_531, "x" * 1_531, 23), ("я" * 1_530, "я" * 1_530, 23), ("😀" * 10, "😀" * 10, 1)])
async def test_any_content_is_taken(database: Database, content: str, kept: str, units: int) -> None:
    world = await _owner(database)
    await take_inbound(database, [_message(), _message(content), _message()])
    stored = list((await world.stored()).values())
    assert len(stored) == 3
    assert (kept, units) in {(message.content, message.units) for message in stored}
    assert {(message.direction, message.status) for message in stored} == {(Direction.IN, MessageStatus.RECEIVED)}


async def test_the_same_message_is_taken_once(database: Database) -> None:
    world = await _owner(database)
    message = _message(provider_id="7")
    await take_inbound(database, [message, message])
    await asyncio.gather(*(take_inbound(database, [message]) for _ in range(4)))
    assert len(await world.stored()) == 1


async def test_what_is_for_nobody_is_passed_over(database: Database) -> None:
    world = await _owner(database)
    await take_inbound(database, [_message(to="9999"), _message("mine")])
    await take_inbound(database, [_message(to="9999")])
    await take_inbound(database, [])
    assert [message.content for message in (await world.stored()).values()] == ["mine"]
