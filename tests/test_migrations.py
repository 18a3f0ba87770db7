import subprocess
import sys

import pytest

from makola import migrations
from makola.kit.database import Database


async def test_empty_database_is_brought_to_the_head(database: Database) -> None:
    assert await database.fetchval("SELECT version_num FROM alembic_version") == migrations.head()


def test_a_server_does_not_hold_what_only_migrating_needs() -> None:
    program = "import makola.commands.serving, makola.app, sys; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert "asyncpg" in found
    assert {"alembic", "sqlalchemy"}.isdisjoint(found)


def test_a_start_over_a_migrated_database_does_not_either(database_url: str) -> None:
    program = ("import asyncio, sys; from makola.database_start import migrate; asyncio.run(migrate(sys.argv[1]));"
               " print(*sys.modules)")
    found = subprocess.run([sys.executable, "-c", program, database_url],
                           check=True, capture_output=True, text=True).stdout.split()
    assert {"alembic", "sqlalchemy"}.isdisjoint(found)


async def test_a_database_of_a_newer_program_is_refused(database: Database) -> None:
    await database.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(migrations.MigrationError, match="a newer Makola"):
        await migrations.upgrade(database.url)
