"""The worlds of checkout."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from makola.kit.database import Database
from tests.checkout.shop import BASE_URL, Shop, make_shop
from tests.checkout.world import World, make_world
from tests.unity.hub import running_hub


@pytest_asyncio.fixture
async def world(database: Database) -> World:
    """A merchant of one provider."""
    return await make_world(database)


@pytest_asyncio.fixture(scope="module")
async def shop(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """The whole program, with the demonstration merchant."""
    async with running_hub(module_database_url, tmp_path_factory.mktemp("data"), public_url=BASE_URL) as hub:
        yield make_shop(hub)
