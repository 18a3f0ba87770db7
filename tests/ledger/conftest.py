"""One database for each module: every test and every example has accounts and a currency of its own."""

from collections.abc import AsyncIterator

import pytest_asyncio

from makola.kit.database import Database


@pytest_asyncio.fixture(scope="module")
async def ledger_database(module_database_url: str) -> AsyncIterator[Database]:
    """An open pool on the module's database."""
    opened = await Database.connect(module_database_url, min_size=1, max_size=8)
    yield opened
    await opened.close()
