"""The `makola` command."""

import sys
from types import MappingProxyType

import click

from makola import __version__
from makola.commands.visible import visible
from makola.kit.imports import import_late

_WRONG_USE = 2

#: Every command and where it is written. A command is imported when it is asked for: `makola ussd dial` begins at once
#: because it imports neither the server nor the database.
_COMMANDS = MappingProxyType({
    "serve": "makola.commands.serving:serve",
    "web": "makola.commands.serving:web",
    "worker": "makola.commands.serving:worker",
    "migrate": "makola.commands.maintenance:migrate",
    "settings": "makola.commands.show_settings:show_settings",
    "organisation": "makola.commands.organisations:organisation",
    "application": "makola.commands.applications:application",
    "user": "makola.commands.users:user",
    "api-client": "makola.commands.people:api_client",
    "credit": "makola.commands.people:credit",
    "keys": "makola.commands.keys:keys",
    "tariff": "makola.commands.money:tariff",
    "top-up": "makola.commands.money:add_credit",
    "balance": "makola.commands.money:balance",
    "route": "makola.commands.messages:route",
    "do-not-contact": "makola.commands.messages:do_not_contact",
    "phrase": "makola.commands.messages:phrase",
    "short-code": "makola.commands.messages:short_code",
    "callbacks": "makola.commands.callbacks:callbacks",
    "demo": "makola.commands.demo:demo",
    "orders": "makola.commands.orders:orders",
    "merchant": "makola.commands.merchant:merchant",
    "payments": "makola.commands.payments:payments",
    "import": "makola.commands.exchange.commands:import_",
    "export": "makola.commands.exchange.commands:export",
    "ussd": "makola.commands.ussd:ussd",
    "ussd-service": "makola.commands.ussd_services:ussd_service",
})

#: What a person can put right, and where it is defined.
_REFUSALS = ("makola.kit.errors:DomainError", "makola.settings:SettingsError", "makola.server:StartError",
             "makola.kit.database:DatabaseUnavailableError", "makola.kit.embedded_postgres:EmbeddedPostgresError",
             "makola.kit.sealing:SealingError")


class _Commands(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None when there is no such."""
        if cmd_name not in _COMMANDS:
            return None
        command = _imported(_COMMANDS[cmd_name])
        if not isinstance(command, click.Command):
            raise TypeError(f"{_COMMANDS[cmd_name]} is no command")
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="makola")
def makola() -> None:
    """Makola: a self-hosted hub for resellers, messages and payments."""


def main() -> None:
    """Run the command line; what a person can put right is said in one line, with exit code 2."""
    try:
        makola(prog_name="makola")
    except Exception as error:
        if not isinstance(error, _refusals()):
            raise
        field, detail = getattr(error, "field", ""), getattr(error, "detail", str(error))
        click.echo(visible(f"makola: {f'{field}: ' if field else ''}{' '.join(detail.split())}"), err=True)
        sys.exit(_WRONG_USE)


def _refusals() -> tuple[type[Exception], ...]:
    """Return the errors of `_REFUSALS`; importing them takes a while, so only when something was raised."""
    return tuple(kind for kind in map(_imported, _REFUSALS) if isinstance(kind, type) and issubclass(kind, Exception))


def _imported(place: str) -> object:
    """Return what is at `module:attribute`."""
    module, _, attribute = place.partition(":")
    return getattr(import_late(module), attribute)
