"""What organisations refuse."""

from makola.kit.errors import DomainError


class UnknownOrganisationError(DomainError):
    """There is no such organisation in the actor's sight."""

    code = "unknown_organisation"


class InvalidSettingError(DomainError):
    """An account setting has a value that it cannot have."""

    code = "invalid_setting"
