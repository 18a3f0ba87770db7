"""Compare a provider's own list of a day with the ledger, and list every difference.

What the provider has taken and we have not recorded is asked about and recorded first; it stays in the list as
resolved, because somebody should know that it was needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from makola.core.checkout.desk import Desk
from makola.core.checkout.errors import UnknownTransactionError, WrongStateError
from makola.core.checkout.ports import CardProvider, MobileMoneyProvider, Progress, ProviderAnswer, ProviderTransaction
from makola.core.checkout.service.asking import ask
from makola.core.checkout.service.outcomes import Answered, record
from makola.core.checkout.store import differences, transactions
from makola.core.checkout.store.differences import NewDifference
from makola.core.checkout.types import Difference, Transaction, TransactionKind, TransactionState
from makola.core.ledger.service import moved_for
from makola.kit.clock import now

_DAY = timedelta(days=1)
#: Clocks differ, and a transaction that began before midnight may be listed after it.
_MARGIN = timedelta(hours=1)
#: A day that was missed is compared later, for so long.
_LOOK_BACK_DAYS = 7
#: How old a day is when it is compared: without a list, once its last transaction is decided or given up.
_FIRST_BACK_DAYS = {True: 1, False: 2}


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

    Args:
        desk: the services' own.
        provider_name: of the settings.
        day: over already, or the comparison is of what there is so far.
    """
    provider = desk.providers.named(provider_name)
    if provider is None:
        return None
    if not provider.has_list:
        return await _compare_own(desk, provider_name, day)
    since = datetime.combine(day, time(), UTC)
    listed = await provider.list_transactions(since - _MARGIN, since + _DAY + _MARGIN)
    if listed is None:
        return None
    found, ours_count, missed = await _compare(desk, provider, day, listed)
    if missed:
        async with desk.database.transaction() as connection:
            await differences.save(connection, provider_name, day, found, now())
        await ask(desk, missed)
        first = len(found)
        found, ours_count, _ = await _compare(desk, provider, day, listed)
        repaired = max(first - len(found), 0)
    else:
        repaired = 0
    theirs_count = sum(since <= one.at < since + _DAY for one in listed)
    await _save(desk, provider_name, day, found, (ours_count, theirs_count))
    return Comparison(provider_name, day, ours_count, theirs_count, tuple(found), repaired)


async def _compare_own(desk: Desk, provider_name: str, day: date) -> Comparison:
    """Look through what we have ourselves of a provider without a list: what nobody could finish is listed."""
    since = datetime.combine(day, time(), UTC)
    ours = await transactions.of_provider(desk.database, provider_name, since, since + _DAY)
    found = [one for own in ours for one in _unfinished(own)]
    await _save(desk, provider_name, day, found, (len(ours), 0))
    return Comparison(provider_name, day, len(ours), None, tuple(found), 0)


async def _save(desk: Desk, provider_name: str, day: date, found: Sequence[NewDifference],
                counts: tuple[int, int]) -> None:
    async with desk.database.transaction() as connection:
        at = now()
        await differences.save(connection, provider_name, day, found, at)
        await differences.resolve_others(connection, provider_name, day, found, at, "agrees now")
        await differences.compared(connection, provider_name, day, at, (*counts, len(found)))


async def reconcile_due(desk: Desk) -> bool:
    """Compare the days that are over and have not been compared."""
    today = (now() - _MARGIN).date()
    everybody: list[tuple[str, bool]] = [(one.name, one.has_list)
                                         for one in (*desk.providers.mobile_money, *desk.providers.cards)]
    for name, has_list in everybody:
        first_back = _FIRST_BACK_DAYS[has_list]
        done = await differences.compared_days(desk.database, name, today - _LOOK_BACK_DAYS * _DAY)
        for back in range(_LOOK_BACK_DAYS, first_back - 1, -1):
            day = today - back * _DAY
            # A new installation has nothing of the days before it.
            if day not in done and (done or back == first_back):
                await reconcile(desk, name, day)
    return False


async def _compare(desk: Desk, provider: MobileMoneyProvider | CardProvider, day: date,
                   listed: Sequence[ProviderTransaction],
                   ) -> tuple[list[NewDifference], int, list[Transaction]]:
    """Return the differences, how many transactions we have, and which the provider moved and we did not."""
    since = datetime.combine(day, time(), UTC)
    until = since + _DAY
    of_day = {one.transaction_id: one
              for one in await transactions.of_provider(desk.database, provider.name, since, until)}
    theirs = {one.transaction_id: one for one in listed if one.transaction_id is not None}
    ours = of_day | await transactions.find_some(
        desk.database, [one.transaction_id for one in listed
                        if one.transaction_id is not None and one.transaction_id not in of_day])
    moved = await _moved(desk, provider.name, list(ours.values()))
    found: list[NewDifference] = []
    missed: list[Transaction] = []
    for one in listed:
        if not since <= one.at < until or one.progress is not Progress.SUCCEEDED:
            continue
        own = ours.get(one.transaction_id) if one.transaction_id is not None else None
        if own is None or own.provider != provider.name:
            found.append(_difference("unknown_to_us", one.transaction_id, one.provider_reference, None,
                                     one.amount_units, "The provider moved this; we have no such transaction."))
        elif own.state is not TransactionState.SUCCEEDED:
            missed.append(own)
            found.append(_difference("not_recorded", own.transaction_id, one.provider_reference, None,
                                     one.amount_units, f"The provider moved this; here it is {own.state}."))
        else:
            found += _amounts(own, one, moved)
    for transaction_id, own in of_day.items():
        found += _missing(own, theirs.get(transaction_id), moved)
    return found, len(of_day), missed


def _amounts(own: Transaction, their: ProviderTransaction, moved: Mapping[UUID, int]) -> list[NewDifference]:
    booked = moved.get(own.transaction_id, 0)
    if (their.amount_units, their.currency, their.kind in _as_listed(own.kind)) == (booked, own.currency, True):
        return []
    return [_difference("amount", own.transaction_id, their.provider_reference, booked, their.amount_units,
                        f"The ledger says {own.kind} of {booked} {own.currency}, the provider {their.kind} of"
                        f" {their.amount_units} {their.currency} (in 1/10,000).")]


def _as_listed(kind: TransactionKind) -> frozenset[TransactionKind]:
    """Return what a provider may call a transaction: it cannot know a sweep from a send."""
    payouts = frozenset({TransactionKind.SEND, TransactionKind.SWEEP})
    return payouts if kind in payouts else frozenset({kind})


def _missing(own: Transaction, their: ProviderTransaction | None, moved: Mapping[UUID, int]) -> list[NewDifference]:
    if (own.state is not TransactionState.UNDECIDED or their is None or their.progress is not Progress.SUCCEEDED) \
            and (unfinished := _unfinished(own)):
        return unfinished
    if own.state is not TransactionState.SUCCEEDED or (their is not None and their.progress is Progress.SUCCEEDED):
        return []
    says = "does not list it" if their is None else f"says {their.progress.value}"
    return [_difference("unknown_to_provider", own.transaction_id, own.provider_reference,
                        moved.get(own.transaction_id, 0), None, f"Here it succeeded; the provider {says}.")]


def _unfinished(own: Transaction) -> list[NewDifference]:
    """Return what is to be looked into by a person whatever the provider lists."""
    if own.state is TransactionState.UNDECIDED:
        return [_difference("undecided", own.transaction_id, own.provider_reference, None, None,
                            "The provider did not say for a day what became of this.")]
    if own.surplus and own.kind is TransactionKind.REFUND and own.state is TransactionState.FAILED:
        return [_difference("not_returned", own.transaction_id, own.provider_reference, own.amount_units, None,
                            f"What a customer paid too much could not be paid back: {own.failure_detail or 'refused'}")]
    return []


def _difference(kind: str, transaction_id: UUID | None, provider_reference: str, ours: int | None,
                theirs: int | None, detail: str) -> NewDifference:
    subject = transaction_id.hex if transaction_id is not None else provider_reference
    return NewDifference(kind, subject, transaction_id, provider_reference, ours, theirs, detail)


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
    return (await record(desk, [Answered(transaction, answer)]))[transaction_id]
