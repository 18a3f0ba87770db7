"""Any order of events: exactly one payment is taken, everything else goes back, and the ledger balances."""

import asyncio
import random
from contextlib import suppress
from uuid import UUID

from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from makola.core.checkout.errors import BalanceTooSmallError, CheckoutClosedError, NotRefundableError
from makola.core.checkout.ports import Progress, ProviderAnswer
from makola.core.checkout.service import closing
from makola.core.checkout.service.outcomes import hint
from makola.core.checkout.service.refunds import RefundCall, refund
from makola.core.checkout.types import (
    Channel,
    Checkout,
    CheckoutState,
    Failure,
    TransactionKind,
    TransactionState,
)
from makola.kit.database import Database
from tests.checkout.double import KilledError
from tests.checkout.world import MTN, ONE, VODAFONE, World, make_world

_REFUSED = (CheckoutClosedError, NotRefundableError, BalanceTooSmallError, KilledError)
_CHOICES = [(Channel.MTN, MTN), (Channel.VODAFONE, VODAFONE), (Channel.CARD, "")]
_WHICH = strategies.integers(0, 5)


class Interleavings(RuleBasedStateMachine):
    """Customers in several tabs, a provider that is slow, lost or asked twice, and a process that dies."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world = self.loop.run_until_complete(self._start())
        self.checkouts: list[Checkout] = [self.loop.run_until_complete(self.world.checkout())]

    async def _start(self) -> World:
        database = await Database.connect(self.url, min_size=1, max_size=3)
        await database.execute(
            "TRUNCATE ledger.account, ledger.hold, ledger.transfer, organisations.organisation, checkout.invoice,"
            " checkout.transaction, checkout.merchant_account, callbacks.delivery CASCADE")
        return await make_world(database)

    def teardown(self) -> None:
        self.loop.run_until_complete(self._finish())
        self.loop.run_until_complete(self.world.database.close())
        self.loop.close()

    async def _finish(self) -> None:
        world = self.world
        for double in (world.double, world.cards):
            double.reachable, double.answers_lost, double.dies_after, double.dies_before = True, False, False, False
            double.payouts_at_once = ProviderAnswer(Progress.SUCCEEDED)
        for _ in range(2):  # what was never asked for is asked for now, and then it waits for its customer
            await world.poll()
            for double in (world.double, world.cards):
                for operation in double.waiting():
                    is_payment = operation.kind is TransactionKind.PAYMENT
                    (double.decline if is_payment else double.approve)(operation.transaction_id)
        await world.settle()
        await world.check_settled([checkout.checkout_id for checkout in self.checkouts])
        undecided = await world.database.fetchval(
            "SELECT count(*) FROM checkout.transaction WHERE state NOT IN ('succeeded', 'failed')")
        assert undecided == 0

    def _do(self, work: object) -> None:
        with suppress(*_REFUSED):
            self.loop.run_until_complete(work)  # type: ignore[arg-type] # a coroutine of any result

    def _checkout(self, which: int) -> Checkout:
        return self.checkouts[which % len(self.checkouts)]

    @rule()
    def another_checkout(self) -> None:
        if len(self.checkouts) < 3:
            self.checkouts.append(self.loop.run_until_complete(self.world.checkout()))

    @rule(which=_WHICH, choice=strategies.sampled_from(_CHOICES), another=strategies.booleans())
    def start(self, which: int, choice: tuple[Channel, str], another: bool) -> None:
        channel, number = choice
        self._do(self.world.start(self._checkout(which), number, channel, another=another))

    @rule(which=_WHICH, approves=strategies.booleans(), and_hints=strategies.booleans())
    def customer_decides(self, which: int, approves: bool, and_hints: bool) -> None:
        waiting = [(double, one) for double in (self.world.double, self.world.cards) for one in double.waiting()]
        if waiting:
            double, one = waiting[which % len(waiting)]
            (double.approve if approves else double.decline)(one.transaction_id)
            if and_hints:
                self._do(hint(self.world.database, [one.transaction_id]))

    @rule(which=_WHICH)
    def provider_changes_its_mind(self, which: int) -> None:
        """It said that a payment had failed, and then the money moved all the same."""
        failed = [(double, one) for double in (self.world.double, self.world.cards)
                  for one in double.operations.values()
                  if one.progress is Progress.FAILED and one.kind is TransactionKind.PAYMENT]
        if failed:
            double, one = failed[which % len(failed)]
            double.approve(one.transaction_id)
            self._do(self._ask(one.transaction_id))

    async def _ask(self, transaction_id: UUID) -> None:
        await self.world.database.execute(
            "UPDATE checkout.transaction SET due_at = now() WHERE id = $1", transaction_id)
        await self.world.poll(everything=False)

    @rule(everything=strategies.booleans())
    def poll(self, everything: bool) -> None:
        self._do(self.world.poll(everything=everything))

    @rule(which=_WHICH, how=strategies.sampled_from(["cancel", "order", "expire"]))
    def end(self, which: int, how: str) -> None:
        checkout_id = self._checkout(which).checkout_id
        if how == "cancel":
            self._do(closing.cancel(self.world.desk, checkout_id))
        elif how == "order":
            self._do(closing.order_pay_on_delivery(self.world.desk, checkout_id, MTN))
        else:
            self._do(self._expire(checkout_id))

    async def _expire(self, checkout_id: UUID) -> None:
        await self.world.database.execute(
            "UPDATE checkout.invoice SET expires_at = now() - interval '1 day' WHERE id = $1", checkout_id)
        await closing.expire_due(self.world.desk)

    @rule(which=_WHICH, amount=strategies.sampled_from([None, ONE, 60 * ONE]))
    def refund(self, which: int, amount: int | None) -> None:
        self._do(self._refund(self._checkout(which), amount))

    async def _refund(self, checkout: Checkout, amount: int | None) -> None:
        present = await self.world.read(checkout)
        if present.paid_by is not None:
            await refund(self.world.desk, self.world.actor,
                         RefundCall(self.world.account.number, present.paid_by, amount, "Damaged"))

    @rule(what=strategies.sampled_from(["reachable", "answers_lost", "dies_after", "dies_before"]),
          wallets=strategies.booleans())
    def trouble(self, what: str, wallets: bool) -> None:
        double = self.world.double if wallets else self.world.cards
        setattr(double, what, not getattr(double, what))

    @rule(progress=strategies.sampled_from([Progress.PENDING, Progress.SUCCEEDED, Progress.FAILED]))
    def payouts_are_answered(self, progress: Progress) -> None:
        for double in (self.world.double, self.world.cards):
            double.payouts_at_once = ProviderAnswer(progress, Failure.OTHER) if progress is not Progress.FAILED \
                else ProviderAnswer(Progress.PENDING)

    @invariant()
    def the_ledger_balances(self) -> None:
        self.loop.run_until_complete(self.world.check())


def test_any_interleaving(database_url: str) -> None:
    Interleavings.url = database_url
    run_state_machine_as_test(Interleavings, settings=settings(
        max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)))


async def test_all_at_the_same_time(world: World) -> None:
    """Two tabs, both approved, a cancellation, pollers of three processes and hints: all at once, many times over."""
    chance = random.Random(20)
    checkouts = []
    for _ in range(12):
        checkout = await world.checkout()
        checkouts.append(checkout)
        first, second = await asyncio.gather(world.start(checkout), world.start(checkout, VODAFONE, Channel.VODAFONE,
                                                                                another=True))
        ids = [first.payment.transaction_id, second.payment.transaction_id]
        for transaction_id in ids:
            world.double.approve(transaction_id)
        works = [hint(world.database, ids), *(world.poll() for _ in range(3)), world.start(checkout, another=True),
                 closing.cancel(world.desk, checkout.checkout_id)]
        chance.shuffle(works)
        results = await asyncio.gather(*works, return_exceptions=True)
        assert all(result is None or not isinstance(result, Exception) or isinstance(result, CheckoutClosedError)
                   for result in results), results
    for operation in world.double.waiting():
        world.double.decline(operation.transaction_id)
    await world.settle()
    await world.check_settled([checkout.checkout_id for checkout in checkouts])
    states = [(await world.read(checkout)).state for checkout in checkouts]
    assert set(states) <= {CheckoutState.PAID, CheckoutState.CANCELLED}


async def test_the_same_attempt_from_two_tabs_is_one(world: World) -> None:
    checkout = await world.checkout()
    started = await asyncio.gather(*(world.start(checkout) for _ in range(5)))
    assert len({one.payment.transaction_id for one in started}) == 1
    assert [one.request_count for one in world.double.operations.values()] == [1]


async def test_late_approval_after_expiry_goes_back(world: World) -> None:
    checkout = await world.checkout()
    started = await world.start(checkout)
    await world.database.execute("UPDATE checkout.invoice SET expires_at = now() - interval '1 second'")
    await closing.expire_due(world.desk)
    assert (await world.read(checkout)).state is CheckoutState.OPEN  # its customer may be typing the PIN
    await world.database.execute("UPDATE checkout.invoice SET expires_at = now() - interval '1 hour'")
    await closing.expire_due(world.desk)
    assert (await world.read(checkout)).state is CheckoutState.EXPIRED
    world.double.approve(started.payment.transaction_id)
    await world.settle()
    payment, back = await world.transactions(checkout)
    assert (payment.state, payment.surplus) == (TransactionState.SUCCEEDED, True)
    assert (back.kind, back.state, back.amount_units) == (TransactionKind.REFUND, TransactionState.SUCCEEDED, 100 * ONE)
    assert world.double.moved_units == 0
    assert (await world.balances())[world.settlement] == 0
    await world.check_settled([checkout.checkout_id])


async def test_outcome_before_the_answer(world: World) -> None:
    """The notice overtakes the answer to the request: nothing is taken twice, nothing is lost."""
    checkout = await world.checkout()
    world.double.answers_lost = True
    started = await world.start(checkout)
    assert started.payment.state is TransactionState.ASKING
    world.double.approve(started.payment.transaction_id)
    await hint(world.database, [started.payment.transaction_id])
    await world.poll(everything=False)
    assert (await world.read(checkout)).state is CheckoutState.PAID
    await world.check_settled([checkout.checkout_id])


async def test_what_the_ledger_holds_of_a_payment(world: World) -> None:
    checkout = await world.paid()
    assert checkout.state is CheckoutState.PAID
    balances = await world.balances()
    assert (balances[world.settlement], balances["checkout_fees"], balances["clearing double"]) == (
        98 * ONE, 2 * ONE, -100 * ONE)
