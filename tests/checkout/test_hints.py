"""Notices in memory: asked about at once where this process asks, left to the database where it does not."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from makola.core.checkout import hints as module
from makola.core.checkout import rounds as rounds_module
from makola.core.checkout import workers
from makola.core.checkout.desk import Desk
from makola.core.checkout.hints import Hints
from makola.core.checkout.ports import Progress, ProviderAnswer, StatusQuestion
from makola.core.checkout.rounds import Rounds
from makola.core.checkout.service import asking
from makola.core.checkout.service.outcomes import hint
from makola.core.checkout.service.payments import start_payment
from makola.core.checkout.store import transactions
from makola.core.checkout.types import Channel, Checkout, CheckoutState, PaymentChoice, Transaction, TransactionState
from makola.kit.background import Background
from makola.kit.clock import now
from makola.kit.database import Database
from tests.checkout.double import Double
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


# -- a provider that does not answer, or not soon -------------------------------------------------------------


async def _wait_s(world: World, checkout: Checkout) -> float:
    """Have everything asked about; return after how long the only attempt is asked about again."""
    await world.poll()
    payment, = await world.transactions(checkout)
    assert payment.due_at is not None
    return round((payment.due_at - now()).total_seconds())


async def test_a_hint_that_meets_an_outage_is_looked_into_soon(world: World) -> None:
    checkout = await world.checkout()
    started = await world.start(checkout)
    await world.database.execute("UPDATE checkout.transaction SET created_at = now() - interval '10 minutes'")
    world.double.approve(started.payment.transaction_id)
    world.double.reachable = False
    await hint(world.database, [started.payment.transaction_id])
    waits_s = [await _wait_s(world, checkout) for _ in range(8)]
    assert waits_s == pytest.approx([5, 15, 30, 60, 120, 300, 600, 3_000], abs=2)
    await hint(world.database, [started.payment.transaction_id])
    assert await _wait_s(world, checkout) == pytest.approx(5, abs=2)
    world.double.reachable = True
    await world.poll()
    assert (await world.read(checkout)).state is CheckoutState.PAID
    await world.check_settled([checkout.checkout_id])


async def test_a_hint_in_memory_that_meets_an_outage_is_stored_as_one(world: World) -> None:
    checkout = await world.checkout()
    started = await world.start(checkout)
    world.double.reachable = False
    hints = Hints()
    hints.listen()
    hints.take([started.payment.transaction_id])
    await asking.ask_hinted(world.desk, hints)
    payment, = await world.transactions(checkout)
    assert payment.hint_count == 1
    assert payment.due_at is not None
    assert payment.due_at < now() + timedelta(seconds=6)


async def test_a_hint_that_was_answered_is_over(world: World) -> None:
    checkout = await world.checkout()
    started = await world.start(checkout)
    await world.database.execute("UPDATE checkout.transaction SET created_at = now() - interval '10 minutes'")
    await hint(world.database, [started.payment.transaction_id])
    assert await _wait_s(world, checkout) == pytest.approx(3_000, abs=2)
    world.double.reachable = False
    assert await _wait_s(world, checkout) == pytest.approx(3_000, abs=2)


class _Slow(Double):
    """Answers how things stand when the test says so."""

    def __init__(self, answered: Double) -> None:
        super().__init__(answered.name)
        self.operations = answered.operations
        self.questions: list[UUID] = []
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def status(self, question: StatusQuestion) -> ProviderAnswer:
        self.questions.append(question.transaction_id)
        self.asked.set()
        await self.may_answer.wait()
        return await super().status(question)


def _slow(world: World) -> tuple[Desk, _Slow]:
    slow = _Slow(world.double)
    return replace(world.desk, providers=replace(world.desk.providers, mobile_money=(slow,))), slow


async def _approved(world: World, *channels: Channel) -> tuple[list[Checkout], list[Transaction]]:
    """Checkouts whose customers have paid, which nobody has asked about yet."""
    checkouts = [await world.checkout() for _ in channels]
    payments = [(await world.start(checkout, "" if channel is Channel.CARD else MTN, channel)).payment
                for checkout, channel in zip(checkouts, channels, strict=True)]
    for payment in payments:
        (world.cards if payment.channel is Channel.CARD else world.double).approve(payment.transaction_id)
    return checkouts, payments


@pytest.mark.parametrize("hinted", [True, False])
async def test_a_slow_provider_holds_up_no_other(world: World, hinted: bool) -> None:
    (wallet, card), (first, second) = await _approved(world, Channel.MTN, Channel.CARD)
    desk, slow = _slow(world)
    rounds, hints = Rounds(), Hints()
    hints.listen()
    if hinted:
        hints.take([first.transaction_id, second.transaction_id])
        await asking.ask_hinted(desk, hints, rounds)
    else:
        await world.database.execute("UPDATE checkout.transaction SET due_at = now()")
        await asking.ask_due(desk, rounds)
    for _ in range(500):
        if (await world.read(card)).state is CheckoutState.PAID:
            break
        await asyncio.sleep(0.01)
    assert (await world.read(card)).state is CheckoutState.PAID
    assert (await world.read(wallet)).state is CheckoutState.OPEN
    assert rounds.asked() == {first.transaction_id}
    slow.may_answer.set()
    await rounds.finish()
    assert (await world.read(wallet)).state is CheckoutState.PAID
    await world.check_settled([wallet.checkout_id, card.checkout_id])


async def test_what_is_being_asked_about_is_asked_about_again_afterwards(world: World) -> None:
    checkout = await world.checkout()
    payment = (await world.start(checkout)).payment
    desk, slow = _slow(world)
    rounds, hints = Rounds(), Hints()
    hints.listen()
    for _ in range(2):
        hints.take([payment.transaction_id])
        await asking.ask_hinted(desk, hints, rounds)
        await asking.ask_due(desk, rounds)
        await asyncio.sleep(0)
    assert slow.questions == [payment.transaction_id]
    slow.may_answer.set()
    await rounds.finish()
    assert (await world.read(checkout)).state is CheckoutState.OPEN
    world.double.approve(payment.transaction_id)
    await asking.ask_due(desk)
    assert (await world.read(checkout)).state is CheckoutState.PAID


async def test_a_provider_that_is_full_is_asked_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds_module, "_AT_ONCE", 1)
    checkouts, (first, second, card) = await _approved(world, Channel.MTN, Channel.MTN, Channel.CARD)
    desk, slow = _slow(world)
    rounds, hints = Rounds(), Hints()
    hints.listen()
    hints.take([first.transaction_id])
    await asking.ask_hinted(desk, hints, rounds)
    hints.take([second.transaction_id, card.transaction_id])
    await asking.ask_hinted(desk, hints, rounds)
    await asking.ask_due(desk, rounds)
    assert second.transaction_id not in rounds.asked()
    slow.may_answer.set()
    await rounds.finish()
    assert slow.questions == [first.transaction_id]
    await asking.ask_due(desk)
    assert [(await world.read(one)).state for one in checkouts] == [CheckoutState.PAID] * 3
    await world.check_settled([one.checkout_id for one in checkouts])


async def test_a_process_that_ends_records_what_it_has_asked(world: World) -> None:
    (checkout,), (payment,) = await _approved(world, Channel.MTN)
    desk, slow = _slow(world)
    background, hints = Background(), Hints()
    workers.run_in(background, desk, asyncio.Event(), hints)
    hints.take([payment.transaction_id])
    async with asyncio.timeout(10):
        await slow.asked.wait()
    asyncio.get_running_loop().call_later(0.1, slow.may_answer.set)
    await background.stop()
    assert not background.failed.is_set()
    assert (await world.read(checkout)).state is CheckoutState.PAID


async def test_what_a_round_raises_ends_the_loop_that_began_it() -> None:
    async def fail() -> None:
        raise KeyError("a defect")

    rounds = Rounds()
    rounds.begin("double", [uuid4()], fail())
    with pytest.raises(KeyError):
        await rounds.finish()
    assert rounds.asked() == set()


async def test_a_hint_of_a_process_whose_clock_is_ahead_is_not_lost(world: World) -> None:
    """It comes while the provider is being asked, and is stored as due in what is the future here."""
    checkout = await world.checkout()
    started = await world.start(checkout)
    ahead = now() + timedelta(seconds=20)

    class Hinting(Double):
        async def status(self, question: StatusQuestion) -> ProviderAnswer:
            await transactions.hint(world.database, [question.transaction_id], ahead)
            return ProviderAnswer(Progress.PENDING)

    desk = replace(world.desk, providers=replace(world.desk.providers, mobile_money=(Hinting(),)))
    await world.database.execute("UPDATE checkout.transaction SET due_at = now()")
    await asking.ask_due(desk)
    payment, = await world.transactions(checkout)
    assert payment.transaction_id == started.payment.transaction_id
    assert (payment.due_at, payment.hint_count) == (ahead, 0)
