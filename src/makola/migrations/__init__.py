"""The schema's history, one file per change."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

#: Held while migrating, so that two processes that start together do not both try.
_MIGRATION_LOCK = 0x6D616B6F6C61


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def head() -> str:
    """Return the revision that this program's code expects."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise RuntimeError("there are no migrations")
    return revision


def driver_url(url: str) -> str:
    """Return `url` in the form that SQLAlchemy's asyncpg dialect takes."""
    _, _, rest = url.partition("://")
    return f"postgresql+asyncpg://{rest}"


async def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` up to `revision`; safe to run from several processes at once."""
    engine = create_async_engine(driver_url(url))

    def run(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    try:
        async with engine.connect() as guard:
            await guard.execute(text(f"SELECT pg_advisory_lock({_MIGRATION_LOCK})"))
            async with engine.begin() as connection:
                await connection.run_sync(run)
    finally:
        await engine.dispose()
