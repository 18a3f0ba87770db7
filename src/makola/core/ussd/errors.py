"""What the USSD gateway refuses."""

from makola.kit.errors import DomainError


class InvalidServiceError(DomainError):
    """A service that cannot be: a wrong code, URL, or time."""

    code = "invalid_service"


class CodeTakenError(DomainError):
    """The service code is another service's already."""

    code = "code_taken"


class CodeNotOwnedError(DomainError):
    """The service code is below a code that is not the actor's."""

    code = "code_not_owned"


class UnknownServiceError(DomainError):
    """There is no such service in the actor's sight."""

    code = "unknown_service"


class UnknownSessionError(DomainError):
    """There is no such session in the actor's sight."""

    code = "unknown_session"


class UnknownStepError(DomainError):
    """A session has no such step that could be replayed."""

    code = "unknown_step"


class InputNeededError(DomainError):
    """A masked input is not on disk: whoever replays types it again."""

    code = "input_needed"


class WrongStateError(DomainError):
    """An event that cannot happen to a session in this state."""

    code = "wrong_state"


class HandoverUnavailableError(DomainError):
    """A payment cannot be taken over; the detail is for the service's owner."""

    code = "handover_unavailable"
