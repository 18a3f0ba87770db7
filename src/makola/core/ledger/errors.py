"""What the ledger refuses."""

from makola.kit.errors import DomainError


class InsufficientFundsError(DomainError):
    """An account cannot cover what is asked of it."""

    code = "insufficient_funds"


class UnknownAccountError(DomainError):
    """There is no such account."""

    code = "unknown_account"
