"""Handing orders over: one attempt; ordering's worker decides on the next one."""

import time
from datetime import datetime

import msgspec

from makola.core.callbacks.signatures import signature_headers
from makola.core.ordering.ports import Handover, Outcome, WarehouseOrder
from makola.core.organisations.countries import country_by_id
from makola.kit.clock import now
from makola.kit.outgoing import Answer, InvalidUrlError, OutgoingError, OutgoingHttp

_CONNECT_TIMEOUT_S = 5.0
#: The warehouse says that this order cannot be; anything else that is not 2xx may pass.
_REFUSALS = frozenset({400, 409, 422})
_REFUSED = "The warehouse cannot take this order."
_MOST_REASON_CHARACTERS = 1000
_DECIDED = {"ACCEPTED": Outcome.ACCEPTED, "ATTENTION_REQUIRED": Outcome.ATTENTION, "FAILED": Outcome.FAILED}


class _Address(msgspec.Struct):
    company_name: str
    recipient_name: str
    addr_line_1: str
    addr_line_2: str
    city: str
    region: str
    postal_code: str
    country_code: int
    country_iso_code: str


class _Line(msgspec.Struct):
    line: int
    product: int
    product_code: str
    vendor: int | None
    name: str
    prov_product_code: str
    quantity: int
    is_shippable: bool


class _Order(msgspec.Struct):
    id: int
    reference: str
    submission: int
    organisation: int
    purchase_order_number: str
    shipping_type: str
    shipping_address: _Address | None
    provisioning_instructions: str
    line_items: list[_Line]


class _Message(msgspec.Struct):
    type: str
    timestamp: datetime
    data: _Order


class _Decision(msgspec.Struct):
    """What a warehouse may answer at once; without it, it tells later."""

    status: str = ""
    reason: str = ""
    note: str = ""


class WebhookFulfilment:
    """A warehouse's program.

    Args:
        http: the client; the URL is the operator's own, so it may be a private address.
        url: where orders are posted.
        secret: `whsec_…`, known to the warehouse.
        timeout_s: for one attempt.
    """

    name = "webhook"

    def __init__(self, http: OutgoingHttp, url: str, secret: str, *, timeout_s: float = 15.0) -> None:
        self._http = http
        self._url = url
        self._secret = secret
        self._timeout_s = timeout_s

    async def submit(self, order: WarehouseOrder) -> Handover:
        """Post `order.submitted`; a 2xx answer takes the order, and may decide on it at once."""
        answer = await self._post("order.submitted", order, f"{order.reference.hex}-{order.submission}")
        if isinstance(answer, Handover):
            return answer
        decision = _decision(answer)
        reason = decision.reason[:_MOST_REASON_CHARACTERS].replace("\0", "")
        note = decision.note[:_MOST_REASON_CHARACTERS].replace("\0", "")
        if answer.status in _REFUSALS:
            return Handover(Outcome.ATTENTION, reason or _REFUSED, note or f"It answered {answer.status}.")
        return Handover(_DECIDED.get(decision.status, Outcome.TAKEN), reason, note)

    async def cancel(self, order: WarehouseOrder) -> Handover:
        """Post `order.cancelled`; whatever the warehouse answers but being out of reach will do."""
        answer = await self._post("order.cancelled", order, f"{order.reference.hex}-{order.submission}-cancelled")
        return answer if isinstance(answer, Handover) else Handover(Outcome.TAKEN)

    async def _post(self, kind: str, order: WarehouseOrder, webhook_id: str) -> Answer | Handover:
        """Return the answer; what to do, where there is none that counts."""
        body = msgspec.json.encode(_Message(kind, now(), _written(order)))
        headers = signature_headers(self._secret, webhook_id, int(time.time()), body)
        try:
            answer = await self._http.request(
                "POST", self._url, headers={**headers, "Content-Type": "application/json"}, body=body,
                timeout_s=self._timeout_s, connect_timeout_s=_CONNECT_TIMEOUT_S)
        except (OutgoingError, InvalidUrlError) as error:
            return Handover(Outcome.RETRY, note=str(error))
        if 200 <= answer.status < 300 or answer.status in _REFUSALS:
            return answer
        return Handover(Outcome.RETRY, note=f"It answered {answer.status}.")


def _decision(answer: Answer) -> _Decision:
    try:
        return msgspec.json.decode(answer.body, type=_Decision)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Decision()  # the answer's body is its own affair


def _written(order: WarehouseOrder) -> _Order:
    return _Order(
        order.order_id, order.reference.hex, order.submission, order.organisation_id, order.purchase_order_number,
        order.shipping_type, _address(order), order.provisioning_instructions,
        [_Line(line.number, line.product_id, line.product_code, line.vendor_id, line.name, line.prov_product_code,
               line.quantity, line.is_shippable) for line in order.lines])


def _address(order: WarehouseOrder) -> _Address | None:
    address = order.shipping_address
    if address is None:
        return None
    country = country_by_id(address.country_id)
    return _Address(
        address.company_name, address.recipient_name, address.addr_line_1, address.addr_line_2, address.city,
        address.region, address.postal_code, address.country_id, country.iso_code if country is not None else "")
