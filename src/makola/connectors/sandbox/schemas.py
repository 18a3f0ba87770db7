"""What the control of the virtual operator reads and writes as JSON."""

from datetime import datetime

import msgspec

from makola.connectors.sandbox.errors import InvalidInputError
from makola.connectors.sandbox.handsets import KEEP, Kept
from makola.connectors.sandbox.networks import NETWORKS
from makola.connectors.sandbox.types import Handset, HandsetMessage, HandsetState, OperatorStatus
from makola.core.messaging.types import MessageStatus


class NewHandset(msgspec.Struct, forbid_unknown_fields=True):
    """The body that makes a handset."""

    number: str | None = None
    network_id: str | None = None
    name: str = ""


class HandsetChange(msgspec.Struct, forbid_unknown_fields=True):
    """The body that changes a handset; what is left out stays."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    state: HandsetState | msgspec.UnsetType = msgspec.UNSET
    refusal: str | msgspec.UnsetType | None = msgspec.UNSET
    receipt_status: str | msgspec.UnsetType | None = msgspec.UNSET
    deferral: bool | msgspec.UnsetType = msgspec.UNSET


class OperatorChange(msgspec.Struct, forbid_unknown_fields=True):
    """The body that changes the operator; what is left out stays."""

    available: bool | None = None
    delivery_delay_ms: int | None = None
    buffer_expiry_s: int | None = None


class NewMessage(msgspec.Struct, forbid_unknown_fields=True):
    """The body with which a handset sends an SMS."""

    to: str
    content: str


class HandsetView(msgspec.Struct):
    """A handset."""

    number: str
    network_id: str
    network: str
    name: str
    state: HandsetState
    refusal: str | None
    receipt_status: str | None
    deferral: bool
    waiting: int
    last_message_id: int
    cleared_to: int
    created_at: datetime


class MessageView(msgspec.Struct):
    """A message on a handset."""

    id: int
    number: str
    direction: str
    peer: str
    kind: str
    content: str
    udh: str
    units: int
    flash: bool
    message_id: str | None
    at: datetime


class NetworkView(msgspec.Struct):
    """A network for which handsets can be made."""

    network_id: str
    name: str


class OperatorView(msgspec.Struct):
    """How the operator behaves now."""

    available: bool
    delivery_delay_ms: int
    buffer_expiry_s: int
    networks: list[NetworkView]


class ErrorView(msgspec.Struct):
    """Why a request was refused."""

    error: str
    detail: str
    field: str = ""


def view_handset(handset: Handset) -> HandsetView:
    """Return a handset as it is written."""
    network = NETWORKS.get(handset.network_id)
    return HandsetView(
        handset.number, handset.network_id, network.name if network else "Unknown network", handset.name,
        handset.state, _status_name(handset.refusal), _status_name(handset.receipt_status), handset.deferral,
        handset.waiting, handset.last_message_id, handset.cleared_to, handset.created_at)


def view_message(message: HandsetMessage) -> MessageView:
    """Return a message as it is written."""
    return MessageView(
        message.id, message.number, message.direction, message.peer, message.kind.name.lower(), message.content,
        message.udh, message.units, message.flash, message.message_id.hex if message.message_id else None,
        message.at)


def view_operator(status: OperatorStatus) -> OperatorView:
    """Return the operator's behaviour as it is written."""
    networks = [NetworkView(network.network_id, network.name) for network in NETWORKS.values()]
    return OperatorView(status.available, status.delivery_delay_ms, status.buffer_expiry_s, networks)


def read_status(name: str | msgspec.UnsetType | None, field: str) -> MessageStatus | Kept | None:
    """Read a status written in any case, with spaces or underscores.

    Raises:
        InvalidInputError: there is no such status.
    """
    if name is None:
        return None
    if isinstance(name, msgspec.UnsetType):
        return KEEP
    status = MessageStatus.__members__.get(name.strip().upper().replace(" ", "_"))
    if status is None:
        raise InvalidInputError(f"there is no status {name[:32]!r}", field=field)
    return status


def _status_name(status: MessageStatus | None) -> str | None:
    return None if status is None else status.name.lower()
