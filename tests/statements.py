"""What is asked of the database, by this process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from makola.kit.database import Database


@asynccontextmanager
async def logged(database: Database, note: Callable[[Any], None]) -> AsyncIterator[None]:
    """Tell `note` of every statement, on whichever connection, while the block runs."""
    connections = await _every(database)
    for connection in connections:
        connection.add_query_logger(note)
    await _give_back(database, connections)
    try:
        yield
    finally:
        await asyncio.sleep(0)  # the loop tells `note` of the last one
        connections = await _every(database)
        for connection in connections:
            connection.remove_query_logger(note)
        await _give_back(database, connections)


async def _every(database: Database) -> list[Any]:
    return [await database.connections.take() for _ in range(database.connections.size_at_most)]


async def _give_back(database: Database, connections: Sequence[Any]) -> None:
    for connection in connections:
        await database.connections.give_back(connection, None)
