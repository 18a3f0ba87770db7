"""`makola callbacks …`: look at every callback, understand it, send it again."""

from collections.abc import Sequence
from uuid import UUID

import click

from makola.commands.options import with_settings
from makola.commands.people import platform_actor
from makola.commands.receiver import listen
from makola.commands.session import in_session
from makola.commands.visible import say
from makola.core.callbacks import service
from makola.core.callbacks.queries import get_delivery, list_deliveries
from makola.core.callbacks.signing_secrets import (
    MOST_OVERLAP_S,
    USUAL_OVERLAP_S,
    rotate_signing_secret,
    signing_secret,
)
from makola.core.callbacks.types import Delivery, DeliveryHistory, SigningSecret
from makola.kit.database import Database
from makola.settings import Loaded


@click.group()
def callbacks() -> None:
    """What was sent to accounts' own servers, and what came back."""


callbacks.add_command(listen)


@callbacks.command("list")
@click.option("--organisation", "organisation_id", type=int, help="Only this organisation's.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@with_settings
def list_recent(loaded: Loaded, organisation_id: int | None, limit: int) -> None:
    """Show the newest callbacks."""

    async def use_case(database: Database) -> Sequence[Delivery]:
        return await list_deliveries(database, organisation_id=organisation_id, limit=limit)

    for each in in_session(loaded, use_case):
        say(f"{each.delivery_id.hex}  {each.created_at:%Y-%m-%d %H:%M:%S}  {each.state:<10}"
            f"  {each.attempt_count:>2} tries  {each.event}  {each.method} {_without_query(each.url)}")


@callbacks.command("show")
@click.argument("delivery_id", type=click.UUID)
@with_settings
def show(loaded: Loaded, delivery_id: UUID) -> None:
    """Show one callback with every attempt."""

    async def use_case(database: Database) -> DeliveryHistory:
        return await get_delivery(database, delivery_id, organisation_id=None)

    history = in_session(loaded, use_case)
    delivery = history.delivery
    say(f"{delivery.event} for organisation {delivery.organisation_id}: {delivery.state}  {delivery.detail}")
    say(f"{delivery.method} {_without_query(delivery.url)}")
    for attempt in history.attempts:
        say(f"  {attempt.number:>2}  {attempt.started_at:%Y-%m-%d %H:%M:%S}  {attempt.duration_ms} ms"
            f"  {attempt.status or attempt.error}  {attempt.answer[:200]!r}")


@callbacks.command("replay")
@click.argument("delivery_id", type=click.UUID)
@with_settings
def replay(loaded: Loaded, delivery_id: UUID) -> None:
    """Send one callback again, under the same webhook-id."""

    async def use_case(database: Database) -> None:
        await service.replay(database, delivery_id, organisation_id=None)

    in_session(loaded, use_case)
    click.echo("It is sent again.")


@callbacks.command("secret")
@click.argument("organisation_id", type=int)
@with_settings
def secret(loaded: Loaded, organisation_id: int) -> None:
    """Show the secret that signs the callbacks of ORGANISATION_ID."""

    async def use_case(database: Database) -> str:
        return await signing_secret(database, organisation_id)

    click.echo(in_session(loaded, use_case))


@callbacks.command("rotate-secret")
@click.argument("organisation_id", type=int)
@click.option("--overlap", "overlap_s", type=click.IntRange(0, MOST_OVERLAP_S), default=USUAL_OVERLAP_S,
              show_default=True, help="Seconds for which callbacks carry a signature of the present secret too.")
@with_settings
def rotate_secret(loaded: Loaded, organisation_id: int, overlap_s: int) -> None:
    """Sign the callbacks of ORGANISATION_ID with a new secret, and show it."""

    async def use_case(database: Database) -> SigningSecret:
        async with database.transaction() as connection:
            return await rotate_signing_secret(connection, await platform_actor(connection), overlap_s,
                                               organisation_id=organisation_id)

    made = in_session(loaded, use_case)
    click.echo(made.secret)
    if made.previous_until is not None:
        click.echo(f"Callbacks are signed with both until {made.previous_until:%Y-%m-%d %H:%M:%S} GMT.", err=True)


def _without_query(url: str) -> str:
    """Return an URL without its query, which may hold a token."""
    return url.partition("?")[0]
