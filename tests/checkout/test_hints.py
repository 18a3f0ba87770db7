"""Notices in memory: asked about at once where this process asks, left to the database where it does not."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from makola.core.checkout import hints as module
from makola.core.checkout.hints import Hints
from makola.core.checkout.service import asking
from makola.core.checkout.service.payments import start_payment
from makola.core.checkout.types import Channel, CheckoutState, PaymentChoice, TransactionState
from makola.kit.database import Database
from tests.checkout.world import MTN, VODAFONE, World


def test_a_process_that_asks_nobody_takes_no_hint() -> None:
    assert not Hints().take([uuid4()])


def test_hints_are_given_out_once_and_in_their_order() -> None:
    hints = Hints()
    wake = hints.listen()
    first, second, third = uuid4(), uuid4(), uuid4()
    assert hints.take([first, second])
    assert hints.take([second, third])
    assert wake.is_set()
    assert hints.collect(2) == [first, second]
    assert hints.take([first])  # again, while it is being asked about: that answer may be older
    assert hints.done()
    assert hints.collect(10) == [third, first]
    assert not hints.done()


def test_a_loop_that_waits_for_a_provider_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE_S", 0.0)
    hints = Hints()
    hints.listen()
    hints.collect(1)
    assert not hints.take([uuid4()])
    hints.done()
    assert hints.take([uuid4()])


async def test_a_hint_is_followed_before_anything_is_due(world: World) -> None:
    checkout = await world.checkout()
    started = await world.start(checkout)
    hints = Hints()
    hints.listen()
    assert hints.take([started.payment.transaction_id])
    assert not await asking.ask_hinted(world.desk, hints)
    assert (await world.transactions(checkout))[0].state is TransactionState.PENDING
    world.double.approve(started.payment.transaction_id)
    hints.take([started.payment.transaction_id, uuid4()])
    await asking.ask_hinted(world.desk, hints)
    assert (await world.read(checkout)).state is CheckoutState.PAID
    hints.take([started.payment.transaction_id])  # twice: nothing is taken twice
    await asking.ask_hinted(world.desk, hints)
    await world.check_settled([checkout.checkout_id])


async def test_an_outage_loses_no_hint(world: World) -> None:
    checkout = await world.checkout()
    started = await world.start(checkout)
    world.double.approve(started.payment.transaction_id)
    hints = Hints()
    hints.listen()
    hints.take([started.payment.transaction_id])
    gone = await Database.connect(world.database.url)
    await gone.close()
    with pytest.raises(Exception, match="closed"):
        await asking.ask_hinted(replace(world.desk, database=gone), hints)
    await asking.ask_hinted(world.desk, hints)
    assert (await world.read(checkout)).state is CheckoutState.PAID


async def test_first_attempts_at_once_are_one(world: World) -> None:
    """All have seen a checkout that nobody had tried to pay: the first is stored, the others find it."""
    checkout = await world.checkout()
    started = await asyncio.gather(*(
        start_payment(world.desk, checkout.checkout_id, PaymentChoice(Channel.MTN, MTN), seen=checkout)
        for _ in range(5)))
    assert len({one.payment.transaction_id for one in started}) == 1
    assert [one.request_count for one in world.double.operations.values()] == [1]
    assert (await world.read(checkout)).attempt_count == 1
    other = await start_payment(world.desk, checkout.checkout_id,
                                PaymentChoice(Channel.VODAFONE, VODAFONE, another=True), seen=checkout)
    assert other.payment.transaction_id != started[0].payment.transaction_id
    assert (await world.read(checkout)).attempt_count == 2
