"""Running the migrations. Apart from the package itself because Alembic takes 40 MiB, and servers do not need it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from makola.migrations import MigrationError, driver_url

#: Held while migrating, so that two processes that start together do not both try.
_MIGRATION_LOCK = 0x6D616B6F6C61


async def upgrade(url: str, revision: str) -> None:
    """Bring the database at `url` up to `revision`; see `makola.migrations.upgrade`."""
    engine = create_async_engine(driver_url(url))

    def run(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    try:
        async with engine.connect() as guard:
            await guard.execute(text(f"SELECT pg_advisory_lock({_MIGRATION_LOCK})"))
            async with engine.begin() as connection:
                await connection.run_sync(run)
    except CommandError as error:
        raise MigrationError(f"a newer Makola has migrated this database: {error}") from error
    except DBAPIError as error:
        raise MigrationError(f"cannot migrate the database: {error}") from error
    finally:
        await engine.dispose()
