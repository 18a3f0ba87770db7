"""What may follow what, for transactions.

A provider's word that money moved is never refused: it counts in every state, and what came too much is paid back.
"""

from collections.abc import Mapping

from makola.core.checkout.types import TransactionState

TRANSACTION_FOLLOWING: Mapping[TransactionState, frozenset[TransactionState]] = {
    TransactionState.ASKING: frozenset({
        TransactionState.PENDING, TransactionState.SUCCEEDED, TransactionState.FAILED, TransactionState.UNDECIDED}),
    TransactionState.PENDING: frozenset({
        TransactionState.SUCCEEDED, TransactionState.FAILED, TransactionState.UNDECIDED}),
    TransactionState.UNDECIDED: frozenset({TransactionState.SUCCEEDED, TransactionState.FAILED}),
    TransactionState.FAILED: frozenset({TransactionState.SUCCEEDED}),
    TransactionState.SUCCEEDED: frozenset(),
}


def transaction_may(present: TransactionState, following: TransactionState) -> bool:
    """Say whether a transaction may go from one state to another."""
    return following in TRANSACTION_FOLLOWING[present]
