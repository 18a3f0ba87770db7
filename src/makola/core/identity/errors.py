"""What identity refuses."""

from makola.kit.errors import DomainError


class EmailTakenError(DomainError):
    """Somebody else signs in with this e-mail address."""

    code = "email_taken"


class InvalidUserError(DomainError):
    """A value that a person cannot have."""

    code = "invalid_value"
