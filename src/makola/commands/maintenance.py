"""`makola migrate`."""

import asyncio

import click

from makola import logs, migrations
from makola.commands.options import with_settings
from makola.database_start import database_url
from makola.database_start import migrate as migrate_database
from makola.settings import Loaded


@click.command()
@with_settings
def migrate(loaded: Loaded) -> None:
    """Bring the database up to what this program needs."""
    logs.configure(loaded.settings)
    with database_url(loaded.settings) as url:
        asyncio.run(migrate_database(url))
    click.echo(f"The database is at revision {migrations.head()}.")
