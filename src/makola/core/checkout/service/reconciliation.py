"""Compare a provider's own list of a day with the ledger, and list every difference.

What the provider has taken and we have not recorded is asked about and recorded first; it stays in the list as
resolved, because somebody should know that it was needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from makola.core.checkout.comparing import NewDifference, OwnSide, compare, unfinished
from makola.core.checkout.desk import Desk
from makola.core.checkout.errors import UnknownTransactionError, WrongStateError
from makola.core.checkout.ports import CardProvider, MobileMoneyProvider, Progress, ProviderAnswer, ProviderTransaction
from makola.core.checkout.service.asking import ask
from makola.core.checkout.service.outcomes import Answered, record
from makola.core.checkout.store import differences, transactions
from makola.core.checkout.store.differences import ComparedDay
from makola.core.checkout.types import Difference, Transaction, TransactionState
from makola.core.ledger.service import moved_for
from makola.kit.clock import now

_DAY = timedelta(days=1)
#: Clocks differ, and a transaction that began before midnight may be listed after it.
_MARGIN = timedelta(hours=1)
#: Providers book late: a day is compared again on each of so many days after it, and then as long as one of our own
#: transactions of it is open.
_BOOKED_LATE = timedelta(days=3)
#: A day that was missed, because nothing ran or its provider did not answer, is compared later, for so long.
_MISSED = timedelta(days=7)
_MOST_DAYS = 3_660


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of comparing a day: how many we have, how many the provider, and what differs and was not repaired.

    Attributes:
        theirs_count: None where the provider has no list: then only what we ourselves could not finish is found.
    """

    provider: str
    day: date
    ours_count: int
    theirs_count: int | None
    found: tuple[NewDifference, ...]
    repaired_count: int


async def reconcile(desk: Desk, provider_name: str, day: date) -> Comparison | None:
    """Compare one day (UTC) of one provider; None where the provider does not answer, or is not in the settings.

    A difference that was found before is not listed again; one that is gone is marked as resolved, and one that comes
    back is open again. What a person has resolved stays so, unless its amounts have changed.

    Args:
        desk: the services' own.
        provider_name: of the settings.
        day: over already, or the comparison is of what there is so far.
    """
    provider = desk.providers.named(provider_name)
    if provider is None:
        return None
    began_at = now()
    if not provider.has_list:
        return await _compare_own(desk, provider_name, day, began_at)
    since = datetime.combine(day, time(), UTC)
    listed = await provider.list_transactions(since - _MARGIN, since + _DAY + _MARGIN)
    if listed is None:
        return None
    own_side = await _own_side(desk, provider, since, listed)
    found, missed = compare(own_side, listed)
    repaired_count = 0
    if missed:
        async with desk.database.transaction() as connection:
            await differences.save(connection, provider_name, day, found, now(), only_new=True)
        await ask(desk, missed)
        first = len(found)
        own_side = await _own_side(desk, provider, since, listed)
        found, _ = compare(own_side, listed)
        repaired_count = max(first - len(found), 0)
    theirs_count = sum(since <= one.at < since + _DAY for one in listed)
    await _save(desk, provider_name, day, found, began_at, ours_count=len(own_side.of_day), theirs_count=theirs_count,
                open_count=sum(one.is_open for one in own_side.of_day))
    return Comparison(provider_name, day, len(own_side.of_day), theirs_count, tuple(found), repaired_count)


async def _compare_own(desk: Desk, provider_name: str, day: date, began_at: datetime) -> Comparison:
    """Look through what we have ourselves of a provider without a list: what nobody could finish is listed."""
    since = datetime.combine(day, time(), UTC)
    ours_count, open_count = await transactions.count_of_provider(desk.database, provider_name, since, since + _DAY)
    ours = await transactions.unfinished_of_provider(desk.database, provider_name, since, since + _DAY)
    found = [one for own in ours for one in unfinished(own)]
    await _save(desk, provider_name, day, found, began_at, ours_count=ours_count, theirs_count=0, open_count=open_count)
    return Comparison(provider_name, day, ours_count, None, tuple(found), 0)


async def _save(desk: Desk, provider_name: str, day: date, found: Sequence[NewDifference], began_at: datetime, *,
                ours_count: int, theirs_count: int, open_count: int) -> None:
    async with desk.database.transaction() as connection:
        at = now()
        compared = ComparedDay(day, at, ours_count, theirs_count, len(found), open_count)
        # Where another process has compared the day since, what it has seen is newer than this.
        if await differences.compared(connection, provider_name, compared, began_at):
            await differences.save(connection, provider_name, day, found, at)
            await differences.resolve_others(connection, provider_name, day, found, at, "agrees now")


async def reconcile_due(desk: Desk) -> bool:
    """Compare the days that are over: each once a day, until nothing of it is expected to change any more."""
    await differences.resolve_decided(desk.database, now(), "decided since")
    today = (now() - _MARGIN).date()
    asked_for = timedelta(seconds=min(desk.policy.poll_for_s + desk.policy.poll_delays_s[-1],
                                      _DAY.total_seconds() * _MOST_DAYS))
    most = min((asked_for + _BOOKED_LATE + _MISSED) // _DAY + 1, _MOST_DAYS)
    for one in (*desk.providers.mobile_money, *desk.providers.cards):
        before = await differences.compared_days(desk.database, one.name, today - most * _DAY)
        # A new installation has nothing of the days before it.
        first = await differences.first_day(desk.database, one.name) or today - _DAY
        for back in range(most, 0, -1):
            day = today - back * _DAY
            if day >= min(first, today - _DAY) and _is_due(before.get(day), day, today):
                await reconcile(desk, one.name, day)
    return False


def _is_due(before: ComparedDay | None, day: date, today: date) -> bool:
    """Say whether a day is to be compared, for the first time or again."""
    if before is None:
        return True
    is_over = before.compared_at >= datetime.combine(day, time(), UTC) + _DAY + _BOOKED_LATE
    return (before.compared_at - _MARGIN).date() < today and (before.open_count > 0 or not is_over)


async def _own_side(desk: Desk, provider: MobileMoneyProvider | CardProvider, since: datetime,
                    listed: Sequence[ProviderTransaction]) -> OwnSide:
    until = since + _DAY
    of_day = await transactions.of_provider(desk.database, provider.name, since, until)
    ours = {one.transaction_id: one for one in of_day}
    ours |= await transactions.find_some(
        desk.database, [one.transaction_id for one in listed
                        if one.transaction_id is not None and one.transaction_id not in ours])
    return OwnSide(provider.name, since, until, of_day, ours, await _moved(desk, provider.name, list(ours.values())))


async def _moved(desk: Desk, provider: str, ours: Sequence[Transaction]) -> dict[UUID, int]:
    """Return what the ledger has moved for each transaction at the provider."""
    amounts: dict[UUID, int] = {}
    for currency in {one.currency for one in ours}:
        books = await desk.books(provider, currency)
        ids = [one.transaction_id for one in ours if one.currency == currency]
        async with desk.database.connection() as connection:
            for reference, units in (await moved_for(connection, books.clearing_id, ids)).items():
                amounts[reference] = abs(units)
    return amounts


async def list_differences(desk: Desk, *, resolved: bool = False, limit: int = 1_000) -> list[Difference]:
    """Return what is not resolved yet, or everything, the first one first."""
    return await differences.list_all(desk.database, resolved=resolved, limit=limit)


async def resolve_difference(desk: Desk, difference_id: int, note: str) -> None:
    """Say how a difference was resolved.

    Raises:
        UnknownTransactionError: there is no such open difference.
    """
    if not await differences.resolve(desk.database, difference_id, now(), note):
        raise UnknownTransactionError("There is no such open difference.", field="difference_id")


async def decide_by_hand(desk: Desk, transaction_id: UUID, *, succeeded: bool) -> Transaction:
    """Say what became of a transaction that the provider never decided, as a person has found out.

    Raises:
        UnknownTransactionError: there is no such transaction.
        WrongStateError: it is decided, or the provider is still being asked.
    """
    transaction = await transactions.find(desk.database, transaction_id)
    if transaction is None:
        raise UnknownTransactionError("There is no such transaction.", field="transaction_id")
    if transaction.state is not TransactionState.UNDECIDED:
        raise WrongStateError(f"This transaction is {transaction.state}.", field="transaction_id")
    answer = ProviderAnswer(Progress.SUCCEEDED) if succeeded else \
        ProviderAnswer(Progress.FAILED, detail="It was found not to have gone through.")
    decided = (await record(desk, [Answered(transaction, answer)]))[transaction_id]
    await differences.resolve_decided(desk.database, now(), "decided by hand")
    return decided
