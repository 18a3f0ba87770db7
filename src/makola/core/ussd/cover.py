"""Which steps of a batch the accounts can pay for: one that lacks credit must not cost the others their batch. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping

from makola.core.ussd.store.rows import Intent


def sort_out(waiting: Mapping[int, Intent],
             available: Mapping[int, int | None]) -> tuple[list[int], list[int], frozenset[int]]:
    """Return the places of what accounts can pay for together, of what they cannot pay for even alone, and which lack.

    In the order of arrival: the last credit goes to who came first. What lacks only what others take now is in neither
    list, and whatever needs the same accounts waits with it: they may be paid by the others, too.

    Args:
        waiting: steps by their places, in their order.
        available: what may be spent from each account, None for no limit.
    """
    left = dict(available)
    covered, unpaid, lacking = [], [], set()
    awaited: set[int] = set()
    for place, intent in waiting.items():
        needed: Counter[int] = Counter()
        for leg in intent.legs:
            needed[leg.debit_id] += leg.amount_units
        if short := _short_of(needed, available):
            lacking |= short
            unpaid.append(place)
        elif awaited.isdisjoint(needed) and not _short_of(needed, left):
            covered.append(place)
            for account_id, units in needed.items():
                before = left[account_id]
                left[account_id] = None if before is None else before - units
        else:
            awaited |= needed.keys()
    return covered, unpaid, frozenset(lacking)


def _short_of(needed: Mapping[int, int], available: Mapping[int, int | None]) -> set[int]:
    return {account_id for account_id, units in needed.items()
            if (has := available.get(account_id, 0)) is not None and has < units}


def debited(batch: Iterable[Intent]) -> set[int]:
    """Return the accounts that pay for steps."""
    return {leg.debit_id for intent in batch for leg in intent.legs}
