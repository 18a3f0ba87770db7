"""The database of a process: the embedded one or a named one, checked, and migrated where that is asked."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import structlog

from makola import migrations
from makola.kit.database import OUTAGE, Database
from makola.kit.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from makola.server import StartError, Stopping
from makola.settings import Settings

_STOP_TIMEOUT_S = 30.0
_WATCH_S = 0.5

_log = structlog.get_logger(__name__)


def _nothing() -> None:
    """Do nothing."""


@contextlib.contextmanager
def database_url(settings: Settings, stopping: Stopping | None = None,
                 meanwhile: Callable[[], object] = _nothing) -> Iterator[str]:
    """Lend the address of the database, running the embedded PostgreSQL meanwhile if no other is named.

    Args:
        settings: name the database, or the directory of the embedded one.
        stopping: bounds the time that the embedded PostgreSQL gets to stop.
        meanwhile: done while the embedded PostgreSQL starts; the first time, that takes a second.

    Raises:
        EmbeddedPostgresError: it cannot be started.
    """
    if settings.database_url is not None:
        meanwhile()
        yield settings.database_url
        return
    server = _started(settings.data_directory / "postgres", meanwhile)
    if stopping is not None:
        stopping.last_words = server.signal_stop
    try:
        with _watched(server):
            yield server.url()
    finally:
        if stopping is None:
            server.stop()
        else:
            server.stop(timeout_s=min(_STOP_TIMEOUT_S, max(0.5, stopping.time_left_s() - 0.5)))


def _started(directory: Path, meanwhile: Callable[[], object]) -> EmbeddedPostgres:
    with ThreadPoolExecutor(1, thread_name_prefix="embedded-postgres-start") as pool, contextlib.ExitStack() as undo:
        starting = pool.submit(EmbeddedPostgres, directory)
        undo.callback(lambda: starting.result().stop())
        meanwhile()
        server = starting.result()
        undo.pop_all()
        return server


@contextlib.contextmanager
def _watched(server: EmbeddedPostgres) -> Iterator[None]:
    """Start the embedded PostgreSQL again whenever it dies; a thread, because commands have no loop of their own."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_WATCH_S):
            try:
                if server.revive():
                    _log.error("embedded_postgres_restarted", directory=str(server.directory))
            except EmbeddedPostgresError as error:
                _log.critical("embedded_postgres_is_down", error=str(error))

    thread = threading.Thread(target=watch, name="embedded-postgres", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


async def migrate(url: str) -> None:
    """Bring the database at `url` up to what this program needs.

    Raises:
        DatabaseUnavailableError: it cannot be reached, or its server is too old.
        StartError: it refuses, or a newer program has migrated it further.
    """
    if await _revision(url) == migrations.head():
        return  # without what only migrating needs, which takes longer to import than everything else here
    try:
        await migrations.upgrade(url)
    except migrations.MigrationError as error:
        raise StartError(str(error)) from error
    except OUTAGE as error:
        raise StartError(f"cannot migrate the database: {error}") from error


async def check_migrated(url: str) -> None:
    """Make sure that the database at `url` is what this program needs.

    Raises:
        DatabaseUnavailableError: it cannot be reached, or its server is too old.
        StartError: it has not been migrated, or not to this program's revision.
    """
    revision = await _revision(url)
    if revision is None:
        raise StartError("the database has not been migrated: run `makola migrate`")
    if revision != migrations.head():
        raise StartError(f"the database is at revision {revision} and this program needs {migrations.head()}: "
                         "run `makola migrate`")


async def _revision(url: str) -> str | None:
    """Return how far the database has been migrated; None if nobody has migrated it."""
    database = await Database.connect(url, min_size=1, max_size=1)
    try:
        revision: str | None = await database.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    except asyncpg.PostgresError as error:
        raise StartError(f"cannot read the database: {error}") from error
    finally:
        await database.close()
    return revision
