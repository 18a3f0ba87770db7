"""Group commit of steps: whatever waits is stored by one statement, committed once, and then answered.

There are three lanes, so that what is cheap never waits for what is not: steps that cost nothing, steps that move
money or end a session, and outcomes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import asyncpg
import structlog
from msgspec.structs import replace

from makola.core.ledger.errors import InsufficientFundsError
from makola.core.ussd.store import writing
from makola.core.ussd.store.rows import Intent, Outcome, Stored
from makola.core.ussd.types import ErrorCode
from makola.core.ussd.wording import Wording
from makola.kit.clock import now
from makola.kit.database import OUTAGE, Connection, Database
from makola.kit.errors import DomainError

_log = structlog.get_logger(__name__)

_BATCH_LIMIT = 256
#: One batch is gathered while another is being committed.
_WRITERS = 2
#: How long a writer keeps its connection when there is nothing to store.
_LINGER_S = 0.25
_FAILURES = (asyncpg.PostgresError, *OUTAGE, DomainError)

UNPAID = "An account on the chain of tiers has no credit left."

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Lane(Generic[_Item, _Result]):
    """A queue whose contents are stored together.

    A writer keeps its connection for a moment after the last batch: to borrow one costs as much as a batch does.

    Args:
        name: what the log calls it.
        database: where to.
        store: stores a batch on a connection; one result for each item.
        failed: the result where the database does not take an item.
    """

    def __init__(self, name: str, database: Database,
                 store: Callable[[Connection, Sequence[_Item]], Awaitable[list[_Result]]], *, failed: _Result) -> None:
        self._name = name
        self._database = database
        self._store = store
        self._failed = failed
        self._waiting: list[tuple[_Item, asyncio.Future[_Result]]] = []
        self._writing = 0
        self._writers: set[asyncio.Task[None]] = set()
        self._lingering: list[asyncio.Future[bool]] = []
        self._is_draining = False

    async def put(self, item: _Item) -> _Result:
        """Store one item; return when it is on disk, or has failed."""
        future: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._lingering:
            _wake(self._lingering.pop(), True)
        elif self._writing < _WRITERS:
            self._writing += 1
            writer = asyncio.create_task(self._write(), name=self._name)
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        return await future

    async def drain(self) -> None:
        """Wait until everything that waits is stored."""
        self._is_draining = True
        for lingering in self._lingering:
            _wake(lingering, False)
        while self._writers:
            await asyncio.wait(self._writers)

    async def _write(self) -> None:
        """Store batches until there is nothing more."""
        try:
            await self._write_on_one()
            while self._waiting:  # it came while a failed batch was being stored, and nobody else may come for it
                await self._write_on_one()
        finally:
            self._writing -= 1
            while self._waiting and not self._writing:  # this broke, and nobody is left
                self._answer(self._take(), None)

    async def _write_on_one(self) -> None:
        """Store batches on one connection; of one that fails, each item alone on another connection."""
        left: Sequence[tuple[_Item, asyncio.Future[_Result]]] = ()
        try:
            async with self._database.connection() as connection:
                while not left and (batch := await self._next_batch()):
                    left = await self._try(connection, batch)
        except _FAILURES as error:  # of the connection itself
            _log.warning("ussd_writer_failed", lane=self._name, kind=type(error).__name__)
            left = left or self._take()
        try:
            await self._write_alone(left)
        finally:  # however it ends, nobody waits for ever
            self._answer(left, None)

    async def _next_batch(self) -> "list[tuple[_Item, asyncio.Future[_Result]]]":
        """Return what waits, lingering a moment for it."""
        while not self._waiting:
            if self._is_draining:
                return []
            loop = asyncio.get_running_loop()
            lingering: asyncio.Future[bool] = loop.create_future()
            self._lingering.append(lingering)
            timer = loop.call_later(_LINGER_S, _wake, lingering, False)
            try:
                woken = await lingering
            finally:
                timer.cancel()
                if lingering in self._lingering:
                    self._lingering.remove(lingering)
            if not woken and not self._waiting:
                return []
        return self._take()

    def _take(self) -> "list[tuple[_Item, asyncio.Future[_Result]]]":
        batch = self._waiting[:_BATCH_LIMIT]
        del self._waiting[:_BATCH_LIMIT]
        return batch

    async def _try(self, connection: Connection,
                   batch: "list[tuple[_Item, asyncio.Future[_Result]]]") -> Sequence[
                       tuple[_Item, asyncio.Future[_Result]]]:
        """Store a batch; return it where that failed."""
        try:
            results = await self._store(connection, [item for item, _ in batch])
        except _FAILURES as error:
            _log.warning("ussd_batch_failed", lane=self._name, kind=type(error).__name__, size=len(batch))
            return batch
        except BaseException:
            self._answer(batch, None)
            raise
        self._answer(batch, results)
        return ()

    async def _write_alone(self, batch: Sequence[tuple[_Item, asyncio.Future[_Result]]]) -> None:
        """Store each item alone: one row that the database refuses must not cost the others."""
        for each in batch:
            results: list[_Result] | None = None
            try:
                async with self._database.connection() as connection:
                    results = await self._store(connection, [each[0]])
            except _FAILURES as error:
                _log.error("ussd_record_failed", lane=self._name, kind=type(error).__name__)
            self._answer([each], results)

    def _answer(self, batch: Sequence[tuple[_Item, asyncio.Future[_Result]]],
                results: Sequence[_Result] | None) -> None:
        for (_, future), result in zip(batch, results or [self._failed] * len(batch), strict=True):
            if not future.done():
                future.set_result(result)


def _wake(lingering: "asyncio.Future[bool]", woken: bool) -> None:
    if not lingering.done():
        lingering.set_result(woken)


class Recorder:
    """Stores steps before the application is asked, and what became of them after.

    Args:
        database: where to.
        wording: what a subscriber reads when there is no credit.
    """

    def __init__(self, database: Database, wording: Wording) -> None:
        self._wording = wording
        self._free = Lane("ussd-steps", database, _store, failed=Stored.FAILED)
        self._heavy = Lane("ussd-paid-steps", database, self._store_heavy, failed=Stored.FAILED)
        self._outcomes = Lane("ussd-outcomes", database, _store_outcomes, failed=False)

    async def intend(self, intent: Intent) -> Stored:
        """Store a step that is about to happen."""
        return await (self._heavy if intent.legs or intent.end_reason is not None else self._free).put(intent)

    async def conclude(self, outcome: Outcome) -> bool:
        """Store what became of a step; False when that is not known to be on disk."""
        return await self._outcomes.put(outcome)

    async def drain(self) -> None:
        """Wait until everything is stored."""
        for lane in (self._free, self._heavy, self._outcomes):
            await lane.drain()

    async def _store_heavy(self, connection: Connection, batch: Sequence[Intent]) -> list[Stored]:
        try:
            return await _store(connection, batch)
        except InsufficientFundsError:
            if len(batch) == 1:
                return await self._store_unpaid(connection, batch[0])
        results: list[Stored] = []
        for intent in batch:  # in the order of arrival: the last credit goes to who came first
            results += await self._store_heavy(connection, [intent])
        return results

    async def _store_unpaid(self, connection: Connection, intent: Intent) -> list[Stored]:
        async with connection.transaction():
            if not await writing.insert_intents(connection, [replace(intent, legs=())]):
                return [Stored.CONFLICT]
            await writing.end_unpaid(connection, [intent], now(), screen=self._wording.text(ErrorCode.NOCR),
                                     cause=UNPAID)
        return [Stored.NO_CREDIT]


async def _store(connection: Connection, batch: Sequence[Intent]) -> list[Stored]:
    # Of two steps of one session at once, the one that came first counts.
    first = {intent.session_id: intent for intent in reversed(batch)}
    # In one order everywhere: two processes that store the same sessions do not wait for each other.
    stored = await writing.insert_intents(connection, sorted(first.values(), key=_place))
    return [Stored.DONE if intent.session_id in stored and first[intent.session_id] is intent else Stored.CONFLICT
            for intent in batch]


def _place(intent: Intent) -> tuple[str, str]:
    return (intent.opening.connector, intent.opening.operator_session_id) if intent.opening else ("", "")


async def _store_outcomes(connection: Connection, batch: Sequence[Outcome]) -> list[bool]:
    answered = await writing.store_outcomes(connection, batch)
    return [(outcome.session_id, outcome.position) in answered for outcome in batch]
