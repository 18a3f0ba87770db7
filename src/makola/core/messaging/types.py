"""What a message is, and the states it may be in."""

import enum
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makola.core.ledger.types import Leg


class MessageKind(enum.IntEnum):
    """How the content is to be read (seed, "Send Message", Type)."""

    TEXT = 0
    BINARY = 1
    UNICODE = 2


class Direction(enum.StrEnum):
    """Who the message comes from: us (`out`) or a subscriber (`in`)."""

    OUT = "out"
    IN = "in"


class MessageStatus(enum.IntEnum):
    """Every status of the seed ("Event Data"). The numbers are stored; they never change."""

    SCHEDULED = 1
    ACCEPTED = 2
    SUBMITTED = 3
    BUFFERED_LOCALLY = 4
    SENT = 5
    BUFFERED = 6
    UNKNOWN = 7
    RECEIVED = 20
    DELIVERED = 21
    UNDELIVERABLE = 22
    EXPIRED = 23
    EXPIRED_LOCALLY = 24
    DELETED = 25
    REJECTED = 26
    ERROR = 27
    OUT_OF_CREDIT = 28
    SMSC_INVALID = 29
    BLACKLISTED = 30
    UNROUTEABLE = 31
    EXCEEDED_LIMITED = 32
    INVALID_SOURCE_ADDRESS = 33
    INVALID_DESTINATION_ADDRESS = 34
    INVALID_MESSAGE_LENGTH = 35
    INVALID_TIME = 36
    INVALID_MESSAGE_ID = 37
    INVALID_ACCOUNT = 38

    @property
    def is_final(self) -> bool:
        """True when no later status can follow."""
        return self >= MessageStatus.RECEIVED

    def may_become(self, later: "MessageStatus") -> bool:
        """True when `later` is a step forward: states never go back, and a final one stays."""
        return not self.is_final and later > self


#: The names as the seed writes them ("Event Data").
STATUS_NAMES: dict[MessageStatus, str] = {
    status: status.name.replace("_", " ").title() for status in MessageStatus
} | {
    MessageStatus.OUT_OF_CREDIT: "Out of Credit",
    MessageStatus.SMSC_INVALID: "SMSC Invalid",
    MessageStatus.INVALID_MESSAGE_ID: "Invalid Message ID",
    MessageStatus.INVALID_ACCOUNT: "Invalid Account ID/Number",
}


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message, as its owner may see it. Money in 1/10,000 of the currency's unit."""

    message_id: UUID
    organisation_id: int
    direction: Direction
    kind: MessageKind
    sender: str
    recipient: str
    content: str
    udh: str
    flash: bool
    network_id: str
    units: int
    price_units: int
    status: MessageStatus
    detail: str
    scheduled: bool
    time: datetime
    updated_at: datetime
    client_reference: str
    registered_delivery: bool
    billing_info: str


@dataclass(frozen=True, slots=True)
class SendRequest:
    """What somebody asks to be sent, already of the right types but otherwise as given.

    Attributes:
        recipient: a phone number, international or national.
        content: text, or hex digits for `MessageKind.BINARY`.
        time: when to send; None for at once.
        idempotency_key: empty for none; `request_sha256` tells a repeat from another request.
    """

    sender: str
    recipient: str
    content: str
    kind: MessageKind = MessageKind.TEXT
    udh: str = ""
    time: datetime | None = None
    flash: bool = False
    registered_delivery: bool = False
    client_reference: str = ""
    billing_info: str = ""
    idempotency_key: str = ""
    request_sha256: bytes = b""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that is on disk. `price_units` is 0 while it waits for its time."""

    message_id: UUID
    price_units: int
    network_id: str
    client_reference: str


class RequestKeyKind(enum.IntEnum):
    """What makes a repeated request recognisable."""

    IDEMPOTENCY_KEY = 0
    CLIENT_REFERENCE = 1


@dataclass(frozen=True, slots=True)
class RequestKey:
    """One key of one application."""

    application_id: int
    kind: RequestKeyKind
    key: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that is valid, priced and routed, and not yet stored."""

    message_id: UUID
    organisation_id: int
    application_id: int
    chain: tuple[int, ...]
    sender: str
    recipient: str
    network_id: str
    kind: MessageKind
    content: str
    udh: str
    units: int
    flash: bool
    registered_delivery: bool
    client_reference: str
    billing_info: str
    time: datetime | None
    connector: str
    legs: tuple[Leg, ...]
    price_units: int
    keys: tuple[RequestKey, ...]
    request_sha256: bytes
