"""The schema's history, one file per change."""

from importlib import import_module
from pathlib import Path


class MigrationError(Exception):
    """The database could not be migrated; the message is for a person."""


def head() -> str:
    """Return the revision that this program's code expects: the last file's."""
    return max(file.name.partition("_")[0] for file in (Path(__file__).parent / "versions").glob("[0-9]*_*.py"))


def driver_url(url: str) -> str:
    """Return `url` in the form that SQLAlchemy's asyncpg dialect takes."""
    _, _, rest = url.partition("://")
    return f"postgresql+asyncpg://{rest}"


async def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` up to `revision`; safe to run from several processes at once.

    Raises:
        MigrationError: the database refuses, or a newer program has migrated it further.
        OSError: it cannot be reached.
    """
    await import_module("makola.migrations.running").upgrade(url, revision)
