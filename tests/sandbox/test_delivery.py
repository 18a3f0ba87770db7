"""Delivering and reporting, by the state of the handset."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makola.connectors.sandbox import Delivery, HandsetState, OperatorDefaults, Unlisted, delivery
from makola.connectors.sandbox.store import DueSubmission, Progress
from makola.connectors.sandbox.types import RECEIPT_STATUSES
from makola.core.messaging.types import MessageKind, MessageStatus
from makola.kit.background import Background
from makola.kit.clock import now
from makola.kit.database import Database, WakeUps
from tests.sandbox.operator_world import World, eventually, make_world, outgoing

NUMBER = "+233241234567"
STATES = {
    HandsetState.ON: (MessageStatus.DELIVERED, ["Hello"]),
    HandsetState.FULL: (MessageStatus.EXCEEDED_LIMITED, []),
    HandsetState.BLOCKED: (MessageStatus.REJECTED, []),
    HandsetState.UNKNOWN: (MessageStatus.UNDELIVERABLE, []),
    HandsetState.OFF: (MessageStatus.BUFFERED, []),
}


async def _pass_time(database: Database, seconds: int) -> None:
    """Make everything that the operator has so much older."""
    await database.execute("""
        UPDATE sandbox.submission SET due_at = due_at - $1 * interval '1 second',
               valid_until = valid_until - $1 * interval '1 second', expires_at = expires_at - $1 * interval '1 second'
        """, seconds)


async def test_what_a_handset_does_is_its_state(world: World) -> None:
    for state, (status, shown) in STATES.items():
        number = (await world.handsets.create(network_id="62001")).number
        await world.handsets.change(number, state=state)
        ids = await world.take(outgoing(number, units=2))
        await world.step()
        assert [world.core.statuses(provider_id) for provider_id in ids] == [[status], [status]]
        assert await world.texts(number) == shown
    await world.step()
    assert await world.delivery.report_left() is False
    assert len(world.core.told) == 2 * len(STATES)


async def test_what_waited_is_dealt_with_when_the_handset_is_no_longer_off(world: World) -> None:
    for state in set(HandsetState) - {HandsetState.OFF}:
        number = (await world.handsets.create(network_id="62001")).number
        await world.handsets.change(number, state=HandsetState.OFF)
        (provider_id,) = await world.take(outgoing(number))
        await world.step()
        assert (await world.handsets.get(number)).waiting == 1
        await world.handsets.change(number, state=state)
        await world.step()
        assert world.core.statuses(provider_id) == [MessageStatus.BUFFERED, STATES[state][0]]
        assert await world.texts(number) == STATES[state][1]
        assert (await world.handsets.get(number)).waiting == 0


async def test_switched_on_and_off_again_before_the_operator_looked_it_waits_on(world: World) -> None:
    await world.handsets.create(number=NUMBER)
    await world.handsets.change(NUMBER, state=HandsetState.OFF)
    (provider_id,) = await world.take(outgoing(NUMBER))
    await world.step()
    await world.handsets.change(NUMBER, state=HandsetState.ON)
    await world.handsets.change(NUMBER, state=HandsetState.OFF)
    await world.step()
    assert set(world.core.statuses(provider_id)) == {MessageStatus.BUFFERED}
    assert (await world.handsets.get(NUMBER)).waiting == 1


@pytest.mark.parametrize(("buffer_expiry_s", "valid_s"), [(60, 3600), (3600, 60)])
async def test_what_waits_too_long_expires(database: Database, buffer_expiry_s: int, valid_s: float) -> None:
    world = make_world(database, OperatorDefaults(delivery_delay_ms=0, buffer_expiry_s=buffer_expiry_s))
    await world.handsets.create(number=NUMBER)
    await world.handsets.change(NUMBER, state=HandsetState.OFF)
    (provider_id,) = await world.take(outgoing(NUMBER, valid_s=valid_s))
    await world.step()
    await _pass_time(database, 61)
    await world.step()
    assert world.core.statuses(provider_id) == [MessageStatus.BUFFERED, MessageStatus.EXPIRED]
    await world.handsets.change(NUMBER, state=HandsetState.ON)
    await world.step()
    assert await world.texts(NUMBER) == []


async def test_a_number_without_a_handset_takes_the_message_for_whoever_opens_it_later(world: World) -> None:
    (provider_id,) = await world.take(outgoing(NUMBER))
    await world.step()
    assert world.core.statuses(provider_id) == [MessageStatus.DELIVERED]
    handset = await world.handsets.create(number=NUMBER)
    assert handset.last_message_id > 0
    assert await world.texts(NUMBER) == ["Hello"]


async def test_a_number_without_a_handset_may_be_unreachable(database: Database) -> None:
    world = make_world(database, OperatorDefaults(delivery_delay_ms=0, unlisted=Unlisted.UNDELIVERABLE))
    (provider_id,) = await world.take(outgoing(NUMBER))
    await world.step()
    assert world.core.statuses(provider_id) == [MessageStatus.UNDELIVERABLE]
    assert await world.texts(NUMBER) == []


async def test_the_receipt_can_be_made_to_say_anything(world: World) -> None:
    for status in RECEIPT_STATUSES:
        number = (await world.handsets.create(network_id="62001")).number
        await world.handsets.change(number, receipt_status=status)
        (provider_id,) = await world.take(outgoing(number))
        await world.step()
        assert world.core.statuses(provider_id) == [status]
        assert await world.texts(number) == ["Hello"]


async def test_nothing_is_delivered_before_its_time(database: Database, world: World) -> None:
    await world.handsets.change_operator(delivery_delay_ms=30_000)
    (provider_id,) = await world.take(outgoing(NUMBER))
    await world.step()
    assert world.core.told == []
    await _pass_time(database, 31)
    await world.step()
    assert world.core.statuses(provider_id) == [MessageStatus.DELIVERED]


async def test_what_a_message_is_arrives_with_it(world: World) -> None:
    message = outgoing(NUMBER, "0605040B8423F0", kind=MessageKind.BINARY, flash=True, sender="+233302000000")
    await world.take(message)
    await world.step()
    (shown,) = await world.handsets.messages(NUMBER)
    assert (shown.kind, shown.content, shown.flash, shown.peer, shown.message_id) == (
        MessageKind.BINARY, "0605040B8423F0", True, "+233302000000", message.message_id)


async def test_a_process_that_dies_between_delivering_and_reporting_reports_again(database: Database) -> None:
    world = make_world(database, OperatorDefaults(delivery_delay_ms=0), lease_s=0)
    (provider_id,) = await world.take(outgoing(NUMBER))
    world.core.deaths = 1
    with pytest.raises(ConnectionResetError):
        await world.delivery.deliver_due()
    await world.delivery.report_left()
    assert world.core.statuses(provider_id) == [MessageStatus.DELIVERED] * 2
    assert await world.texts(NUMBER) == ["Hello"]
    await world.delivery.report_left()
    assert len(world.core.told) == 2


async def test_what_another_process_is_reporting_is_left_to_it(world: World) -> None:
    await world.take(outgoing(NUMBER))
    world.core.deaths = 1
    with pytest.raises(ConnectionResetError):
        await world.delivery.deliver_due()
    await world.delivery.report_left()  # its lease still runs
    assert len(world.core.told) == 1


async def test_a_report_that_was_overtaken_does_not_hide_the_later_one(database: Database) -> None:
    world = make_world(database, OperatorDefaults(delivery_delay_ms=0), lease_s=0)
    await world.handsets.create(number=NUMBER)
    await world.handsets.change(NUMBER, state=HandsetState.OFF)
    (provider_id,) = await world.take(outgoing(NUMBER))
    world.core.deaths = 1
    with pytest.raises(ConnectionResetError):
        await world.delivery.deliver_due()
    await world.handsets.change(NUMBER, state=HandsetState.ON)
    world.core.deaths = 1
    with pytest.raises(ConnectionResetError):
        await world.delivery.deliver_due()
    await world.delivery.report_left()
    assert world.core.statuses(provider_id)[-1] is MessageStatus.DELIVERED
    before = len(world.core.told)
    await world.delivery.report_left()
    assert len(world.core.told) == before


async def test_many_processes_deliver_each_message_once(world: World) -> None:
    batch = [outgoing(f"+23324{number:07d}") for number in range(1000000, 1002500)]
    await world.connector.submit(batch)
    others = [Delivery(world.database, world.core) for _ in range(3)]
    while any(await asyncio.gather(*(other.deliver_due() for other in others))):
        pass
    assert len(world.core.told) == len({receipt.provider_id for receipt in world.core.told}) == 2500
    assert await world.database.fetchval("SELECT count(*) FROM sandbox.message") == 2500


async def test_only_the_newest_messages_of_a_number_are_kept(database: Database) -> None:
    world = make_world(database, OperatorDefaults(delivery_delay_ms=0, inbox_limit=20))
    await world.connector.submit([outgoing(NUMBER, str(number)) for number in range(75)])
    await world.connector.submit([outgoing("+233201234567", str(number)) for number in range(15)])
    await world.step()
    newest = await world.texts(NUMBER)
    while await world.delivery.keep_up():
        pass
    assert await world.texts(NUMBER) == newest[-20:]
    assert len(await world.texts("+233201234567")) == 15


async def test_old_submissions_and_messages_are_forgotten_and_open_ones_kept(world: World) -> None:
    await world.handsets.create(number=NUMBER)
    await world.handsets.change(NUMBER, state=HandsetState.OFF)
    await world.take(outgoing(NUMBER, "waits"))
    await world.take(outgoing("+233201234567", "old"))
    await world.step()
    await world.database.execute("UPDATE sandbox.submission SET accepted_at = accepted_at - interval '4 days'")
    await world.database.execute("UPDATE sandbox.message SET at = at - interval '31 days'")
    while await world.delivery.keep_up():
        pass
    assert [row["content"] for row in await world.database.fetch("SELECT content FROM sandbox.submission")] == [
        "waits"]
    assert await world.texts("+233201234567") == []


async def test_the_loops_deliver_promptly_and_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(count: int) -> Callable[[], Awaitable[bool]]:
        async def condition() -> bool:
            return len(world.core.told) == count

        return condition

    async def received() -> bool:
        return len(world.core.received) == 1

    monkeypatch.setattr(delivery, "_IDLE_S", 120.0)  # what is not woken does not come in time
    wake_ups = WakeUps(world.database.url)
    background = Background()
    world.delivery.start(background, wake_ups)
    wake_ups.start([])
    await world.handsets.create(number=NUMBER)
    await world.handsets.change(NUMBER, state=HandsetState.OFF)
    try:
        await world.take(outgoing(NUMBER))
        await eventually(told(1))
        await world.handsets.change(NUMBER, state=HandsetState.ON)
        await eventually(told(2))
        await world.handsets.send(NUMBER, recipient="1902", content="BALANCE")
        await eventually(received)
    finally:
        await background.stop()
        await wake_ups.stop()
    assert not background.failed.is_set()


@given(progress=st.sampled_from([Progress.WAITING, Progress.BUFFERED]),
       state=st.sampled_from([None, *HandsetState]), receipt=st.sampled_from([None, *RECEIPT_STATUSES]),
       valid_s=st.integers(-10, 10), expires_s=st.integers(-10, 10), expiry_s=st.integers(1, 20))
def test_a_message_is_on_the_handset_exactly_when_it_is_on_and_in_time(
        progress: Progress, state: HandsetState | None, receipt: MessageStatus | None, valid_s: int,
        expires_s: int, expiry_s: int) -> None:
    at = now()
    expires_at = at + timedelta(seconds=expires_s) if progress is Progress.BUFFERED else None
    valid_until = at + timedelta(seconds=valid_s)
    settled = delivery.settle(DueSubmission(1, 1, progress, valid_until, expires_at, state, receipt), at, expiry_s,
                              Unlisted.DELIVER)
    assert settled.on_handset == (valid_s > 0 and state in {None, HandsetState.ON})
    assert (settled.progress is Progress.BUFFERED) == (settled.expires_at is not None)
    if settled.expires_at is not None:
        assert at < settled.expires_at
        assert settled.outcome is MessageStatus.BUFFERED
        assert expires_at is not None or settled.expires_at <= valid_until
    else:
        assert receipt is None or settled.outcome is receipt
