"""The accept queue: whatever waits is stored in one transaction, committed once, and then answered (design, section 3).

An answer means "on disk". The statements of one batch are a handful however many messages are in it, which is where
the speed comes from; the order inside a batch is the order of arrival, so the last credit goes to who came first.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import asyncpg
import structlog

from makola.core.ledger import service as ledger
from makola.core.ledger.types import NewHold
from makola.core.messaging import store
from makola.core.messaging.do_not_contact import look_up
from makola.core.messaging.errors import (
    AcceptFailedError,
    AcceptQueueFullError,
    DoNotContactError,
    OutOfCreditError,
    RequestKeyReusedError,
)
from makola.core.messaging.ports import OutgoingMessage
from makola.core.messaging.types import Accepted, Draft, RequestKey, RequestKeyKind
from makola.kit.clock import now
from makola.kit.database import OUTAGE, Connection, Database
from makola.kit.errors import DomainError

_log = structlog.get_logger(__name__)

Decision = Accepted | DomainError

#: What storing a batch may fail with: the database's refusal, its absence, or a guard of the ledger.
_FAILURES = (asyncpg.PostgresError, *OUTAGE, DomainError)


class Dispatcher(Protocol):
    """Who sends what was accepted, if it is in this process."""

    def room(self, connector: str) -> int:
        """Return how many more messages for `connector` would be taken now."""

    def take(self, connector: str, messages: Sequence[OutgoingMessage], lease_until: datetime) -> None:
        """Send messages that are stored, and leased to this process until `lease_until`."""


@dataclass(frozen=True, slots=True)
class AcceptLimits:
    """How much may wait, how much is stored at once, and for how long a lease and a message hold."""

    queue: int
    batch: int
    lease_s: float
    validity_s: float


class AcceptQueue:
    """Stores drafts in batches.

    Args:
        database: where to.
        limits: see `AcceptLimits`.
        dispatcher: gets the stored messages leased, without their being read back; None when this process
            does not send, and workers elsewhere are woken instead.
    """

    def __init__(self, database: Database, limits: AcceptLimits, dispatcher: Dispatcher | None) -> None:
        self._database = database
        self._limits = limits
        self._dispatcher = dispatcher
        self._waiting: list[tuple[Draft, asyncio.Future[Decision]]] = []
        self._arrived = asyncio.Event()
        self._closing = False
        self._writer: asyncio.Task[None] | None = None

    def start(self, failed: asyncio.Event | None = None) -> None:
        """Begin to store; `failed` is set should the writer ever end by a mistake of the program."""
        self._writer = asyncio.create_task(self._run(), name="accept-queue")

        def ended(writer: asyncio.Task[None]) -> None:
            if failed is not None and not writer.cancelled() and writer.exception() is not None:
                failed.set()

        self._writer.add_done_callback(ended)

    async def drain(self) -> None:
        """Store everything that waits, and stop."""
        self._closing = True
        self._arrived.set()
        if self._writer is not None:
            await self._writer

    @property
    def waiting_count(self) -> int:
        """How many drafts are not yet being stored."""
        return len(self._waiting)

    async def submit(self, draft: Draft) -> Accepted:
        """Store a draft; return when it is on disk.

        Raises:
            AcceptQueueFullError: too many are waiting.
            OutOfCreditError, DoNotContactError, RequestKeyReusedError: refused; nothing was written.
            AcceptFailedError: the database did not take it.
        """
        if self._closing or len(self._waiting) >= self._limits.queue:
            raise AcceptQueueFullError("Too many messages are waiting to be stored. Try again in a moment.")
        if self._writer is not None and self._writer.done():
            raise AcceptFailedError("The server cannot store messages any more and must be restarted.")
        future: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self._waiting.append((draft, future))
        self._arrived.set()
        decision = await future
        if isinstance(decision, DomainError):
            raise decision
        return decision

    async def _run(self) -> None:
        batch: list[tuple[Draft, asyncio.Future[Decision]]] = []
        try:
            while self._waiting or not self._closing:
                if not self._waiting:
                    self._arrived.clear()
                    await self._arrived.wait()
                    continue
                batch = self._waiting[:self._limits.batch]
                del self._waiting[:self._limits.batch]
                _answer(batch, await self._store([draft for draft, _ in batch]))
        finally:  # however it ends, nobody waits for ever
            left = [*batch, *self._waiting]
            self._waiting.clear()
            _answer(left, [_in_doubt()] * len(left))

    async def _store(self, drafts: Sequence[Draft]) -> list[Decision]:
        try:
            return await self._store_together(drafts)
        except _FAILURES as error:
            _log.warning("accept_batch_failed", kind=type(error).__name__, error=_words(error), size=len(drafts))
        decisions: list[Decision] = []
        try:
            # The answer to the commit may be all that was lost.
            there = await store.find_existing(self._database, [draft.message_id for draft in drafts])
            for draft in drafts:
                decisions.append(_accepted(draft) if draft.message_id in there else await self._store_alone(draft))
        except _FAILURES as error:
            _log.error("accept_failed", kind=type(error).__name__, error=_words(error))
        return decisions + [_in_doubt()] * (len(drafts) - len(decisions))

    async def _store_alone(self, draft: Draft) -> Decision:
        """Store one draft of a batch that failed: one row that the database refuses must not cost the others.

        Should the batch's commit still be under way, this waits for it at the first row that both write, and is then
        refused: so the row is looked for once more.

        What the look itself raises is the caller's.
        """
        decision: Decision = _failed()
        try:
            decision = (await self._store_together([draft]))[0]
        except _FAILURES as error:
            _log.error("accept_failed", kind=type(error).__name__, error=_words(error))
        if isinstance(decision, DomainError) and await store.find_existing(self._database, [draft.message_id]):
            return _accepted(draft)
        return decision

    async def _store_together(self, drafts: Sequence[Draft]) -> list[Decision]:
        at = now()
        async with self._database.transaction() as connection:
            decisions, stored = await self._decide(connection, drafts, at)
            leases = self._lease(stored, at)
            if stored:
                await store.insert_drafts(connection, stored, at=at, validity_s=self._limits.validity_s,
                                          due_at=[draft.time or lease or at
                                                  for draft, lease in zip(stored, leases, strict=True)])
                if any(draft.keys for draft in stored):
                    await store.insert_keys(connection, stored, at)
                if any(lease is None and draft.time is None for draft, lease in zip(stored, leases, strict=True)):
                    await connection.execute("SELECT pg_notify($1, '')", store.CHANNEL)
        self._hand_over(stored, leases, at)
        return decisions

    async def _decide(self, connection: Connection, drafts: Sequence[Draft],
                      at: datetime) -> tuple[list[Decision], list[Draft]]:
        """Decide each draft in the order of arrival; return all decisions, and the drafts to store."""
        keys = [key for draft in drafts for key in draft.keys]
        known = dict(await store.find_keys(connection, keys)) if keys else {}
        listed = await look_up(connection, {draft.recipient for draft in drafts})
        decisions: dict[int, Decision] = {}
        open_drafts: list[tuple[int, Draft]] = []
        first_of: dict[RequestKey, int] = {}
        repeats: list[tuple[int, Draft]] = []
        for position, draft in enumerate(drafts):
            if (answer := _answer_to_repeat(draft, known)) is not None:
                decisions[position] = answer
            elif any(key in first_of for key in draft.keys):
                repeats.append((position, draft))
            elif listed.forbids(draft.recipient, draft.chain):
                decisions[position] = DoNotContactError(
                    f"{draft.recipient} has asked not to receive messages.", field="recipient")
            else:
                open_drafts.append((position, draft))
                first_of.update((key, position) for key in draft.keys)
        stored = await self._reserve(connection, open_drafts, decisions, at)
        known.update((key, store.StoredKey(draft.request_sha256, _accepted(draft)))
                     for draft in stored for key in draft.keys)
        for position, draft in repeats:
            # Its twin in this batch is stored now; where that was refused, this one would be refused alike.
            decisions[position] = _answer_to_repeat(draft, known) or decisions[
                next(first_of[key] for key in draft.keys if key in first_of)]
        return [decisions[position] for position in range(len(drafts))], stored

    async def _reserve(self, connection: Connection, open_drafts: Sequence[tuple[int, Draft]],
                       decisions: dict[int, Decision], at: datetime) -> list[Draft]:
        """Reserve what immediate messages cost; a scheduled one pays at its time, and must only be able to now."""
        holds = [NewHold(draft.message_id, draft.legs) for _, draft in open_drafts if draft.time is None]
        made = await ledger.reserve(connection, holds, at) if holds else frozenset()
        stored = []
        for position, draft in open_drafts:
            if (draft.message_id in made if draft.time is None else await ledger.can_reserve(connection, draft.legs)):
                decisions[position] = _accepted(draft)
                stored.append(draft)
            else:
                decisions[position] = OutOfCreditError("The account does not have enough messaging credit.")
        return stored

    def _lease(self, stored: Sequence[Draft], at: datetime) -> list[datetime | None]:
        """Lease each message to this process while its dispatcher has room."""
        if self._dispatcher is None:
            return [None] * len(stored)
        lease_until = at + timedelta(seconds=self._limits.lease_s)
        room = {connector: self._dispatcher.room(connector) for connector in {draft.connector for draft in stored}}
        leases: list[datetime | None] = []
        for draft in stored:
            leased = draft.time is None and room[draft.connector] > 0
            room[draft.connector] -= leased
            leases.append(lease_until if leased else None)
        return leases

    def _hand_over(self, stored: Sequence[Draft], leases: Sequence[datetime | None], at: datetime) -> None:
        if self._dispatcher is None:
            return
        valid_until = at + timedelta(seconds=self._limits.validity_s)
        leased: dict[str, list[OutgoingMessage]] = {}
        lease_until = at
        for draft, lease in zip(stored, leases, strict=True):
            if lease is not None:
                lease_until = lease
                leased.setdefault(draft.connector, []).append(OutgoingMessage(
                    draft.message_id, draft.sender, draft.recipient, draft.network_id, draft.kind, draft.content,
                    draft.udh, draft.units, draft.flash, draft.registered_delivery, valid_until))
        for connector, messages in leased.items():
            self._dispatcher.take(connector, messages, lease_until)


def _answer(batch: Sequence[tuple[Draft, asyncio.Future[Decision]]], decisions: Sequence[Decision]) -> None:
    for (_, future), decision in zip(batch, decisions, strict=True):
        if not future.done():  # its request may have been cancelled: the message is stored all the same
            future.set_result(decision)


def _failed() -> AcceptFailedError:
    return AcceptFailedError("The message could not be stored: nothing was sent and nothing was charged.")


def _in_doubt() -> AcceptFailedError:
    return AcceptFailedError("The database was lost, and it is not known whether the message was stored. Send it again"
                             " with the same Idempotency-Key, or look for it in the list of messages.")


def _words(error: BaseException) -> str:
    """Return an error's own words without the database's DETAIL, which can hold what people wrote."""
    return str(error.args[0]) if error.args else ""


def _accepted(draft: Draft) -> Accepted:
    return Accepted(draft.message_id, draft.price_units if draft.time is None else 0, draft.network_id,
                    draft.client_reference)


def _answer_to_repeat(draft: Draft, known: dict[RequestKey, store.StoredKey]) -> Decision | None:
    """Return the first answer when the request was made before; None when it is new."""
    for key in draft.keys:
        if (before := known.get(key)) is None:
            continue
        if key.kind is RequestKeyKind.IDEMPOTENCY_KEY and before.request_sha256 != draft.request_sha256:
            return RequestKeyReusedError("This Idempotency-Key was used for another request.", field="idempotency_key")
        return before.accepted
    return None
