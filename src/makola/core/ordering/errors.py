"""What ordering refuses."""

from collections.abc import Sequence

from makola.core.ordering.types import OrderState
from makola.kit.errors import DomainError


class InvalidContentError(DomainError):
    """A basket or an order that cannot be.

    Args:
        problems: what is wrong, as field (such as `line_items[0].quantity`) and sentence; at least one.
    """

    code = "invalid_order"

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        field, message = problems[0]
        super().__init__(message, field=field)
        self.problems = tuple(problems)


class UnknownBasketError(DomainError):
    """There is no such basket in the actor's sight."""

    code = "unknown_basket"


class UnknownOrderError(DomainError):
    """There is no such order in the actor's sight."""

    code = "unknown_order"


class UnknownShippingTypeError(DomainError):
    """There is no such shipping type."""

    code = "unknown_shipping_type"


class BasketOrderedError(DomainError):
    """The basket has become an order and does not change any more."""

    code = "basket_ordered"


class DuplicatePurchaseOrderError(DomainError):
    """The organisation has used this purchase order number for an earlier order.

    Args:
        detail: one sentence that names the earlier order.
        order_id: the earlier order.
    """

    code = "duplicate_purchase_order"

    def __init__(self, detail: str, order_id: int) -> None:
        super().__init__(detail, field="purchase_order_number")
        self.order_id = order_id


class WrongStateError(DomainError):
    """The order is in a state in which this cannot be done.

    Args:
        detail: one sentence.
        state: the state that the order is in.
    """

    code = "wrong_order_state"

    def __init__(self, detail: str, state: OrderState) -> None:
        super().__init__(detail)
        self.state = state


class InvalidShipmentError(DomainError):
    """A shipment that does not fit its order: too many, too many serial numbers, a line that is not there."""

    code = "invalid_shipment"


class RequestKeyReusedError(DomainError):
    """The same idempotency key came with another request."""

    code = "request_key_reused"
