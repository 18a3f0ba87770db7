"""Reads of users."""

from collections.abc import Collection, Sequence

from makola.core.identity.types import User
from makola.kit.database import Connection, Database, Record

_COLUMNS = "id, organisation_id, name, email, currency, locale, timezone, suspended_at"

# $1 NULL: the users of every organisation.
_WHERE = """
FROM identity."user"
WHERE ($1::bigint[] IS NULL OR organisation_id = ANY($1::bigint[]))
  AND ($2 = '' OR strpos(lower(name), lower($2)) > 0 OR strpos(lower(email), lower($2)) > 0)
"""


def _user_of(row: Record) -> User:
    return User(*row.values())


async def find_user(connection: Connection, user_id: int) -> User | None:
    """Return one person, suspended or not; None when there is none."""
    row = await connection.fetchrow(f'SELECT {_COLUMNS} FROM identity."user" WHERE id = $1', user_id)  # noqa: S608 - own text
    return _user_of(row) if row is not None else None


async def find_user_by_email(connection: Connection, email: str) -> User | None:
    """Return the person who signs in with an e-mail address, in any case; None when there is none."""
    row = await connection.fetchrow(
        f'SELECT {_COLUMNS} FROM identity."user" WHERE lower(email) = lower($1)', email.strip())  # noqa: S608 - own text
    return _user_of(row) if row is not None else None


async def lock_user(connection: Connection, user_id: int) -> User | None:
    """Return one person, whom nobody else changes until the transaction ends."""
    row = await connection.fetchrow(
        f'SELECT {_COLUMNS} FROM identity."user" WHERE id = $1 FOR UPDATE', user_id)  # noqa: S608 - own text
    return _user_of(row) if row is not None else None


async def find_users(connection: Connection, user_ids: Collection[int]) -> dict[int, User]:
    """Return people by their ids."""
    rows = await connection.fetch(
        f'SELECT {_COLUMNS} FROM identity."user" WHERE id = ANY($1::bigint[])', list(user_ids))  # noqa: S608 - own text
    return {row["id"]: _user_of(row) for row in rows}


async def list_users(database: Database, organisation_ids: Sequence[int] | None, text: str, *, limit: int,
                     offset: int) -> tuple[list[User], int]:
    """Return a page of people, by id, and how many there are.

    Args:
        database: where they are.
        organisation_ids: whose; None for everybody's.
        text: a part of the name or of the e-mail address, in any case; empty for all.
        limit: the most people to return.
        offset: how many to pass over.
    """
    ids = None if organisation_ids is None else list(organisation_ids)
    total = await database.fetchval(f"SELECT count(*) {_WHERE}", ids, text)
    rows = await database.fetch(
        f"SELECT {_COLUMNS} {_WHERE} ORDER BY id LIMIT $3 OFFSET $4", ids, text, limit, offset)
    return [_user_of(row) for row in rows], total
