"""The poller's times, what a dead process leaves behind, and what reconciliation finds."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makola.core.checkout.desk import CheckoutPolicy, Desk
from makola.core.checkout.errors import (
    ChannelNotPermittedError,
    CheckoutClosedError,
    UnknownTransactionError,
    WrongStateError,
)
from makola.core.checkout.ports import Progress, ProviderAnswer, StatusQuestion
from makola.core.checkout.queries import checkout_view
from makola.core.checkout.service import asking, closing, reconciliation
from makola.core.checkout.service.merchants import activate, create_merchant_account, suspend
from makola.core.checkout.service.outcomes import hint
from makola.core.checkout.service.payments import Receive, receive
from makola.core.checkout.types import (
    Channel,
    Checkout,
    CheckoutState,
    Failure,
    TransactionState,
)
from makola.kit.clock import now
from tests.checkout.double import KilledError
from tests.checkout.world import CALLBACK, MTN, ONE, World

_BEGAN = datetime(2030, 1, 1, tzinfo=UTC)


def test_providers_are_asked_at_30_s_2_min_5_min_and_then_every_hour_for_a_day() -> None:
    policy = CheckoutPolicy()
    due: datetime | None = policy.first_due(_BEGAN)
    times: list[float] = []
    while due is not None:
        times.append((due - _BEGAN).total_seconds())
        due = policy.next_due(_BEGAN, due)
    assert times[:5] == [30, 120, 300, 3_600, 7_200]
    assert times[-1] == 86_400
    assert len(times) == 27


@given(st.floats(0, 200_000))
def test_the_next_time_is_always_later(age_s: float) -> None:
    at = _BEGAN + timedelta(seconds=age_s)
    due = CheckoutPolicy().next_due(_BEGAN, at)
    assert (due is None) == (age_s >= 86_400)
    assert due is None or due > at


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "9" * 5_000])
async def test_what_cannot_be_stored_of_one_answer_holds_up_no_other(
        world: World, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    checkouts = [await world.checkout() for _ in range(2)]
    odd, even = [(await world.start(checkout)).payment for checkout in checkouts]
    status = world.double.status

    async def with_text(question: StatusQuestion) -> ProviderAnswer:
        answer = await status(question)
        return replace(answer, provider_reference=text, detail=text) if (
            question.transaction_id == odd.transaction_id) else answer

    monkeypatch.setattr(world.double, "status", with_text)
    for payment in (odd, even):
        world.double.approve(payment.transaction_id)
    await world.poll()
    assert [(await world.read(checkout)).state for checkout in checkouts] == [CheckoutState.PAID] * 2


@pytest.mark.parametrize("when", ["dies_before", "dies_after"])
async def test_process_that_dies_while_it_asks(world: World, when: str) -> None:
    checkout = await world.checkout()
    setattr(world.double, when, True)
    with pytest.raises(KilledError):
        await world.start(checkout)
    payment, = await world.transactions(checkout)
    assert payment.state is TransactionState.ASKING
    await world.poll()
    assert [one.transaction_id for one in world.double.waiting()] == [payment.transaction_id]
    world.double.approve(payment.transaction_id)
    await world.poll()
    assert (await world.read(checkout)).state is CheckoutState.PAID
    await world.check_settled([checkout.checkout_id])


async def test_process_that_dies_while_it_pays_back(world: World) -> None:
    """The refund was recorded and reserved before the provider was asked."""
    await world.paid()  # whose money pays the fees
    checkout = await world.paid()
    world.double.dies_after = True
    with pytest.raises(KilledError):
        await world.refund(checkout, None)
    await world.poll()
    assert (await world.read(checkout)).state is CheckoutState.REFUNDED
    assert world.double.moved_units == 100 * ONE
    await world.check_settled([checkout.checkout_id])


async def test_a_claim_lapses(world: World) -> None:
    desk = Desk(world.database, world.desk.providers, world.desk.notices, replace(world.desk.policy, ask_timeout_s=0.02,
                                                                                lease_s=0.05))
    checkout = await world.checkout()
    started = await world.start(checkout)
    world.double.approve(started.payment.transaction_id)
    await world.database.execute("UPDATE checkout.transaction SET due_at = now()")
    world.double.reachable = False
    await asking.ask_due(desk)
    world.double.reachable = True
    await world.database.execute("UPDATE checkout.transaction SET due_at = now() - interval '1 second'")
    await asking.ask_due(desk)
    assert (await world.read(checkout)).state is CheckoutState.PAID


async def test_nobody_knows_for_a_day(world: World) -> None:
    checkout = await world.checkout()
    started = await world.start(checkout)
    world.double.reachable = False
    await world.database.execute("UPDATE checkout.transaction SET created_at = now() - interval '25 hours'")
    await world.poll()
    payment, = await world.transactions(checkout)
    assert (payment.state, payment.due_at) == (TransactionState.UNDECIDED, None)
    world.double.reachable = True
    world.double.approve(started.payment.transaction_id)
    decided = await reconciliation.decide_by_hand(world.desk, payment.transaction_id, succeeded=True)
    assert decided.state is TransactionState.SUCCEEDED
    assert (await world.read(checkout)).state is CheckoutState.PAID
    await world.check_settled([checkout.checkout_id])
    with pytest.raises(WrongStateError):
        await reconciliation.decide_by_hand(world.desk, payment.transaction_id, succeeded=False)
    with pytest.raises(UnknownTransactionError):
        await reconciliation.decide_by_hand(world.desk, uuid4(), succeeded=False)


async def test_provider_that_does_not_answer_in_time(world: World) -> None:
    class Slow(type(world.double)):  # type: ignore[misc] # the same with one method slower
        async def request_payment(self, request: object) -> ProviderAnswer:
            await asyncio.sleep(5)
            raise AssertionError(request)

    slow = Slow()
    desk = Desk(world.database, replace(world.desk.providers, mobile_money=(slow,)), world.desk.notices,
                replace(world.desk.policy, ask_timeout_s=0.05))
    _, payment = await receive(desk, world.actor, Receive(
        world.account.number, Channel.MTN, MTN, "", "", ONE, "Book", "", CALLBACK, "", None, b""))
    assert payment.state is TransactionState.ASKING


@pytest.mark.parametrize("change", ["state = 'expired'", "expires_at = now()"])
async def test_a_direct_call_that_nobody_asked_about_in_its_time_is_not_asked_about_later(
        world: World, change: str) -> None:
    """Its process died before the first attempt: what the customer pays after the end would only go back."""
    call = Receive(world.account.number, Channel.MTN, MTN, "", "", ONE, "Book", "again", CALLBACK, "", None, b"")
    await receive(world.desk, world.actor, call)
    await world.database.execute("DELETE FROM checkout.transaction")
    await world.database.execute(f"UPDATE checkout.invoice SET attempt_count = 0, {change}")
    world.double.operations.clear()
    with pytest.raises(CheckoutClosedError):
        await receive(world.desk, world.actor, call)
    assert world.double.operations == {}
    await world.database.execute(
        "UPDATE checkout.invoice SET state = 'open', expires_at = now() + interval '1 hour'")
    _, payment = await receive(world.desk, world.actor, call)
    assert payment.state is TransactionState.PENDING


async def test_payments_and_refunds_recorded_by_many_at_the_same_time(world: World) -> None:
    """Each recorder changes the balances of two merchants and two providers: none may wait for another in a circle."""
    async with world.database.transaction() as connection:
        second = await create_merchant_account(connection, world.actor.organisation_id, name="Second")
        second = await activate(connection, second.number)
    sides = [(world, MTN, Channel.MTN, world.double), (replace(world, account=second), "", Channel.CARD, world.cards)]
    paid: list[Checkout] = []
    for side, number, channel, double in sides:
        for _ in range(10):
            checkout = await side.checkout()
            double.approve((await side.start(checkout, number, channel)).payment.transaction_id)
            paid.append(checkout)
        double.payouts_at_once = ProviderAnswer(Progress.PENDING)
    await world.poll()
    pairs = []
    for place, checkout in enumerate(paid):
        first, (other, number, channel, _) = (sides[0][0], sides[1]) if place < 10 else (sides[1][0], sides[0])
        back = await first.refund(checkout, 10 * ONE)
        pairs.append([back, (await other.start(await other.checkout(), number, channel)).payment])
    for *_, double in sides:
        for operation in double.waiting():
            double.approve(operation.transaction_id)
    await asyncio.gather(*(asking.ask(world.desk, pair) for pair in pairs))
    balances = await world.balances()
    assert [balances[side.settlement] for side, *_ in sides] == [(20 * 98 - 10 * 10) * ONE] * 2
    await world.check()


async def test_a_hint_about_what_failed_is_looked_into(world: World) -> None:
    checkout = await world.checkout()
    started = await world.start(checkout)
    world.double.decline(started.payment.transaction_id)
    await world.poll()
    world.double.approve(started.payment.transaction_id)
    await hint(world.database, [started.payment.transaction_id])
    await world.poll(everything=False)
    assert (await world.read(checkout)).state is CheckoutState.PAID
    await hint(world.database, [started.payment.transaction_id])  # twice: nothing is taken twice
    await world.settle()
    await world.check_settled([checkout.checkout_id])


async def test_a_hint_about_what_failed_outlasts_an_outage_of_its_provider(world: World) -> None:
    checkout = await world.checkout()
    started = await world.start(checkout)
    world.double.decline(started.payment.transaction_id)
    await world.poll()
    world.double.approve(started.payment.transaction_id)
    world.double.reachable = False
    await hint(world.database, [started.payment.transaction_id])
    await world.poll(everything=False)
    failed, = await world.transactions(checkout)
    assert failed.state is TransactionState.FAILED
    assert failed.due_at is not None
    assert failed.due_at > now()
    world.double.reachable = True
    await world.poll()
    assert (await world.read(checkout)).state is CheckoutState.PAID
    assert (await world.transactions(checkout))[0].due_at is None
    await world.check_settled([checkout.checkout_id])


@pytest.mark.parametrize("state", [TransactionState.PENDING, TransactionState.UNDECIDED])
async def test_a_hint_that_comes_while_its_provider_is_asked_is_not_lost(world: World, state: TransactionState) -> None:
    """The answer that is on its way may be older than what the notice is about."""
    class Hinting(type(world.double)):  # type: ignore[misc] # the same, whose notice comes before its answer
        async def status(self, question: StatusQuestion) -> ProviderAnswer:
            answer: ProviderAnswer = await super().status(question)
            if answer.progress is Progress.PENDING:
                self.approve(question.transaction_id)
                await hint(world.database, [question.transaction_id])
            return answer

    checkout = await world.checkout()
    started = await world.start(checkout)
    hinting = Hinting()
    hinting.operations = world.double.operations
    desk = Desk(world.database, replace(world.desk.providers, mobile_money=(hinting,)), world.desk.notices,
                world.desk.policy)
    await world.database.execute("UPDATE checkout.transaction SET due_at = now(), state = $1", state)
    await asking.ask_due(desk)
    assert (await world.read(checkout)).state is CheckoutState.OPEN
    await asking.ask_due(desk)
    assert (await world.read(checkout)).state is CheckoutState.PAID
    assert (await world.transactions(checkout))[0].transaction_id == started.payment.transaction_id
    await world.check_settled([checkout.checkout_id])


async def test_suspended_merchant_takes_nothing_more(world: World) -> None:
    checkout = await world.checkout()
    async with world.database.transaction() as connection:
        await suspend(connection, world.account.number, "It sold nothing.")
    with pytest.raises(ChannelNotPermittedError):
        await world.start(checkout)
    with pytest.raises(ChannelNotPermittedError):
        await closing.order_pay_on_delivery(world.desk, checkout.checkout_id, MTN)
    assert not (await checkout_view(world.desk, str(checkout.checkout_id))).can_pay


async def test_nobody_is_sent_to_the_card_page_of_a_checkout_that_has_ended(world: World) -> None:
    """What is paid there after the end only goes back."""
    checkout = await world.checkout()
    assert (await world.start(checkout, "", Channel.CARD)).redirect_url
    assert (await world.start(checkout, "", Channel.CARD)).redirect_url
    await closing.cancel(world.desk, checkout.checkout_id)
    with pytest.raises(CheckoutClosedError):
        await world.start(checkout, "", Channel.CARD)


async def test_payout_that_failed_and_moved_all_the_same(world: World) -> None:
    """What left although we were told that it had not is our loss, and the books still say what the provider did."""
    checkout = await world.paid()
    world.double.payouts_at_once = ProviderAnswer(Progress.FAILED, Failure.OTHER)
    back = await world.refund(checkout, 40 * ONE)
    assert back.state is TransactionState.FAILED
    assert (await world.balances())[world.settlement] == 98 * ONE
    world.double.approve(back.transaction_id)
    await asking.ask(world.desk, [back])
    late = (await world.transactions(checkout))[1]
    assert late.state is TransactionState.SUCCEEDED
    balances = await world.balances()
    assert (balances["checkout_losses"], balances["clearing double"], balances[world.settlement]) == (
        -40 * ONE, -60 * ONE, 98 * ONE)
    await world.check()
