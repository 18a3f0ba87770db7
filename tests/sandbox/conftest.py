"""One operator for each test that asks."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from makola.connectors.sandbox import OperatorDefaults
from makola.kit.database import Database
from tests.sandbox.operator_app import RunningOperator, running_operator
from tests.sandbox.operator_world import World, make_world


@pytest.fixture
def world(database: Database) -> World:
    """An operator without delay, on a database of its own."""
    return make_world(database, OperatorDefaults(delivery_delay_ms=0))


@pytest_asyncio.fixture
async def running(database: Database) -> AsyncIterator[RunningOperator]:
    """An operator that moves by itself and is served over HTTP."""
    async with running_operator(database) as operator:
        yield operator
