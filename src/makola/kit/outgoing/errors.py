"""What can go wrong when we call somebody. No message here holds an URL's query or a credential."""

from typing import ClassVar

from makola.kit.errors import DomainError


class InvalidUrlError(DomainError):
    """The URL cannot be called at all: a wrong scheme, no host, an odd spelling of an address."""

    code: ClassVar[str] = "invalid_url"


class OutgoingError(Exception):
    """A request that got no usable answer. The text is one sentence for the URL's owner."""


class BlockedAddressError(OutgoingError):
    """The host has an address that the policy does not permit; nothing was sent.

    The text does not name the address: what a name means inside our network is not the URL owner's business.

    Args:
        address: what was refused, for the operator.
    """

    def __init__(self, address: str) -> None:
        super().__init__("the host's address is not permitted (it is local, private or reserved)")
        self.address = address


class OutgoingTimeoutError(OutgoingError):
    """No connection, or no complete answer, within the time allowed."""


class OutgoingConnectionError(OutgoingError):
    """The name does not resolve, the connection was refused or broke off, or TLS failed."""


class InvalidAnswerError(OutgoingError):
    """What came back is not HTTP."""
