"""`makola merchant …`: the platform's side of merchant accounts: activation, verification, fees."""

from pathlib import Path

import click

from makola.commands.options import with_settings
from makola.commands.session import Amount, as_decimal, in_session
from makola.commands.visible import say
from makola.core.checkout import queries
from makola.core.checkout.desk import Desk
from makola.core.checkout.fees import FeeTariff
from makola.core.checkout.service import documents, merchants, payouts
from makola.core.checkout.service.documents import KINDS
from makola.core.checkout.types import Channel, DocumentView, MerchantAccount, SweepAccount
from makola.core.ledger.types import Account
from makola.core.organisations import audit
from makola.core.organisations.actors import find_platform_actor
from makola.kit.database import Connection, Database
from makola.settings import Loaded
from makola.wiring.checkout import open_desk
from makola.wiring.parts import assemble

_CHANNELS = click.Choice([str(channel) for channel in Channel if channel is not Channel.CARD])
_TARIFFS = click.Choice(["", *(str(channel) for channel in Channel), payouts.SEND])
_ONE_PERCENT_PPM = 10_000


@click.group()
def merchant() -> None:
    """Make merchant accounts, activate them, verify their owners, and say what payments cost."""


@merchant.command("create")
@click.argument("organisation_id", type=click.IntRange(1, 2**63 - 1))
@click.option("--name", required=True, help="Of the business, as customers read it.")
@click.option("--currency", default="GHS", show_default=True)
@with_settings
def create(loaded: Loaded, organisation_id: int, name: str, currency: str) -> None:
    """Make a merchant account of ORGANISATION_ID; it waits for `makola merchant activate`."""

    async def use_case(connection: Connection) -> MerchantAccount:
        return await merchants.create_merchant_account(connection, organisation_id, name=name, currency=currency)

    _change(loaded, use_case)


@merchant.command("list")
@with_settings
def list_accounts(loaded: Loaded) -> None:
    """Show every merchant account."""

    async def use_case(database: Database) -> list[MerchantAccount]:
        return await queries.list_all_accounts(database)

    for account in in_session(loaded, use_case):
        say(_line(account))


@merchant.command("show")
@click.argument("number")
@with_settings
def show(loaded: Loaded, number: str) -> None:
    """Show the merchant account NUMBER, its balance and its documents."""

    async def use_case(database: Database) -> tuple[MerchantAccount, Account, list[tuple[DocumentView, Path]]]:
        desk = _desk(loaded, database)
        account = await queries.find_any_account(database, number)
        rows = [(row, await documents.open_document(desk, account, row.document_id))
                for row in await documents.list_documents(desk, account)]
        return account, await payouts.balance(desk, account), rows

    account, money, rows = in_session(loaded, use_case)
    say(_line(account))
    sweep = account.sweep_account
    say(f"  paid out to {sweep.name}, {sweep.number} ({sweep.channel})" if sweep else "  no sweep account")
    click.echo(f"  balance {as_decimal(money.balance_units)} {money.currency}, of it on its way"
               f" {as_decimal(money.held_units)}")
    for row, file in rows:
        say(f"  {row.created_at:%Y-%m-%d %H:%M:%S}  {row.state:<9}  {row.kind}  {row.file_name}"
            f"  {row.content_type}  {row.size_bytes} bytes  {file}  {row.note}".rstrip())


@merchant.command("activate")
@click.argument("number")
@with_settings
def activate(loaded: Loaded, number: str) -> None:
    """Let the merchant account NUMBER take payments."""
    _change(loaded, lambda connection: merchants.activate(connection, number))


@merchant.command("suspend")
@click.argument("number")
@click.option("--reason", required=True, help="For its owner.")
@with_settings
def suspend(loaded: Loaded, number: str, reason: str) -> None:
    """Let the merchant account NUMBER take no payments and pay nothing out."""
    _change(loaded, lambda connection: merchants.suspend(connection, number, reason))


@merchant.command("document")
@click.argument("number")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", type=click.Choice(KINDS), required=True)
@with_settings
def document(loaded: Loaded, number: str, file: Path, kind: str) -> None:
    """Submit FILE (PDF, PNG or JPEG) as a verification document of the merchant account NUMBER."""

    content = file.read_bytes()

    async def use_case(database: Database) -> object:
        return await documents.submit(_desk(loaded, database), number, kind=kind, file_name=file.name,
                                      content=content)

    click.echo(f"Document {in_session(loaded, use_case)} waits for its review.")


@merchant.command("review")
@click.argument("number")
@click.option("--approve/--reject", required=True, default=None, help="Whether the business is verified.")
@click.option("--reason", default="", help="For its owner; needed with --reject.")
@with_settings
def review(loaded: Loaded, number: str, *, approve: bool, reason: str) -> None:
    """Decide on the documents of the merchant account NUMBER: its money can be paid out once they are approved."""
    _change(loaded, lambda connection: merchants.review(connection, number, approve=approve, reason=reason))


@merchant.command("sweep")
@click.argument("number")
@click.option("--channel", type=_CHANNELS, required=True)
@click.option("--wallet", required=True, help="The wallet's number.")
@click.option("--name", required=True, help="Whose wallet it is.")
@with_settings
def sweep(loaded: Loaded, number: str, channel: str, wallet: str, name: str) -> None:
    """Say to which wallet the money of the merchant account NUMBER is paid out."""
    target = SweepAccount(Channel(channel), wallet, name)
    _change(loaded, lambda connection: merchants.change(connection, number, sweep_account=target))


@merchant.command("fees")
@click.argument("number", default="")
@click.option("--channel", type=_TARIFFS, default="", help="A channel, or `send` for what is paid out; all without.")
@click.option("--percent", type=click.FloatRange(0, 100), default=0.0, show_default=True)
@click.option("--fixed", type=Amount(), default="0", show_default=True)
@click.option("--minimum", type=Amount(), default="0", show_default=True)
@click.option("--maximum", type=Amount(), help="No limit without it.")
@with_settings
def fees(loaded: Loaded, number: str, channel: str, percent: float, fixed: int, minimum: int,
         maximum: int | None) -> None:
    """Say what payments to the merchant account NUMBER cost; without it, to every account without fees of its own."""
    tariff = FeeTariff(round(percent * _ONE_PERCENT_PPM), fixed, minimum, maximum)

    async def use_case(database: Database) -> None:
        async with database.transaction() as connection:
            await merchants.set_fees(connection, number, channel, tariff)

    in_session(loaded, use_case)
    click.echo("The fees are set.")


def _change(loaded: Loaded, deed: merchants.Deed) -> None:
    """Do something to an account in one transaction, and say how it stands then."""

    async def use_case(database: Database) -> MerchantAccount:
        async with database.transaction() as connection:
            account = await deed(connection)
            actor = await find_platform_actor(connection)
            if actor is not None:
                await audit.record(connection, actor, f"merchant_account:{click.get_current_context().info_name}",
                                   f"merchant_account:{account.number}",
                                   {"state": account.state, "verification": account.kyc_state,
                                    "reason": account.refused_because}, organisation_id=account.organisation_id)
            return account

    say(_line(in_session(loaded, use_case)))


def _desk(loaded: Loaded, database: Database) -> Desk:
    return open_desk(assemble(loaded.settings, database))


def _line(account: MerchantAccount) -> str:
    return (f"{account.number}  {account.state:<9}  verification {account.kyc_state:<9}"
            f"  organisation {account.organisation_id}  {account.name}  {account.refused_because}").rstrip()
