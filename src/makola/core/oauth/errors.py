"""What the OAuth server refuses, with the codes of RFC 6749 section 5.2."""

from makola.kit.errors import DomainError


class InvalidScopeError(DomainError):
    """A scope that does not exist was asked for."""

    code = "invalid_scope"
