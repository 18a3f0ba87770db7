"""`makola serve`, `makola web` and `makola worker`."""

import asyncio
import dataclasses
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Protocol, cast

import click
import msgspec

from makola import logs
from makola.commands.options import with_settings
from makola.database_start import check_migrated, database_url, migrate
from makola.kit.database import Database
from makola.kit.imports import import_late
from makola.server import Runtime, Stopping, claim, listen, run
from makola.settings import Loaded, Settings


@click.command()
@with_settings
def serve(loaded: Loaded) -> None:
    """Run everything in one process: database, HTTP server and background work."""
    stopping = _prepare(loaded.settings)
    with ExitStack() as stack:
        stack.enter_context(claim(loaded.settings.data_directory))
        listener = stack.enter_context(listen(loaded.settings.host, loaded.settings.port))
        url = stack.enter_context(database_url(loaded.settings, stopping, _app))
        settings = dataclasses.replace(loaded.settings.listening_on(listener.getsockname()[1]), database_url=url)
        asyncio.run(_make_ready(settings, url))
        code = run(settings, partial(_app().start_runtime, settings, web=True, worker=True), stopping,
                   listener=listener, ready=partial(_say_what_next, settings))
    sys.exit(code)


@click.command()
@with_settings
def web(loaded: Loaded) -> None:
    """Run the HTTP server alone; needs a migrated database."""
    stopping = _prepare(loaded.settings)
    with listen(loaded.settings.host, loaded.settings.port) as listener, \
            database_url(loaded.settings, stopping, _app) as url:
        asyncio.run(check_migrated(url))
        settings = dataclasses.replace(loaded.settings.listening_on(listener.getsockname()[1]), database_url=url)
        code = run(settings, partial(_app().start_runtime, settings, web=True, worker=False), stopping,
                   listener=listener, ready=partial(_say, f"Makola answers at {settings.public_url}"))
    sys.exit(code)


@click.command()
@with_settings
def worker(loaded: Loaded) -> None:
    """Run the background work alone; needs a migrated database."""
    stopping = _prepare(loaded.settings)
    with database_url(loaded.settings, stopping, _app) as url:
        asyncio.run(check_migrated(url))
        settings = dataclasses.replace(loaded.settings, database_url=url)
        code = run(settings, partial(_app().start_runtime, settings, web=False, worker=True), stopping,
                   ready=partial(_say, "Makola's worker is at work"))
    sys.exit(code)


def _prepare(settings: Settings) -> Stopping:
    logs.configure(settings)
    stopping = Stopping(settings.drain_timeout_s)
    stopping.install()
    return stopping


class _App(Protocol):
    """`makola.app`, which takes longer to import than an empty database to be made: both are done at once."""

    async def start_runtime(self, settings: Settings, *, web: bool, worker: bool) -> Runtime:
        """Wire and start one process."""
        ...

    async def create_demonstration_world(self, settings: Settings, database: Database) -> None:
        """Make the demonstration world where there is none yet."""
        ...


def _app() -> _App:
    return cast("_App", import_late("makola.app"))


async def _make_ready(settings: Settings, url: str) -> None:
    await migrate(url)
    if settings.demo:
        database = await Database.connect(url, min_size=1, max_size=2)
        try:
            await _app().create_demonstration_world(settings, database)
        finally:
            await database.close()


# -- what next ------------------------------------------------------------------------------------------------


class _Client(msgspec.Struct):
    client_id: str
    client_secret: str


class _Demonstration(msgspec.Struct):
    """The part of `demo.json` that is read here."""

    clients: dict[str, _Client]
    handsets: list[str]


def _say_what_next(settings: Settings) -> None:
    lines = [f"Makola answers at {settings.public_url}", ""]
    if settings.demo:
        lines += _how_to_send(settings, settings.data_directory / "demo.json")
    lines += [f"  API documentation:  {settings.public_url}/docs",
              "  Stop:               Ctrl-C", ""]
    _say("\n".join(lines))


def _how_to_send(settings: Settings, file: Path) -> list[str]:
    if not file.exists():
        return []  # the world was made from another data directory, which has its credentials
    world = msgspec.json.decode(file.read_bytes(), type=_Demonstration)
    client, handset = world.clients["merchant"], world.handsets[0]
    message = msgspec.json.encode({"From": "Makola", "To": handset, "Content": "Hello from Makola"}).decode()
    return [
        "  Send an SMS:",
        "",
        f"    curl -u {client.client_id}:{client.client_secret} {settings.public_url}/v1/messages \\",
        f"      -H 'Content-Type: application/json' -d '{message}'",
        "",
        f"  See it arrive:      {settings.public_url}/handset",
        "  Dial a USSD code:   press Phone on a handset, then *711#",
    ]


def _say(text: str) -> None:
    click.echo(text)
    sys.stdout.flush()
