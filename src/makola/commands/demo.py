"""`makola demo env`: the demonstration world's credentials, for a shell."""

import shlex

import click
import msgspec

from makola.commands.options import with_settings
from makola.server import StartError
from makola.settings import Loaded


class _Client(msgspec.Struct):
    client_id: str
    client_secret: str
    organisation: int


class _World(msgspec.Struct):
    base_url: str
    clients: dict[str, _Client]
    handsets: list[str]
    applications: dict[str, _Client] = {}
    merchant_account_number: str = ""


@click.group()
def demo() -> None:
    """The demonstration world."""


@demo.command("env")
@click.option("--client", default="merchant", show_default=True,
              help="Which of the clients or applications in demo.json.")
@with_settings
def env(loaded: Loaded, client: str) -> None:
    """Print MAKOLA_URL, CLIENT_ID, CLIENT_SECRET, HANDSET, ORGANISATION and MERCHANT_ACCOUNT for `eval`."""
    file = loaded.settings.data_directory / "demo.json"
    try:
        world = msgspec.json.decode(file.read_bytes(), type=_World)
    except FileNotFoundError as error:
        raise StartError(f"there is no {file}: run `makola serve` first, or name its directory with --data") from error
    clients = world.clients | world.applications
    if client not in clients:
        raise StartError(f"{file} has no client {client!r}, only {', '.join(sorted(clients))}")
    chosen = clients[client]
    for name, value in (("MAKOLA_URL", world.base_url), ("CLIENT_ID", chosen.client_id),
                        ("CLIENT_SECRET", chosen.client_secret), ("HANDSET", world.handsets[0]),
                        ("ORGANISATION", str(chosen.organisation)),
                        ("MERCHANT_ACCOUNT", world.merchant_account_number)):
        click.echo(f"export {name}={shlex.quote(value)}")
