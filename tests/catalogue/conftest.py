"""Shops."""

from collections.abc import AsyncIterator

import pytest_asyncio

from makola.kit.database import Database
from tests.catalogue.shop import Shop, open_shop


@pytest_asyncio.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    """A tree without products, of this test's own."""
    async with open_shop(database) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module")
async def shared_database(module_database_url: str) -> AsyncIterator[Database]:
    """The database that the tests of one module share."""
    opened = await Database.connect(module_database_url, min_size=1, max_size=8)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="module")
async def rule_shop(shared_database: Database) -> AsyncIterator[Shop]:
    """A tree without price rules that the tests of one module share."""
    async with open_shop(shared_database) as opened:
        yield opened
