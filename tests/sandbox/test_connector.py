"""Submitting: durable, one statement, repeats recognised, refused or deferred as the data says."""

import asyncio
from dataclasses import replace

from makola.connectors.sandbox.types import REFUSALS
from makola.core.messaging.ports import Deferred, OnUnknown, Refused, Taken
from makola.core.messaging.types import MessageStatus
from tests.sandbox.operator_world import World, outgoing

NUMBER = "+233241234567"


async def test_every_segment_has_an_id_of_its_own(world: World) -> None:
    outcomes = await world.submit(outgoing(NUMBER, units=3), outgoing(NUMBER), outgoing(NUMBER, units=10))
    ids = [provider_id for outcome in outcomes if isinstance(outcome, Taken) for provider_id in outcome.provider_ids]
    assert len(ids) == len(set(ids)) == 14
    assert all(provider_id.isdecimal() for provider_id in ids)


async def test_a_repeat_gets_its_first_answer_and_makes_no_second_copy(world: World) -> None:
    message = outgoing(NUMBER, units=2)
    first = await world.take(message)
    await world.step()
    assert await world.take(message) == first
    await world.step()
    assert await world.texts(NUMBER) == ["Hello"]
    assert world.connector.on_unknown is OnUnknown.RESEND


async def test_a_message_twice_in_one_batch_and_in_batches_at_the_same_time_is_taken_once(world: World) -> None:
    batch = [outgoing(NUMBER, str(number)) for number in range(200)]
    answers = await asyncio.gather(*(world.connector.submit(part) for part in (
        batch, batch[::-1], [*batch[:50], *batch[:50]])))
    taken = {outcome for answer in answers for outcome in answer}
    assert len(taken) == 200
    await world.step()
    rows = await world.database.fetch("SELECT content FROM sandbox.message")
    assert sorted(int(row["content"]) for row in rows) == list(range(200))


async def test_an_empty_batch_is_nothing(world: World) -> None:
    assert await world.submit() == []


async def test_a_handset_can_make_the_operator_refuse(world: World) -> None:
    numbers = {(await world.handsets.create(network_id="62001")).number: status for status in REFUSALS}
    for number, status in numbers.items():
        await world.handsets.change(number, refusal=status)
    *refused, other = await world.submit(*(outgoing(number) for number in numbers), outgoing("+233201234567"))
    assert [outcome.status for outcome in refused if isinstance(outcome, Refused)] == list(numbers.values())
    assert isinstance(other, Taken)


async def test_a_repeat_of_what_was_taken_is_taken_although_the_handset_now_refuses(world: World) -> None:
    await world.handsets.create(number=NUMBER)
    message = outgoing(NUMBER)
    first = await world.take(message)
    await world.handsets.change(NUMBER, refusal=MessageStatus.REJECTED)
    assert await world.take(message) == first


async def test_a_throttled_number_and_an_operator_that_is_down_defer(world: World) -> None:
    await world.handsets.create(number=NUMBER)
    await world.handsets.change(NUMBER, deferral=True)
    message, other = outgoing(NUMBER), outgoing("+233201234567")
    throttled, taken = await world.submit(message, other)
    assert isinstance(throttled, Deferred)
    assert throttled.retry_after_s == 1
    assert isinstance(taken, Taken)
    await world.handsets.change_operator(available=False)
    assert all(isinstance(outcome, Deferred) for outcome in await world.submit(message, other))
    await world.handsets.change_operator(available=True)
    await world.handsets.change(NUMBER, deferral=False)
    assert await world.take(message)
    assert await world.take(other) == taken.provider_ids


async def test_a_database_that_is_down_defers(world: World) -> None:
    await world.database.close()
    message = outgoing(NUMBER)
    (outcome,) = await world.submit(message)
    assert outcome == replace(outcome, message_id=message.message_id)
    assert isinstance(outcome, Deferred)
