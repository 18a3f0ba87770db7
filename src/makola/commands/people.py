"""`makola api-client` and `makola credit`: what programs of the Hub API need."""

import click

from makola.commands.options import with_settings
from makola.commands.session import Amount, as_decimal, in_session
from makola.core.applications.api_clients import create_api_client
from makola.core.applications.types import NewApplication
from makola.core.ledger.types import Account
from makola.core.organisations.actors import find_platform_actor
from makola.core.organisations.credit import set_credit
from makola.core.organisations.errors import UnknownOrganisationError
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database
from makola.settings import Loaded


async def platform_actor(connection: Connection) -> Actor:
    """Return the actor of the command line.

    Raises:
        UnknownOrganisationError: there is no organisation yet.
    """
    actor = await find_platform_actor(connection)
    if actor is None:
        raise UnknownOrganisationError("There is no organisation yet: make one with `makola organisation create`.")
    return actor


@click.group("api-client")
def api_client() -> None:
    """Programs that act as a user, on the Hub API."""


@api_client.command("create")
@click.argument("name")
@click.option("--user", "user_id", type=int, required=True, help="The user that it acts as.")
@with_settings
def create_client(loaded: Loaded, name: str, user_id: int) -> None:
    """Make an API client called NAME; its secret is shown once."""

    async def use_case(database: Database) -> NewApplication:
        async with database.transaction() as connection:
            return await create_api_client(connection, await platform_actor(connection), user_id, name)

    made = in_session(loaded, use_case)
    click.echo(f"client id      {made.application.client_id}")
    click.echo(f"client secret  {made.client_secret}")


@click.group()
def credit() -> None:
    """Credit accounts, without which an organisation cannot use the Hub API."""


@credit.command("set")
@click.argument("organisation_id", type=int)
@click.argument("currency")
@click.argument("limit", type=Amount())
@with_settings
def set_limit(loaded: Loaded, organisation_id: int, currency: str, limit: int) -> None:
    """Let ORGANISATION_ID buy up to LIMIT on credit in CURRENCY; 0 takes the credit account away."""

    async def use_case(database: Database) -> Account:
        async with database.transaction() as connection:
            return await set_credit(connection, await platform_actor(connection), organisation_id, currency=currency,
                                    credit_limit_units=limit)

    account = in_session(loaded, use_case)
    click.echo(f"Credit limit of organisation {organisation_id}: "
               f"{as_decimal(account.credit_limit_units or 0)} {account.currency}")
