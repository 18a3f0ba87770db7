"""What a connector to an operator must offer, and what it may call back."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from makola.core.messaging.types import MessageKind, MessageStatus


class OnUnknown(enum.Enum):
    """What to do with a message whose submission was under way when the process died."""

    RESEND = "resend"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message on its way to an operator.

    Attributes:
        message_id: ours; the same on every attempt, so that an operator who can may recognise a repeat.
        sender: alphanumeric sender id or number.
        recipient: E.164 with the plus sign.
        content: text, or hex digits when `kind` is binary.
        udh: User Data Header as hex digits; empty for none (3GPP TS 23.040 section 9.2.3.24).
        units: the number of segments.
        valid_until: when the operator should give up.
    """

    message_id: UUID
    sender: str
    recipient: str
    network_id: str
    kind: MessageKind
    content: str
    udh: str
    units: int
    flash: bool
    registered_delivery: bool
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """The operator took the message: one of its ids for each segment."""

    message_id: UUID
    provider_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The operator will never take this message; `status` is final and says why."""

    message_id: UUID
    status: MessageStatus
    detail: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now (throttled, connection down): try again after `retry_after_s` seconds."""

    message_id: UUID
    retry_after_s: float
    detail: str


SubmitOutcome = Taken | Refused | Deferred


@dataclass(frozen=True, slots=True)
class Receipt:
    """A delivery report from an operator: a hint about one submission. May come twice, late or early."""

    connector: str
    provider_id: str
    status: MessageStatus
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message from a subscriber. `provider_id` makes a repeat recognisable."""

    connector: str
    provider_id: str
    sender: str
    recipient: str
    content: str
    network_id: str
    at: datetime


class OperatorEvents(Protocol):
    """What a connector tells the core. Both return when what was told is committed; both bear repeats."""

    async def receipts(self, batch: Sequence[Receipt]) -> None:
        """Take delivery reports."""

    async def inbound(self, batch: Sequence[InboundMessage]) -> None:
        """Take messages from subscribers."""


class SmsConnector(Protocol):
    """A connection to one operator or aggregator."""

    @property
    def name(self) -> str:
        """The name that routes use."""

    @property
    def on_unknown(self) -> OnUnknown:
        """What to do with a message left in the middle of its submission by a crash."""

    async def submit(self, batch: Sequence[OutgoingMessage]) -> Sequence[SubmitOutcome]:
        """Hand `batch` to the operator; one outcome for each message, in any order.

        Must not raise for a failing operator: that is `Deferred`.
        """
