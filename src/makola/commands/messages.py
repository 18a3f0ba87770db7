"""`makola route …`, `makola do-not-contact …`, `makola phrase …`, `makola short-code …`: the platform's own lists."""

from collections.abc import Awaitable, Callable

import click

from makola.commands.options import with_settings
from makola.commands.session import in_session
from makola.core.messaging import routing
from makola.core.messaging.do_not_contact import add_to_list, remove_from_list
from makola.core.numbering.phone_numbers import parse_phone_number
from makola.core.numbering.short_codes import assign_short_code
from makola.kit.database import Connection, Database
from makola.settings import Loaded


def _change(loaded: Loaded, change: Callable[[Connection], Awaitable[None]], done: str) -> None:
    async def use_case(database: Database) -> None:
        async with database.transaction() as connection:
            await change(connection)

    in_session(loaded, use_case)
    click.echo(done)


@click.group()
def route() -> None:
    """Which connector a network's messages go to."""


@route.command("set")
@click.argument("network_id")
@click.argument("connector")
@with_settings
def set_route(loaded: Loaded, network_id: str, connector: str) -> None:
    """Send messages for NETWORK_ID (MCC+MNC, an MCC alone, or `*`) to CONNECTOR."""
    _change(loaded, lambda connection: routing.set_route(connection, network_id, connector),
            f"{network_id} goes to {connector}.")


@route.command("remove")
@click.argument("network_id")
@with_settings
def remove_route(loaded: Loaded, network_id: str) -> None:
    """Forget the route of NETWORK_ID."""
    _change(loaded, lambda connection: routing.remove_route(connection, network_id), f"{network_id} has no route.")


@click.group("do-not-contact")
def do_not_contact() -> None:
    """People who do not want to be written to; the root organisation's list is the platform's."""


@do_not_contact.command("add")
@click.argument("organisation_id", type=int)
@click.argument("number")
@click.option("--reason", default="", help="Why, for the record.")
@with_settings
def add_number(loaded: Loaded, organisation_id: int, number: str, reason: str) -> None:
    """Put NUMBER on the list of ORGANISATION_ID."""
    e164 = parse_phone_number(number, region=loaded.settings.default_region, field="number").e164
    _change(loaded, lambda connection: add_to_list(connection, organisation_id, e164, reason=reason),
            f"{e164} is on the list of organisation {organisation_id}.")


@do_not_contact.command("remove")
@click.argument("organisation_id", type=int)
@click.argument("number")
@with_settings
def remove_number(loaded: Loaded, organisation_id: int, number: str) -> None:
    """Take NUMBER off the list of ORGANISATION_ID."""
    e164 = parse_phone_number(number, region=loaded.settings.default_region, field="number").e164
    _change(loaded, lambda connection: remove_from_list(connection, organisation_id, e164),
            f"{e164} is not on the list of organisation {organisation_id}.")


@click.group()
def phrase() -> None:
    """What the platform does not carry."""


@phrase.command("block")
@click.argument("text")
@with_settings
def block(loaded: Loaded, text: str) -> None:
    """Refuse messages that contain TEXT, whatever its case."""
    _change(loaded, lambda connection: routing.block_phrase(connection, text), f"{text!r} is refused.")


@phrase.command("unblock")
@click.argument("text")
@with_settings
def unblock(loaded: Loaded, text: str) -> None:
    """Carry messages that contain TEXT again."""
    _change(loaded, lambda connection: routing.unblock_phrase(connection, text), f"{text!r} is carried.")


@click.command("short-code")
@click.argument("number")
@click.argument("organisation_id", type=int)
@with_settings
def short_code(loaded: Loaded, number: str, organisation_id: int) -> None:
    """Give NUMBER to ORGANISATION_ID: what subscribers send to it is that organisation's."""
    _change(loaded, lambda connection: assign_short_code(connection, number, organisation_id),
            f"{number} belongs to organisation {organisation_id}.")
