"""`makola tariff …`, `makola top-up` and `makola balance`: what messages cost, and what accounts hold."""

from uuid import uuid4

import click

from makola.commands.options import with_settings
from makola.commands.session import Amount, as_decimal, in_session
from makola.core.billing.service import messaging_accounts, set_tariff, top_up
from makola.core.billing.types import SMS
from makola.core.ledger.types import Account
from makola.core.ussd.types import SESSION_TARIFF, STEP_TARIFF
from makola.kit.database import Database
from makola.settings import Loaded

_UNITS = {SMS: "segment", SESSION_TARIFF: "USSD session", STEP_TARIFF: "USSD step"}


@click.group()
def tariff() -> None:
    """What an organisation pays its parent for a message's segment, a USSD session, or a USSD step."""


@tariff.command("set")
@click.argument("organisation_id", type=int)
@click.argument("network_id")
@click.argument("price", type=Amount())
@click.option("--currency", default="CREDIT", show_default=True, help="Currency code of the price.")
@click.option("--service", type=click.Choice([SMS, SESSION_TARIFF, STEP_TARIFF]), default=SMS, show_default=True,
              help="What is paid for.")
@with_settings
def set_price(loaded: Loaded, organisation_id: int, network_id: str, price: int, currency: str, service: str) -> None:
    """Set the PRICE of ORGANISATION_ID for NETWORK_ID: MCC+MNC, an MCC alone, or `*`."""

    async def use_case(database: Database) -> None:
        async with database.transaction() as connection:
            await set_tariff(connection, organisation_id, service, network_id, currency=currency, price_units=price)

    in_session(loaded, use_case)
    click.echo(f"Organisation {organisation_id} pays {as_decimal(price)} {currency} a {_UNITS[service]} to"
               f" {network_id}.")


@click.command("top-up")
@click.argument("organisation_id", type=int)
@click.argument("amount", type=Amount())
@click.option("--currency", default="CREDIT", show_default=True, help="Currency code of the amount.")
@with_settings
def add_credit(loaded: Loaded, organisation_id: int, amount: int, currency: str) -> None:
    """Put AMOUNT on the messaging account of ORGANISATION_ID."""

    async def use_case(database: Database) -> None:
        async with database.transaction() as connection:
            await top_up(connection, organisation_id, currency=currency, amount_units=amount, reference=uuid4())

    in_session(loaded, use_case)
    click.echo(f"Organisation {organisation_id} has {as_decimal(amount)} {currency} more.")


@click.command()
@click.argument("organisation_id", type=int)
@with_settings
def balance(loaded: Loaded, organisation_id: int) -> None:
    """Show the messaging accounts of ORGANISATION_ID."""

    async def use_case(database: Database) -> list[Account]:
        async with database.connection() as connection:
            return await messaging_accounts(connection, organisation_id)

    for account in in_session(loaded, use_case):
        click.echo(f"{account.currency}  balance {as_decimal(account.balance_units)}"
                   f"  held {as_decimal(account.held_units)}")
