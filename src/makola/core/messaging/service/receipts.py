"""Delivery reports from operators: early, late, repeated or out of order, states only move forward."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import UUID

from makola.core.messaging import receipt_store
from makola.core.messaging.ports import Receipt
from makola.core.messaging.receipt_store import Advance
from makola.core.messaging.reports import Reports
from makola.core.messaging.types import Message, MessageStatus
from makola.kit.database import Connection, Database

_SWEEP = 1_000


async def take_receipts(database: Database, reports: Reports, receipts: Sequence[Receipt]) -> None:
    """Record receipts; those that came before the answer to their submission wait for it.

    Parking commits before the match is tried again, and the submission's own transaction commits before it looks for
    parked receipts: whichever of the two commits last sees the other.
    """
    for connector in {receipt.connector for receipt in receipts}:
        own = [receipt for receipt in receipts if receipt.connector == connector]
        async with database.transaction() as connection:
            known = await receipt_store.find_submissions(connection, connector, {r.provider_id for r in own})
            early = [receipt for receipt in own if receipt.provider_id not in known]
            if early:
                await receipt_store.park(connection, early)
            await _apply(connection, reports, connector, [receipt for receipt in own if receipt.provider_id in known])
        if early:
            await match_parked(database, reports, connector, {receipt.provider_id for receipt in early})


async def match_parked(database: Database, reports: Reports, connector: str, provider_ids: Collection[str]) -> None:
    """Record parked receipts whose submission is known by now."""
    if not provider_ids:
        return
    async with database.transaction() as connection:
        parked = await receipt_store.take_parked(connection, connector, provider_ids)
        await _apply(connection, reports, connector, parked)


async def sweep_parked(database: Database, reports: Reports) -> bool:
    """Match what a process that died left parked; True when there may be more."""
    async with database.connection() as connection:
        matched = await receipt_store.find_matched(connection, _SWEEP)
    for connector, provider_ids in matched.items():
        await match_parked(database, reports, connector, provider_ids)
    return sum(len(provider_ids) for provider_ids in matched.values()) == _SWEEP


async def _apply(connection: Connection, reports: Reports, connector: str, receipts: Sequence[Receipt]) -> None:
    if not receipts:
        return
    owners = await receipt_store.find_submissions(connection, connector, {r.provider_id for r in receipts})
    messages = await receipt_store.lock_messages(connection, set(owners.values()))
    in_segments = [r for r in receipts if messages[owners[r.provider_id]].units > 1]
    if in_segments:
        await receipt_store.record_segment_statuses(connection, connector, _furthest(in_segments))
    segmented = await receipt_store.segment_statuses(
        connection, {owners[r.provider_id] for r in in_segments}) if in_segments else {}
    steps: dict[UUID, tuple[Message, Advance]] = {}
    for receipt in receipts:
        message = messages[owners[receipt.provider_id]]
        status = _whole(segmented[message.message_id]) if message.units > 1 else receipt.status
        before = steps[message.message_id][1].status if message.message_id in steps else message.status
        if status is not None and before.may_become(status):
            detail = receipt.detail if receipt.status is status else ""
            steps[message.message_id] = (message, Advance(message.message_id, status, detail, receipt.at))
        elif receipt.status is status is before and message.message_id in steps:
            # The message has its status because of this segment, so this segment's reason is its own.
            step = steps[message.message_id][1]
            steps[message.message_id] = (message, replace(step, detail=step.detail or receipt.detail))
    await receipt_store.advance(connection, [step for _, step in steps.values()])
    await reports.write(connection, [(message, step.status) for message, step in steps.values()
                                     if step.status.is_final])


def _furthest(receipts: Sequence[Receipt]) -> list[Receipt]:
    """Return one receipt for each provider id: an UPDATE takes only one row for each."""
    furthest: dict[str, Receipt] = {}
    for receipt in receipts:
        known = furthest.get(receipt.provider_id)
        if known is None or known.status.may_become(receipt.status):
            furthest[receipt.provider_id] = receipt
    return list(furthest.values())


def _whole(segments: Sequence[int | None]) -> MessageStatus | None:
    """Return the status of a message by its segments'.

    It is delivered when every segment is; it has failed when one has, for the handset cannot show the rest.
    """
    statuses = [MessageStatus(status) for status in segments if status is not None]
    failed = [status for status in statuses if status.is_final and status is not MessageStatus.DELIVERED]
    if failed:
        return failed[0]
    if len(statuses) == len(segments) and all(status is MessageStatus.DELIVERED for status in statuses):
        return MessageStatus.DELIVERED
    open_statuses = [status for status in statuses if not status.is_final]
    return max(open_statuses) if open_statuses else None
