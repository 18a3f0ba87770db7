"""Delivery reports: early, late, repeated and out of order, in any batches; states only move forward."""

import asyncio
import random
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makola.core.messaging.ports import Deferred, OutgoingMessage, Receipt, Refused, SubmitOutcome, Taken
from makola.core.messaging.service.outcomes import record
from makola.core.messaging.service.receipts import sweep_parked, take_receipts
from makola.core.messaging.store import outgoing_of
from makola.core.messaging.types import MessageStatus
from makola.kit.clock import now
from makola.kit.database import Database
from tests.messaging.world import CONNECTOR, PRICE, Operator, World, make_world

_SEGMENTS = {1: "Hello", 2: "x" * 200, 3: "x" * 400}
_REPORTED = [MessageStatus.ACCEPTED, MessageStatus.SENT, MessageStatus.BUFFERED, MessageStatus.UNKNOWN,
             MessageStatus.DELIVERED, MessageStatus.UNDELIVERABLE, MessageStatus.EXPIRED, MessageStatus.REJECTED]
_told = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(_REPORTED)), max_size=8)
_IN_DATABASE = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _whole(segments: Sequence[MessageStatus | None]) -> MessageStatus | None:
    """What the document of the states says of several segments, in other words than the code's."""
    failed = [status for status in segments if status is not None and status.is_final
              and status is not MessageStatus.DELIVERED]
    if failed:
        return failed[0]
    if all(status is MessageStatus.DELIVERED for status in segments):
        return MessageStatus.DELIVERED
    return max((status for status in segments if status is not None and not status.is_final), default=None)


def _model(units: int, told: Sequence[tuple[int, MessageStatus]]) -> MessageStatus:
    """What a message that was sent becomes when it is told one thing after the other."""
    status = MessageStatus.SENT
    segments: list[MessageStatus | None] = [None] * units
    for segment, reported in told:
        before = segments[segment % units]
        if before is None or before.may_become(reported):
            segments[segment % units] = reported
        whole = reported if units == 1 else _whole(segments)
        if whole is not None and status.may_become(whole):
            status = whole
    return status


async def _status(world: World, message_id: object) -> MessageStatus:
    return MessageStatus(await world.database.fetchval("SELECT status FROM messaging.message WHERE id = $1",
                                                       message_id))


@_IN_DATABASE
@given(units=st.integers(1, 3), told=_told)
async def test_one_report_after_the_other(database: Database, units: int,
                                          told: list[tuple[int, MessageStatus]]) -> None:
    world = await make_world(database)
    message = await world.sent(_SEGMENTS[units])
    ids = world.operator.taken[message.message_id]
    assert len(ids) == units
    seen = [MessageStatus.SENT]
    for segment, status in told:
        await take_receipts(database, world.reports, [Receipt(CONNECTOR, ids[segment % units], status, now())])
        seen.append(await _status(world, message.message_id))
    assert seen == sorted(seen)
    assert seen[-1] is _model(units, told)
    assert await world.report_count(message.message_id) == seen[-1].is_final
    assert await world.spent_units() == (units * PRICE, 0)


@_IN_DATABASE
@given(units=st.integers(1, 3), told=_told, cuts=st.lists(st.integers(0, 8), max_size=3), early=st.integers(0, 8))
async def test_in_batches_of_which_some_come_before_the_answer_to_the_submission(
        database: Database, units: int, told: list[tuple[int, MessageStatus]], cuts: list[int], early: int) -> None:
    """Whatever the batches, a message ends where one of its possible orders leads, is reported once, parks nothing."""
    world = await make_world(database)
    message = await world.leaving(_SEGMENTS[units])
    outcomes = await world.operator.submit([outgoing_of(message, now())])
    receipts = [Receipt(CONNECTOR, world.operator.taken[message.message_id][segment % units], status, now())
                for segment, status in told]
    places = sorted({min(place, len(receipts)) for place in (0, *cuts, early, len(receipts))})
    seen = []
    for begin, end in zip(places, [*places[1:], len(receipts)], strict=True):
        if begin == min(early, len(receipts)):
            await record(database, world.reports, CONNECTOR, outcomes)
        await take_receipts(database, world.reports, receipts[begin:end])
        seen.append(await _status(world, message.message_id))
    assert seen == sorted(seen)
    assert await world.parked_count() == 0
    assert seen[-1].is_final == _model(units, told).is_final
    if seen[-1].is_final:
        assert seen[-1] in {status for _, status in told}
        if {status for _, status in told if status.is_final} == {MessageStatus.DELIVERED}:
            assert seen[-1] is MessageStatus.DELIVERED
    assert await world.report_count(message.message_id) == seen[-1].is_final
    assert await world.spent_units() == (units * PRICE, 0)


async def test_a_report_and_the_answer_at_the_same_moment_always_meet(database: Database) -> None:
    """Whichever commits last sees the other: nothing stays parked, nothing stays `Sent`."""
    world = await make_world(database)
    for _ in range(40):
        message = await world.leaving()
        outcomes = await world.operator.submit([outgoing_of(message, now())])
        receipts = world.operator.receipts(message.message_id, MessageStatus.DELIVERED)
        await asyncio.gather(record(database, world.reports, CONNECTOR, outcomes),
                             take_receipts(database, world.reports, receipts))
        assert await _status(world, message.message_id) is MessageStatus.DELIVERED
        assert await world.report_count(message.message_id) == 1
    assert await world.parked_count() == 0


async def test_the_same_reports_from_many_sides_at_once(database: Database) -> None:
    world = await make_world(database)
    messages = [await world.sent(_SEGMENTS[units]) for units in (1, 2, 3) * 4]
    receipts = [receipt for message in messages
                for receipt in world.operator.receipts(message.message_id, MessageStatus.DELIVERED)]

    async def tell(seed: int) -> None:
        shuffled = random.Random(seed).sample(receipts, len(receipts))
        await take_receipts(database, world.reports, shuffled[:len(shuffled) // 2])
        await take_receipts(database, world.reports, shuffled[len(shuffled) // 2:])

    async with asyncio.timeout(30):
        await asyncio.gather(*(tell(seed) for seed in range(8)))
    for message in messages:
        assert await _status(world, message.message_id) is MessageStatus.DELIVERED
        assert await world.report_count(message.message_id) == 1


async def test_unknown_reports_wait_without_harm(database: Database) -> None:
    world = await make_world(database)
    nobody_s = [Receipt(CONNECTOR, f"nobody-{number}", MessageStatus.DELIVERED, now()) for number in range(3)]
    for _ in range(2):
        await take_receipts(database, world.reports, [*nobody_s, *nobody_s])
    assert await world.parked_count() == 3
    assert await sweep_parked(database, world.reports) is False
    assert await world.parked_count() == 3


async def test_what_a_process_that_died_left_parked_is_found(database: Database) -> None:
    world = await make_world(database)
    message = await world.leaving(_SEGMENTS[2])
    outcomes = await world.operator.submit([outgoing_of(message, now())])
    await take_receipts(database, world.reports, world.operator.receipts(message.message_id, MessageStatus.DELIVERED))
    assert await world.parked_count() == 2
    receipts = await database.fetch("SELECT * FROM messaging.parked_receipt")
    await database.execute("DELETE FROM messaging.parked_receipt")
    await record(database, world.reports, CONNECTOR, outcomes)  # as if it had died before it looked for them
    for row in receipts:
        await database.execute("INSERT INTO messaging.parked_receipt VALUES ($1, $2, $3, $4, $5, $6)", *row.values())
    await sweep_parked(database, world.reports)
    assert await _status(world, message.message_id) is MessageStatus.DELIVERED
    assert await world.parked_count() == 0


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 0, 2]])
@pytest.mark.parametrize("together", [True, False])
async def test_the_reason_is_that_of_the_segment_that_failed(database: Database, order: list[int],
                                                             together: bool) -> None:
    world = await make_world(database)
    message = await world.sent(_SEGMENTS[3])
    ids = world.operator.taken[message.message_id]
    told = [Receipt(CONNECTOR, ids[0], MessageStatus.DELIVERED, now(), ""),
            Receipt(CONNECTOR, ids[1], MessageStatus.REJECTED, now(), "the subscriber blocks the sender"),
            Receipt(CONNECTOR, ids[2], MessageStatus.BUFFERED, now(), "the handset is off")]
    receipts = [told[place] for place in order]
    for batch in [receipts] if together else [[receipt] for receipt in receipts]:
        await take_receipts(database, world.reports, batch)
    stored = (await world.stored())[message.message_id]
    assert (stored.status, stored.detail) == (MessageStatus.REJECTED, "the subscriber blocks the sender")


async def test_an_operator_that_has_one_id_for_all_segments(database: Database) -> None:
    world = await make_world(database)
    message = await world.leaving(_SEGMENTS[3])
    await record(database, world.reports, CONNECTOR, [Taken(message.message_id, ("only",))])
    await take_receipts(database, world.reports, [Receipt(CONNECTOR, "only", MessageStatus.DELIVERED, now())])
    assert await _status(world, message.message_id) is MessageStatus.DELIVERED


# -- what an operator answers --------------------------------------------------------------------------------------

def _refusal(message: OutgoingMessage) -> SubmitOutcome:
    return Refused(message.message_id, MessageStatus.REJECTED, "no")


def _deferral(message: OutgoingMessage) -> SubmitOutcome:
    return Deferred(message.message_id, 60.0, "later")


async def test_a_refusal_gives_the_money_back_and_is_reported(database: Database) -> None:
    world = await make_world(database, Operator(answer=_refusal))
    message = await world.sent(_SEGMENTS[2])
    stored = (await world.stored())[message.message_id]
    assert (stored.status, stored.detail, stored.price_units) == (MessageStatus.REJECTED, "no", 0)
    assert await world.spent_units() == (0, 0)
    assert await world.report_count(message.message_id) == 1


async def test_a_deferral_keeps_the_hold(database: Database) -> None:
    world = await make_world(database, Operator(answer=_deferral))
    message = await world.sent()
    stored = (await world.stored())[message.message_id]
    assert (stored.status, stored.detail, stored.price_units) == (MessageStatus.BUFFERED_LOCALLY, "later", PRICE)
    assert await world.spent_units() == (0, PRICE)
    assert await world.report_count(message.message_id) == 0


@pytest.mark.parametrize("second", [_refusal, _deferral])
@pytest.mark.parametrize("delivered", [True, False])
async def test_what_was_taken_is_not_undone_by_another_attempt_s_answer(database: Database, second: object,
                                                                        delivered: bool) -> None:
    """Two processes had it, for a lease ran out while its holder still waited."""
    world = await make_world(database)
    message = await world.sent()
    if delivered:
        await take_receipts(database, world.reports,
                            world.operator.receipts(message.message_id, MessageStatus.DELIVERED))
    before = (await world.stored())[message.message_id]
    assert callable(second)
    await record(database, world.reports, CONNECTOR, [second(outgoing_of(message, now()))])
    after = (await world.stored())[message.message_id]
    assert (after.status, after.price_units) == (before.status, PRICE)
    assert await world.spent_units() == (PRICE, 0)
    assert await world.report_count(message.message_id) == delivered
    assert await database.fetchval("SELECT due_at FROM messaging.message WHERE id = $1", message.message_id) is None


async def test_what_ended_while_it_was_leased_again_is_not_sent_again(database: Database) -> None:
    world = await make_world(database)
    message = await world.sent()
    await database.execute("UPDATE messaging.message SET due_at = now() + interval '1 hour', submitting = true"
                           " WHERE id = $1", message.message_id)
    await take_receipts(database, world.reports, world.operator.receipts(message.message_id, MessageStatus.DELIVERED))
    await world.end_leases()
    async with world.process() as process:
        await world.settled(process)
    assert world.operator.got == [message.message_id]
    assert await world.report_count(message.message_id) == 1


async def test_an_operator_that_does_not_answer_is_asked_again_when_the_lease_ends(database: Database) -> None:
    class Silent(Operator):
        async def submit(self, batch: Sequence[OutgoingMessage]) -> Sequence[SubmitOutcome]:
            outcomes = await super().submit(batch)
            if len(self.got) == 1:
                await asyncio.Event().wait()
            return outcomes

    world = await make_world(database, Silent())
    async with world.process(lease_s=0.3) as process:
        accepted = await process.queue.submit(await world.draft())
        stored = await world.settled(process)
    assert stored[accepted.message_id].status is MessageStatus.SENT
    assert len(world.operator.got) >= 2
    assert await world.spent_units() == (PRICE, 0)
