"""A session ended: the applications that it was used with are told (OpenID Connect Back-Channel Logout 1.0)."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

import structlog

from makola.core.applications.clients import find_client_by_id
from makola.core.applications.scopes import OFFLINE_ACCESS
from makola.core.applications.types import OAuthClient
from makola.core.identity.types import SessionEvent
from makola.core.oauth.keys import SigningKeys
from makola.kit.clock import now
from makola.kit.database import Connection, Database, Record
from makola.kit.ids import new_id
from makola.kit.outgoing import OutgoingError, OutgoingHttp

#: The channel that is notified when there is somebody to tell.
CHANNEL = "oauth_logout"
_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LOGOUT_TOKEN_S = 120  # section 2.4 asks for two minutes at most
_BATCH = 20
_MOST_DETAIL = 500

_CLAIM = """
UPDATE oauth.logout_notice SET due_at = now() + make_interval(secs => $2), tries = tries + 1
WHERE id IN (SELECT id FROM oauth.logout_notice WHERE state = 'pending' AND due_at <= now()
             ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING id, application_id, session_id, user_id, tries
"""

_log = structlog.get_logger(__name__)


async def note_session_event(connection: Connection, event: SessionEvent) -> None:
    """Write down who has to be told that a session ended; what the session's trusted applications hold ends with it.

    An identity `SessionObserver`. A token with `offline_access` goes on: that is what the scope says.
    """
    rows = await connection.fetch(
        "SELECT DISTINCT application_id FROM oauth.grant WHERE session_id = $1", event.session_id)
    told = False
    for row in rows:
        client = await find_client_by_id(connection, row["application_id"])
        if client is None:
            continue
        if client.skips_consent:
            await _end_grants(connection, event.session_id, client.application_id)
        if client.backchannel_logout_uri:
            await connection.execute(
                "INSERT INTO oauth.logout_notice (application_id, session_id, user_id, due_at, created_at)"
                " VALUES ($1, $2, $3, now(), now()) ON CONFLICT DO NOTHING",
                client.application_id, event.session_id, event.user_id)
            told = True
    if told:
        await connection.execute("SELECT pg_notify($1, '')", CHANNEL)


async def _end_grants(connection: Connection, session_id: UUID, application_id: int) -> None:
    await connection.execute(
        "UPDATE oauth.grant SET revoked_at = now(), revoked_because = 'signed out', sealed_access_token = NULL"
        " WHERE session_id = $1 AND application_id = $2 AND revoked_at IS NULL AND NOT $3 = ANY(scopes)",
        session_id, application_id, OFFLINE_ACCESS)


@dataclass(frozen=True, slots=True)
class LogoutPolicy:
    """How applications are told: the wait before each further attempt, and how long one may take, in seconds."""

    retry_delays_s: tuple[float, ...]
    timeout_s: float = 10.0
    connect_timeout_s: float = 5.0


class LogoutNotices:
    """Tells applications that sessions ended.

    Args:
        database: where the notices are.
        keys: sign the logout tokens.
        outgoing: the client that customers' URLs cannot turn against us.
        policy: see `LogoutPolicy`.
        issuer: this server.
        algorithm: of the signatures.
    """

    def __init__(self, database: Database, keys: SigningKeys, outgoing: OutgoingHttp, policy: LogoutPolicy, *,
                 issuer: str, algorithm: str) -> None:
        self._database = database
        self._keys = keys
        self._outgoing = outgoing
        self._policy = policy
        self._issuer = issuer
        self._algorithm = algorithm

    async def send_due(self) -> bool:
        """Send one batch of what is due; True when there may be more."""
        rows = await self._database.fetch(_CLAIM, _BATCH, 2 * self._policy.timeout_s)
        await asyncio.gather(*(self._send(row) for row in rows))
        return len(rows) == _BATCH

    async def _send(self, row: Record) -> None:
        client = await find_client_by_id(self._database, row["application_id"])
        if client is None or not client.backchannel_logout_uri:
            await self._record(row["id"], "failed", "The application has no logout URL any more.", None)
            return
        problem = await self._post(client, row)
        if problem is None:
            await self._record(row["id"], "delivered", "", None)
            return
        tries: int = row["tries"]
        has_more = tries <= len(self._policy.retry_delays_s)
        due_at = now() + timedelta(seconds=self._policy.retry_delays_s[tries - 1]) if has_more else None
        _log.info("logout_not_told", client_id=client.client_id, problem=problem, tries=tries)
        await self._record(row["id"], "pending" if has_more else "failed", problem, due_at)

    async def _post(self, client: OAuthClient, row: Record) -> str | None:
        """Return what was wrong; None when the application has taken it."""
        token = await self._logout_token(client, row["session_id"], row["user_id"])
        try:
            answer = await self._outgoing.request(
                "POST", client.backchannel_logout_uri, body=urlencode({"logout_token": token}).encode(),
                headers={"Content-Type": "application/x-www-form-urlencoded"}, timeout_s=self._policy.timeout_s,
                connect_timeout_s=self._policy.connect_timeout_s)
        except OutgoingError as error:
            return str(error)[:_MOST_DETAIL]
        return None if answer.status in {200, 204} else f"It answered {answer.status}."

    async def _logout_token(self, client: OAuthClient, session_id: UUID, user_id: int) -> str:
        at = int(now().timestamp())
        return await self._keys.sign(
            {"iss": self._issuer, "sub": str(user_id), "aud": client.client_id, "iat": at, "exp": at + _LOGOUT_TOKEN_S,
             "jti": new_id().hex, "sid": str(session_id), "events": {_EVENT: {}}},
            algorithm=self._algorithm, kind="logout+jwt")

    async def _record(self, notice_id: int, state: str, detail: str, due_at: datetime | None) -> None:
        await self._database.execute(
            "UPDATE oauth.logout_notice SET state = $2, detail = $3, due_at = coalesce($4, due_at) WHERE id = $1",
            notice_id, state, detail, due_at)
