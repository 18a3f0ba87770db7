"""Why the control of the virtual operator refuses something."""

from makola.kit.errors import DomainError


class InvalidInputError(DomainError):
    """A value that makes no sense."""

    code = "invalid"


class HandsetNotFoundError(DomainError):
    """There is no handset with this number."""

    code = "handset_not_found"


class HandsetExistsError(DomainError):
    """There is a handset with this number already."""

    code = "handset_exists"


class TooManyHandsetsError(DomainError):
    """No more handsets may be made."""

    code = "too_many_handsets"


class HandsetCannotSendError(DomainError):
    """The handset is off, not on the network, or the network is down."""

    code = "handset_cannot_send"


class TooManyStreamsError(DomainError):
    """Too many event streams are open in this process."""

    code = "too_many_streams"


class PromptNotFoundError(DomainError):
    """There is no such prompt on this handset."""

    code = "prompt_not_found"


class PromptClosedError(DomainError):
    """The prompt was answered already, or it timed out."""

    code = "prompt_closed"


class CardSessionNotFoundError(DomainError):
    """There is no such card payment."""

    code = "card_payment_not_found"


class NoUssdSessionError(DomainError):
    """The handset has no such USSD session."""

    code = "no_ussd_session"


class LinkDownError(DomainError):
    """The operator's link is down: it answers nobody."""

    code = "link_down"
