"""What the ledger refuses."""

from makola.kit.errors import DomainError


class InsufficientFundsError(DomainError):
    """An account cannot cover what is asked of it."""

    code = "insufficient_funds"


class UnknownAccountError(DomainError):
    """There is no such account."""

    code = "unknown_account"


class InvalidTransferError(DomainError):
    """An amount below 1, or two accounts between which nothing can move: the same, or of two currencies."""

    code = "invalid_transfer"


class HoldClosedError(DomainError):
    """There is no such hold, or it is closed already, or it reserves less than what is asked of it."""

    code = "hold_closed"
