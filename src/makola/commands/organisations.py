"""`makola organisation …`: who there is."""

import click

from makola.commands.options import with_settings
from makola.commands.session import in_session
from makola.commands.visible import say
from makola.core.organisations.queries import whole_tree
from makola.core.organisations.service import create_organisation
from makola.core.organisations.types import Organisation
from makola.kit.database import Database
from makola.settings import Loaded


@click.group()
def organisation() -> None:
    """The tree of organisations."""


@organisation.command("create")
@click.argument("name")
@click.option("--parent", "parent_id", type=int, help="The organisation above; none makes the root of the tree.")
@with_settings
def create(loaded: Loaded, name: str, parent_id: int | None) -> None:
    """Add an organisation called NAME."""

    async def use_case(database: Database) -> Organisation:
        async with database.transaction() as connection:
            return await create_organisation(connection, parent_id, name=name)

    click.echo(f"Organisation {in_session(loaded, use_case).organisation_id} is made.")


@organisation.command("list")
@with_settings
def list_all(loaded: Loaded) -> None:
    """Show the whole tree."""

    async def use_case(database: Database) -> list[Organisation]:
        async with database.connection() as connection:
            return await whole_tree(connection)

    for each in in_session(loaded, use_case):
        say(f"{each.organisation_id:>8}  {'  ' * (len(each.chain) - 1)}{each.name}")
