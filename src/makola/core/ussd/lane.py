"""Group commit: whatever waits is stored together, and then answered; where that fails, each alone."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import asyncpg
import structlog

from makola.kit.database import OUTAGE, Connection, Database
from makola.kit.errors import DomainError

_log = structlog.get_logger(__name__)

_BATCH_LIMIT = 256
#: One batch is gathered while another is being committed.
_WRITERS = 2
#: What a batch survives.
FAILURES = (asyncpg.PostgresError, *OUTAGE, DomainError)

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Lane(Generic[_Item, _Result]):
    """A queue whose contents are stored together.

    Whoever brings something only waits for it: should they give up, it is stored all the same.

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
        self._idle = asyncio.Event()
        self._idle.set()

    async def put(self, item: _Item) -> _Result:
        """Store one item; return when it is on disk, or has failed."""
        future: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._writing < _WRITERS:
            self._start_writer()
        return await future

    async def drain(self) -> None:
        """Wait until everything that waits is stored."""
        await self._idle.wait()

    def _start_writer(self) -> None:
        """Have what waits stored in a moment, with what comes until then."""
        self._writing += 1
        self._idle.clear()
        writer = asyncio.create_task(self._write(), name=self._name)
        self._writers.add(writer)
        writer.add_done_callback(self._writers.discard)

    def _end_writer(self) -> None:
        self._writing -= 1
        if self._waiting:  # this one broke, and nobody else may come for it
            self._start_writer()
        elif not self._writing:
            self._idle.set()

    async def _write(self) -> None:
        """Store batches until there is nothing more."""
        try:
            while self._waiting:
                batch = self._waiting[:_BATCH_LIMIT]
                del self._waiting[:_BATCH_LIMIT]
                try:
                    await self._write_batch(batch)
                finally:  # however it ends, nobody waits for ever
                    _answer(batch, [self._failed] * len(batch))
        finally:
            self._end_writer()

    async def _write_batch(self, batch: "Sequence[tuple[_Item, asyncio.Future[_Result]]]") -> None:
        """Store a batch; of one that fails, each item alone."""
        results = await self._store_together([item for item, _ in batch])
        if results is not None:
            _answer(batch, results)
            return
        for each in batch:
            _answer([each], [await self._store_alone(each[0])])

    async def _store_together(self, items: Sequence[_Item]) -> list[_Result] | None:
        """Store a batch; None where that fails."""
        try:
            async with self._database.connection() as connection:
                return await self._store(connection, items)
        except FAILURES as error:
            _log.warning("ussd_batch_failed", lane=self._name, kind=type(error).__name__, size=len(items))
            return None

    async def _store_alone(self, item: _Item) -> _Result:
        """Store an item of a batch that failed: one row that the database refuses must not cost the others."""
        try:
            async with self._database.connection() as connection:
                return (await self._store(connection, [item]))[0]
        except FAILURES as error:
            _log.error("ussd_record_failed", lane=self._name, kind=type(error).__name__)
            return self._failed


def _answer(batch: "Sequence[tuple[_Item, asyncio.Future[_Result]]]", results: Sequence[_Result]) -> None:
    for (_, future), result in zip(batch, results, strict=True):
        if not future.done():
            future.set_result(result)
