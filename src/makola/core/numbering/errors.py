"""What numbering refuses."""

from typing import ClassVar

from makola.kit.errors import DomainError


class InvalidPhoneNumberError(DomainError):
    """The text is not a valid telephone number."""

    code: ClassVar[str] = "invalid_phone_number"


class InvalidSenderError(DomainError):
    """The text cannot stand as the sender of a message."""

    code: ClassVar[str] = "invalid_sender"
