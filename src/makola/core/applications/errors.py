"""What applications refuse."""

from makola.kit.errors import DomainError


class UnknownClientError(DomainError):
    """There is no such API client in the actor's sight, or it was revoked."""

    code = "unknown_client"


class InvalidClientError(DomainError):
    """A value that an API client cannot have."""

    code = "invalid_value"
