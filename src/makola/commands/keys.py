"""`makola keys …`: the keys that sign ID tokens."""

from collections.abc import Sequence
from datetime import datetime

import click

from makola.commands.options import with_settings
from makola.commands.session import in_session
from makola.core.oauth.keys import PublishedKey, Rotation, list_keys, rotate_keys
from makola.kit.database import Database
from makola.settings import Loaded, Settings
from makola.wiring.sealing import sealer

#: An old key is published for so long after the last ID token that it signed has expired.
_AFTER_S = 86_400.0


@click.group()
def keys() -> None:
    """The keys that sign ID tokens and logout tokens."""


@keys.command("list")
@with_settings
def list_published(loaded: Loaded) -> None:
    """Show the keys that are published, the newest first."""

    async def use_case(database: Database) -> Sequence[PublishedKey]:
        return await list_keys(database)

    for each in in_session(loaded, use_case):
        until = f"until {_when(each.signs_until)}" if each.signs_until is not None else ""
        gone = f", published until {_when(each.published_until)}" if each.published_until is not None else ""
        click.echo(f"{each.kid}  {each.algorithm}  signs from {_when(each.signs_from)} {until}{gone}".rstrip())


@keys.command("rotate")
@click.option("--now", "at_once", is_flag=True,
              help="Sign with the new keys at once: for when the present ones may be known to others.")
@with_settings
def rotate(loaded: Loaded, at_once: bool) -> None:
    """Make new keys. They are published now, and sign once every client has had the time to read them."""

    async def use_case(database: Database) -> datetime:
        return await rotate_keys(database, sealer(loaded.settings), _rotation(loaded.settings, at_once=at_once))

    click.echo(f"The new keys sign from {_when(in_session(loaded, use_case))}.")


def _rotation(settings: Settings, *, at_once: bool) -> Rotation:
    return Rotation(0.0 if at_once else settings.signing_key_overlap_s,
                    0.0 if at_once else settings.id_token_lifetime_s + _AFTER_S)


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
