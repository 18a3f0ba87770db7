"""Connections lent again without a detour: putting one back into asyncpg's pool, and taking it out, costs as much
processor time as a small statement does.
"""

import asyncio
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    _Pooled: TypeAlias = PoolConnectionProxy[asyncpg.Record]
else:  # the classes take parameters in the stubs only
    Connection = asyncpg.Connection | PoolConnectionProxy


#: After these a connection may be in the middle of something, or about to be closed.
_DISTURBING = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.InterfaceError,
               asyncpg.InternalClientError, OSError, TimeoutError)


class Connections:
    """Connections of a pool that stay borrowed between two uses: the last used is lent first, to who asked first.

    What comes back in order is kept here, or handed on. Everything else goes back to the pool, which knows what to do
    with it: what was cancelled in mid-statement, what is in a transaction still, what is closed.

    Args:
        pool: where they come from; nobody else borrows from it.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self.size_at_most = pool.get_max_size()
        self._borrowed = 0
        self._kept: list[_Pooled] = []
        self._waiting: deque[asyncio.Future[_Pooled | None]] = deque()
        self._is_closing = False

    def lend(self) -> "Lent":
        """Return a context manager that lends a connection."""
        return Lent(self)

    async def take(self) -> "_Pooled":
        """Borrow a connection; it must be given back."""
        while True:
            while self._kept:
                connection = self._kept.pop()
                if _is_usable(connection):
                    return connection
                await self._release(connection)  # the server has ended it meanwhile
            if self._borrowed < self.size_at_most:
                self._borrowed += 1
                return await self._fill_place()
            handed = await self._wait()
            if handed is None:
                return await self._fill_place()
            if _is_usable(handed):
                return handed
            await self._release(handed)

    async def give_back(self, connection: "_Pooled", error: BaseException | None) -> None:
        """Return a connection.

        Args:
            connection: what was taken.
            error: how its use ended; a refusal, by the server or by us, leaves the connection in order.
        """
        in_order = error is None or (isinstance(error, Exception) and not isinstance(error, _DISTURBING))
        if in_order and not self._is_closing and _is_usable(connection) and not connection.is_in_transaction():
            self._hand_on(connection)
        else:
            await self._release(connection)

    async def close(self) -> None:
        """Close every connection, waiting for those in use."""
        self._is_closing = True
        while self._kept:
            await self._release(self._kept.pop())
        await self._pool.close()

    async def _fill_place(self) -> "_Pooled":
        """Borrow a connection for a place that is counted already."""
        try:
            return await self._pool.acquire()
        except BaseException:
            self._leave_place()
            raise

    async def _release(self, connection: "_Pooled") -> None:
        try:
            await self._pool.release(connection)
        finally:
            self._leave_place()

    async def _wait(self) -> "_Pooled | None":
        """Wait for a connection; None for the place of one."""
        future: asyncio.Future[_Pooled | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            return await future
        except asyncio.CancelledError:
            if not future.cancelled():  # it came in the moment in which the waiting was given up
                handed = future.result()
                if handed is None:
                    self._leave_place()
                else:
                    await self.give_back(handed, None)
            raise

    def _hand_on(self, connection: "_Pooled") -> None:
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(connection)
                return
        self._kept.append(connection)

    def _leave_place(self) -> None:
        """Give a place to the first who waits, or back."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                return
        self._borrowed -= 1


class Lent:
    """One connection, lent until the block ends."""

    __slots__ = ("_connection", "_connections")

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._connection: _Pooled | None = None

    async def __aenter__(self) -> Connection:
        self._connection = await self._connections.take()
        return self._connection

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        if self._connection is not None:
            await self._connections.give_back(self._connection, error)


def _is_usable(connection: "_Pooled") -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # it was closed, and the pool has it back
        return False
