"""Hand messages to their connectors, and record what came of it.

Before a batch leaves, it is recorded as leaving (`submitting`); after, its outcome is recorded. A process that dies in
between leaves rows whose lease runs out; what then happens is the connector's `on_unknown` (design, section 3).
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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

#: Notified when there are rows that nobody has leased.
CHANNEL = store.CHANNEL

BATCH = 500
#: How many claims may be under way at once.
CLAIMERS = 2
#: How many batches of one connector may be under way at once.
WINDOW = 3
#: While a batch is under way, fewer messages than this wait for it and leave together: as with the accept queue,
#: batches grow with the load, and one costs little more than one message.
WORTH_A_BATCH = 100
#: How many leased messages may wait in memory for one connector.
ROOM = 4_000
#: How many may, together with those that wait for their moment. At most: 20 MB.
ROOM_AHEAD = 20_000
#: How often the table is looked at when nobody has said that something is due.
TICK_S = 0.2
#: How many outcomes are recorded in one transaction, and how long they wait while more is due than has left.
_BOOKS_BATCH = 1_000
_BOOKS_WAIT_S = 0.5
#: The share of a lease that a connector may take to answer.
_PATIENCE = 0.7


@dataclass(slots=True)
class _Lane:
    """One connector's messages in this process."""

    connector: SmsConnector
    waiting: deque[tuple[OutgoingMessage, datetime]] = field(default_factory=deque)
    early: dict[asyncio.TimerHandle, list[tuple[OutgoingMessage, datetime]]] = field(default_factory=dict)
    outcomes: list[SubmitOutcome] = field(default_factory=list)
    under_way_count: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_ready(self) -> bool:
        """Whether another batch should leave now."""
        return (bool(self.waiting) and len(self.outcomes) < ROOM
                and (self.under_way_count == 0 or len(self.waiting) >= WORTH_A_BATCH))


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
        self._lanes = {name: _Lane(connector) for name, connector in connectors.items()}
        self._caught_up = asyncio.Event()
        self._caught_up.set()

    def start(self, background: Background, wake: asyncio.Event) -> None:
        """Begin to send; `wake` is set when there are rows that nobody has leased."""
        for number in range(CLAIMERS):  # while one waits for the database, the other reads what it got
            background.every(f"messages-due-{number}", self._claim, idle_s=TICK_S, wake=wake)
        for name, lane in self._lanes.items():
            for number in range(WINDOW):
                background.run(f"dispatch-{name}-{number}", partial(self._serve, lane, background.stopping))
            background.run(f"outcomes-{name}", partial(self._write_down, lane, background.stopping))
            background.run(f"give-back-{name}", partial(self._give_back, lane, background.stopping))

    def room(self, connector: str) -> int:
        """Return how many more messages for `connector` would be taken now."""
        lane = self._lanes.get(connector)
        return 0 if lane is None else ROOM - len(lane.waiting)

    def _room_ahead(self, lane: _Lane) -> int:
        return ROOM_AHEAD - len(lane.waiting) - sum(map(len, lane.early.values()))

    def take(self, connector: str, messages: Sequence[OutgoingMessage], lease_until: datetime) -> None:
        """Send messages that are stored, and leased to this process until `lease_until`."""
        lane = self._lanes[connector]
        lane.waiting.extend((message, lease_until) for message in messages)
        lane.changed.set()

    async def _claim(self) -> bool:
        """Claim one batch; True when there may be more."""
        if min((self._room_ahead(lane) for lane in self._lanes.values()), default=0) < BATCH:
            return False
        claimed = await self._claims.take(BATCH)
        for (name, moment), messages in claimed.groups.items():
            self._keep(self._lanes[name], moment, [(message, claimed.lease_until) for message in messages])
        if claimed.row_count < BATCH:
            self._caught_up.set()
            return False
        self._caught_up.clear()
        return True

    def _keep(self, lane: _Lane, moment: datetime, messages: list[tuple[OutgoingMessage, datetime]]) -> None:
        """Let messages leave at their moment."""
        def leave() -> None:
            lane.early.pop(timer, None)
            lane.waiting.extend(messages)
            lane.changed.set()

        timer = asyncio.get_running_loop().call_later(max(0.0, (moment - now()).total_seconds()), leave)
        lane.early[timer] = messages

    async def _give_back(self, lane: _Lane, stopping: asyncio.Event) -> None:
        """At the end, leave to other processes what this one has leased and will not send."""
        await stopping.wait()
        left = list(lane.waiting)
        lane.waiting.clear()
        for timer, messages in lane.early.items():
            timer.cancel()
            left.extend(messages)
        lane.early.clear()
        if left:
            async with self._database.connection() as connection:
                await store.give_back(connection, [(message.message_id, until) for message, until in left], now())

    async def _serve(self, lane: _Lane, stopping: asyncio.Event) -> None:
        """Send one batch after another until the process stops."""
        stop = asyncio.create_task(stopping.wait())
        try:
            while not stopping.is_set():
                if not lane.is_ready:
                    lane.changed.clear()
                    changed = asyncio.create_task(lane.changed.wait())
                    try:
                        await asyncio.wait({stop, changed}, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        changed.cancel()
                    continue
                batch = [lane.waiting.popleft() for _ in range(min(BATCH, len(lane.waiting)))]
                lane.under_way_count += 1
                try:
                    await self._send(lane, batch)
                except OUTAGE as error:  # the leases run out, and the messages are claimed again
                    _log.warning("dispatch_waits_for_database", connector=lane.connector.name, error=str(error))
                    with suppress(TimeoutError):
                        await asyncio.wait_for(stopping.wait(), 1)
                finally:
                    lane.under_way_count -= 1
                    lane.changed.set()
        finally:
            stop.cancel()

    async def _send(self, lane: _Lane, batch: Sequence[tuple[OutgoingMessage, datetime]]) -> None:
        at = now()
        async with self._database.connection() as connection:
            ours = await store.mark_submitting(connection, [(message.message_id, until) for message, until in batch],
                                               lease_until=at + timedelta(seconds=self._lease_s), at=at)
        messages = [message for message, _ in batch if message.message_id in ours]
        if not messages:
            return
        lane.outcomes.extend(await self._submit(lane.connector, messages))
        lane.answered.set()

    async def _write_down(self, lane: _Lane, stopping: asyncio.Event) -> None:
        """Record outcomes, many at once, until the process stops and nothing is under way.

        While more is due than has left, this waits a little: what is due leaves first.
        """
        while lane.outcomes or lane.under_way_count or not stopping.is_set():
            if not lane.outcomes:
                lane.answered.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(lane.answered.wait(), TICK_S)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._caught_up.wait(), _BOOKS_WAIT_S)
            batch = lane.outcomes[:_BOOKS_BATCH]
            try:
                await record(self._database, self._reports, lane.connector.name, batch)
            except OUTAGE as error:
                _log.warning("outcomes_wait_for_database", connector=lane.connector.name, error=str(error))
                await asyncio.sleep(1)
                continue
            del lane.outcomes[:len(batch)]
            lane.changed.set()

    async def _submit(self, connector: SmsConnector, messages: Sequence[OutgoingMessage]) -> Sequence[SubmitOutcome]:
        try:
            async with asyncio.timeout(self._lease_s * _PATIENCE):
                return await connector.submit(messages)
        except TimeoutError:
            # No answer: as after a crash, the rows stay `submitting`, and `on_unknown` decides when the lease ends.
            _log.error("connector_does_not_answer", connector=connector.name, size=len(messages))
            return ()


