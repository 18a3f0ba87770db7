"""What reconciliation finds, how often a day is compared, and what becomes of a difference."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from makola.core.checkout.comparing import OwnSide, compare
from makola.core.checkout.errors import UnknownTransactionError
from makola.core.checkout.ports import Progress, ProviderAnswer, ProviderTransaction
from makola.core.checkout.service import reconciliation
from makola.core.checkout.service.reconciliation import Comparison
from makola.core.checkout.store import differences
from makola.core.checkout.types import Channel, Checkout, CheckoutState, TransactionKind
from makola.kit.clock import now
from tests.checkout.world import MTN, ONE, VODAFONE, World


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare at noon: in the first hour of a day the one before is not over yet."""
    at = now()
    shift = at.replace(hour=12, minute=0) - at
    monkeypatch.setattr(reconciliation, "now", lambda: now() + shift)


async def _compared(world: World) -> Comparison:
    comparison = await reconciliation.reconcile(world.desk, "double", now().date())
    assert comparison is not None
    return comparison


async def _kinds(world: World) -> list[str]:
    return sorted(one.kind for one in (await _compared(world)).found)


async def _pay_twice(world: World, checkout: Checkout) -> None:
    """Have a checkout paid from two wallets, and the provider refuse to take the second payment back."""
    for number in (MTN, VODAFONE):
        await world.start(checkout, number, Channel.MTN if number == MTN else Channel.VODAFONE, another=True)
    for waiting in world.double.waiting():
        world.double.approve(waiting.transaction_id)
    world.double.payouts_at_once = ProviderAnswer(Progress.FAILED)
    await world.settle()


async def test_a_day_on_which_all_agree(world: World) -> None:
    checkout = await world.paid()
    await world.refund(checkout, 10 * ONE)
    declined = await world.start(await world.checkout())
    world.double.decline(declined.payment.transaction_id)
    await world.poll()
    comparison = await _compared(world)
    assert (comparison.ours_count, comparison.theirs_count, comparison.found) == (3, 3, ())


async def test_what_the_provider_moved_and_we_missed_is_recorded(world: World) -> None:
    checkout = await world.checkout()
    started = await world.start(checkout)
    world.double.approve(started.payment.transaction_id)
    comparison = await _compared(world)
    assert (comparison.found, comparison.repaired_count) == ((), 1)
    assert (await world.read(checkout)).state is CheckoutState.PAID
    assert await reconciliation.list_differences(world.desk) == []
    listed, = await reconciliation.list_differences(world.desk, resolved=True)
    assert (listed.kind, listed.transaction_id, listed.theirs_units, listed.resolution) == (
        "not_recorded", started.payment.transaction_id, 100 * ONE, "agrees now")


async def test_what_a_faster_process_has_repaired_stays_resolved(
        world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    started = await world.start(await world.checkout())
    world.double.approve(started.payment.transaction_id)
    save = differences.save
    others: list[Comparison] = []

    async def late(*arguments: Any, **options: Any) -> None:
        if not others:
            others.append(Comparison("", now().date(), 0, 0, (), 0))
            others[0] = await _compared(world)  # it begins after this one, and ends before
        await save(*arguments, **options)

    monkeypatch.setattr(differences, "save", late)
    await _compared(world)
    assert others[0].repaired_count == 1
    assert await reconciliation.list_differences(world.desk) == []


async def test_every_other_difference_is_listed_once(world: World) -> None:
    wrong_amount, vanished, undecided = [await world.paid() for _ in range(2)] + [await world.checkout()]
    assert wrong_amount.paid_by is not None
    assert vanished.paid_by is not None
    world.double.operations[wrong_amount.paid_by].amount_units += ONE
    del world.double.operations[vanished.paid_by]
    lost = await world.start(undecided)
    await world.database.execute("UPDATE checkout.transaction SET state = 'undecided', due_at = NULL WHERE id = $1",
                                 lost.payment.transaction_id)
    world.double.extra = [
        ProviderTransaction(uuid4(), "X1", TransactionKind.PAYMENT, Progress.SUCCEEDED, ONE, "GHS", now()),
        ProviderTransaction(None, "X2", TransactionKind.SEND, Progress.SUCCEEDED, ONE, "GHS", now()),
        ProviderTransaction(None, "X3", TransactionKind.SEND, Progress.FAILED, ONE, "GHS", now())]
    expected = ["amount", "undecided", "unknown_to_provider", "unknown_to_us", "unknown_to_us"]
    assert await _kinds(world) == expected
    assert await _kinds(world) == expected
    listed = await reconciliation.list_differences(world.desk)
    assert sorted(one.kind for one in listed) == expected
    by_kind = {one.kind: one for one in listed}
    assert (by_kind["amount"].ours_units, by_kind["amount"].theirs_units) == (100 * ONE, 101 * ONE)
    await reconciliation.resolve_difference(world.desk, by_kind["amount"].difference_id, "A typing mistake of theirs.")
    assert len(await reconciliation.list_differences(world.desk)) == 4
    with pytest.raises(UnknownTransactionError):
        await reconciliation.resolve_difference(world.desk, by_kind["amount"].difference_id, "Again")


async def test_what_came_too_much_and_cannot_go_back_is_listed(world: World) -> None:
    checkout = await world.checkout()
    await _pay_twice(world, checkout)
    assert (await world.balances())["checkout_surplus"] == 100 * ONE
    assert await _kinds(world) == ["not_returned"]
    listed, = await reconciliation.list_differences(world.desk)
    assert listed.ours_units == 100 * ONE


async def test_a_provider_without_a_list_has_our_own_side_looked_through(world: World) -> None:
    world.double.has_list = False
    paid, checkout = await world.paid(), await world.checkout()
    await _pay_twice(world, checkout)
    lost = await world.start(await world.checkout())
    await world.database.execute("UPDATE checkout.transaction SET state = 'undecided', due_at = NULL WHERE id = $1",
                                 lost.payment.transaction_id)
    comparison = await _compared(world)
    assert comparison.theirs_count is None
    assert sorted(one.kind for one in comparison.found) == ["not_returned", "undecided"]
    assert paid.paid_by not in {one.transaction_id for one in comparison.found}
    await reconciliation.decide_by_hand(world.desk, lost.payment.transaction_id, succeeded=False)
    assert await _kinds(world) == ["not_returned"]


async def _days_pass(world: World, count: int) -> None:
    """Put all that has happened so many days back."""
    back = timedelta(days=count)
    for column in ("created_at", "finished_at"):
        await world.database.execute(f"UPDATE checkout.transaction SET {column} = {column} - $1::interval", back)
    for operation in (*world.double.operations.values(), *world.cards.operations.values()):
        operation.at -= back
    for step in (-1_000, 1_000 - count):  # no day is ever in the way of another
        await world.database.execute("UPDATE checkout.reconciled_day SET day = day + $1::int", step)
        await world.database.execute("UPDATE checkout.difference SET day = day + $1::int", step)
    await world.database.execute("UPDATE checkout.reconciled_day SET compared_at = compared_at - $1::interval", back)


async def _days(world: World, provider: str = "double") -> list[int]:
    """How many days ago each compared day was."""
    rows = await world.database.fetch("SELECT day FROM checkout.reconciled_day WHERE provider = $1 ORDER BY day",
                                      provider)
    return [(now().date() - row["day"]).days for row in rows]


async def _compared_again(world: World) -> list[int]:
    """Compare what is due; return how many days ago each day was of which the provider was asked for its list."""
    asked: list[int] = []

    class Listening(type(world.double)):  # type: ignore[misc] # the same, and remembers of what it was asked
        async def list_transactions(self, since: datetime, until: datetime) -> Sequence[ProviderTransaction] | None:
            asked.append((now().date() - (since + timedelta(hours=2)).date()).days)
            listed: Sequence[ProviderTransaction] | None = await super().list_transactions(since, until)
            return listed

    plain, world.double.__class__ = type(world.double), Listening
    await reconciliation.reconcile_due(world.desk)
    world.double.__class__ = plain
    return asked


async def test_a_new_installation_has_nothing_of_the_days_before_it(world: World) -> None:
    assert await _compared_again(world) == [1]
    assert await _compared_again(world) == []
    assert (await _days(world), await _days(world, "cards")) == ([1], [1])
    world.double.reachable = False
    assert await reconciliation.reconcile(world.desk, "double", now().date()) is None
    assert await reconciliation.reconcile(world.desk, "nobody", now().date()) is None


async def test_a_day_is_compared_again_on_the_next_days(world: World) -> None:
    await world.paid()
    asked: list[list[int]] = []
    for _ in range(6):
        await _days_pass(world, 1)
        asked.append(await _compared_again(world))
    assert asked == [[1], [2, 1], [3, 2, 1], [4, 3, 2, 1], [4, 3, 2, 1], [4, 3, 2, 1]]


async def test_days_that_were_missed_are_compared_later(world: World) -> None:
    await world.paid()
    await _days_pass(world, 6)
    assert await _compared_again(world) == [6, 5, 4, 3, 2, 1]


async def test_what_the_provider_books_late_is_seen(world: World) -> None:
    checkout = await world.checkout()
    payment = (await world.start(checkout)).payment
    world.double.decline(payment.transaction_id)
    await world.poll()
    await _days_pass(world, 1)
    await reconciliation.reconcile_due(world.desk)
    world.double.approve(payment.transaction_id)
    await _days_pass(world, 1)
    await reconciliation.reconcile_due(world.desk)
    assert (await world.read(checkout)).state is CheckoutState.PAID


@pytest.mark.parametrize("has_list", [True, False])
async def test_a_payment_that_is_given_up_after_a_long_time_is_listed_then(world: World, *, has_list: bool) -> None:
    """However long providers are asked: a day of which something is open is compared until nothing is."""
    world.double.has_list = has_list
    world = replace(world, desk=replace(world.desk, policy=replace(world.desk.policy, poll_for_s=20 * 86_400.0)))
    lost = (await world.start(await world.checkout())).payment
    for days in (1, 4, 14):
        await _days_pass(world, days)
        await world.poll()
        await reconciliation.reconcile_due(world.desk)
        assert await reconciliation.list_differences(world.desk) == []
    await _days_pass(world, 2)
    await world.poll()
    await reconciliation.reconcile_due(world.desk)
    listed, = await reconciliation.list_differences(world.desk)
    assert (listed.kind, listed.transaction_id) == ("undecided", lost.transaction_id)
    await reconciliation.decide_by_hand(world.desk, lost.transaction_id, succeeded=False)
    assert await reconciliation.list_differences(world.desk) == []
    assert await _compared_again(world) == []


async def test_a_difference_that_has_gone_is_resolved_and_one_that_comes_back_is_open_again(world: World) -> None:
    checkout = await world.paid()
    assert checkout.paid_by is not None
    gone = world.double.operations.pop(checkout.paid_by)
    await _compared(world)
    first, = await reconciliation.list_differences(world.desk)
    world.double.operations[checkout.paid_by] = gone
    await _compared(world)
    resolved, = await reconciliation.list_differences(world.desk, resolved=True)
    assert (resolved.difference_id, resolved.resolution) == (first.difference_id, "agrees now")
    del world.double.operations[checkout.paid_by]
    await _compared(world)
    again, = await reconciliation.list_differences(world.desk)
    assert (again.difference_id, again.resolution, again.resolved_at) == (first.difference_id, "", None)


async def test_what_a_person_has_resolved_stays_so_until_its_amounts_change(world: World) -> None:
    checkout = await world.paid()
    assert checkout.paid_by is not None
    world.double.operations[checkout.paid_by].amount_units += ONE
    await _compared(world)
    listed, = await reconciliation.list_differences(world.desk)
    await reconciliation.resolve_difference(world.desk, listed.difference_id, "They will send the rest.")
    await _compared(world)
    assert await reconciliation.list_differences(world.desk) == []
    world.double.operations[checkout.paid_by].amount_units += ONE
    await _compared(world)
    again, = await reconciliation.list_differences(world.desk)
    assert (again.difference_id, again.theirs_units) == (listed.difference_id, 102 * ONE)


async def test_an_older_comparison_does_not_undo_a_newer_one(world: World) -> None:
    """Two processes compare a day at the same time; the one that has seen less is done last."""
    checkout = await world.paid()
    assert checkout.paid_by is not None

    class Slow(type(world.double)):  # type: ignore[misc] # the same; while its list is read, somebody else compares
        async def list_transactions(self, since: datetime, until: datetime) -> Sequence[ProviderTransaction] | None:
            listed: Sequence[ProviderTransaction] | None = await super().list_transactions(since, until)
            self.operations.clear()
            self.__class__ = Slow.__base__
            await _compared(world)
            return listed

    world.double.__class__ = Slow
    await _compared(world)
    assert [one.kind for one in await reconciliation.list_differences(world.desk)] == ["unknown_to_provider"]


_DAY = datetime(2030, 1, 1, tzinfo=UTC)


def _listed(transaction_id: UUID | None, reference: str, *, kind: TransactionKind = TransactionKind.PAYMENT,
            progress: Progress = Progress.SUCCEEDED) -> ProviderTransaction:
    return ProviderTransaction(transaction_id, reference, kind, progress, ONE, "GHS", _DAY + timedelta(hours=5))


def _kinds_of(*listed: ProviderTransaction) -> list[str]:
    own_side = OwnSide("double", _DAY, _DAY + timedelta(days=1), (), {}, {})
    found, _ = compare(own_side, listed)
    assert len({(one.kind, one.subject) for one in found}) == len(found)
    return [one.kind for one in found]


def test_strange_entries_are_told_apart() -> None:
    """A refund may have the number of a payment, and some have none at all."""
    payment, refund = _listed(None, "5"), _listed(None, "5", kind=TransactionKind.REFUND)
    assert _kinds_of(payment, refund, _listed(None, "")) == ["unknown_to_us"] * 3


def test_an_entry_that_is_on_two_pages_counts_once() -> None:
    assert _kinds_of(_listed(None, "5"), _listed(None, "5"), _listed(None, "6")) == ["unknown_to_us"] * 2


async def test_a_payment_that_was_moved_twice_is_listed(world: World) -> None:
    checkout = await world.paid()
    world.double.extra = [ProviderTransaction(
        checkout.paid_by, "D2", TransactionKind.PAYMENT, Progress.SUCCEEDED, 100 * ONE, "GHS", now())]
    assert await _kinds(world) == ["listed_twice"]
    listed, = await reconciliation.list_differences(world.desk)
    assert (listed.ours_units, listed.theirs_units) == (100 * ONE, 200 * ONE)
    world.double.extra = [ProviderTransaction(  # an earlier attempt under the same id, that failed
        checkout.paid_by, "D3", TransactionKind.PAYMENT, Progress.FAILED, 100 * ONE, "GHS", now())]
    assert await _kinds(world) == []
