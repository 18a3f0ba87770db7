"""Which path is which endpoint."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import asyncpg
import structlog

from makola.api.common.asgi import (
    Answer,
    AsgiApp,
    BodyTooLargeError,
    ClientGoneError,
    Message,
    Receive,
    Scope,
    Send,
    send_answer,
)
from makola.api.common.oauth_messages import MOST_BODY_BYTES, Refusal, refused, write_values
from makola.api.oauth.context import OAuthContext
from makola.api.oauth.endpoints import introspection, key_set, revocation, userinfo
from makola.api.oauth.metadata import server_metadata
from makola.core.oauth.errors import OAuthError
from makola.kit.database import OUTAGE

_log = structlog.get_logger(__name__)

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
_METADATA = "/.well-known/oauth-authorization-server"
METADATA_PATHS = frozenset({_METADATA, "/.well-known/openid-configuration"})
_READ = frozenset({"GET", "HEAD"})
_METHODS: Mapping[str, frozenset[str]] = {
    TOKEN_PATH: frozenset({"POST"}),
    "/oauth/revoke": frozenset({"POST"}),
    "/oauth/introspect": frozenset({"POST"}),
    "/oauth/userinfo": frozenset({"GET", "POST"}),
    "/oauth/jwks": _READ,
    **dict.fromkeys(METADATA_PATHS, _READ),
}
#: Applications that run in a browser call these from their own origin. Nothing here looks at a cookie.
_FROM_ANYWHERE = (b"access-control-allow-origin", b"*")
_PREFLIGHT = (_FROM_ANYWHERE, (b"access-control-allow-methods", b"GET, POST"),
              (b"access-control-allow-headers", b"authorization, content-type"),
              (b"access-control-max-age", b"600"))


class OAuthApp:
    """Serves what programs call: `/oauth/token`, `/oauth/revoke`, … and the two documents that describe them.

    Args:
        context: what the endpoints work with.
        tokens: the token endpoint.
    """

    def __init__(self, context: OAuthContext, tokens: AsgiApp) -> None:
        self._context = context
        self._tokens = tokens
        self._metadata = write_values(
            server_metadata(context.issuer, id_token_algorithm=context.id_token_algorithm), b"application/json")
        # RFC 8414 section 3.1: the path of an issuer comes after the well-known one, not before it.
        own_path = urlsplit(context.issuer).path.rstrip("/")
        self._methods = {**_METHODS, f"{_METADATA}{own_path}": _READ}

    def serves(self, path: str) -> bool:
        """Say whether a path is one of these; `/oauth` itself is a page."""
        return path.rstrip("/") in self._methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope["path"].rstrip("/")

        async def send_shared(message: Message) -> None:
            """Send, and let pages of any origin read the answer."""
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], _FROM_ANYWHERE]
            await send(message)

        if scope["method"] == "OPTIONS":
            await send_answer(send, Answer(204, b"", _PREFLIGHT))
        elif path == TOKEN_PATH:
            await self._tokens(scope, receive, send_shared)
        else:
            try:
                answer = await self._answer(path, scope, receive)
            except ClientGoneError:
                return
            await send_answer(send_shared, answer)

    async def _answer(self, path: str, scope: Scope, receive: Receive) -> Answer:
        try:
            return await self._dispatch(path, scope, receive)
        except BodyTooLargeError:
            return refused(Refusal(413, "invalid_request", f"The body is longer than {MOST_BODY_BYTES} bytes."))
        except Refusal as refusal:
            return refused(refusal)
        except OAuthError as error:
            return refused(Refusal(400, error.code, error.detail))
        except (*OUTAGE, asyncpg.PostgresError) as error:
            _log.error("oauth_request_failed", kind=type(error).__name__, error=str(error))
            return refused(Refusal(503, "temporarily_unavailable", "The database cannot be reached."))

    async def _dispatch(self, path: str, scope: Scope, receive: Receive) -> Answer:
        if scope["method"] not in self._methods[path]:
            allowed = ", ".join(sorted(self._methods[path])).encode()
            raise Refusal(405, "invalid_request", "Not with this method.", ((b"allow", allowed),))
        if path == "/oauth/revoke":
            return await revocation(self._context, scope, receive)
        if path == "/oauth/introspect":
            return await introspection(self._context, scope, receive)
        if path == "/oauth/userinfo":
            return await userinfo(self._context, scope)
        if path == "/oauth/jwks":
            return await key_set(self._context)
        return Answer(200, self._metadata, ((b"cache-control", b"public, max-age=3600"),))
