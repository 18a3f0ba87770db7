"""Sessions of browsers: a random token in a cookie, its hash here. One indexed query says who is signed in.

A session ends in one way only, by being deleted, and the deletion leaves an event in the same statement; so whoever
must hear of an end (single sign-out) hears of every end.
"""

import hmac
from dataclasses import dataclass
from uuid import UUID

from makola.core.identity.errors import UnknownSessionError
from makola.core.identity.types import ListedSession, SignInSession, User
from makola.kit.database import Connection, Database, Record
from makola.kit.ids import new_id
from makola.kit.secret_texts import new_secret_text, sha256_of

#: Notified when a session ended.
CHANNEL = "identity_session_events"

_TOUCHED_AGAIN_AFTER_S = 60
_MOST_DEVICE_CHARACTERS = 200
_PURGED_AT_ONCE = 1000

# $2 the idle time in seconds. A suspended person has no session.
_FIND = """
SELECT s.id, s.user_id, s.organisation_id, s.auth_time, s.amr,
       s.last_used_at < now() - interval '1 second' * $3 AS stale,
       u.organisation_id AS home_id, u.name, u.email, u.currency, u.locale, u.timezone
FROM identity.session s JOIN identity."user" u ON u.id = s.user_id
WHERE s.sha256 = $1 AND s.expires_at > now() AND s.last_used_at > now() - interval '1 second' * $2
  AND u.suspended_at IS NULL
"""

_INSERT = """
INSERT INTO identity.session (id, sha256, user_id, organisation_id, amr, expires_at, address, device)
VALUES ($1, $2, $3, $4, $5, now() + interval '1 second' * $6, $7, $8)
"""

# The same session with a new token: only of the same person, and only while it holds.
_ROTATE = """
UPDATE identity.session SET sha256 = $2, amr = $4, auth_time = now(), last_used_at = now(),
                            expires_at = now() + interval '1 second' * $5, address = $6, device = $7
WHERE sha256 = $1 AND user_id = $3 AND expires_at > now() AND last_used_at > now() - interval '1 second' * $8
RETURNING id
"""

_END = """
WITH ended AS (DELETE FROM identity.session WHERE {condition} RETURNING id, user_id, organisation_id),
told AS (INSERT INTO identity.session_event (session_id, user_id, organisation_id)
         SELECT id, user_id, organisation_id FROM ended)
SELECT id, pg_notify('identity_session_events', '') FROM ended
"""
_END_BY_TOKEN = _END.format(condition="sha256 = $1")
_END_ONE = _END.format(condition="id = $1 AND user_id = $2")
_END_ALL = _END.format(condition="user_id = $1 AND id IS DISTINCT FROM $2")
_END_LAPSED = _END.format(condition="""id IN (
    SELECT id FROM identity.session WHERE expires_at < now()
    UNION SELECT id FROM identity.session WHERE last_used_at < now() - interval '1 second' * $1 LIMIT $2)""")

_SWITCH = "UPDATE identity.session SET organisation_id = $3, sha256 = $4 WHERE id = $1 AND user_id = $2 RETURNING id"


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """How long a session lasts.

    Attributes:
        idle_s: without a request.
        lifetime_s: at most, after the person last showed who they are.
        fresh_s: for so long after that, what matters most may be changed without asking again.
    """

    idle_s: int
    lifetime_s: int
    fresh_s: int


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a request came from: `address` by IP, `device` in words for the person's list of sessions."""

    address: str
    device: str


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that was just opened or rotated; `token` is for its cookie and is stored as a hash only."""

    session_id: UUID
    token: str


async def find_session(database: Database, token: str, policy: SessionPolicy) -> tuple[SignInSession, User] | None:
    """Return whose session a cookie's token is; None when it is nobody's, or too old, or its person is suspended."""
    row = await database.fetchrow(_FIND, sha256_of(token), policy.idle_s, _TOUCHED_AGAIN_AFTER_S)
    if row is None:
        return None
    if row["stale"]:
        await database.execute("UPDATE identity.session SET last_used_at = now() WHERE id = $1", row["id"])
    session = SignInSession(row["id"], row["user_id"], row["organisation_id"], row["auth_time"], tuple(row["amr"]),
                            csrf_token(token))
    return session, User(row["user_id"], row["home_id"], row["name"], row["email"], row["currency"], row["locale"],
                         row["timezone"])


def csrf_token(token: str) -> str:
    """Return what the forms of whoever holds a token bring along; the token cannot be found from it."""
    return hmac.digest(token.encode("utf-8", "surrogatepass"), b"makola form", "sha256").hex()


async def open_session(connection: Connection, user: User, amr: tuple[str, ...], browser: Browser,
                       policy: SessionPolicy, *, replacing: str = "") -> NewSession:
    """Open a session for a person who has just shown who they are.

    Args:
        connection: an open transaction.
        user: the person.
        amr: how they showed it, in the words of RFC 8176.
        browser: where they are.
        policy: how long it lasts.
        replacing: the token that the browser had before. The same person's session goes on under a new token;
            another person's ends.
    """
    token = new_secret_text()
    device = browser.device[:_MOST_DEVICE_CHARACTERS]
    if replacing:
        session_id = await connection.fetchval(
            _ROTATE, sha256_of(replacing), sha256_of(token), user.user_id, list(amr), policy.lifetime_s,
            browser.address, device, policy.idle_s)
        if session_id is not None:
            return NewSession(session_id, token)
        await end_session(connection, replacing)
    session_id = new_id()
    await connection.execute(_INSERT, session_id, sha256_of(token), user.user_id, user.organisation_id, list(amr),
                             policy.lifetime_s, browser.address, device)
    return NewSession(session_id, token)


async def rotate_session(connection: Connection, session: SignInSession) -> NewSession:
    """Give a session a new token, after what it may do has changed.

    Raises:
        UnknownSessionError: it has ended meanwhile.
    """
    token = new_secret_text()
    tag = await connection.execute("UPDATE identity.session SET sha256 = $2 WHERE id = $1", session.session_id,
                                   sha256_of(token))
    if tag != "UPDATE 1":
        raise UnknownSessionError("This session has ended.")
    return NewSession(session.session_id, token)


async def switch_organisation(connection: Connection, session: SignInSession, organisation_id: int) -> NewSession:
    """Let a session act for another organisation from now on, under a new token.

    Whether the person may administer that organisation is decided above (`organisations.acting`).

    Raises:
        UnknownSessionError: the session has ended meanwhile.
    """
    token = new_secret_text()
    row = await connection.fetchrow(_SWITCH, session.session_id, session.user_id, organisation_id, sha256_of(token))
    if row is None:
        raise UnknownSessionError("This session has ended.")
    return NewSession(session.session_id, token)


async def end_session(connection: Connection | Database, token: str) -> bool:
    """Sign out the browser that has this token; False when it had no session."""
    return await connection.fetchrow(_END_BY_TOKEN, sha256_of(token)) is not None


async def revoke_session(connection: Connection | Database, user_id: int, session_id: UUID) -> None:
    """End one of a person's sessions.

    Raises:
        UnknownSessionError: the person has no such session.
    """
    if await connection.fetchrow(_END_ONE, session_id, user_id) is None:
        raise UnknownSessionError("There is no such session.")


async def revoke_sessions(connection: Connection | Database, user_id: int, *, but: UUID | None = None) -> int:
    """End all of a person's sessions, or all but one; return how many."""
    return len(await connection.fetch(_END_ALL, user_id, but))


async def list_sessions(database: Database, user_id: int, policy: SessionPolicy) -> list[ListedSession]:
    """Return a person's sessions, last used first."""
    rows = await database.fetch(
        "SELECT id, created_at, last_used_at, auth_time, amr, address, device FROM identity.session"
        " WHERE user_id = $1 AND expires_at > now() AND last_used_at > now() - interval '1 second' * $2"
        " ORDER BY last_used_at DESC, id", user_id, policy.idle_s)
    return [_listed(row) for row in rows]


async def end_lapsed(database: Database, policy: SessionPolicy) -> bool:
    """End sessions that nobody can use any more; True when there may be more."""
    rows = await database.fetch(_END_LAPSED, policy.idle_s, _PURGED_AT_ONCE)
    return len(rows) == _PURGED_AT_ONCE


def _listed(row: Record) -> ListedSession:
    return ListedSession(row["id"], row["created_at"], row["last_used_at"], row["auth_time"], tuple(row["amr"]),
                         row["address"], row["device"])
