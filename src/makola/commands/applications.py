"""`makola application …`: programs that may call, of every kind, from their first secret to the directory."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import click

from makola.commands.options import with_settings
from makola.commands.people import platform_actor
from makola.commands.scopes_page import scopes_page
from makola.commands.session import in_session
from makola.commands.visible import say
from makola.core.applications import live_secrets, published_roles, registration, review
from makola.core.applications.drafts import PROPERTIES, with_values
from makola.core.applications.scopes import SCOPES
from makola.core.applications.types import ApplicationKind, Draft, NewlyRegistered, RegisteredApplication
from makola.core.oauth import administration
from makola.core.organisations.acting import load_acting
from makola.core.organisations.errors import UnknownMemberError
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database
from makola.kit.outgoing import AddressPolicy
from makola.kit.whole_numbers import read_whole_number
from makola.settings import Loaded
from makola.wiring.sealing import sealer

T = TypeVar("T")

_PAGE = 1000
_LISTS = frozenset({"redirect_uris", "post_logout_redirect_uris", "requested_scopes"})
_SWITCHES = frozenset({"unique_client_reference", "implicit_enabled", "installed_by_default", "offline_access"})
_NUMBERS = frozenset({"access_token_lifetime_s"})
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class Property(click.ParamType[tuple[str, object]]):
    """NAME=VALUE: a property of an application; lists with spaces between, switches as yes or no."""

    name = "name=value"

    def convert(self, value: object, param: click.Parameter | None,
                ctx: click.Context | None) -> tuple[str, object]:
        """Read one property."""
        name, equals, text = str(value).partition("=")
        name = name.strip().lower()
        if not equals or name not in PROPERTIES:
            self.fail(f"{value!r}: expected one of {', '.join(sorted(PROPERTIES))}, then = and a value", param, ctx)
        if name in _LISTS:
            return name, text.split()
        if name in _SWITCHES:
            if text.strip().lower() not in _YES:
                self.fail(f"{name} is yes or no", param, ctx)
            return name, _YES[text.strip().lower()]
        if name in _NUMBERS:
            number = read_whole_number(text)
            if text and number is None:
                self.fail(f"{name} is a number of seconds, or nothing", param, ctx)
            return name, number
        return name, text


def _properties(command: Callable[..., None]) -> Callable[..., None]:
    return click.option("-p", "--property", "properties", type=Property(), multiple=True, metavar="NAME=VALUE",
                        help="A property such as redirect_uris or requested_scopes; repeatable.")(command)


def _in_transaction(loaded: Loaded, use_case: Callable[[Connection, Actor], Awaitable[T]]) -> T:
    """Run one use case of the platform's in a transaction."""
    async def run(database: Database) -> T:
        async with database.transaction() as connection:
            return await use_case(connection, await platform_actor(connection))

    return in_session(loaded, run)


def _policy(loaded: Loaded) -> AddressPolicy:
    return AddressPolicy(allow_private=loaded.settings.callback_allow_private)


@click.group()
def application() -> None:
    """Programs that may call the API. A running server knows of a change within seconds."""


@application.command("create")
@click.argument("name")
@click.option("--organisation", "organisation_id", type=int, required=True, help="Whose it is.")
@click.option("--kind", type=click.Choice(["private", "public", "trusted"]), default="private", show_default=True,
              help="For its own account; for others by OAuth; for everybody, without being asked.")
@click.option("--camel", is_flag=True, help="Answer sends in camelCase instead of PascalCase.")
@click.option("--unique-client-reference", is_flag=True, help="A repeated ClientReference gets the first answer.")
@_properties
@with_settings
def create(loaded: Loaded, name: str, organisation_id: int, kind: str, camel: bool, unique_client_reference: bool,
           properties: Sequence[tuple[str, object]]) -> None:
    """Make an application called NAME; its secret is shown once."""
    values = {**dict(properties), **({"answer_casing": "camel"} if camel else {}),
              **({"unique_client_reference": True} if unique_client_reference else {})}

    async def use_case(connection: Connection, actor: Actor) -> NewlyRegistered:
        return await registration.register(connection, actor, ApplicationKind(kind), with_values(Draft(name), values),
                                           _policy(loaded), organisation_id=organisation_id)

    made = _in_transaction(loaded, use_case)
    click.echo(f"client id      {made.application.client_id}")
    if made.client_secret:
        click.echo(f"client secret  {made.client_secret}")


@application.command("list")
@click.option("--organisation", "organisation_id", type=int, required=True, help="Whose.")
@with_settings
def list_all(loaded: Loaded, organisation_id: int) -> None:
    """Show an organisation's applications."""

    async def use_case(database: Database) -> list[RegisteredApplication]:
        async with database.connection() as connection:
            actor = await platform_actor(connection)
        found: list[RegisteredApplication] = []
        while True:
            page, total = await registration.list_applications(database, actor, organisation_id=organisation_id,
                                                               limit=_PAGE, offset=len(found))
            found += page
            if not page or len(found) >= total:
                return found

    for each in in_session(loaded, use_case):
        say(f"{each.client_id}  {each.kind:<8}  {'suspended' if each.suspended_at else '':<9}  {each.name}")


@application.command("show")
@click.argument("client_id")
@with_settings
def show(loaded: Loaded, client_id: str) -> None:
    """Show one application's properties, secrets and last submission."""

    async def use_case(connection: Connection, actor: Actor) -> list[str]:
        found = await registration.find_application(connection, actor, client_id)
        lines = [f"{name:<26} {value}" for name, value in registration.particulars(found).items()
                 if value not in ("", [], None, False)]
        lines += [f"{'secret ' + str(each.secret_id):<26} made {each.created_at:%Y-%m-%d %H:%M:%S}"
                  + (f", ends {each.expires_at:%Y-%m-%d %H:%M:%S}" if each.expires_at is not None else "")
                  for each in await live_secrets.list_secrets(connection, found)]
        latest = await review.find_latest(connection, actor, client_id)
        return lines + ([f"{'submission ' + str(latest.submission_id):<26} {latest.state} {latest.note}".rstrip()]
                        if latest is not None else [])

    for line in _in_transaction(loaded, use_case):
        say(line)


@application.command("change")
@click.argument("client_id")
@_properties
@with_settings
def change(loaded: Loaded, client_id: str, properties: Sequence[tuple[str, object]]) -> None:
    """Change properties; those that are not named stay."""
    values = dict(properties)
    if not values:
        raise click.UsageError("Name at least one property: -p NAME=VALUE.")

    async def use_case(connection: Connection, actor: Actor) -> None:
        await registration.change(connection, actor, client_id, lambda draft: with_values(draft, values),
                                  _policy(loaded))

    _in_transaction(loaded, use_case)


@application.command("rotate")
@click.argument("client_id")
@click.option("--overlap", "overlap_s", type=click.IntRange(0, live_secrets.MOST_OVERLAP_S), default=0,
              show_default=True, metavar="SECONDS", help="For how long the present secret goes on working.")
@with_settings
def rotate(loaded: Loaded, client_id: str, overlap_s: int) -> None:
    """Make a new secret, shown once."""

    async def use_case(connection: Connection, actor: Actor) -> str:
        return await administration.rotate_secret(connection, actor, client_id, overlap_s=overlap_s)

    click.echo(f"client secret  {_in_transaction(loaded, use_case)}")


@application.command("revoke-secret")
@click.argument("client_id")
@click.argument("secret_id", type=int)
@with_settings
def revoke_secret(loaded: Loaded, client_id: str, secret_id: int) -> None:
    """End one secret at once; `makola application show` names them."""

    async def use_case(connection: Connection, actor: Actor) -> None:
        await administration.revoke_secret(connection, actor, client_id, secret_id)

    _in_transaction(loaded, use_case)


@application.command("close")
@click.argument("client_id")
@click.confirmation_option(prompt="Close it for good, with every token that it has?")
@with_settings
def close(loaded: Loaded, client_id: str) -> None:
    """Give an application up for good."""

    async def use_case(connection: Connection, actor: Actor) -> None:
        await administration.close_application(connection, actor, client_id)

    _in_transaction(loaded, use_case)


@application.command("suspend")
@click.argument("client_id")
@click.option("--reason", required=True, help="Its owner reads it.")
@with_settings
def suspend(loaded: Loaded, client_id: str, reason: str) -> None:
    """Refuse an application everywhere."""

    async def use_case(connection: Connection, actor: Actor) -> None:
        await registration.set_suspended(connection, actor, client_id, suspended=True, reason=reason)

    _in_transaction(loaded, use_case)


@application.command("resume")
@click.argument("client_id")
@with_settings
def resume(loaded: Loaded, client_id: str) -> None:
    """Let a suspended application act again."""

    async def use_case(connection: Connection, actor: Actor) -> None:
        await registration.set_suspended(connection, actor, client_id, suspended=False)

    _in_transaction(loaded, use_case)


@application.command("submit")
@click.argument("client_id")
@with_settings
def submit(loaded: Loaded, client_id: str) -> None:
    """Put an application forward for the directory, as it is now."""

    async def use_case(connection: Connection, actor: Actor) -> int:
        return (await review.submit(connection, actor, client_id)).submission_id

    click.echo(f"Submission {_in_transaction(loaded, use_case)} waits for a review.")


@application.command("reviews")
@with_settings
def reviews(loaded: Loaded) -> None:
    """Show what waits for a review."""

    async def use_case(database: Database) -> list[review.Submission]:
        async with database.connection() as connection:
            actor = await platform_actor(connection)
        return await review.list_pending(database, actor)

    for each in in_session(loaded, use_case):
        say(f"{each.submission_id:>8}  {each.submitted_at:%Y-%m-%d %H:%M}  {each.content.name}"
            f"  ({each.content.listing.publisher.name})")


@application.command("approve")
@click.argument("submission_id", type=int)
@with_settings
def approve(loaded: Loaded, submission_id: int) -> None:
    """Publish a submission in the directory."""

    async def use_case(connection: Connection, actor: Actor) -> str:
        return (await review.approve(connection, actor, submission_id)).content.name

    say(f"{_in_transaction(loaded, use_case)} is in the directory.")


@application.command("reject")
@click.argument("submission_id", type=int)
@click.option("--note", required=True, help="What its owner has to change.")
@with_settings
def reject(loaded: Loaded, submission_id: int, note: str) -> None:
    """Send a submission back to its owner."""

    async def use_case(connection: Connection, actor: Actor) -> None:
        await review.reject(connection, actor, submission_id, note)

    _in_transaction(loaded, use_case)


@application.command("unpublish")
@click.argument("client_id")
@with_settings
def unpublish(loaded: Loaded, client_id: str) -> None:
    """Take an application out of the directory."""

    async def use_case(connection: Connection, actor: Actor) -> None:
        await review.unpublish(connection, actor, client_id)

    _in_transaction(loaded, use_case)


@application.command("roles")
@click.argument("client_id")
@click.argument("roles", nargs=-1, metavar="[NAME=DESCRIPTION]...")
@with_settings
def roles(loaded: Loaded, client_id: str, roles: Sequence[str]) -> None:
    """Replace the roles that a trusted application publishes to organisations."""
    wanted = [(name.strip(), words.strip()) for name, _, words in (each.partition("=") for each in roles)]

    async def use_case(connection: Connection, actor: Actor) -> None:
        await published_roles.publish_roles(connection, actor, client_id, wanted)

    _in_transaction(loaded, use_case)


@application.command("installed")
@click.option("--user", "user_id", type=int, required=True, help="Whose organisation.")
@with_settings
def installed(loaded: Loaded, user_id: int) -> None:
    """Show what an organisation has authorized, as one of its users sees it."""

    async def use_case(database: Database) -> list[administration.InstalledApplication]:
        return await administration.list_installed(database, await _user(database, user_id))

    for each in in_session(loaded, use_case):
        used = f"{each.last_used_at:%Y-%m-%d %H:%M}" if each.last_used_at is not None else "never used"
        say(f"{each.installation.client_id}  {used:<16}  {each.installation.name}:"
            f" {' '.join(sorted(each.installation.scopes))}")


@application.command("deauthorise")
@click.argument("client_id")
@click.option("--user", "user_id", type=int, required=True, help="For whose organisation, and who takes it back.")
@with_settings
def deauthorise(loaded: Loaded, client_id: str, user_id: int) -> None:
    """Take back all that an organisation has given an application; it is told."""

    async def use_case(database: Database) -> None:
        actor = await _user(database, user_id)
        async with database.transaction() as connection:
            await administration.deauthorise_installed(connection, actor, client_id, sealer(loaded.settings))

    in_session(loaded, use_case)


@application.command("scopes")
@click.option("--markdown", is_flag=True, help="Print the reference page.")
def scopes(markdown: bool) -> None:
    """Show what tokens can be limited to."""
    if markdown:
        click.echo(scopes_page(), nl=False)
        return
    for each in SCOPES.values():
        click.echo(f"{each.name:<28} {each.words}" + (f" (with {', '.join(each.implies)})" if each.implies else ""))


async def _user(database: Database, user_id: int) -> Actor:
    organisation_id = await database.fetchval("SELECT organisation_id FROM identity.\"user\" WHERE id = $1", user_id)
    actor = await load_acting(database, user_id, organisation_id) if organisation_id is not None else None
    if actor is None:
        raise UnknownMemberError("There is no such user, or the user is suspended.", field="user")
    return actor
