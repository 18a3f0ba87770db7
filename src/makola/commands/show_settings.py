"""`makola settings`: every setting with its meaning, its value and where that came from."""

import json

import click

from makola.commands.options import with_settings
from makola.settings import Loaded, describe, shown

_PREAMBLE = """\
# Settings

Written by `./dev makola settings --markdown > docs/reference/settings.md`; a test compares the two.

A value is taken from, the later one wins: the default, a TOML file (`makola.toml` in the working directory, or the
one that `--config` or `MAKOLA_CONFIG` names; the settings are its top-level keys), the environment variable
`MAKOLA_` and the name in capitals, the command line (`--host`, `--port`, `--data`, `--demo`/`--no-demo`,
`--config`, and `--set NAME=VALUE` for every other). Lists are written with commas. `makola settings` prints what
is in force and where each value came from.

| setting | default | expects | meaning |
| --- | --- | --- | --- |
"""


@click.command(name="settings")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--markdown", is_flag=True, help="Print the reference page, with the defaults.")
@with_settings
def show_settings(loaded: Loaded, as_json: bool, markdown: bool) -> None:
    """Print every setting with its meaning, its value and where that came from."""
    if markdown:
        click.echo(_PREAMBLE + "\n".join(
            f"| `{each.name}` | {each.default} | {each.kind} | {each.meaning} |" for each in describe()))
        return
    rows = [{"name": each.name, "value": shown(loaded.settings, each), "origin": loaded.origins[each.name],
             "meaning": each.meaning, "expects": each.kind, "environment": each.environment}
            for each in describe()]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['name']} = {row['value'] or '(none)'}    [{row['origin']}]\n    {row['meaning']}")
