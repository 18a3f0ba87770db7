"""A gateway and its application, new for each test; the tests of a module share a database, emptied before each."""

from collections.abc import AsyncIterator

import pytest_asyncio

from makola.kit.database import Database
from tests.ussd.application import Application, answering
from tests.ussd.stage import Stage, staging

_EMPTY = """
TRUNCATE ussd.service, ussd.session, ussd.step, ussd.failure, ledger.account, ledger.hold, ledger.transfer,
         billing.tariff, callbacks.delivery, organisations.organisation CASCADE
"""


@pytest_asyncio.fixture
async def database(module_database_url: str) -> AsyncIterator[Database]:
    """An open pool on an empty database."""
    opened = await Database.connect(module_database_url, min_size=1, max_size=8)
    await opened.execute(_EMPTY)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def application() -> AsyncIterator[Application]:
    """An application."""
    async with answering() as running:
        yield running


@pytest_asyncio.fixture
async def stage(database: Database, application: Application) -> AsyncIterator[Stage]:
    """A gateway with `application` behind `*714#`."""
    async with staging(database, application) as built:
        yield built
