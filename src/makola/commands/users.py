"""`makola user`: people, their first password, invitations, and the way back in for who forgot or lost something."""

import sys

import click

from makola.commands.options import with_settings
from makola.commands.people import platform_actor
from makola.commands.session import in_session
from makola.commands.visible import say
from makola.core.identity.accounts import set_password
from makola.core.identity.links import LinkPurpose, NewLink, make_link
from makola.core.identity.passwords import check_new_password, generate_password
from makola.core.identity.queries import find_user_by_email
from makola.core.identity.second_factor import remove_second_factor
from makola.core.identity.sessions import revoke_sessions
from makola.core.identity.types import User
from makola.core.organisations.errors import UnknownMemberError
from makola.core.organisations.invitations import invite, invite_again
from makola.core.organisations.members import NewGrants, NewUser, add_member
from makola.kit.database import Connection, Database
from makola.settings import Loaded, Settings
from makola.wiring.people import password_hasher


@click.group()
def user() -> None:
    """People who may act."""


@user.command("create")
@click.argument("name")
@click.argument("email")
@click.option("--organisation", "organisation_id", type=int, help="Whose; by default the root of the tree.")
@click.option("--admin", is_flag=True, help="May do everything in that organisation and below it.")
@click.option("--root", is_flag=True, help="Administrator of the platform; for users of the root of the tree.")
@click.option("--currency", default="GBP", show_default=True, help="Of the prices that the person sees.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of the input.")
@click.option("--generate", is_flag=True, help="Make a password and show it once.")
@with_settings
def create_user(loaded: Loaded, name: str, email: str, organisation_id: int | None, admin: bool, root: bool,
                currency: str, password_stdin: bool, generate: bool) -> None:
    """Add a person called NAME who signs in with EMAIL; without a password, send an invitation later."""
    password = _password(password_stdin, generate)

    async def use_case(database: Database) -> User:
        made = ""
        if password:
            check_new_password(password, User(0, 0, name, email))
            made = await _hash(loaded.settings, password)
        async with database.transaction() as connection:
            actor = await platform_actor(connection)
            added = await add_member(
                connection, actor, organisation_id if organisation_id is not None else actor.organisation_id,
                NewUser(name, email, currency), NewGrants(admin=admin, root=root))
            if made:
                await set_password(connection, added.user_id, made)
            return added

    click.echo(f"User {in_session(loaded, use_case).user_id} is made.")
    _show(password, generate)


@user.command("set-password")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of the input.")
@click.option("--generate", is_flag=True, help="Make a password and show it once.")
@with_settings
def set_users_password(loaded: Loaded, email: str, password_stdin: bool, generate: bool) -> None:
    """Set the password of the person with EMAIL, who is then signed out everywhere."""
    password = _password(password_stdin, generate)
    if not password:
        raise click.UsageError("Give --password-stdin or --generate.")

    async def use_case(database: Database) -> User:
        made = await _hash(loaded.settings, password)
        async with database.transaction() as connection:
            found = await _find(connection, email)
            check_new_password(password, found)
            await set_password(connection, found.user_id, made)
            return found

    say(f"The password of {in_session(loaded, use_case).email} is set.")
    _show(password, generate)


@user.command("invite")
@click.argument("email")
@click.option("--name", default="", help="Of the person; they can correct it.")
@click.option("--organisation", "organisation_id", type=int, help="Whose; by default the root of the tree.")
@click.option("--admin", is_flag=True, help="May do everything in that organisation and below it.")
@click.option("--root", is_flag=True, help="Administrator of the platform; for users of the root of the tree.")
@with_settings
def invite_user(loaded: Loaded, email: str, name: str, organisation_id: int | None, admin: bool, root: bool) -> None:
    """Show a link with which the person with EMAIL chooses a password, once.

    A person who is there already and has no password gets a new link; the options do not change such a person.
    """
    async def use_case(database: Database) -> NewLink:
        lifetime_s = loaded.settings.invitation_lifetime_s
        async with database.transaction() as connection:
            actor = await platform_actor(connection)
            known = await find_user_by_email(connection, email)
            if known is not None:
                return (await invite_again(connection, actor, known.user_id, lifetime_s=lifetime_s))[1]
            return (await invite(
                connection, actor, organisation_id if organisation_id is not None else actor.organisation_id,
                NewUser(name.strip() or email.partition("@")[0], email), NewGrants(admin=admin, root=root),
                lifetime_s=lifetime_s))[1]

    _show_link(loaded.settings, in_session(loaded, use_case), LinkPurpose.INVITATION)


@user.command("reset-password")
@click.argument("email")
@click.option("--remove-second-factor", "remove", is_flag=True,
              help="Also take away the authenticator app and the recovery codes.")
@with_settings
def reset_password(loaded: Loaded, email: str, remove: bool) -> None:
    """Show a link with which the person with EMAIL chooses a new password, once. Passkeys and sessions stay till then.

    Make sure that the person is who they say they are before you give them the link.
    """
    async def use_case(database: Database) -> NewLink:
        async with database.transaction() as connection:
            found = await _find(connection, email)
            if remove and await remove_second_factor(connection, found.user_id):
                await revoke_sessions(connection, found.user_id)
            return await make_link(connection, found, LinkPurpose.RESET,
                                   lifetime_s=loaded.settings.password_reset_lifetime_s)

    _show_link(loaded.settings, in_session(loaded, use_case), LinkPurpose.RESET)


async def _find(connection: Connection, email: str) -> User:
    found = await find_user_by_email(connection, email)
    if found is None:
        raise UnknownMemberError("Nobody signs in with this e-mail address.", field="email")
    return found


async def _hash(settings: Settings, password: str) -> str:
    passwords = password_hasher(settings)
    try:
        return await passwords.hash(password)
    finally:
        passwords.close()


def _password(from_stdin: bool, generate: bool) -> str:
    if from_stdin and generate:
        raise click.UsageError("--password-stdin and --generate do not go together.")
    if generate:
        return generate_password()
    if not from_stdin:
        return ""
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise click.UsageError("There is no password on the first line of the input.")
    return password


def _show(password: str, generated: bool) -> None:
    if generated:
        click.echo(f"password  {password}")


def _show_link(settings: Settings, link: NewLink, purpose: LinkPurpose) -> None:
    click.echo(f"{(settings.public_url or '').rstrip('/')}{link.path(purpose)}")
    click.echo(f"It works once, until {link.expires_at:%Y-%m-%d %H:%M} UTC.")
