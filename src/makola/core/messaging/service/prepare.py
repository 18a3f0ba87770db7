"""Validate, segment, route and price a message in memory; nothing is written here."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from makola.core.applications.types import Caller
from makola.core.billing.service import PriceList
from makola.core.billing.types import SMS
from makola.core.messaging.errors import (
    ContentRejectedError,
    InvalidParameterError,
    InvalidTimeError,
    NoGatewayError,
    ParameterNotAllowedError,
    UnrouteableError,
)
from makola.core.messaging.routing import RoutingTable
from makola.core.messaging.segments import plan
from makola.core.messaging.types import Draft, MessageKind, RequestKey, RequestKeyKind, SendRequest
from makola.core.numbering.phone_numbers import parse_phone_number
from makola.core.numbering.sender_ids import parse_sender
from makola.kit.clock import now
from makola.kit.ids import new_id

LONGEST_REFERENCE = 255
#: A time this little in the past is a clock that differs from ours, and means now.
CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is needed to turn a request into a draft.

    Attributes:
        connectors: the names of the connectors that this installation has.
        schedule_horizon: how far ahead a message may be scheduled.
    """

    routing: RoutingTable
    prices: PriceList
    connectors: Collection[str]
    schedule_horizon: timedelta

    async def draft(self, caller: Caller, request: SendRequest) -> Draft:
        """Return `request` as a message ready to be stored.

        Raises:
            DomainError: one of this domain's, numbering's or segmentation's errors, naming the field at fault.
        """
        _check_parameters(request)
        actor = caller.actor
        recipient = parse_phone_number(request.recipient, region=actor.country_code, field="recipient")
        sender = parse_sender(request.sender)
        units = plan(request.kind, request.content, request.udh).units
        time = check_time(request.time, self.schedule_horizon)
        if request.kind is not MessageKind.BINARY and (phrase := self.routing.blocked_phrase_in(request.content)):
            raise ContentRejectedError(f"The content has a phrase that is not carried: {phrase!r}.", field="content")
        connector = self.routing.connector_for(recipient.network_id)
        charge = await self.prices.charge(actor.chain, SMS, recipient.network_id)
        if connector is None or charge is None:
            missing = "route" if connector is None else "price"
            raise UnrouteableError(
                f"There is no {missing} for {recipient.e164} (network {recipient.network_id}) on this account.",
                field="recipient")
        if connector not in self.connectors:
            raise NoGatewayError(f"No gateway is connected for network {recipient.network_id}.", field="recipient")
        return Draft(
            message_id=new_id(), organisation_id=actor.organisation_id, application_id=actor.application_id,
            chain=actor.chain, sender=sender, recipient=recipient.e164, network_id=recipient.network_id,
            kind=request.kind, content=request.content, udh=request.udh, units=units, flash=request.flash,
            registered_delivery=request.registered_delivery, client_reference=request.client_reference,
            billing_info=request.billing_info, time=time, connector=connector, legs=charge.times(units),
            price_units=charge.price_units * units, keys=_keys(caller, request),
            request_sha256=request.request_sha256)


def check_time(time: datetime | None, horizon: timedelta) -> datetime | None:
    """Return when to send; None for at once.

    Raises:
        InvalidTimeError: the time is past, or further ahead than `horizon`.
    """
    if time is None:
        return None
    at = now()
    if time < at - CLOCK_TOLERANCE:
        raise InvalidTimeError("The delivery time is in the past.", field="time")
    if time > at + horizon:
        raise InvalidTimeError(f"The delivery time is more than {horizon.days} days ahead.", field="time")
    return time if time > at else None


def _check_parameters(request: SendRequest) -> None:
    for field in ("client_reference", "billing_info", "idempotency_key"):
        value: str = getattr(request, field)
        if value and (len(value) > LONGEST_REFERENCE or not value.isprintable()):
            raise InvalidParameterError(f"At most {LONGEST_REFERENCE} printable characters.", field=field)
    if request.kind is not MessageKind.BINARY and request.udh:
        raise ParameterNotAllowedError("A User Data Header goes with binary messages only.", field="udh")
    if request.kind is MessageKind.BINARY and request.flash:
        raise ParameterNotAllowedError("A binary message cannot be a flash message.", field="flash")


def _keys(caller: Caller, request: SendRequest) -> tuple[RequestKey, ...]:
    application_id = caller.application.application_id
    keys = []
    if request.idempotency_key:
        keys.append(RequestKey(application_id, RequestKeyKind.IDEMPOTENCY_KEY, request.idempotency_key))
    if request.client_reference and caller.application.unique_client_reference:
        keys.append(RequestKey(application_id, RequestKeyKind.CLIENT_REFERENCE, request.client_reference))
    return tuple(keys)
