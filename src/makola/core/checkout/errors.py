"""What checkout refuses."""

from makola.kit.errors import DomainError


class UnknownMerchantAccountError(DomainError):
    """There is no merchant account of this number."""

    code = "unknown_merchant_account"


class MerchantAccountUnavailableError(DomainError):
    """The merchant account is not activated, or suspended."""

    code = "merchant_account_unavailable"


class NotOwnerError(DomainError):
    """The merchant account belongs to another organisation."""

    code = "not_account_owner"


class InvalidCheckoutError(DomainError):
    """A value of the request is missing or not valid."""

    code = "invalid_checkout"


class SumMismatchError(InvalidCheckoutError):
    """Items times prices are not the total."""

    code = "sum_mismatch"


class ReferenceReusedError(InvalidCheckoutError):
    """The client reference names another request already."""

    code = "reference_reused"


class AmountTooSmallError(DomainError):
    """The amount is below the least, or the fees would take all of it."""

    code = "amount_too_small"


class AmountTooLargeError(InvalidCheckoutError):
    """The amount is above the most that a checkout may be."""

    code = "amount_too_large"


class ChannelNotPermittedError(DomainError):
    """The merchant account may not use this channel, or nobody serves it."""

    code = "channel_not_permitted"


class PayoutNotPermittedError(DomainError):
    """Money cannot leave this merchant account: its business is not verified, or it has no sweep account."""

    code = "payout_not_permitted"


class BalanceTooSmallError(DomainError):
    """The settlement balance does not cover what is asked of it."""

    code = "balance_too_small"


class UnknownCheckoutError(DomainError):
    """There is no such checkout."""

    code = "unknown_checkout"


class UnknownTransactionError(DomainError):
    """There is no such transaction."""

    code = "unknown_transaction"


class CheckoutClosedError(DomainError):
    """The checkout is paid, ordered, cancelled or expired already."""

    code = "checkout_closed"


class TooManyAttemptsError(DomainError):
    """This checkout was tried too often."""

    code = "too_many_attempts"


class NotRefundableError(DomainError):
    """The payment did not succeed, or less of it is left than what is to be refunded."""

    code = "not_refundable"


class InvalidDocumentError(DomainError):
    """An uploaded document is too large, or is not what it says it is."""

    code = "invalid_document"


class WrongStateError(DomainError):
    """The merchant account is not in a state in which this can be done."""

    code = "wrong_merchant_state"
