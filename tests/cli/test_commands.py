"""The table of commands: every line of it leads to a command, imported only when it is asked for."""

import subprocess
import sys

import click
import pytest

from makola import cli
from tests.cli.processes import environment


@pytest.mark.parametrize("name", cli.makola.list_commands(click.Context(cli.makola)))
def test_every_command_can_be_imported_and_is_called_by_its_name(name: str) -> None:
    command = cli.makola.get_command(click.Context(cli.makola), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str(), "`makola --help` says what it is for"


def test_a_command_that_there_is_not_is_named() -> None:
    done = subprocess.run([sys.executable, "-m", "makola", "serv"], text=True, capture_output=True, env=environment(),
                          check=False)
    assert done.returncode == 2
    assert "No such command 'serv'" in done.stderr
