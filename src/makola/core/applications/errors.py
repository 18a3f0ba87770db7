"""What applications refuse."""

from makola.kit.errors import DomainError


class UnknownClientError(DomainError):
    """There is no such API client in the actor's sight, or it was revoked."""

    code = "unknown_client"


class InvalidClientError(DomainError):
    """A value that an API client cannot have."""

    code = "invalid_value"


class UnknownApplicationError(DomainError):
    """There is no such application in the actor's sight, or its owner has closed it."""

    code = "unknown_application"


class InvalidApplicationError(DomainError):
    """A value that an application cannot have; `field` names it."""

    code = "invalid_value"


class UnknownSecretError(DomainError):
    """The application has no such secret that still holds."""

    code = "unknown_secret"


class UnknownSubmissionError(DomainError):
    """There is no such submission."""

    code = "unknown_submission"


class SubmissionDecidedError(DomainError):
    """The submission does not wait for a review any more: it was decided, withdrawn, or replaced."""

    code = "submission_decided"


class NotInstalledError(DomainError):
    """The organisation has not authorized this application."""

    code = "not_installed"
