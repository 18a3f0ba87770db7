"""Access tokens are stored as they come, many at once: one statement, one commit, and then all are answered.

An answer means "on disk" (design, section 3). Whatever waits while one batch is being committed is the next batch.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from makola.core.oauth.types import ACCESS_TOKEN_PREFIX
from makola.kit.database import OUTAGE, Connection, Database
from makola.kit.secret_texts import new_secret_text, sha256_of

# Scopes go as one text each: PostgreSQL's unnest would take arrays of arrays apart. NULL stays NULL.
_INSERT = """
INSERT INTO oauth.access_token (sha256, application_id, user_id, emulation_id, scopes, created_at, expires_at,
                                organisation_id, grant_id)
SELECT t.sha256, t.application_id, t.user_id, t.emulation_id, string_to_array(t.scopes, ' '), t.created_at,
       t.expires_at, t.organisation_id, t.grant_id
FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::timestamptz[], $7::timestamptz[],
            $8::bigint[], $9::bigint[])
     AS t (sha256, application_id, user_id, emulation_id, scopes, created_at, expires_at, organisation_id, grant_id)
"""

# Most tokens stand for nobody but their application: fewer arrays to write for them, which is what a batch costs.
_INSERT_OWN = """
INSERT INTO oauth.access_token (sha256, application_id, scopes, created_at, expires_at)
SELECT t.sha256, t.application_id, string_to_array(t.scopes, ' '), t.created_at, t.expires_at
FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::timestamptz[], $5::timestamptz[])
     AS t (sha256, application_id, scopes, created_at, expires_at)
"""

_BATCH = 512
_FAILURES = (asyncpg.PostgresError, *OUTAGE)


@dataclass(frozen=True, slots=True)
class NewAccessToken:
    """An access token to be stored; `text` is given to the client and never kept.

    Emulation, organisation and grant are those of a token with a user.
    """

    text: str
    application_id: int
    user_id: int | None
    emulation_id: int | None
    scopes: frozenset[str] | None
    created_at: datetime
    expires_at: datetime
    organisation_id: int | None = None
    grant_id: int | None = None


def new_access_token_text() -> str:
    """Return a new token."""
    return new_secret_text(ACCESS_TOKEN_PREFIX)


async def insert_access_tokens(connection: Connection | Database, tokens: Sequence[NewAccessToken]) -> None:
    """Store tokens with one statement."""
    hashes = [sha256_of(token.text) for token in tokens]
    applications = [token.application_id for token in tokens]
    scopes = [" ".join(sorted(token.scopes)) if token.scopes is not None else None for token in tokens]
    created, expires = [token.created_at for token in tokens], [token.expires_at for token in tokens]
    if all(token.user_id is None for token in tokens):
        await connection.execute(_INSERT_OWN, hashes, applications, scopes, created, expires)
        return
    await connection.execute(
        _INSERT, hashes, applications, [token.user_id for token in tokens], [token.emulation_id for token in tokens],
        scopes, created, expires, [token.organisation_id for token in tokens], [token.grant_id for token in tokens])


class TokenWriter:
    """Stores access tokens in batches.

    It needs no start and no stop: a task runs as long as something waits.

    Args:
        database: where to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[NewAccessToken, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def store(self, token: NewAccessToken) -> None:
        """Store a token; return when it is on disk.

        Raises:
            asyncpg.PostgresError, OUTAGE: it is not, or it is not known; nobody has the token then.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((token, future))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(), name="token-writer")
        await future

    async def _write(self) -> None:
        batch: list[tuple[NewAccessToken, asyncio.Future[None]]] = []
        try:
            while self._waiting:
                batch = self._waiting[:_BATCH]
                del self._waiting[:_BATCH]
                await self._write_batch(batch)
        finally:  # however it ends, nobody waits for ever
            self._writing = None
            left = [*batch, *self._waiting]
            self._waiting.clear()
            for _, future in left:
                if not future.done():
                    future.set_exception(ConnectionAbortedError("the token was not stored"))

    async def _write_batch(self, batch: Sequence[tuple[NewAccessToken, asyncio.Future[None]]]) -> None:
        try:
            await insert_access_tokens(self._database, [token for token, _ in batch])
        except _FAILURES as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for _, future in batch:
            if not future.done():  # its request may have been cancelled
                future.set_result(None)
