"""PostgreSQL: one pool, transactions, and wake-ups through LISTEN/NOTIFY."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import asyncpg
import structlog

from makola.kit.connections import Connection, Connections

__all__ = ["OUTAGE", "Connection", "Database", "DatabaseUnavailableError", "Record", "WakeUps", "is_unstorable"]

Record: TypeAlias = asyncpg.Record

MINIMUM_SERVER_VERSION = 150000
MINIMUM_SERVER_NAME = "15"

#: What a loop that talks to the database survives: the server went away, or refused for now. InternalClientError is
#: what asyncpg says of a connection that has heard the server's last word and is not closed yet.
OUTAGE = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError,
          asyncpg.OperatorInterventionError, asyncpg.InsufficientResourcesError, asyncpg.TransactionRollbackError,
          OSError, TimeoutError)

_log = structlog.get_logger(__name__)


class DatabaseUnavailableError(Exception):
    """The database cannot be reached, or is too old to be used."""


def is_unstorable(error: Exception) -> bool:
    """Say whether an error is that a value fits into no column: it came from a request, and the server is well."""
    if type(error) is asyncpg.DataError:  # what asyncpg finds by itself; the server's have classes of their own
        return True
    return isinstance(error, asyncpg.CharacterNotInRepertoireError | asyncpg.NumericValueOutOfRangeError)


async def _as_it_is(_connection: Connection) -> None:
    """Put a connection back without a round trip: nothing here changes a session, and open transactions are ended."""


class Database:
    """A pool of connections to one PostgreSQL database."""

    def __init__(self, connections: Connections, url: str) -> None:
        self.connections = connections
        self.url = url

    @classmethod
    async def connect(cls, url: str, *, min_size: int = 2, max_size: int = 16,
                      connect_timeout_s: float = 5.0,
                      on_connect: Callable[[Connection], Coroutine[object, object, None]] | None = None) -> "Database":
        """Open the pool and check the server's version.

        Args:
            url: `postgresql://…`.
            min_size: connections kept open.
            max_size: connections at most.
            connect_timeout_s: how long one connection attempt may take.
            on_connect: runs on each new connection before anything else does.

        Raises:
            DatabaseUnavailableError: nothing answers at `url`, it refuses us, or it is too old.
        """
        try:
            pool = await asyncpg.create_pool(
                url, min_size=min_size, max_size=max_size, timeout=connect_timeout_s, reset=_as_it_is, init=on_connect,
                max_inactive_connection_lifetime=0,  # a new connection costs tens of milliseconds of type look-ups
                server_settings={"application_name": "makola", "timezone": "UTC", "jit": "off"})
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise DatabaseUnavailableError(f"cannot connect to the database: {error}") from error
        database = cls(Connections(pool), url)
        version = int(await database.fetchval("SELECT current_setting('server_version_num')"))
        if version < MINIMUM_SERVER_VERSION:
            await database.close()
            raise DatabaseUnavailableError(
                f"the database is PostgreSQL {version // 10000}; Makola needs {MINIMUM_SERVER_NAME} or newer")
        return database

    async def close(self) -> None:
        """Close every connection, waiting for those in use."""
        await self.connections.close()

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Lend one connection, each statement its own transaction."""
        return self.connections.lend()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend one connection inside a transaction: committed at the end, rolled back on an exception."""
        async with self.connections.lend() as connection, connection.transaction():
            yield connection

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Record]:
        """Run one statement on a connection of its own; return every row."""
        async with self.connections.lend() as connection:
            return await connection.fetch(sql, *arguments)

    async def fetchrow(self, sql: str, *arguments: object) -> Record | None:
        """Run one statement on a connection of its own; return the first row."""
        async with self.connections.lend() as connection:
            return await connection.fetchrow(sql, *arguments)

    async def fetchval(self, sql: str, *arguments: object) -> Any:
        """Run one statement on a connection of its own; return the first column of the first row."""
        async with self.connections.lend() as connection:
            return await connection.fetchval(sql, *arguments)

    async def execute(self, sql: str, *arguments: object) -> str:
        """Run one statement on a connection of its own; return its command tag."""
        async with self.connections.lend() as connection:
            return await connection.execute(sql, *arguments)


class WakeUps:
    """Events set by NOTIFY. A timer must stand behind each: a notification can be lost with the connection."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._events: dict[str, list[asyncio.Event]] = {}
        self._task: asyncio.Task[None] | None = None

    def on(self, channel: str) -> asyncio.Event:
        """Return a new event that is set whenever `channel` is notified. Call before `start`."""
        event = asyncio.Event()
        self._events.setdefault(channel, []).append(event)
        return event

    def forget(self, channel: str, event: asyncio.Event) -> None:
        """Stop setting `event`."""
        self._events[channel].remove(event)

    def start(self, channels: Sequence[str]) -> None:
        """Begin to listen on `channels`."""
        for channel in channels:
            self._events.setdefault(channel, [])
        self._task = asyncio.create_task(self._listen(), name="wake-ups")

    async def stop(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except OUTAGE as error:
                _log.warning("wake_ups_lost", error=str(error))
            await asyncio.sleep(1)

    async def _listen_once(self) -> None:
        connection = await asyncpg.connect(self._url, timeout=5)
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            for channel in self._events:
                await connection.add_listener(channel, self._notified)
            for events in list(self._events.values()):  # whatever was said while nobody listened
                for event in events:
                    event.set()
            await lost.wait()
        finally:
            await connection.close(timeout=2)

    def _notified(self, _connection: object, _pid: int, channel: str, _payload: object) -> None:
        for event in self._events.get(channel, ()):
            event.set()
