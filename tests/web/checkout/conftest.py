"""One running program, and a shop in it."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio

from tests.serving import Serving, serving
from tests.web.checkout.shop import Shop


@pytest.fixture(scope="package")
def server() -> Iterator[Serving]:
    """A running server that all tests of this folder share."""
    with serving(log_level="debug", sandbox_prompt_timeout_s="120") as running:
        yield running


@pytest_asyncio.fixture
async def shop(server: Serving) -> AsyncIterator[Shop]:
    """A shop whose customers have money and phones that are on."""
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:
        made = Shop(server, client)
        await made.learn()
        await made.refill()
        yield made
