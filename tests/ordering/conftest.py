"""The worlds of ordering."""

from collections.abc import AsyncIterator

import pytest_asyncio

from makola.kit.database import Database
from tests.ordering.hub_shop import Shop, hub_shop
from tests.ordering.world import World, make_world


@pytest_asyncio.fixture
async def world(database: Database) -> World:
    """Five tiers with credit, and a price list."""
    return await make_world(database)


@pytest_asyncio.fixture(scope="module")
async def shared_world(module_database_url: str) -> AsyncIterator[World]:
    """The same, shared by the tests of one module, which change neither credit nor prices."""
    opened = await Database.connect(module_database_url, min_size=1, max_size=8)
    try:
        yield await make_world(opened)
    finally:
        await opened.close()


@pytest_asyncio.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    """The Hub API with products, of this test's own."""
    async with hub_shop(database) as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def shared_shop(module_database_url: str) -> AsyncIterator[Shop]:
    """The Hub API with products, shared by the tests of one module."""
    opened = await Database.connect(module_database_url, min_size=1, max_size=8)
    try:
        async with hub_shop(opened) as made:
            yield made
    finally:
        await opened.close()
