"""Where a warehouse's program tells what became of an order: `POST /fulfilment/events`."""

import time
from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from litestar import MediaType, Request, Response, Router, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from msgspec import Meta

from makola.connectors.webhook_fulfilment.signatures import is_genuine
from makola.core.ordering.errors import InvalidShipmentError, UnknownOrderError, WrongStateError
from makola.core.ordering.ports import PriceSource
from makola.core.ordering.service.notices import Notice, NoticeKind, take_notice
from makola.core.ordering.types import Origin, OriginKind, Parcel, ShippedItem
from makola.kit.database import Database
from makola.kit.errors import DomainError
from makola.kit.ids import parse_id

_BODY_BYTES_AT_MOST = 1_048_576
_ORIGIN = Origin(OriginKind.WAREHOUSE, name="webhook")
_STATUSES = {
    UnknownOrderError: HTTPStatus.NOT_FOUND,
    WrongStateError: HTTPStatus.CONFLICT,
    InvalidShipmentError: HTTPStatus.BAD_REQUEST,
}
_MOST_INTEGER = 2**63 - 1

_Text = Annotated[str, Meta(max_length=1000)]
_Number = Annotated[int, Meta(ge=0, le=_MOST_INTEGER)]
_Request = Request[object, object, State]


class _Line(msgspec.Struct):
    line: _Number
    quantity: _Number
    serial_numbers: list[str] = []
    mac_addresses: list[str] = []


class _Shipment(msgspec.Struct):
    id: Annotated[str, Meta(min_length=1, max_length=200)]
    line_items: list[_Line] | None = None
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""


class _Data(msgspec.Struct):
    reference: str
    reason: _Text = ""
    note: _Text = ""
    shipment: _Shipment | None = None


class _Message(msgspec.Struct):
    type: Literal["order.accepted", "order.attention_required", "order.shipped", "order.complete", "order.failed"]
    data: _Data


class _Taken(msgspec.Struct):
    """The order as it is now: an acceptance may find that it needs attention instead."""

    id: int
    reference: str
    status: str


class _Refused(msgspec.Struct):
    code: str
    detail: str
    field: str = ""
    status: str = ""


class _RefusedMessageError(Exception):
    """A message that is refused before it is looked at as an order's."""

    def __init__(self, status: HTTPStatus, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


class _Services:
    def __init__(self, database: Database, prices: PriceSource, secret: str) -> None:
        self.database = database
        self.prices = prices
        self.secret = secret


def create_fulfilment_router(database: Database, prices: PriceSource, secret: str) -> Router:
    """Return the route `/fulfilment/events`.

    Args:
        database: where the orders are.
        prices: what products are offered at.
        secret: `whsec_…`, with which the warehouse signs.
    """
    services = _Services(database, prices, secret)
    return Router(
        path="/fulfilment", route_handlers=[take_event],
        dependencies={"services": Provide(lambda: services, sync_to_thread=False)},
        exception_handlers={DomainError: _answer_refusal, _RefusedMessageError: _answer_bad_message,
                            HTTPException: _answer_http_error},
        request_max_body_size=_BODY_BYTES_AT_MOST, include_in_schema=False,
        response_headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})


@post("/events", status_code=200)
async def take_event(request: _Request, services: NamedDependency[_Services]) -> Response[bytes]:
    """Take a signed message; the same one (`webhook-id`) again changes nothing and is answered with the order."""
    body = await request.body()
    if not is_genuine(services.secret, request.headers, body, time.time()):
        raise _RefusedMessageError(HTTPStatus.UNAUTHORIZED, "not_authenticated",
                                   "The signature is wrong, or the message is older than five minutes.")
    notice = _notice(request.headers["webhook-id"], _read(body))
    async with services.database.transaction() as connection:
        taken = await take_notice(connection, notice, services.prices, _ORIGIN)
    return Response(msgspec.json.encode(_Taken(taken.order_id, taken.reference.hex, taken.state)),
                    media_type=MediaType.JSON)


def _read(body: bytes) -> _Message:
    if b"\\u0000" in body:
        raise _RefusedMessageError(HTTPStatus.BAD_REQUEST, "malformed", "Text cannot contain the NUL character.")
    try:
        return msgspec.json.decode(body, type=_Message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _RefusedMessageError(HTTPStatus.BAD_REQUEST, "malformed", str(error)) from error


def _notice(notice_id: str, message: _Message) -> Notice:
    reference = parse_id(message.data.reference)
    if reference is None:
        raise UnknownOrderError("There is no such order.", field="data.reference")
    kind = NoticeKind(message.type.removeprefix("order."))
    shipment = message.data.shipment
    if (kind is NoticeKind.SHIPPED) is not (shipment is not None):
        raise _RefusedMessageError(HTTPStatus.BAD_REQUEST, "malformed",
                                   "Exactly a message of type order.shipped has a shipment.")
    parcel = None if shipment is None else Parcel(
        None if shipment.line_items is None else tuple(
            ShippedItem(line.line, line.quantity, tuple(line.serial_numbers), tuple(line.mac_addresses))
            for line in shipment.line_items),
        shipment.carrier, shipment.tracking_number, shipment.tracking_url, shipment.id)
    return Notice(notice_id, kind, reference, message.data.reason, message.data.note, parcel)


def _refused(status: HTTPStatus, refusal: _Refused) -> Response[bytes]:
    return Response(msgspec.json.encode(refusal), status_code=status, media_type=MediaType.JSON)


def _answer_refusal(_request: _Request, error: DomainError) -> Response[bytes]:
    status = _STATUSES.get(type(error), HTTPStatus.BAD_REQUEST)
    state = str(error.state) if isinstance(error, WrongStateError) else ""
    return _refused(status, _Refused(error.code, error.detail, error.field, state))


def _answer_bad_message(_request: _Request, error: _RefusedMessageError) -> Response[bytes]:
    return _refused(error.status, _Refused(error.code, error.detail))


def _answer_http_error(_request: _Request, error: HTTPException) -> Response[bytes]:
    return _refused(HTTPStatus(error.status_code), _Refused("refused", error.detail))
