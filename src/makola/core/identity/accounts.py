"""A person's password: set by invitation, by reset or from the command line, and changed by the person."""

from makola.core.identity import throttle
from makola.core.identity.errors import WrongPasswordError
from makola.core.identity.links import LinkPurpose, look_at_link, use_link, withdraw_links
from makola.core.identity.passwords import Passwords, check_new_password
from makola.core.identity.service import change_user
from makola.core.identity.sessions import NewSession, revoke_sessions, rotate_session
from makola.core.identity.types import SignInSession, User, UserChange
from makola.kit.database import Connection, Database

_SET = 'UPDATE identity."user" SET password_hash = $2, password_changed_at = now() WHERE id = $1'
_CHANGE = f"{_SET} AND password_hash = $3"


async def set_password(connection: Connection, user_id: int, password_hash: str) -> None:
    """Set a person's password; all sessions end, and so does every link that was under way.

    Args:
        connection: an open transaction.
        user_id: whose.
        password_hash: made before, because that takes time in which nothing should be locked.
    """
    await connection.execute(_SET, user_id, password_hash)
    await withdraw_links(connection, user_id)
    await revoke_sessions(connection, user_id)


async def change_password(database: Database, passwords: Passwords, user: User, session: SignInSession, present: str,
                          new: str) -> NewSession:
    """Change the password of a person who is signed in. Their other sessions end; this one gets a new token.

    Raises:
        TooManyAttemptsError: the present password was wrong too often.
        WrongPasswordError: the present password is another, or was changed meanwhile.
        PasswordRefusedError: the new one is not possible; it says why.
        TooBusyError: too many wait already.
    """
    check_new_password(new, user)
    counted = throttle.of_account(user.email)
    await throttle.take(database, [counted])
    stored = await database.fetchval('SELECT password_hash FROM identity."user" WHERE id = $1', user.user_id)
    if not await passwords.verify(stored, present):
        raise WrongPasswordError("This is not your present password.", field="present")
    made = await passwords.hash(new)
    async with database.transaction() as connection:
        if await connection.execute(_CHANGE, user.user_id, made, stored) != "UPDATE 1":
            raise WrongPasswordError("Your password was changed meanwhile.", field="present")
        await throttle.forget(connection, [counted])
        await withdraw_links(connection, user.user_id)
        await revoke_sessions(connection, user.user_id, but=session.session_id)
        return await rotate_session(connection, session)


async def accept_link(database: Database, passwords: Passwords, token: str, purpose: LinkPurpose, password: str, *,
                      name: str = "") -> User:
    """Set the password of the person whom a link is for; the link is used up, and every session ends.

    Args:
        database: where people are.
        passwords: makes the hash.
        token: of the link.
        purpose: of the link.
        password: the new one.
        name: what an invited person is called; empty to leave it.

    Raises:
        LinkGoneError: the link does not work any more.
        PasswordRefusedError: the password is not possible; it says why.
        InvalidUserError: the name is not possible.
        TooBusyError: too many wait already.
    """
    user = await look_at_link(database, token, purpose)
    check_new_password(password, user)
    made = await passwords.hash(password)
    async with database.transaction() as connection:
        user = await use_link(connection, token, purpose)
        if purpose is LinkPurpose.INVITATION and name.strip():
            user = await change_user(connection, user, UserChange(name=name))
        await set_password(connection, user.user_id, made)
        await throttle.forget(connection, [throttle.of_account(user.email)])
    return user


async def has_password(connection: Connection | Database, user_ids: list[int]) -> set[int]:
    """Return those of these people that have a password."""
    rows = await connection.fetch(
        'SELECT id FROM identity."user" WHERE id = ANY($1::bigint[]) AND password_hash IS NOT NULL', user_ids)
    return {row["id"] for row in rows}
