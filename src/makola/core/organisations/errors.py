"""What organisations refuse."""

from makola.kit.errors import DomainError


class UnknownOrganisationError(DomainError):
    """There is no such organisation in the actor's sight."""

    code = "unknown_organisation"


class InvalidSettingError(DomainError):
    """An account setting has a value that it cannot have."""

    code = "invalid_setting"


class PermissionDeniedError(DomainError):
    """The actor sees this, and may not do it."""

    code = "permission_denied"


class InvalidOrganisationError(DomainError):
    """A value that an organisation, an address, a role or a user's rights cannot have."""

    code = "invalid_value"


class InvalidMoveError(DomainError):
    """An organisation cannot be put there: below itself, or the root of the tree anywhere."""

    code = "invalid_move"


class UnknownAddressError(DomainError):
    """There is no such address in the actor's sight."""

    code = "unknown_address"


class UnknownMemberError(DomainError):
    """There is no such user in the actor's sight."""

    code = "unknown_user"


class UnknownRoleError(DomainError):
    """There is no such role in the actor's sight."""

    code = "unknown_role"


class RoleNameTakenError(DomainError):
    """The organisation has another role of this name."""

    code = "role_name_taken"


class UnknownEmulationError(DomainError):
    """There is no such emulation in the actor's sight, or it has ended."""

    code = "unknown_emulation"
