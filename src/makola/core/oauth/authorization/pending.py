"""Requests that wait for a person, kept here so that nothing on the way back can change them.

The browser carries a random handle. The request is bound to the session in which it was shown, and answered once.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makola.core.oauth.authorization.request import Parameters
from makola.core.oauth.errors import StaleRequestError
from makola.core.oauth.service.tokens import expiry
from makola.core.oauth.types import REQUEST_PREFIX
from makola.kit.clock import now
from makola.kit.database import Connection, Database, Record
from makola.kit.secret_texts import new_secret_text, sha256_of

_COLUMNS = "session_id, parameters, created_at"
_GONE = "This page is too old, or belongs to another session. Go back to the application and start again."


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that waits. `asked_at` is when it came."""

    parameters: Parameters
    session_id: UUID | None
    asked_at: datetime


async def keep_request(database: Database, parameters: Parameters, *, lifetime_s: float,
                       session_id: UUID | None = None) -> str:
    """Keep a request that was checked; return its handle.

    Args:
        database: where to.
        parameters: of the request.
        lifetime_s: how long a person may take.
        session_id: in which it is shown; None while nobody is signed in.
    """
    handle, at = new_secret_text(REQUEST_PREFIX), now()
    stored = json.dumps({"values": dict(parameters.values), "resources": list(parameters.resources)})
    await database.execute(
        "INSERT INTO oauth.authorization_request (sha256, session_id, parameters, created_at, expires_at)"
        " VALUES ($1, $2, $3, $4, $5)", sha256_of(handle), session_id, stored, at, expiry(at, lifetime_s))
    return handle


async def find_request(database: Database, handle: str) -> Pending:
    """Return a request that waits.

    Raises:
        StaleRequestError: there is none, or not any more.
    """
    return _pending_of(await database.fetchrow(
        f"SELECT {_COLUMNS} FROM oauth.authorization_request"  # noqa: S608 - own names
        " WHERE sha256 = $1 AND expires_at > now()", sha256_of(handle)))


async def bind_request(database: Database, handle: str, session_id: UUID) -> None:
    """Bind a request to the session in which it is shown.

    Raises:
        StaleRequestError: it is gone, or was shown in another session.
    """
    bound = await database.execute(
        "UPDATE oauth.authorization_request SET session_id = $2"
        " WHERE sha256 = $1 AND expires_at > now() AND (session_id IS NULL OR session_id = $2)",
        sha256_of(handle), session_id)
    if bound != "UPDATE 1":
        raise StaleRequestError(_GONE)


async def take_request(connection: Connection, handle: str, session_id: UUID) -> Pending:
    """Return a request, which is gone then: it is answered once, in the session in which it was shown.

    Raises:
        StaleRequestError: it is gone, or was shown in another session.
    """
    return _pending_of(await connection.fetchrow(
        f"DELETE FROM oauth.authorization_request WHERE sha256 = $1 AND session_id = $2"  # noqa: S608 - own names
        f" AND expires_at > now() RETURNING {_COLUMNS}", sha256_of(handle), session_id))


def _pending_of(row: Record | None) -> Pending:
    if row is None:
        raise StaleRequestError(_GONE)
    stored = json.loads(row["parameters"])
    return Pending(Parameters(stored["values"], tuple(stored["resources"]), frozenset()), row["session_id"],
                   row["created_at"])
