"""One process of the real program for each module that asks."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.unity.hub import Hub, Tenant, running_hub


@pytest_asyncio.fixture(scope="module")
async def hub(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    """The program with the demonstration world; it remembers neither callers nor prices."""
    async with running_hub(module_database_url, tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def refused(hub: Hub) -> Tenant:
    """An organisation that tests share which leave nothing behind."""
    return await hub.tenant()


@pytest_asyncio.fixture(scope="module")
async def busy(hub: Hub) -> Tenant:
    """An organisation that tests share which do not mind what others leave behind."""
    return await hub.tenant(credits_=1_000_000)


@pytest_asyncio.fixture
async def tenant(hub: Hub) -> Tenant:
    """An organisation of this test's own, directly below the root, that pays one credit for a message to Ghana."""
    return await hub.tenant()
