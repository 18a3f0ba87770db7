"""What the virtual operator does with what it took: deliver it, let it wait, or give up; then report."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from makola.connectors.sandbox import store
from makola.connectors.sandbox.connector import provider_ids
from makola.connectors.sandbox.store import DueSubmission, Progress, Settled, Unreported
from makola.connectors.sandbox.types import HandsetState, OperatorDefaults, Unlisted
from makola.core.messaging.ports import InboundMessage, OperatorEvents, Receipt
from makola.core.messaging.types import MessageStatus
from makola.kit.background import Background
from makola.kit.clock import now
from makola.kit.database import Database, WakeUps

_BATCH = 500
_LOOPS = 2
_IDLE_S = 1.0
_LEASE_S = 10.0
_UPKEEP_EVERY_S = 5.0
_TRIM_BATCH = 5_000
_KEEP_SUBMISSIONS = timedelta(days=3)
_KEEP_MESSAGES = timedelta(days=30)

_FATES = {
    HandsetState.ON: MessageStatus.DELIVERED,
    HandsetState.FULL: MessageStatus.EXCEEDED_LIMITED,
    HandsetState.BLOCKED: MessageStatus.REJECTED,
    HandsetState.UNKNOWN: MessageStatus.UNDELIVERABLE,
}

_DETAILS = {
    MessageStatus.DELIVERED: "",
    MessageStatus.BUFFERED: "the subscriber's handset is off",
    MessageStatus.EXPIRED: "the handset was not reached in time",
    MessageStatus.EXCEEDED_LIMITED: "the handset's memory is full",
    MessageStatus.REJECTED: "the subscriber blocks the sender",
    MessageStatus.UNDELIVERABLE: "the subscriber is not known to the network",
}


def settle(due: DueSubmission, at: datetime, buffer_expiry_s: int, unlisted: Unlisted) -> Settled:
    """Decide about one due submission.

    Args:
        due: the submission and the handset's state.
        at: the present moment.
        buffer_expiry_s: how long it may wait for a handset that is off.
        unlisted: what happens when there is no handset.
    """
    fate = _fate(due, at, unlisted)
    if fate is MessageStatus.BUFFERED:
        expires_at = due.expires_at or min(at + timedelta(seconds=buffer_expiry_s), due.valid_until)
        return Settled(due.submission_id, due.units, Progress.BUFFERED, fate, expires_at, on_handset=False)
    outcome = fate if due.receipt_status is None else MessageStatus(due.receipt_status)
    return Settled(due.submission_id, due.units, Progress.DONE, outcome, None,
                   on_handset=fate is MessageStatus.DELIVERED)


def _fate(due: DueSubmission, at: datetime, unlisted: Unlisted) -> MessageStatus:
    if due.valid_until <= at:
        return MessageStatus.EXPIRED
    if due.handset_state is None:
        return MessageStatus.DELIVERED if unlisted is Unlisted.DELIVER else MessageStatus.UNDELIVERABLE
    state = HandsetState(due.handset_state)
    if state is not HandsetState.OFF:
        return _FATES[state]
    expired = due.expires_at is not None and due.expires_at <= at
    return MessageStatus.EXPIRED if expired else MessageStatus.BUFFERED


class Delivery:
    """The operator's inner life, batch by batch. Every step may run in many processes at once.

    Args:
        database: where the operator keeps its tables.
        events: who is told receipts and inbound messages.
        defaults: how the operator behaves where nobody said otherwise.
        connector_name: what receipts name as their connector.
        lease_s: after how many seconds another process reports what this one seems to have left.
    """

    def __init__(self, database: Database, events: OperatorEvents, defaults: OperatorDefaults | None = None, *,
                 connector_name: str = "sandbox", lease_s: float = _LEASE_S) -> None:
        self._database = database
        self._events = events
        self._defaults = defaults or OperatorDefaults()
        self._connector_name = connector_name
        self._lease_s = lease_s

    def start(self, background: Background, wake_ups: WakeUps) -> None:
        """Run everything in `background`. `wake_ups` listens on `CHANNELS`."""
        for number in range(_LOOPS):
            self._start_delivering(background, wake_ups, f"sandbox-delivery-{number + 1}")
        background.every("sandbox-reports", self.report_left, idle_s=_IDLE_S)
        background.every("sandbox-inbound", self.tell_inbound, idle_s=_IDLE_S,
                         wake=wake_ups.on(store.DUE_CHANNEL))
        background.every("sandbox-upkeep", self.keep_up, idle_s=_UPKEEP_EVERY_S)

    def _start_delivering(self, background: Background, wake_ups: WakeUps, name: str) -> None:
        wake = wake_ups.on(store.DUE_CHANNEL)
        alarm: asyncio.TimerHandle | None = None

        async def step() -> bool:
            nonlocal alarm
            if await self.deliver_due() == _BATCH:
                return True
            next_due_at = await store.fetch_next_due(self._database)
            if alarm is not None:
                alarm.cancel()
                alarm = None
            if next_due_at is not None:
                delay_s = max(0.0, (next_due_at - now()).total_seconds())
                alarm = asyncio.get_running_loop().call_later(delay_s, wake.set) if delay_s < _IDLE_S else None
            return False

        background.every(name, step, idle_s=_IDLE_S, wake=wake)

    async def deliver_due(self) -> int:
        """Deal with one batch of what is due and report it; return how many were due."""
        reports, count = await self._deliver()
        await self._report(reports)
        return count

    async def _deliver(self) -> tuple[Sequence[Unreported], int]:
        async with self._database.transaction() as connection:
            await store.lock_switch(connection)
            at = now()
            due = await store.fetch_due(connection, at, _BATCH)
            if not due:
                return [], 0
            status = await store.fetch_status(connection, self._defaults)
            settled = [settle(submission, at, status.buffer_expiry_s, self._defaults.unlisted)
                       for submission in due]
            await store.settle(connection, settled, at, self._lease_s)
        return [Unreported(s.submission_id, s.units, s.outcome, at) for s in settled], len(due)

    async def report_left(self) -> bool:
        """Report what a process that died had not reported."""
        reports = await store.claim_unreported(self._database, now(), self._lease_s, _BATCH)
        await self._report(reports)
        return len(reports) == _BATCH

    async def _report(self, reports: Sequence[Unreported]) -> None:
        """Tell the core, and only then note that it was told: after a crash it is told again."""
        if not reports:
            return
        await self._events.receipts([
            Receipt(self._connector_name, provider_id, status, report.at, _DETAILS.get(status, ""))
            for report in reports
            for status in (MessageStatus(report.outcome),)
            for provider_id in provider_ids(report.submission_id, report.units)])
        await store.mark_reported(self._database, reports)

    async def tell_inbound(self) -> bool:
        """Tell the core one batch of what handsets sent."""
        rows = await store.claim_mobile_originated(self._database, now(), self._lease_s, _BATCH)
        if rows:
            await self._events.inbound([
                InboundMessage(self._connector_name, str(row["id"]), row["sender"], row["recipient"],
                               row["content"], row["network_id"], row["at"]) for row in rows])
            await store.delete_mobile_originated(self._database, [row["id"] for row in rows])
        return len(rows) == _BATCH

    async def keep_up(self) -> bool:
        """Remove what is too much or too old; True when there may be more of it."""
        at = now()
        trimmed = await store.trim_messages(self._database, self._defaults.inbox_limit, _TRIM_BATCH)
        forgotten = await store.forget_old(
            self._database, submissions_before=at - _KEEP_SUBMISSIONS, messages_before=at - _KEEP_MESSAGES,
            limit=_TRIM_BATCH)
        return trimmed or forgotten
