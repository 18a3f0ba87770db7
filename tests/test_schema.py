"""The tables that each domain declares are the ones that the migrations make."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine

import makola
from makola import migrations
from makola.kit.database import Database

_PACKAGE = Path(makola.__file__).parent


def _modules() -> list[str]:
    return sorted(".".join(("makola", *file.relative_to(_PACKAGE).with_suffix("").parts))
                  for file in _PACKAGE.rglob("tables.py"))


def _declared(module: str) -> MetaData:
    metadata: MetaData = import_module(module).metadata
    return metadata


def _differences(connection: Connection, declared: MetaData) -> list[object]:
    context = MigrationContext.configure(connection, opts={
        "include_schemas": True, "compare_type": True, "compare_server_default": True,
        "include_name": lambda name, kind, _: kind != "schema" or name == declared.schema})
    return list(compare_metadata(context, declared))


def _identities(connection: Connection, schema: str) -> set[tuple[str, str]]:
    """Identity columns, which the comparison passes over."""
    rows = connection.execute(text(
        "SELECT table_name || '.' || column_name, identity_generation FROM information_schema.columns"
        " WHERE is_identity = 'YES' AND table_schema = :schema"), {"schema": schema})
    return {(column, generation) for column, generation in rows}


def _declared_identity(column: Column[object]) -> str | None:
    return None if column.identity is None else "ALWAYS" if column.identity.always else "BY DEFAULT"


@pytest.mark.parametrize("module", _modules())
async def test_the_declared_tables_are_those_of_the_migrated_database(module_database_url: str, module: str) -> None:
    declared = _declared(module)
    engine = create_async_engine(migrations.driver_url(module_database_url))
    async with engine.connect() as connection:
        differences = await connection.run_sync(_differences, declared)
        identities = await connection.run_sync(_identities, declared.schema or "")
    await engine.dispose()
    assert differences == []
    assert identities == {
        (f"{table.name}.{column.name}", generation) for table in declared.sorted_tables for column in table.columns
        if (generation := _declared_identity(column)) is not None}


async def test_every_schema_of_the_database_is_declared(database: Database) -> None:
    rows = await database.fetch("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'")
    assert {row["nspname"] for row in rows} - {"public", "information_schema"} == {
        _declared(module).schema for module in _modules()}


async def test_a_difference_would_be_seen(database: Database) -> None:
    """The comparison itself works: a dropped index, a wider column and a missing table are three differences."""
    await database.execute("DROP INDEX messaging.message_due")
    await database.execute("ALTER TABLE messaging.message ALTER COLUMN units TYPE bigint")
    await database.execute("DROP TABLE messaging.route")
    engine = create_async_engine(migrations.driver_url(database.url))
    async with engine.connect() as connection:
        differences = await connection.run_sync(_differences, _declared("makola.core.messaging.tables"))
    await engine.dispose()
    assert len(differences) == 3


def test_each_domain_has_a_schema_of_its_own_name() -> None:
    for name in _modules():
        assert _declared(name).schema == name.split(".")[-2]


async def test_a_database_that_nobody_has_migrated_is_brought_to_the_head_twice(bare_database_url: str) -> None:
    await migrations.upgrade(bare_database_url)
    await migrations.upgrade(bare_database_url)
    opened = await Database.connect(bare_database_url, min_size=1, max_size=1)
    try:
        assert await opened.fetchval("SELECT version_num FROM alembic_version") == migrations.head()
    finally:
        await opened.close()


def test_the_revisions_are_one_line() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    revisions = list(ScriptDirectory.from_config(config).walk_revisions())[::-1]
    assert [revision.revision for revision in revisions] == [f"{n:04d}" for n in range(1, len(revisions) + 1)]
    assert [revision.down_revision for revision in revisions] == [None, *(r.revision for r in revisions[:-1])]
    for revision in revisions:
        assert re.match(rf"{revision.revision}_[a-z_]+\.py$", Path(revision.path).name)
