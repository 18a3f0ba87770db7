"""One place for each module; its people and browsers are each test's own."""

from collections.abc import AsyncIterator

import pytest_asyncio

from makola.kit.database import Database
from tests.people.world import Place, make_place


@pytest_asyncio.fixture(scope="module")
async def place(module_database_url: str) -> AsyncIterator[Place]:
    """The pages of people over a database that one module's tests share."""
    database = await Database.connect(module_database_url, min_size=1, max_size=12)
    async with make_place(database) as made:
        yield made
    await database.close()
