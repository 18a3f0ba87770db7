"""What may follow what, for checkouts and transactions.

A provider's word that money moved is never refused: it counts in every state, and what came too much is paid back.
"""

from collections.abc import Mapping

from makola.core.checkout.types import CheckoutState, TransactionState

CHECKOUT_FOLLOWING: Mapping[CheckoutState, frozenset[CheckoutState]] = {
    CheckoutState.OPEN: frozenset({
        CheckoutState.PAID, CheckoutState.ORDERED, CheckoutState.FAILED, CheckoutState.CANCELLED,
        CheckoutState.EXPIRED}),
    CheckoutState.PAID: frozenset({CheckoutState.REFUNDED}),
    CheckoutState.ORDERED: frozenset(),
    CheckoutState.FAILED: frozenset(),
    CheckoutState.CANCELLED: frozenset(),
    CheckoutState.EXPIRED: frozenset(),
    CheckoutState.REFUNDED: frozenset(),
}

TRANSACTION_FOLLOWING: Mapping[TransactionState, frozenset[TransactionState]] = {
    TransactionState.ASKING: frozenset({
        TransactionState.PENDING, TransactionState.SUCCEEDED, TransactionState.FAILED, TransactionState.UNDECIDED}),
    TransactionState.PENDING: frozenset({
        TransactionState.SUCCEEDED, TransactionState.FAILED, TransactionState.UNDECIDED}),
    TransactionState.UNDECIDED: frozenset({TransactionState.SUCCEEDED, TransactionState.FAILED}),
    TransactionState.FAILED: frozenset({TransactionState.SUCCEEDED}),
    TransactionState.SUCCEEDED: frozenset(),
}


def checkout_may(present: CheckoutState, following: CheckoutState) -> bool:
    """Say whether a checkout may go from one state to another."""
    return following in CHECKOUT_FOLLOWING[present]


def transaction_may(present: TransactionState, following: TransactionState) -> bool:
    """Say whether a transaction may go from one state to another."""
    return following in TRANSACTION_FOLLOWING[present]
