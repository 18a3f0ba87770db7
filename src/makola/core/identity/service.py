"""What may be done with users. Who may do it is decided above: identity knows nothing of the tree."""

import re
from dataclasses import replace
from functools import cache
from zoneinfo import available_timezones

import asyncpg

from makola.core.identity.errors import EmailTakenError, InvalidUserError
from makola.core.identity.sessions import revoke_sessions
from makola.core.identity.types import User, UserChange
from makola.kit.database import Connection

_INSERT = """
INSERT INTO identity."user" (organisation_id, name, email, currency, locale, timezone)
VALUES ($1, $2, $3, $4, $5, $6) RETURNING id
"""

_UPDATE = """
UPDATE identity."user" SET name = $2, email = $3, currency = $4, locale = $5, timezone = $6 WHERE id = $1
"""

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\Z")
_CURRENCY = re.compile(r"[A-Z]{3,10}\Z")
_LOCALE = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*\Z")
_MOST_NAME_CHARACTERS = 200


async def create_user(connection: Connection, organisation_id: int, *, name: str, email: str, currency: str = "GBP",
                      locale: str = "en", timezone: str = "UTC") -> User:
    """Add a person to an organisation.

    Raises:
        EmailTakenError: somebody signs in with this e-mail address already.
        InvalidUserError: a value is not possible; it names the field.
    """
    user = User(0, organisation_id, name.strip(), email.strip(), currency, locale, timezone)
    _check(user)
    try:
        async with connection.transaction():
            user_id = await connection.fetchval(_INSERT, organisation_id, user.name, user.email, currency, locale,
                                                timezone)
    except asyncpg.UniqueViolationError as error:
        raise EmailTakenError("This e-mail address is taken.", field="email") from error
    return replace(user, user_id=user_id)


async def change_user(connection: Connection, user: User, change: UserChange) -> User:
    """Change a person's particulars; return them as they are then.

    Raises:
        EmailTakenError: somebody else signs in with this e-mail address.
        InvalidUserError: a value is not possible; it names the field.
    """
    changed = replace(
        user, name=(change.name if change.name is not None else user.name).strip(),
        email=(change.email if change.email is not None else user.email).strip(),
        currency=change.currency if change.currency is not None else user.currency,
        locale=change.locale if change.locale is not None else user.locale,
        timezone=change.timezone if change.timezone is not None else user.timezone)
    _check(changed)
    try:
        async with connection.transaction():
            await connection.execute(_UPDATE, user.user_id, changed.name, changed.email, changed.currency,
                                     changed.locale, changed.timezone)
    except asyncpg.UniqueViolationError as error:
        raise EmailTakenError("This e-mail address is taken.", field="email") from error
    return changed


async def set_suspended(connection: Connection, user_id: int, *, suspended: bool) -> bool:
    """Suspend a person, whose sessions end, or let the person act again; False when that was so already."""
    if suspended:
        await revoke_sessions(connection, user_id)
    tag = await connection.execute(
        'UPDATE identity."user" SET suspended_at = CASE WHEN $2 THEN now() END'
        " WHERE id = $1 AND (suspended_at IS NULL) = $2", user_id, suspended)
    return tag == "UPDATE 1"


def _check(user: User) -> None:
    if not user.name or len(user.name) > _MOST_NAME_CHARACTERS:
        raise InvalidUserError(f"A name has 1 to {_MOST_NAME_CHARACTERS} characters.", field="name")
    if not _EMAIL.match(user.email):
        raise InvalidUserError("This is not an e-mail address.", field="email")
    if not _CURRENCY.match(user.currency):
        raise InvalidUserError("A currency is an ISO 4217 code such as GBP.", field="currency")
    if not _LOCALE.match(user.locale):
        raise InvalidUserError("A locale is a language tag such as en or en-GB.", field="locale")
    if user.timezone not in _time_zones():
        raise InvalidUserError("A time zone is an IANA name such as Europe/London.", field="timezone")


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())
