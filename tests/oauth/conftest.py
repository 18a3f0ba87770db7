"""The OAuth server over a small world."""

from collections.abc import AsyncIterator

import pytest_asyncio

from makola.kit.database import Database
from tests.oauth.world import World, oauth_world


@pytest_asyncio.fixture(scope="module")
async def world(module_database_url: str) -> AsyncIterator[World]:
    """A world that the tests of one module share; each makes the applications that it uses."""
    opened = await Database.connect(module_database_url, min_size=1, max_size=8)
    try:
        async with oauth_world(opened) as made:
            yield made
    finally:
        await opened.close()
