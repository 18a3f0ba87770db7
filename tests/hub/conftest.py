"""The Hub API over a tree of organisations."""

from collections.abc import AsyncIterator

import pytest_asyncio

from makola.kit.database import Database
from tests.hub.world import Hub, hub_world
from tests.ordering.hub_shop import hub_shop


@pytest_asyncio.fixture
async def hub(database: Database) -> AsyncIterator[Hub]:
    """A tree of this test's own."""
    async with hub_world(database) as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def shared_hub(module_database_url: str) -> AsyncIterator[Hub]:
    """A tree that the tests of one module share; none of them may change it in a way that others see."""
    opened = await Database.connect(module_database_url, min_size=1, max_size=8)
    try:
        async with hub_world(opened) as made:
            yield made
    finally:
        await opened.close()


@pytest_asyncio.fixture(scope="module")
async def shop_hub(module_database_url: str) -> AsyncIterator[Hub]:
    """A tree with products and shipping types that the tests of one module share."""
    opened = await Database.connect(module_database_url, min_size=1, max_size=8)
    try:
        async with hub_shop(opened) as shop:
            yield shop.hub
    finally:
        await opened.close()
