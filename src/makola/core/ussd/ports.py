"""What stands around the gateway: operators that push, and the checkout that takes payments."""

import enum
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from makola.core.ussd.screens import Encoding
from makola.core.ussd.types import CartItem, OperatorError, Screen
from makola.kit.values import Value


class PushKind(enum.StrEnum):
    """What an operator pushes."""

    DIAL = "dial"
    INPUT = "input"
    CANCEL = "cancel"
    #: The operator does not say: the first push of a session dials, every other one is an input.
    UNSAID = "unsaid"


class Push(Value, frozen=True):
    """One request of an operator.

    Attributes:
        connector: the operator's connection.
        operator_session_id: the operator's own id of the session; with `connector`, what makes it known again.
        push_id: what makes a repeat recognisable within the session; empty where the operator has nothing. It is
            stored, so it must hold nothing that the subscriber typed.
        mobile: E.164 with the plus sign.
        operator: the network's name, as in `Vodafone`.
        dialled: the whole code, `*714#`; may be empty where `kind` is INPUT or CANCEL.
        text: what the subscriber typed, where `joined` is None.
        joined: everything typed so far in this session, for operators that always send all of it.
        separator: what the operator joins with.
    """

    hidden = frozenset({"text", "joined"})

    connector: str
    operator_session_id: str
    push_id: str
    kind: PushKind
    mobile: str
    operator: str
    dialled: str = ""
    text: str = ""
    joined: tuple[str, ...] | None = None
    separator: str = "*"


class Reply(Value, frozen=True):
    """What the operator is to show; `session_id` is None where no session came about."""

    session_id: UUID | None
    screen: Screen
    encoding: Encoding


class Gateway(Protocol):
    """What operators' connectors call."""

    async def push(self, push: Push) -> Reply:
        """Take one push; return what the subscriber is to see, once it is on disk. Never raises for a failing step.

        An ended session's CANCEL is answered like any other: with a last, empty screen.
        """

    async def report(self, connector: str, operator_session_id: str, error: OperatorError, *,
                     dialled: str = "") -> None:
        """Take an operator's word that it could not go on with a session, or, with what was dialled, not begin one."""


class OperatorSide(Protocol):
    """What a connector offers that can speak to a subscriber without being asked."""

    @property
    def name(self) -> str:
        """The name that its pushes carry as `connector`."""

    async def timed_out(self, operator_session_id: str, mobile: str, screen: Screen) -> None:
        """Show a last screen because the subscriber took too long."""


@dataclass(frozen=True, slots=True)
class CartOrder:
    """A payment that a session asks for.

    Attributes:
        organisation_id: who is to be paid: the service's owner.
        mobile: E.164 with the plus sign: who pays.
        operator: the subscriber's network, as in `Vodafone`.
        item: what for; the amount is quantity times price.
        fulfilment_url: where the service's owner wants to hear of the outcome; empty for nowhere.
    """

    session_id: UUID
    organisation_id: int
    service_id: int
    mobile: str
    operator: str
    item: CartItem
    fulfilment_url: str


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The payment is under way. `text` is shown to the subscriber and ends the session."""

    reference: UUID
    text: str


class PaymentHandover(Protocol):
    """What takes payments: the online checkout, which tells `CartOrder.fulfilment_url` of the outcome."""

    async def hand_over(self, order: CartOrder) -> HandedOver:
        """Begin a payment. The same session again is the same payment.

        Raises:
            HandoverUnavailableError: it cannot be begun; the detail is for the service's owner.
        """
