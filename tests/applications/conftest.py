"""Applications in a small world that the tests of one module share."""

from collections.abc import AsyncIterator

import pytest_asyncio

from makola.kit.database import Database
from tests.applications.world import Desk, desk_of


@pytest_asyncio.fixture(scope="module")
async def desk(module_database_url: str) -> AsyncIterator[Desk]:
    """A world that the tests of one module share; each makes the applications that it uses."""
    opened = await Database.connect(module_database_url, min_size=1, max_size=8)
    try:
        async with desk_of(opened) as made:
            yield made
    finally:
        await opened.close()
