"""The loop that sends what is due. Any number of processes may run it over one database."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import structlog

from makola.core.callbacks import sending, signatures, store
from makola.core.callbacks.lanes import UNKNOWN_ROOM, Claimed, Lanes, Rooms
from makola.core.callbacks.types import CallbackPolicy, DeliveryState
from makola.kit.background import Background
from makola.kit.database import OUTAGE, Connection, Database, Record
from makola.kit.outgoing import HttpClient

_IDLE_S = 1.0
#: Steps are at least this far apart while attempts are under way, so that outcomes gather into batches.
_PACE_S = 0.01

#: Retries that are due sooner than this are waited for to the moment.
_TIMED_S = 10.0

_log = structlog.get_logger(__name__)


class CallbackWorker:
    """Claims deliveries under a lease, sends them, records what came of it.

    If the process dies, the lease lapses and the delivery is sent again under the same id: at least once.

    Args:
        database: where the deliveries are.
        http: the client to send with.
        policy: schedule and limits.
        wake: set when there may be something to send (`WakeUps.on(service.CHANNEL)`).
    """

    def __init__(self, database: Database, http: HttpClient, policy: CallbackPolicy | None = None, *,
                 wake: asyncio.Event | None = None) -> None:
        self._database = database
        self._http = http
        self._policy = policy or CallbackPolicy()
        self._wake = wake or asyncio.Event()
        self._lanes = Lanes(self._policy)
        self._tasks: dict[asyncio.Task[store.Outcome], Claimed] = {}
        self._outcomes: list[store.Outcome] = []
        self._released: list[Claimed] = []
        self._in_hand: set[UUID] = set()
        self._after = ""
        self._next_walk = 0.0
        self._wakes_at = 0.0
        self._last_step = 0.0
        self._stopping = False

    def run_in(self, background: Background) -> None:
        """Have `background` drive this worker. After `background.stop()`, call `stop`."""
        background.every("callbacks", self.step, idle_s=_IDLE_S, wake=self._wake)

    async def step(self) -> bool:
        """Record what has come back, claim what is due, start what has a free slot.

        Nothing here waits for a receiver. True when there may be more to claim at once.
        """
        await self._pace()
        async with self._database.connection() as connection:
            await self._write_down(connection)
            more = await self._claim(connection)
        self._last_step = asyncio.get_running_loop().time()
        self._start()
        return more

    async def stop(self, *, grace_s: float = 3.0) -> None:
        """Wait for the attempts under way, record them, and leave the rest to whoever comes next.

        Args:
            grace_s: for at most so many seconds; what is not answered by then is sent again later.
        """
        self._stopping = True
        self._released += self._lanes.empty()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_s)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if self._outcomes or self._released:
            try:
                async with self._database.connection() as connection:
                    await self._write_down(connection)
            except OUTAGE as error:  # the leases lapse: what we know is lost, no callback is
                _log.warning("callback_outcomes_lost", count=len(self._outcomes), error=str(error))

    async def _pace(self) -> None:
        wait_s = self._last_step + _PACE_S - asyncio.get_running_loop().time()
        if wait_s > 0 and (self._tasks or self._outcomes):
            await asyncio.sleep(wait_s)

    async def _write_down(self, connection: Connection) -> None:
        outcomes, released = list(self._outcomes), list(self._released)  # both grow while we wait
        if outcomes:
            await store.record(connection, outcomes)
            self._outcomes = self._outcomes[len(outcomes):]
            self._in_hand.difference_update(one.delivery_id for one in outcomes)
            self._wake_for_retries(outcomes)
            self._report(outcomes)
        if released:
            await store.release(connection, [(one.delivery_id, one.lease_until) for one in released])
            self._released = self._released[len(released):]
            self._in_hand.difference_update(one.delivery_id for one in released)

    def _wake_for_retries(self, outcomes: Sequence[store.Outcome]) -> None:
        delays_s = [one.delay_s for one in outcomes if one.delay_s is not None]
        if delays_s and min(delays_s) < _TIMED_S:  # a longer wait ends with one of the idle timer's beats
            asyncio.get_running_loop().call_later(min(delays_s) + _PACE_S, self._wake.set)

    async def _claim(self, connection: Connection) -> bool:
        if self._stopping:
            return False
        asked_at = asyncio.get_running_loop().time()
        rooms = self._lanes.rooms()
        rows: list[Record] = []
        if rooms.trusted and rooms.trusted_limit:
            rows += await store.claim_for(connection, rooms=rooms.trusted, limit=rooms.trusted_limit,
                                          lease_s=self._policy.lease_s)
        more = False
        if asked_at < self._next_walk:
            self._wake_at(self._next_walk)
        elif rooms.others_limit:
            walked, more = await self._walk(connection, rooms)
            rows += walked
        # One whose lease lapsed while it is still in our hands is left alone: its next lease will lapse too.
        fresh = [row for row in rows if row["delivery_id"] not in self._in_hand]
        secrets = await self._missing_secrets(connection, fresh)
        self._in_hand.update(row["delivery_id"] for row in fresh)
        self._lanes.add(self._claimed(row, secrets, asked_at) for row in fresh)
        return more

    async def _walk(self, connection: Connection, rooms: Rooms) -> tuple[Sequence[Record], bool]:
        """Claim for the receivers that are not trusted; True when the walk did not see all of them."""
        loop = asyncio.get_running_loop()
        began_after, began_at = self._after, loop.time()
        rows = await store.claim_around(
            connection, rooms=rooms.others, unknown_room=UNKNOWN_ROOM, after=began_after,
            limit=rooms.others_limit, lease_s=self._policy.lease_s)
        reached_limit = len(rows) == rooms.others_limit
        self._after = max(row["receiver"] for row in rows) if reached_limit else ""
        more = reached_limit or began_after != ""
        if not more:  # with thousands of receivers waiting a walk is long: it may take a tenth of the time
            ended_at = loop.time()
            self._next_walk = ended_at + min(9 * (ended_at - began_at), _IDLE_S)
        return rows, more

    def _wake_at(self, moment: float) -> None:
        if self._wakes_at != moment:
            self._wakes_at = moment
            asyncio.get_running_loop().call_at(moment, self._wake.set)

    async def _missing_secrets(self, connection: Connection, rows: Sequence[Record]) -> dict[int, str]:
        fresh = {row["organisation_id"]: signatures.new_secret() for row in rows if row["secret"] is None}
        return await store.secrets(connection, fresh) if fresh else {}

    def _claimed(self, row: Record, secrets: dict[int, str], asked_at: float) -> Claimed:
        fields = dict(row)
        fields["secret"] = fields["secret"] or secrets[fields["organisation_id"]]
        # Begun later than this, an attempt could outlive its lease.
        usable_s = max(self._policy.lease_s - self._policy.timeout_s, self._policy.lease_s / 2)
        return Claimed(**fields, stale_at=asked_at + usable_s)

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._lanes.park(loop.time())
        while not self._stopping and (delivery := self._lanes.start(loop.time())) is not None:
            if loop.time() > delivery.stale_at:
                self._lanes.forget(delivery)
                self._released.append(delivery)
                continue
            task = loop.create_task(sending.attempt(self._http, self._policy, delivery))
            self._tasks[task] = delivery
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[store.Outcome]) -> None:
        delivery = self._tasks.pop(task)
        if task.cancelled():
            self._lanes.forget(delivery)
            self._released.append(delivery)
        elif (error := task.exception()) is not None:
            # A defect of ours. The lease is left to lapse, so that we do not meet it again at once.
            self._lanes.forget(delivery)
            self._in_hand.discard(delivery.delivery_id)
            _log.error("callback_attempt_broken", delivery_id=delivery.delivery_id.hex, exc_info=error)
        else:
            outcome = task.result()
            self._outcomes.append(outcome)
            self._released += self._lanes.finish(delivery, asyncio.get_running_loop().time(),
                                                 answered=outcome.status is not None)
        self._wake.set()
        self._start()

    def _report(self, outcomes: Sequence[store.Outcome]) -> None:
        for outcome in outcomes:
            if outcome.state in {DeliveryState.FAILED, DeliveryState.GONE}:
                _log.warning("callback_given_up", delivery_id=outcome.delivery_id.hex, receiver=outcome.receiver,
                             state=outcome.state.value, detail=outcome.detail)
