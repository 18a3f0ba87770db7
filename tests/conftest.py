"""One embedded PostgreSQL for the whole run, one migrated template, one clone for each test that asks."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from makola import migrations
from makola.kit.database import Database
from makola.kit.embedded_postgres import EmbeddedPostgres
from tests.places import DIRECTORY, above

_SERVER = "MAKOLA_TEST_SERVER"
_TEMPLATE = "makola_template"
#: The machine does not lose power in a test; a killed process loses nothing by these.
_FASTER = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "256MB"}


def _on_server(url: str, *statements: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


def _database_url(server_url: str, name: str) -> str:
    return server_url.replace("/postgres?", f"/{name}?")


def pytest_configure(config: pytest.Config) -> None:
    """Start the server and make the template, once, before any worker starts."""
    if hasattr(config, "workerinput") or _SERVER in os.environ:
        return
    directory = Path(tempfile.mkdtemp(prefix="makola-tests-", dir=above()))
    server = EmbeddedPostgres(directory / "postgres", _FASTER)
    os.environ |= {_SERVER: server.url(), DIRECTORY: str(directory)}
    _on_server(server.url(), f"CREATE DATABASE {_TEMPLATE}")
    asyncio.run(migrations.upgrade(_database_url(server.url(), _TEMPLATE)))

    def finish() -> None:
        server.stop()
        for name in (_SERVER, DIRECTORY):
            os.environ.pop(name, None)
        shutil.rmtree(directory, ignore_errors=True)

    config.add_cleanup(finish)


@pytest.fixture(scope="session")
def server_url() -> str:
    """The address of the server's maintenance database."""
    return os.environ[_SERVER]


@contextmanager
def _new_database(server_url: str, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    _on_server(server_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield _database_url(server_url, name)
    _on_server(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(server_url: str) -> Iterator[str]:
    """A freshly migrated, empty database of this test's own."""
    with _new_database(server_url, _TEMPLATE) as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(server_url: str) -> Iterator[str]:
    """A freshly migrated, empty database that the tests of one module share."""
    with _new_database(server_url, _TEMPLATE) as url:
        yield url


@pytest.fixture
def bare_database_url(server_url: str) -> Iterator[str]:
    """A database that nobody has migrated."""
    with _new_database(server_url, "template0") as url:
        yield url


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open pool on a database of this test's own."""
    opened = await Database.connect(database_url, min_size=1, max_size=8)
    yield opened
    await opened.close()
