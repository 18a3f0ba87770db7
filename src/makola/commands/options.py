"""Options that every command has: they are the last word on the settings."""

import os
from collections.abc import Callable
from functools import wraps

import click

from makola.settings import Given, SettingsError, load


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` the options that settings have, and the settings that come of them as first argument."""

    @click.option("--host", metavar="ADDRESS", help="Address to listen on.")
    @click.option("--port", metavar="PORT", help="Port to listen on; 0 takes a free one.")
    @click.option("--data", metavar="DIR", help="Data directory of the embedded database.")
    @click.option("--demo/--no-demo", default=None, help="With or without the demonstration world.")
    @click.option("--config", metavar="FILE", help="TOML file with settings.")
    @click.option("--set", "assignments", metavar="NAME=VALUE", multiple=True, help="Any setting; repeatable.")
    @wraps(command)
    def with_options(*, host: str | None, port: str | None, data: str | None, demo: bool | None,
                     config: str | None, assignments: tuple[str, ...], **others: object) -> None:
        given = [_assignment(each) for each in assignments]
        given += [Given(name, value, f"option {option}") for name, value, option in (
            ("host", host, "--host"), ("port", port, "--port"), ("data_directory", data, "--data"),
            ("config", config, "--config"), ("demo", demo, "--demo" if demo else "--no-demo"),
        ) if value is not None]
        loaded = load(given, os.environ)
        for warning in loaded.warnings:
            click.echo(f"makola: warning: {warning}", err=True)
        command(loaded, **others)

    return with_options


def _assignment(text: str) -> Given:
    name, equals, value = text.partition("=")
    if not equals:
        raise SettingsError(f"option --set: expected NAME=VALUE, got {text!r}")
    return Given(name.strip().lower(), value, "option --set")
