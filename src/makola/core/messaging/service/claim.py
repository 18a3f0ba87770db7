"""Take the messages whose moment has come: schedules, retries, and what a dead process left behind."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from makola.core.billing.service import PriceList
from makola.core.billing.types import SMS, Charge
from makola.core.ledger import service as ledger
from makola.core.ledger.types import NewHold
from makola.core.messaging import store
from makola.core.messaging.do_not_contact import Listed, look_up
from makola.core.messaging.ports import OnUnknown, OutgoingMessage, SmsConnector
from makola.core.messaging.reports import Reports
from makola.core.messaging.routing import RoutingTable
from makola.core.messaging.store import Claim, DueMessage
from makola.core.messaging.types import MessageStatus
from makola.core.organisations.queries import find_active_chains
from makola.kit.clock import now
from makola.kit.database import Connection, Database

#: How long before its time a scheduled message is decided and paid for, so that at its time it only has to leave.
#: Until then it stays `Scheduled`, and can be moved and cancelled.
AHEAD = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Claimed:
    """Messages leased to this process.

    Attributes:
        groups: by connector and the moment at which they may leave.
        lease_until: when another process takes them over.
        row_count: how many rows were looked at.
    """

    groups: dict[tuple[str, datetime], list[OutgoingMessage]]
    lease_until: datetime
    row_count: int


class Claims:
    """Claims what is due, for the connectors of this installation.

    Args:
        lease_s: how long this process may take before another tries.
    """

    def __init__(self, database: Database, connectors: dict[str, SmsConnector], routing: RoutingTable,
                 prices: PriceList, reports: Reports, *, lease_s: float) -> None:
        self._database = database
        self._connectors = connectors
        self._routing = routing
        self._prices = prices
        self._reports = reports
        self._lease = timedelta(seconds=lease_s)
        self._ahead = min(AHEAD, self._lease / 2)  # the lease holds until the message leaves, however short it is

    async def take(self, limit: int) -> Claimed:
        """Decide up to `limit` rows whose moment has come or is about to; lease those that are to leave."""
        at = now()
        async with self._database.transaction() as connection:
            due = await store.lock_due(connection, at, self._ahead, limit)
            if not due:
                return Claimed({}, at, 0)
            claims = await self._decide(connection, due, at)
            await store.claim(connection, list(claims.values()), at)
            ended = [row for row in due if claims[row.message.message_id].status.is_final]
            await ledger.settle(
                connection, kind=SMS, void=[row.message.message_id for row in ended],
                # It may have been sent, and the operator may charge for it: so it is paid.
                post=[claim.message_id for claim in claims.values() if claim.status is MessageStatus.UNKNOWN])
            await self._reports.write(connection, [(row.message, claims[row.message.message_id].status)
                                                   for row in ended])
        groups: dict[tuple[str, datetime], list[OutgoingMessage]] = defaultdict(list)
        for row in due:
            claim = claims[row.message.message_id]
            if claim.due_at is not None:
                moment = max(row.due_at, at)
                groups[claim.connector, moment].append(store.outgoing_of(row.message, row.valid_until))
        return Claimed(groups, at + self._lease, len(due))

    async def _decide(self, connection: Connection, due: Sequence[DueMessage], at: datetime) -> dict[UUID, Claim]:
        # One that has a price was decided by a process that died since: it is paid for.
        scheduled = [row for row in due
                     if row.status is MessageStatus.SCHEDULED and not row.message.price_units]
        claims: dict[UUID, Claim] = {}
        if scheduled:
            claims = {claim.message_id: claim for claim in await self._release(connection, scheduled, at)}
        for row in due:
            if row.message.message_id not in claims:
                claims[row.message.message_id] = self._resume(row, at)
        return claims

    async def _release(self, connection: Connection, due: Sequence[DueMessage], at: datetime) -> list[Claim]:
        """Decide scheduled messages as they would be decided if they were sent now: their time has all but come."""
        messages = [row.message for row in due]
        chains = await find_active_chains(connection, {message.organisation_id for message in messages})
        listed = await look_up(connection, {message.recipient for message in messages})
        charges: dict[tuple[int, str], Charge | None] = {}
        for key in {(message.organisation_id, message.network_id) for message in messages}:
            charges[key] = None if (chain := chains.get(key[0])) is None else await self._prices.charge(
                chain, SMS, key[1], connection=connection)
        claims: list[Claim] = []
        holds: list[NewHold] = []
        for row in due:
            message = row.message
            charge = charges[message.organisation_id, message.network_id]
            claim = self._judge(row, chains.get(message.organisation_id), charge, listed, at)
            claims.append(claim)
            if claim.due_at is not None and charge is not None:
                holds.append(NewHold(message.message_id, charge.times(message.units)))
        made = await ledger.reserve(connection, holds, at) if holds else frozenset()
        return [claim if claim.due_at is None or claim.message_id in made
                else replace(claim, status=MessageStatus.OUT_OF_CREDIT, due_at=None, price_units=0,
                             detail="The account did not have enough credit when the message was due.")
                for claim in claims]

    def _judge(self, row: DueMessage, chain: Sequence[int] | None, charge: Charge | None, listed: Listed,
               at: datetime) -> Claim:
        message = row.message
        connector = self._routing.connector_for(message.network_id)
        ended = Claim(message.message_id, MessageStatus.BLACKLISTED, submitting=False, due_at=None,
                      connector=connector or "", price_units=0,
                      detail="The recipient has asked not to receive messages.")
        if chain is None:
            return replace(ended, status=MessageStatus.INVALID_ACCOUNT, detail="The account is suspended.")
        if listed.forbids(message.recipient, chain):
            return ended
        if connector is None or charge is None:
            return replace(ended, status=MessageStatus.UNROUTEABLE, detail="There was no route or no price any more.")
        if connector not in self._connectors:
            return replace(ended, status=MessageStatus.SMSC_INVALID, detail="The route's gateway is not connected.")
        status = MessageStatus.SCHEDULED if row.due_at > at else MessageStatus.ACCEPTED
        return replace(ended, status=status, due_at=at + self._lease, detail="",
                       price_units=charge.price_units * message.units)

    def _resume(self, row: DueMessage, at: datetime) -> Claim:
        """Decide a message that waits for a retry, or whose process died."""
        message = row.message
        again = Claim(message.message_id, row.status, submitting=row.submitting, due_at=at + self._lease,
                      connector=row.connector, price_units=message.price_units, detail="")
        connector = self._connectors.get(row.connector)
        if connector is None:
            return replace(again, status=MessageStatus.SMSC_INVALID, submitting=False, due_at=None, price_units=0,
                           detail="The route's gateway is not connected.")
        if row.submitting and connector.on_unknown is OnUnknown.HOLD:
            return replace(again, status=MessageStatus.UNKNOWN, submitting=False, due_at=None,
                           detail="The operator's answer was lost; it may have been sent, and is not sent again.")
        if row.valid_until <= at and not row.submitting:
            return replace(again, status=MessageStatus.EXPIRED_LOCALLY, due_at=None, price_units=0,
                           detail="The operator could not take it in time.")
        return again

