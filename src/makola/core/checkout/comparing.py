"""Compare a provider's list of a day with what we have: on values alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makola.core.checkout.ports import Progress, ProviderTransaction
from makola.core.checkout.types import Transaction, TransactionKind, TransactionState


@dataclass(frozen=True, slots=True)
class NewDifference:
    """A difference that was found; `subject` tells it from others of its kind and day."""

    kind: str
    subject: str
    transaction_id: UUID | None
    provider_reference: str
    ours_units: int | None
    theirs_units: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class OwnSide:
    """What we have of a day, for a comparison.

    Attributes:
        provider: whose list it is compared with.
        since, until: the day; `until` is not part of it.
        of_day: what was asked of the provider on the day.
        ours: that, and whatever else of ours the list names, by id.
        moved: what the ledger has moved for each at the provider, in 1/10,000; nothing where it moved nothing.
    """

    provider: str
    since: datetime
    until: datetime
    of_day: Sequence[Transaction]
    ours: Mapping[UUID, Transaction]
    moved: Mapping[UUID, int]


def compare(own_side: OwnSide, listed: Sequence[ProviderTransaction]) -> tuple[list[NewDifference], list[Transaction]]:
    """Return the differences of a day, and what the provider moved and we have not recorded.

    Args:
        own_side: what we have.
        listed: by the provider, of the day and some time around it: a transaction may be listed on another day.
    """
    entries = _each_once(listed)
    done: dict[UUID, list[ProviderTransaction]] = {}
    says: dict[UUID, Progress] = {}
    for one in entries:
        if one.transaction_id is not None:
            if one.progress is Progress.SUCCEEDED:
                done.setdefault(one.transaction_id, []).append(one)
            says[one.transaction_id] = one.progress
    found: list[NewDifference] = []
    missed: dict[UUID, Transaction] = {}
    for one in entries:
        if one.progress is not Progress.SUCCEEDED or not own_side.since <= one.at < own_side.until:
            continue
        own = own_side.ours.get(one.transaction_id) if one.transaction_id is not None else None
        if own is None or own.provider != own_side.provider:
            found.append(_difference("unknown_to_us", one, None, one.amount_units,
                                     "The provider moved this; we have no such transaction."))
            continue
        if own.state is not TransactionState.SUCCEEDED:
            missed[own.transaction_id] = own
            found.append(_difference("not_recorded", one, None, one.amount_units,
                                     f"The provider moved this; here it is {own.state}."))
        else:
            found += _amounts(own, one, own_side.moved.get(own.transaction_id, 0))
        if len(same := done[own.transaction_id]) > 1 and one is same[-1]:
            found.append(_difference("listed_twice", one, own.amount_units, sum(entry.amount_units for entry in same),
                                     f"The provider moved this {len(same)} times."))
    for own in own_side.of_day:
        if own.transaction_id not in done:
            found += unfinished(own) or _missing(own, says.get(own.transaction_id), own_side.moved)
        elif own.state is not TransactionState.UNDECIDED:
            found += unfinished(own)
    return list({(one.kind, one.subject): one for one in found}.values()), list(missed.values())


def unfinished(own: Transaction) -> list[NewDifference]:
    """Return what is to be looked into by a person whatever the provider lists."""
    if own.state is TransactionState.UNDECIDED:
        return [_of_own("undecided", own, None, "The provider did not say in time what became of this.")]
    if own.surplus and own.kind is TransactionKind.REFUND and own.state is TransactionState.FAILED:
        return [_of_own("not_returned", own, own.amount_units,
                        f"What a customer paid too much could not be paid back: {own.failure_detail or 'refused'}")]
    return []


def _each_once(listed: Sequence[ProviderTransaction]) -> list[ProviderTransaction]:
    """Leave out what is listed again: a list that is read in pages moves on meanwhile. What is done counts."""
    kept: dict[tuple[UUID | None, TransactionKind, str], ProviderTransaction] = {}
    for one in sorted(listed, key=lambda entry: entry.at):
        name = (one.transaction_id, one.kind, one.provider_reference or one.at.isoformat())
        before = kept.get(name)
        if before is None or before.progress is not Progress.SUCCEEDED:
            kept[name] = one
    return list(kept.values())


def _amounts(own: Transaction, their: ProviderTransaction, booked: int) -> list[NewDifference]:
    if (their.amount_units, their.currency, their.kind in _as_listed(own.kind)) == (booked, own.currency, True):
        return []
    return [_difference("amount", their, booked, their.amount_units,
                        f"The ledger says {own.kind} of {booked} {own.currency}, the provider {their.kind} of"
                        f" {their.amount_units} {their.currency} (in 1/10,000).")]


def _as_listed(kind: TransactionKind) -> frozenset[TransactionKind]:
    """Return what a provider may call a transaction: it cannot know a sweep from a send."""
    payouts = frozenset({TransactionKind.SEND, TransactionKind.SWEEP})
    return payouts if kind in payouts else frozenset({kind})


def _missing(own: Transaction, says: Progress | None, moved: Mapping[UUID, int]) -> list[NewDifference]:
    if own.state is not TransactionState.SUCCEEDED:
        return []
    what = "does not list it" if says is None else f"says {says.value}"
    return [_of_own("unknown_to_provider", own, moved.get(own.transaction_id, 0),
                    f"Here it succeeded; the provider {what}.")]


def _of_own(kind: str, own: Transaction, ours_units: int | None, detail: str) -> NewDifference:
    return NewDifference(kind, own.transaction_id.hex, own.transaction_id, own.provider_reference, ours_units, None,
                         detail)


def _difference(kind: str, their: ProviderTransaction, ours_units: int | None, theirs_units: int,
                detail: str) -> NewDifference:
    subject = their.transaction_id.hex if their.transaction_id is not None else \
        f"{their.kind} {their.provider_reference or their.at.isoformat()}"
    return NewDifference(kind, subject, their.transaction_id, their.provider_reference, ours_units, theirs_units,
                         detail)
