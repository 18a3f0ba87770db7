"""`makola organisation …` and `makola application …`: who there is, and what they authenticate with."""

import click

from makola.commands.options import with_settings
from makola.commands.session import in_session
from makola.core.applications.service import create_application
from makola.core.applications.types import AnswerCasing, NewApplication
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
        click.echo(f"{each.organisation_id:>8}  {'  ' * (len(each.chain) - 1)}{each.name}")


@click.group()
def application() -> None:
    """Programs that may call the API."""


@application.command("create")
@click.argument("name")
@click.option("--organisation", "organisation_id", type=int, required=True, help="Whose account it has.")
@click.option("--camel", is_flag=True, help="Answer sends in camelCase instead of PascalCase.")
@click.option("--unique-client-reference", is_flag=True, help="A repeated ClientReference gets the first answer.")
@with_settings
def create_private(loaded: Loaded, name: str, organisation_id: int, camel: bool,
                   unique_client_reference: bool) -> None:
    """Make a private application called NAME; its secret is shown once."""

    async def use_case(database: Database) -> NewApplication:
        async with database.transaction() as connection:
            return await create_application(
                connection, organisation_id, name=name,
                answer_casing=AnswerCasing.CAMEL if camel else AnswerCasing.PASCAL,
                unique_client_reference=unique_client_reference)

    made = in_session(loaded, use_case)
    click.echo(f"client id      {made.application.client_id}")
    click.echo(f"client secret  {made.client_secret}")
