"""Hand messages to their connectors, and record what came of it.

Before a batch leaves, it is recorded as leaving (`submitting`); after, its outcome is recorded. A process that dies in
between leaves rows whose lease runs out; what then happens is the connector's `on_unknown` (design, section 3).
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from makola.core.messaging import store
from makola.core.messaging.ports import OutgoingMessage, SmsConnector, SubmitOutcome
from makola.core.messaging.reports import Reports
from makola.core.messaging.service.claim import Claims
from makola.core.messaging.service.outcomes import record
from makola.kit.background import Background
from makola.kit.clock import now
from makola.kit.database import OUTAGE, Database

_log = structlog.get_logger(__name__)

BATCH = 500
#: How many batches of one connector may be under way at once.
WINDOW = 3
#: How many leased messages may wait in memory for one connector.
ROOM = 4_000
#: How often the table is looked at when nobody has said that something is due.
TICK_S = 0.2


@dataclass(slots=True)
class _Lane:
    """One connector's messages in this process."""

    connector: SmsConnector
    waiting: deque[tuple[list[OutgoingMessage], datetime | None]]
    waiting_count: int
    arrived: asyncio.Event


class Dispatcher:
    """Sends what is leased to this process, and claims what is due.

    Args:
        lease_s: how long a connector may take for a batch before the messages are tried again.
    """

    def __init__(self, database: Database, connectors: dict[str, SmsConnector], claims: Claims, reports: Reports, *,
                 lease_s: float) -> None:
        self._database = database
        self._claims = claims
        self._reports = reports
        self._lease_s = lease_s
        self._lanes = {name: _Lane(connector, deque(), 0, asyncio.Event()) for name, connector in connectors.items()}
        self._stopping = False

    def start(self, background: Background, wake: asyncio.Event) -> None:
        """Begin to send; `wake` is set when there are rows that nobody has leased."""
        background.every("messages-due", self._claim, idle_s=TICK_S, wake=wake)
        for name, lane in self._lanes.items():
            for number in range(WINDOW):
                background.run(f"dispatch-{name}-{number}", partial(self._serve, lane, background.stopping))

    def room(self, connector: str) -> int:
        """Return how many more messages for `connector` would be taken now."""
        lane = self._lanes.get(connector)
        return 0 if lane is None or self._stopping else ROOM - lane.waiting_count

    def take(self, connector: str, messages: Sequence[OutgoingMessage], lease_until: datetime) -> None:
        """Send messages that are stored, and leased to this process until `lease_until`."""
        self._put(self._lanes[connector], list(messages), lease_until)

    def _put(self, lane: _Lane, messages: list[OutgoingMessage], lease_until: datetime | None) -> None:
        lane.waiting.append((messages, lease_until))
        lane.waiting_count += len(messages)
        lane.arrived.set()

    async def _claim(self) -> bool:
        """Claim one batch; True when there may be more."""
        if min((self.room(name) for name in self._lanes), default=0) < BATCH:
            return False
        claimed = await self._claims.take(BATCH)
        for name, messages in claimed.by_connector.items():
            self._put(self._lanes[name], messages, None)  # recorded as leaving by the claim itself
        return claimed.row_count == BATCH

    async def _serve(self, lane: _Lane, stopping: asyncio.Event) -> None:
        """Send one batch after another until the process stops."""
        stop = asyncio.create_task(stopping.wait())
        try:
            while not stopping.is_set():
                if not lane.waiting:
                    lane.arrived.clear()
                    arrived = asyncio.create_task(lane.arrived.wait())
                    await asyncio.wait({stop, arrived}, return_when=asyncio.FIRST_COMPLETED)
                    arrived.cancel()
                    continue
                messages, lease_until = self._next_batch(lane)
                try:
                    await self._send(lane.connector, messages, lease_until)
                except OUTAGE as error:  # the leases run out, and the messages are claimed again
                    _log.warning("dispatch_waits_for_database", connector=lane.connector.name, error=str(error))
                    with suppress(TimeoutError):
                        await asyncio.wait_for(stopping.wait(), 1)
        finally:
            stop.cancel()

    def _next_batch(self, lane: _Lane) -> tuple[list[OutgoingMessage], datetime | None]:
        """Take what waits under the same lease, up to a batch."""
        messages, lease_until = lane.waiting.popleft()
        while lane.waiting and lane.waiting[0][1] == lease_until and len(messages) + len(lane.waiting[0][0]) <= BATCH:
            messages = messages + lane.waiting.popleft()[0]
        lane.waiting_count -= len(messages)
        return messages, lease_until

    async def _send(self, connector: SmsConnector, messages: list[OutgoingMessage],
                    lease_until: datetime | None) -> None:
        if lease_until is not None:
            async with self._database.connection() as connection:
                ours = await store.mark_submitting(connection, [message.message_id for message in messages],
                                                   lease_until=lease_until, at=now())
            messages = [message for message in messages if message.message_id in ours]
        if not messages:
            return
        outcomes = await self._submit(connector, messages)
        await record(self._database, self._reports, connector.name, outcomes)

    async def _submit(self, connector: SmsConnector, messages: Sequence[OutgoingMessage]) -> Sequence[SubmitOutcome]:
        try:
            async with asyncio.timeout(self._lease_s * 0.8):
                return await connector.submit(messages)
        except TimeoutError:
            # No answer: as after a crash, the rows stay `submitting`, and `on_unknown` decides when the lease ends.
            _log.error("connector_does_not_answer", connector=connector.name, size=len(messages))
            return ()


