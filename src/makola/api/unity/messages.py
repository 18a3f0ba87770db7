"""Messages: send, read, list, schedule, cancel (reference, section 1)."""

import hashlib
from datetime import datetime
from uuid import UUID

import msgspec

from makola.api.common.asgi import Answer
from makola.api.common.credentials import URL_CREDENTIALS as CREDENTIALS
from makola.api.unity import values
from makola.api.unity.endpoint import Endpoint, UnityContext
from makola.api.unity.errors import UnityError
from makola.api.unity.request import UnityRequest
from makola.api.unity.values import format_time
from makola.core.applications.types import AnswerCasing
from makola.core.messaging.errors import UnknownMessageError
from makola.core.messaging.queries import MessageFilter, find_message, list_messages
from makola.core.messaging.service.schedule import cancel, reschedule
from makola.core.messaging.types import (
    STATUS_NAMES,
    Accepted,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
    SendRequest,
)
from makola.kit.ids import parse_id

_GROUP = "Messages"
_MOST_LISTED = 1000


class SendMessage(msgspec.Struct, rename="pascal"):
    """What to send. Names may be in any case; unknown, null and read-only fields are ignored."""

    from_: str = msgspec.field(name="From")
    to: str
    content: str
    type: int = 0
    udh: str = ""
    time: str = ""
    client_reference: str = ""
    registered_delivery: bool = False
    flash_message: bool = False
    billing_info: str = ""


class QuickSend(msgspec.Struct, rename="pascal"):
    """The same in the query string, with credentials where no Authorization header is sent."""

    from_: str = msgspec.field(name="From")
    to: str
    content: str
    client_id: str = ""
    client_secret: str = ""
    registered_delivery: bool = False
    type: int = 0
    udh: str = ""
    time: str = ""
    flash_message: bool = False
    client_reference: str = ""


class SendAnswer(msgspec.Struct, rename="pascal", omit_defaults=True):
    """A message that is on disk. `Status` 0; `Rate` is 0 while the message waits for its time."""

    status: int
    message_id: str
    rate: int | float
    network_id: str
    client_reference: str = ""


class SendAnswerCamel(msgspec.Struct, rename="camel", omit_defaults=True):
    """The same for applications whose `answer_casing` is `camel`."""

    rate: int | float
    message_id: str
    status: int
    network_id: str
    client_reference: str = ""
    status_description: str = ""


class MessageAnswer(msgspec.Struct, rename="pascal"):
    """A stored message. `Status` is the name of its state; `Detail` says why it ended so."""

    message_id: str
    type: int
    from_: str = msgspec.field(name="From")
    to: str
    content: str
    direction: str
    time: str
    update_time: str
    network_id: str
    units: int
    rate: int | float
    status: str
    client_reference: str
    registered_delivery: bool
    flash_message: bool
    udh: str
    billing_info: str
    detail: str


class MessageQuery(msgspec.Struct):
    """Which messages to list: those that left or arrived, oldest first, or with `pending` those that wait."""

    index: int = 0
    limit: int = 100
    start: str = ""
    end: str = ""
    pending: bool = False
    direction: str = ""


class MessageList(msgspec.Struct, rename="pascal"):
    """A page of messages. `Count` is how many there are in all."""

    messages: list[MessageAnswer]
    count: int
    total_pages: int
    index: int
    limit: int


class Reschedule(msgspec.Struct, rename="pascal"):
    """Another time for a scheduled message."""

    time: str


class StatusAnswer(msgspec.Struct, rename="pascal"):
    """Done."""

    status: int


async def send(context: UnityContext, request: UnityRequest) -> Answer:
    """Accept a message; the answer is sent when it is on disk."""
    return await _send(context, request, request.body or request.query, 201)


async def quick_send(context: UnityContext, request: UnityRequest) -> Answer:
    """Accept a message whose parameters are in the query string."""
    return await _send(context, request, request.query, 200)


async def _send(context: UnityContext, request: UnityRequest, given: values.Values, status: int) -> Answer:
    draft = await context.preparation.draft(request.caller, _read(request, given))
    accepted = await context.accept_queue.submit(draft)
    location = f"{request.base_url}/{request.version}/messages/{accepted.message_id.hex}"
    headers = ((b"location", location.encode("latin-1", "replace")),) if status == 201 else ()
    return _send_answer(request, accepted, status, headers)


def _read(request: UnityRequest, given: values.Values) -> SendRequest:
    if not given.keys() - CREDENTIALS:
        raise UnityError("malformed", "No data was sent.")
    key = request.idempotency_key
    return SendRequest(
        sender=values.text(given, "from", code="invalid_sender", field="sender"),
        recipient=values.text(given, "to", code="invalid_phone_number", field="recipient"),
        content=values.text(given, "content", code="invalid_content", field="content"),
        kind=MessageKind(values.integer(given, "type", field="kind", default=0, least=0, most=2)),
        udh=values.text(given, "udh", field="udh"),
        time=values.time(given, "time", field="time", zone=request.caller.actor.time_zone),
        flash=values.boolean(given, "flashmessage", field="flash"),
        registered_delivery=values.boolean(given, "registereddelivery", field="registered_delivery"),
        client_reference=values.text(given, "clientreference", field="client_reference"),
        billing_info=values.text(given, "billinginfo", field="billing_info"),
        idempotency_key=key, request_sha256=_hash(given) if key or request.caller.application.unique_client_reference
        else b"")


def _hash(given: values.Values) -> bytes:
    """Return what tells a repeated request from another one: its values, however they were written."""
    pairs = sorted((name, value) for name, value in given.items() if name not in CREDENTIALS)
    return hashlib.sha256(msgspec.json.encode(pairs)).digest()


def _send_answer(request: UnityRequest, accepted: Accepted, status: int,
                 headers: tuple[tuple[bytes, bytes], ...] = ()) -> Answer:
    rate = values.rate(accepted.price_units)
    message_id = accepted.message_id.hex
    if request.caller.application.answer_casing is AnswerCasing.CAMEL:
        camel = SendAnswerCamel(rate, message_id, 0, accepted.network_id, accepted.client_reference,
                                "The message was accepted.")
        return Answer(status, msgspec.json.encode(camel), headers)
    pascal = SendAnswer(0, message_id, rate, accepted.network_id, accepted.client_reference)
    return Answer(status, msgspec.json.encode(pascal), headers)


async def get_message(context: UnityContext, request: UnityRequest) -> Answer:
    """Answer with one message."""
    actor = request.caller.actor
    message = await find_message(context.database, actor, _message_id(request))
    return Answer(200, msgspec.json.encode(message_answer(message, actor.time_zone)))


async def query_messages(context: UnityContext, request: UnityRequest) -> Answer:
    """Answer with a page of messages, oldest first."""
    actor, query = request.caller.actor, request.query
    skip = values.integer(query, "index", field="index", default=0, least=0, most=2**31)
    limit = values.integer(query, "limit", field="limit", default=100, least=1, most=_MOST_LISTED)
    wanted = MessageFilter(
        pending=values.boolean(query, "pending", field="pending"), direction=_direction(query),
        start=_moment(query, "start", actor.time_zone), end=_moment(query, "end", actor.time_zone))
    messages, total = await list_messages(context.database, actor, wanted, skip=skip, limit=limit)
    return Answer(200, msgspec.json.encode(MessageList(
        [message_answer(message, actor.time_zone) for message in messages], total, -(-total // limit), skip, limit)))


def _moment(query: values.Values, name: str, zone: str) -> datetime | None:
    """Read one end of a period; a date alone is its midnight."""
    value = query.get(name)
    if isinstance(value, str) and len(value.strip()) == 10:
        query = {name: f"{value.strip()} 00:00"}
    return values.time(query, name, field=name, zone=zone)


def _direction(query: values.Values) -> Direction | None:
    word = values.text(query, "direction", field="direction").strip().lower()
    if not word:
        return None
    if word not in {"in", "out"}:
        raise UnityError("invalid_parameter", "This must be in or out.", field="direction")
    return Direction(word)


async def reschedule_message(context: UnityContext, request: UnityRequest) -> Answer:
    """Give a scheduled message another time (PUT)."""
    return await _reschedule(context, request, 200)


async def reschedule_message_by_post(context: UnityContext, request: UnityRequest) -> Answer:
    """Give a scheduled message another time (POST)."""
    return await _reschedule(context, request, 201)


async def _reschedule(context: UnityContext, request: UnityRequest, status: int) -> Answer:
    actor = request.caller.actor
    time = values.time(request.values, "time", field="time", zone=actor.time_zone)
    if time is None:
        raise UnityError("invalid_time", "A time is needed, such as 2030-01-31 23:59:59.", field="time")
    message = await reschedule(context.database, actor, _message_id(request), time, horizon=context.schedule_horizon)
    return _send_answer(request, Accepted(message.message_id, message.price_units, message.network_id,
                                          message.client_reference), status)


async def cancel_message(context: UnityContext, request: UnityRequest) -> Answer:
    """Cancel a scheduled message; after this answer it is not sent."""
    await cancel(context.database, request.caller.actor, _message_id(request))
    return Answer(200, msgspec.json.encode(StatusAnswer(0)))


def _message_id(request: UnityRequest) -> UUID:
    message_id = parse_id(request.path["message_id"])
    if message_id is None:
        raise UnknownMessageError("There is no such message.", field="message_id")
    return message_id


def message_answer(message: Message, zone: str) -> MessageAnswer:
    """Write a message as this family does."""
    return MessageAnswer(
        message_id=message.message_id.hex, type=int(message.kind), from_=message.sender, to=message.recipient,
        content=message.content, direction=str(message.direction), time=format_time(message.time, zone),
        update_time=format_time(message.updated_at, zone), network_id=message.network_id, units=message.units,
        rate=values.rate(message.price_units), status=STATUS_NAMES[message.status],
        client_reference=message.client_reference, registered_delivery=message.registered_delivery,
        flash_message=message.flash, udh=message.udh, billing_info=message.billing_info, detail=message.detail)


def report_parameters(message: Message, status: MessageStatus) -> tuple[tuple[str, str], ...]:
    """Write a delivery report as this family does (seed, "Event Data")."""
    return (("From", message.sender), ("To", message.recipient), ("MessageId", message.message_id.hex),
            ("ClientReference", message.client_reference), ("Status", STATUS_NAMES[status]))


_SEND_ERRORS = (400, 401, 402, 403, 409, 413, 500, 502, 503)

ENDPOINTS = (
    Endpoint("GET", "/messages/send", quick_send, "messages.send", "Send a message with one URL", _GROUP,
             {200: SendAnswer}, query=QuickSend, mounts=("v1", "v2", "v3"), errors=_SEND_ERRORS, cased=True),
    Endpoint("POST", "/messages/send", send, "messages.send", "Send a message", _GROUP, {201: SendAnswer},
             body=SendMessage, errors=_SEND_ERRORS, cased=True),
    Endpoint("POST", "/messages", send, "messages.send", "Send or schedule a message", _GROUP, {201: SendAnswer},
             body=SendMessage, errors=_SEND_ERRORS, cased=True),
    Endpoint("GET", "/messages", query_messages, "messages.read", "List messages", _GROUP, {200: MessageList},
             query=MessageQuery, errors=(400, 401)),
    Endpoint("GET", "/messages/{message_id}", get_message, "messages.read", "Read a message", _GROUP,
             {200: MessageAnswer}, errors=(401, 404)),
    Endpoint("PUT", "/messages/{message_id}", reschedule_message, "messages.send", "Reschedule a message", _GROUP,
             {200: SendAnswer}, body=Reschedule, errors=(400, 401, 404, 413), cased=True),
    Endpoint("POST", "/messages/{message_id}", reschedule_message_by_post, "messages.send",
             "Reschedule a message (POST)", _GROUP, {201: SendAnswer}, body=Reschedule, errors=(400, 401, 404, 413),
             cased=True),
    Endpoint("DELETE", "/messages/{message_id}", cancel_message, "messages.send", "Cancel a scheduled message", _GROUP,
             {200: StatusAnswer}, errors=(400, 401, 404)),
)
