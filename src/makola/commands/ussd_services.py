"""`makola ussd-service …`: which USSD codes there are, whose they are, and which application answers them."""

from collections.abc import Mapping
from dataclasses import replace

import click

from makola.commands.options import with_settings
from makola.commands.session import in_session
from makola.commands.visible import say
from makola.core.organisations.actors import find_platform_actor
from makola.core.organisations.errors import UnknownOrganisationError
from makola.core.organisations.types import Actor
from makola.core.ussd.errors import UnknownServiceError
from makola.core.ussd.queries import count_failures, list_failures, list_services
from makola.core.ussd.service.mapping import find_code
from makola.core.ussd.service.services import add_service, change_service, remove_service
from makola.core.ussd.types import LongText, Service
from makola.kit.database import Connection, Database
from makola.settings import Loaded

_DAY_S = 86_400


@click.group("ussd-service")
def ussd_service() -> None:
    """USSD codes and the applications behind them."""


def _with_values(command: click.decorators.FC) -> click.decorators.FC:
    """Give a command the options for everything of a service that can be changed."""
    for option in (
            click.option("--url", help="Where the application is; empty for nowhere."),
            click.option("--name", help="What people call the service."),
            click.option("--fulfilment-url", help="Is told of payments; empty for nobody."),
            click.option("--operators", help="Names of networks, separated by commas; empty for all."),
            click.option("--long-text", type=click.Choice([each.value for each in LongText]),
                         help="What becomes of a text that fits on no screen."),
            click.option("--resume-s", type=int, help="Seconds after a time-out in which a session can be resumed."),
            click.option("--secret", help="whsec_…, which signs requests; empty for no signature."),
            click.option("--enabled/--disabled", default=None, help="Whether the code can be dialled.")):
        command = option(command)
    return command


@ussd_service.command("add")
@click.argument("code")
@click.argument("organisation_id", type=int)
@_with_values
@with_settings
def add(loaded: Loaded, code: str, organisation_id: int, **given: object) -> None:
    """Assign CODE (714, or 714*23) to ORGANISATION_ID."""

    async def use_case(database: Database) -> Service:
        async with database.transaction() as connection:
            service = _changed(Service(0, code, organisation_id, "", ""), given)
            return await add_service(connection, await _platform(connection), service,
                                     allow_private=loaded.settings.callback_allow_private)

    say(_line(in_session(loaded, use_case)))


@ussd_service.command("change")
@click.argument("code")
@_with_values
@with_settings
def change(loaded: Loaded, code: str, **given: object) -> None:
    """Change what is named of the service that has CODE; sessions that are open go on as they began."""

    async def use_case(database: Database) -> Service:
        async with database.transaction() as connection:
            service = _changed(await _found(connection, code), given)
            return await change_service(connection, await _platform(connection), service,
                                        allow_private=loaded.settings.callback_allow_private)

    say(_line(in_session(loaded, use_case)))


@ussd_service.command("remove")
@click.argument("code")
@with_settings
def remove(loaded: Loaded, code: str) -> None:
    """Take CODE back; its sessions stay in the log."""

    async def use_case(database: Database) -> None:
        async with database.transaction() as connection:
            await remove_service(connection, await _platform(connection), (await _found(connection, code)).service_id)

    in_session(loaded, use_case)
    click.echo(f"{code} is nobody's.")


@ussd_service.command("list")
@with_settings
def list_all(loaded: Loaded) -> None:
    """List every service."""

    async def use_case(database: Database) -> list[Service]:
        return list(await list_services(database, organisation_ids=None))

    for service in in_session(loaded, use_case):
        say(_line(service))


@ussd_service.command("errors")
@click.argument("code", required=False)
@click.option("--limit", type=click.IntRange(1, 1_000), default=20, show_default=True, help="How many to list.")
@with_settings
def errors(loaded: Loaded, code: str | None, limit: int) -> None:
    """Show what went wrong lately: of all services, or of the one that has CODE."""

    async def use_case(database: Database) -> list[str]:
        async with database.connection() as connection:
            service_id = None if code is None else (await _found(connection, code)).service_id
        counts = await count_failures(database, organisation_ids=None, service_id=service_id, last_s=_DAY_S)
        found = await list_failures(database, organisation_ids=None, service_id=service_id, limit=limit)
        summary = ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
        return [f"In the last 24 hours: {summary}",
                *(f"{each.at:%Y-%m-%d %H:%M:%S}  {each.code:<6} {each.service_code or '-':<12} {each.cause}"
                  for each in found)]

    for line in in_session(loaded, use_case):
        say(line)


async def _platform(connection: Connection) -> Actor:
    actor = await find_platform_actor(connection)
    if actor is None:
        raise UnknownOrganisationError("There is no organisation yet; make one with `makola organisation create`.")
    return actor


async def _found(connection: Connection, code: str) -> Service:
    service = await find_code(connection, code)
    if service is None:
        raise UnknownServiceError(f"No service has the code {code}.", field="code")
    return service


def _changed(service: Service, given: Mapping[str, object]) -> Service:
    operators, long_text = given.get("operators"), given.get("long_text")
    changes: dict[str, object] = {name: value for name, value in given.items()
                                  if value is not None and name not in {"operators", "long_text"}}
    if isinstance(operators, str):
        changes["operators"] = tuple(name.strip() for name in operators.split(",") if name.strip())
    if isinstance(long_text, str):
        changes["long_text"] = LongText(long_text)
    return replace(service, **changes)  # type: ignore[arg-type] # click has checked their types


def _line(service: Service) -> str:
    parts = [f"*{service.code}#", f"organisation {service.organisation_id}", service.url or "no application"]
    if service.operators:
        parts.append(f"only {', '.join(service.operators)}")
    if service.resume_s:
        parts.append(f"resumed within {service.resume_s} s")
    if not service.enabled:
        parts.append("switched off")
    return "  ".join(parts)
