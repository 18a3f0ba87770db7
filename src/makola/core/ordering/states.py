"""What may follow what in an order's life (reference, section 3).

States only move forward. The one way back to PROCESSING is from ATTENTION_REQUIRED, where a person has resolved
something and says so. From ACCEPTED on an order is final: its reseller can change nothing any more.
"""

from collections.abc import Mapping

from makola.core.ordering.types import OrderState

FOLLOWING: Mapping[OrderState, frozenset[OrderState]] = {
    OrderState.CREATED: frozenset({OrderState.PROCESSING, OrderState.CANCELLED}),
    OrderState.PROCESSING: frozenset({
        OrderState.ACCEPTED, OrderState.ATTENTION_REQUIRED, OrderState.FAILED, OrderState.CANCELLED}),
    OrderState.ATTENTION_REQUIRED: frozenset({
        OrderState.PROCESSING, OrderState.FAILED, OrderState.CANCELLED}),
    OrderState.ACCEPTED: frozenset({
        OrderState.PART_SHIPPED, OrderState.SHIPPED, OrderState.COMPLETE, OrderState.FAILED}),
    # A second part shipment is told of too: the state stays, and its history grows.
    OrderState.PART_SHIPPED: frozenset({
        OrderState.PART_SHIPPED, OrderState.SHIPPED, OrderState.COMPLETE, OrderState.FAILED}),
    OrderState.SHIPPED: frozenset({OrderState.COMPLETE}),
    OrderState.COMPLETE: frozenset(),
    OrderState.FAILED: frozenset(),
    OrderState.CANCELLED: frozenset(),
}

#: Where money is reserved, for what has not been shipped.
HOLDING = frozenset({OrderState.ACCEPTED, OrderState.PART_SHIPPED})
#: Where a reseller may still cancel.
CANCELLABLE = frozenset({OrderState.CREATED, OrderState.PROCESSING, OrderState.ATTENTION_REQUIRED})


def may_follow(present: OrderState, following: OrderState) -> bool:
    """Say whether an order may go from one state to another."""
    return following in FOLLOWING[present]
