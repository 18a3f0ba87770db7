"""`makola payments …`: compare providers' lists with the ledger, and decide what no provider decided."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import click

from makola.commands.options import with_settings
from makola.commands.session import as_decimal, in_session
from makola.commands.visible import say
from makola.core.checkout import queries
from makola.core.checkout.service import reconciliation
from makola.core.checkout.service.reconciliation import Comparison
from makola.core.checkout.types import Difference, Transaction
from makola.kit.database import Database
from makola.settings import Loaded
from makola.wiring.checkout import open_desk
from makola.wiring.parts import assemble


class _Day(click.ParamType[date]):
    """A day as yyyy-mm-dd."""

    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read a day."""
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a day such as 2030-01-31", param, ctx)


@click.group()
def payments() -> None:
    """Compare what providers and the ledger say, and resolve the differences."""


@payments.command("reconcile")
@click.option("--day", type=_Day(), help="In UTC; yesterday without it.")
@click.option("--provider", "names", multiple=True, help="Only this one; repeatable.")
@with_settings
@click.pass_context
def reconcile(context: click.Context, loaded: Loaded, day: date | None, names: tuple[str, ...]) -> None:
    """Compare a day of every provider with the ledger. Exit code 1 where there are differences."""
    chosen = day or (datetime.now(UTC) - timedelta(days=1)).date()

    async def use_case(database: Database) -> list[tuple[str, Comparison | None]]:
        desk = open_desk(assemble(loaded.settings, database))
        everybody = [one.name for one in (*desk.providers.mobile_money, *desk.providers.cards)]
        return [(name, await reconciliation.reconcile(desk, name, chosen)) for name in names or everybody]

    found = False
    for name, comparison in in_session(loaded, use_case):
        if comparison is None:
            click.echo(f"{name}: does not answer, or is not in the settings")
            continue
        found = found or bool(comparison.found)
        theirs = "no list" if comparison.theirs_count is None else comparison.theirs_count
        click.echo(f"{name} on {chosen}: {comparison.ours_count} here, {theirs} there,"
                   f" {len(comparison.found)} differences, {comparison.repaired_count} repaired")
        for one in comparison.found:
            say(f"  {one.kind}  {one.subject}  {one.detail}")
    if found:
        context.exit(1)


@payments.command("differences")
@click.option("--all", "resolved", is_flag=True, help="Also those that are resolved.")
@with_settings
def differences(loaded: Loaded, *, resolved: bool) -> None:
    """Show where providers and the ledger do not agree."""

    async def use_case(database: Database) -> list[Difference]:
        return await reconciliation.list_differences(open_desk(assemble(loaded.settings, database)), resolved=resolved)

    found = in_session(loaded, use_case)
    if not found:
        click.echo("There are none.")
    for one in found:
        ours, theirs = (as_decimal(units) if units is not None else "-"
                        for units in (one.ours_units, one.theirs_units))
        ending = f"  resolved: {one.resolution}" if one.resolved_at is not None else ""
        say(f"{one.difference_id:>6}  {one.day}  {one.provider}  {one.kind}  here {ours}  there {theirs}"
            f"  {one.transaction_id or one.provider_reference}  {one.detail}{ending}")


@payments.command("resolve")
@click.argument("difference_id", type=click.IntRange(1, 2**63 - 1))
@click.option("--note", required=True, help="How it was resolved.")
@with_settings
def resolve(loaded: Loaded, difference_id: int, note: str) -> None:
    """Say that the difference DIFFERENCE_ID is resolved."""

    async def use_case(database: Database) -> None:
        await reconciliation.resolve_difference(open_desk(assemble(loaded.settings, database)), difference_id, note)

    in_session(loaded, use_case)
    click.echo("It is resolved.")


@payments.command("decide")
@click.argument("transaction_id", type=click.UUID)
@click.option("--succeeded/--failed", required=True, default=None, help="What became of it.")
@with_settings
def decide(loaded: Loaded, transaction_id: UUID, *, succeeded: bool) -> None:
    """Say what became of TRANSACTION_ID, of which its provider did not tell in time."""

    async def use_case(database: Database) -> Transaction:
        return await reconciliation.decide_by_hand(open_desk(assemble(loaded.settings, database)), transaction_id,
                                                   succeeded=succeeded)

    click.echo(f"It is {in_session(loaded, use_case).state}.")


@payments.command("list")
@click.argument("account_number")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@with_settings
def list_transactions(loaded: Loaded, account_number: str, limit: int) -> None:
    """Show the newest transactions of the merchant account ACCOUNT_NUMBER."""

    async def use_case(database: Database) -> list[Transaction]:
        account = await queries.find_any_account(database, account_number)
        return await queries.list_transactions(database, account, limit)

    for one in in_session(loaded, use_case):
        say(f"{one.transaction_id}  {one.created_at:%Y-%m-%d %H:%M:%S}  {one.kind:<7}  {one.state:<9}"
            f"  {as_decimal(one.amount_units)} {one.currency}  {one.provider} {one.channel} {one.number}"
            f"  {one.client_reference}  {_why(one)}".rstrip())


def _why(one: Transaction) -> str:
    """Say why a transaction failed; nothing where it did not."""
    return one.failure_detail or one.failure_code.replace("_", " ")
