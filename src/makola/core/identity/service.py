"""What may be done with users."""

import asyncpg

from makola.core.identity.errors import EmailTakenError
from makola.core.identity.types import User
from makola.kit.database import Connection

_INSERT = 'INSERT INTO identity."user" (organisation_id, name, email) VALUES ($1, $2, $3) RETURNING id'


async def create_user(connection: Connection, organisation_id: int, *, name: str, email: str) -> User:
    """Add a person to an organisation.

    Raises:
        EmailTakenError: somebody signs in with this e-mail address already.
    """
    try:
        user_id = await connection.fetchval(_INSERT, organisation_id, name, email)
    except asyncpg.UniqueViolationError as error:
        raise EmailTakenError("This e-mail address is taken.", field="email") from error
    return User(user_id, organisation_id, name, email)
