"""What messaging refuses, each with its own code (seed, "Response Code")."""

from makola.kit.errors import DomainError


class UnrouteableError(DomainError):
    """No tier of the account has a price or the platform no route for the recipient's network."""

    code = "unrouteable"


class InvalidTimeError(DomainError):
    """The delivery time is in the past or too far ahead."""

    code = "invalid_time"


class ContentRejectedError(DomainError):
    """The content is one that the platform does not carry."""

    code = "content_rejected"


class ParameterNotAllowedError(DomainError):
    """A parameter that does not go with this message, or no longer with its state."""

    code = "parameter_not_allowed"


class InvalidParameterError(DomainError):
    """A parameter whose value cannot be."""

    code = "invalid_parameter"


class OutOfCreditError(DomainError):
    """An account on the chain of tiers cannot cover the message."""

    code = "out_of_credit"


class DoNotContactError(DomainError):
    """The recipient is on the account's or the platform's do-not-contact list."""

    code = "do_not_contact"


class UnknownMessageError(DomainError):
    """There is no such message in the actor's sight."""

    code = "unknown_message"


class NoGatewayError(DomainError):
    """There is a route, but nothing connects to the operator that it names."""

    code = "no_gateway"


class RequestKeyReusedError(DomainError):
    """The idempotency key was used before, for another request."""

    code = "request_key_reused"


class AcceptFailedError(DomainError):
    """The message could not be stored; nothing of it was."""

    code = "accept_failed"


class AcceptQueueFullError(DomainError):
    """More messages are waiting to be stored than may wait."""

    code = "accept_queue_full"
