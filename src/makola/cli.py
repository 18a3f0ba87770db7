"""The `makola` command."""

import sys

import click

from makola import __version__
from makola.commands.callbacks import callbacks
from makola.commands.demo import demo
from makola.commands.exchange.commands import export, import_
from makola.commands.maintenance import migrate
from makola.commands.messages import do_not_contact, phrase, route, short_code
from makola.commands.money import add_credit, balance, tariff
from makola.commands.orders import orders
from makola.commands.organisations import application, organisation
from makola.commands.people import api_client, credit, user
from makola.commands.serving import serve, web, worker
from makola.commands.show_settings import show_settings
from makola.kit.database import DatabaseUnavailableError
from makola.kit.embedded_postgres import EmbeddedPostgresError
from makola.kit.errors import DomainError
from makola.server import StartError
from makola.settings import SettingsError

_WRONG_USE = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="makola")
def makola() -> None:
    """Makola: a self-hosted hub for resellers, messages and payments."""


for command in (serve, web, worker, migrate, show_settings, organisation, application, user, api_client, credit,
                tariff, add_credit, balance, route, do_not_contact, phrase, short_code, callbacks, demo, orders,
                import_, export):
    makola.add_command(command)


def main() -> None:
    """Run the command line; what a person can put right is said in one line, with exit code 2."""
    try:
        makola(prog_name="makola")
    except (SettingsError, StartError, DatabaseUnavailableError, EmbeddedPostgresError) as error:
        click.echo(f"makola: {' '.join(str(error).split())}", err=True)
        sys.exit(_WRONG_USE)
    except DomainError as error:
        click.echo(f"makola: {f'{error.field}: ' if error.field else ''}{error.detail}", err=True)
        sys.exit(_WRONG_USE)
