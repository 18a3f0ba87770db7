"""What identity refuses."""

from makola.kit.errors import DomainError


class EmailTakenError(DomainError):
    """Somebody else signs in with this e-mail address."""

    code = "email_taken"


class InvalidUserError(DomainError):
    """A value that a person cannot have."""

    code = "invalid_value"


class WrongCredentialsError(DomainError):
    """Nobody signs in with this: one answer, whatever the reason."""

    code = "wrong_credentials"


class TooManyAttemptsError(DomainError):
    """Too many wrong attempts for this account, or from this address.

    Args:
        retry_after_s: the seconds until the next attempt is looked at.
    """

    code = "too_many_attempts"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("There were too many attempts. Wait, then try again.")
        self.retry_after_s = retry_after_s


class TooBusyError(DomainError):
    """More people sign in at this moment than the machine has time to check."""

    code = "too_busy"


class PasswordRefusedError(DomainError):
    """Too short, too long, or one of those that are tried first."""

    code = "password_refused"


class WrongPasswordError(DomainError):
    """The present password is not this."""

    code = "wrong_password"


class WrongCodeError(DomainError):
    """The code of the second factor is wrong, too old, or was used."""

    code = "wrong_code"


class ChallengeGoneError(DomainError):
    """What was begun is not under way any more: it took too long, or it was done already."""

    code = "challenge_gone"


class PasskeyRefusedError(DomainError):
    """The authenticator's answer does not prove what it should."""

    code = "passkey_refused"


class UnknownSessionError(DomainError):
    """The person has no such session, or no such passkey."""

    code = "unknown_session"


class LinkGoneError(DomainError):
    """An invitation or reset link that was used, replaced, withdrawn, has expired, or never was."""

    code = "link_gone"


class NothingToInviteToError(DomainError):
    """The person has a password already; there is nothing to accept."""

    code = "already_registered"
