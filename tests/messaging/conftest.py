"""One database for each module, without messages at the beginning of each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from makola.kit.database import Database


@pytest_asyncio.fixture(scope="module")
async def _module_database(module_database_url: str) -> AsyncIterator[Database]:
    opened = await Database.connect(module_database_url, min_size=1, max_size=8)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def database(_module_database: Database) -> Database:
    """An open pool; organisations of other tests are there, and none of their messages."""
    await _module_database.execute(
        "TRUNCATE messaging.message, messaging.submission, messaging.parked_receipt, messaging.request_key,"
        " callbacks.delivery")
    return _module_database
