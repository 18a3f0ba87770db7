"""What the virtual operator knows: handsets, what is on them, and how it behaves."""

import enum
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makola.core.messaging.types import MessageKind, MessageStatus

#: The statuses with which the operator may refuse a submission.
REFUSALS = frozenset({
    MessageStatus.REJECTED, MessageStatus.ERROR, MessageStatus.SMSC_INVALID, MessageStatus.UNROUTEABLE,
    MessageStatus.EXCEEDED_LIMITED, MessageStatus.INVALID_SOURCE_ADDRESS,
    MessageStatus.INVALID_DESTINATION_ADDRESS, MessageStatus.INVALID_MESSAGE_LENGTH,
    MessageStatus.INVALID_TIME, MessageStatus.INVALID_MESSAGE_ID, MessageStatus.INVALID_ACCOUNT,
})

#: The statuses that a receipt may be made to carry whatever the handset did.
RECEIPT_STATUSES = frozenset(status for status in MessageStatus if status.is_final) | {MessageStatus.UNKNOWN}


class HandsetState(enum.StrEnum):
    """What a handset does with a message."""

    ON = "on"
    OFF = "off"
    FULL = "full"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class Unlisted(enum.StrEnum):
    """What happens to a message for a number that has no handset."""

    DELIVER = "deliver"
    UNDELIVERABLE = "undeliverable"


class Direction(enum.StrEnum):
    """Who a message on a handset comes from, seen by the person who holds it."""

    RECEIVED = "received"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class OperatorDefaults:
    """How the operator behaves where `sandbox.operator` does not say otherwise.

    Attributes:
        delivery_delay_ms: from acceptance to the attempt to deliver.
        buffer_expiry_s: how long a message waits for a handset that is off.
        unlisted: what happens to a message for a number without a handset.
        inbox_limit: messages kept for one number; older ones are removed.
    """

    delivery_delay_ms: int = 300
    buffer_expiry_s: int = 86_400
    unlisted: Unlisted = Unlisted.DELIVER
    inbox_limit: int = 1_000


@dataclass(frozen=True, slots=True)
class OperatorStatus:
    """How the operator behaves now. `revision` grows with every change of it or of a handset."""

    available: bool
    delivery_delay_ms: int
    buffer_expiry_s: int
    revision: int


@dataclass(frozen=True, slots=True)
class Handset:
    """A virtual phone.

    Attributes:
        number: E.164 with the plus sign.
        refusal: the status with which the operator refuses what is submitted for this number.
        receipt_status: what the final receipt says instead of what happened.
        deferral: the operator answers every submission for this number with "not now".
        waiting: messages that the operator keeps because the handset is off.
        last_message_id: the newest message on it; 0 for none.
        cleared_to: messages up to this id were deleted by its holder.
    """

    number: str
    network_id: str
    name: str
    state: HandsetState
    refusal: MessageStatus | None
    receipt_status: MessageStatus | None
    deferral: bool
    waiting: int
    last_message_id: int
    cleared_to: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class HandsetMessage:
    """A message on a handset.

    Attributes:
        id: grows with every message of every handset, in the order in which they appear.
        peer: the other side: who sent what was received, who was sent what was sent.
        message_id: the hub's id of what was received.
    """

    id: int
    number: str
    direction: Direction
    peer: str
    kind: MessageKind
    content: str
    udh: str
    units: int
    flash: bool
    message_id: UUID | None
    at: datetime
