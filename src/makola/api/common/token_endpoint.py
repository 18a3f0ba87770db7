"""The token endpoint (RFC 6749 section 3.2), which both API families share.

It is reached as `/oauth/token` and, where the Hub API's clients look for it, as `/api/v1/oauth/create_token`. What a
grant type needs beside the client's credentials is in `GrantHandler`s, which composition hands over.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

import asyncpg
import structlog

from makola.api.common.asgi import (
    Answer,
    BodyTooLargeError,
    ClientGoneError,
    Receive,
    Scope,
    Send,
    read_body,
    send_answer,
)
from makola.api.common.client_authentication import ClientAuthentication
from makola.api.common.oauth_messages import (
    MOST_BODY_BYTES,
    Refusal,
    answer_format,
    answer_of,
    read_values,
    refused,
)
from makola.core.applications.types import OAuthClient
from makola.core.oauth.errors import InvalidClientError, OAuthError
from makola.core.oauth.service import TokenWriter, grant_client_credentials
from makola.core.oauth.types import NewToken
from makola.kit.database import OUTAGE, Database

_log = structlog.get_logger(__name__)

_CLIENT_CREDENTIALS = "client_credentials"


class GrantHandler(Protocol):
    """Exchanges what a client has for tokens."""

    async def __call__(self, client: OAuthClient, values: Mapping[str, str]) -> NewToken:
        """Return the tokens.

        Args:
            client: that has shown that it is itself.
            values: of the request.

        Raises:
            OAuthError: the client gets none.
        """


class TokenEndpoint:
    """Serves `POST` alone, as the RFC asks.

    Args:
        database: where applications and tokens are.
        lifetime_s: how long a token holds that an application gets for itself.
        known_scopes: the words that a client may ask for.
        authentication: finds out which client asks; one without assertions where none is given.
        grants: by grant type, those beside client credentials.
    """

    def __init__(self, database: Database, *, lifetime_s: float, known_scopes: Collection[str],
                 authentication: ClientAuthentication | None = None,
                 grants: Mapping[str, GrantHandler] | None = None) -> None:
        self._lifetime_s = lifetime_s
        self._known_scopes = known_scopes
        self._authentication = authentication or ClientAuthentication(database)
        self._grants = grants or {}
        self._writer = TokenWriter(database)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        values: dict[str, str] = {}
        try:
            answer = await self._answer(scope, receive, values)
        except ClientGoneError:
            return
        except BodyTooLargeError:
            answer = refused(Refusal(413, "invalid_request", f"The body is longer than {MOST_BODY_BYTES} bytes."))
        except Refusal as refusal:
            answer = refused(refusal, answer_format(scope, values.get("grant_type")))
        except OAuthError as error:
            status = 401 if isinstance(error, InvalidClientError) else 400
            answer = refused(Refusal(status, error.code, error.detail), answer_format(scope, values.get("grant_type")))
        except (*OUTAGE, asyncpg.PostgresError) as error:
            _log.error("token_request_failed", kind=type(error).__name__, error=str(error))
            answer = refused(Refusal(503, "temporarily_unavailable", "The database cannot be reached."))
        await send_answer(send, answer)

    async def _answer(self, scope: Scope, receive: Receive, values: dict[str, str]) -> Answer:
        if scope["method"] != "POST":
            raise Refusal(405, "invalid_request", "Use POST here.", ((b"allow", b"POST"),))
        values.update(read_values(scope, await read_body(scope, receive, MOST_BODY_BYTES)))
        grant_type = values.get("grant_type")
        exchange = self._grants.get(grant_type) if grant_type else None
        if exchange is not None:
            token = await exchange(await self._authentication.client(scope, values), values)
            return answer_of(token_body(token), answer_format(scope, grant_type))
        if grant_type and grant_type != _CLIENT_CREDENTIALS:
            raise Refusal(400, "unsupported_grant_type",
                          f"The grant type must be one of {', '.join([_CLIENT_CREDENTIALS, *self._grants])}.")
        caller = await self._authentication.caller(scope, values)
        if not grant_type:
            raise Refusal(400, "invalid_request", "The parameter grant_type is missing.")
        token = await grant_client_credentials(
            self._writer, caller.application, lifetime_s=self._lifetime_s, scope=values.get("scope", ""),
            known_scopes=self._known_scopes)
        return answer_of(token_body(token), answer_format(scope, grant_type))


def token_body(token: NewToken) -> dict[str, object]:
    """Return an access token as RFC 6749 section 5.1 writes it."""
    body: dict[str, object] = {
        "access_token": token.access_token, "token_type": "Bearer", "expires_in": token.expires_in_s}
    if token.scopes is not None:
        body["scope"] = " ".join(sorted(token.scopes))
    if token.refresh_token:
        body["refresh_token"] = token.refresh_token
    if token.id_token:
        body["id_token"] = token.id_token
    return body


def _error_description(words: str, *errors: str) -> dict[str, object]:
    return {"description": words, "content": {"application/json": {"schema": {
        "type": "object", "required": ["error", "error_description"], "properties": {
            "error": {"type": "string", "enum": list(errors)}, "error_description": {"type": "string"}}}}}}


_REQUEST = {
    "type": "object", "required": ["grant_type"], "properties": {
        "client_id": {"type": "string", "description": "API client ID (UUID)."},
        "client_secret": {"type": "string", "description": "API client secret."},
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "scope": {"type": "string", "description": "Words separated by spaces; without it, all the client's rights."}}}

#: The endpoint as an OpenAPI operation, for the documents of those families whose clients use it.
TOKEN_OPERATION: dict[str, object] = {
    "operationId": "create_token", "summary": "Create an access token", "tags": ["Authentication"], "security": [],
    "description": "Turns the credentials of an API client into an access token (RFC 6749 section 4.4). They may also"
                   " be given as HTTP Basic. The same endpoint is `/oauth/token`.",
    "requestBody": {"required": True, "content": {
        "application/x-www-form-urlencoded": {"schema": _REQUEST}, "application/json": {"schema": _REQUEST}}},
    "responses": {
        "200": {"description": "The token.", "content": {"application/json": {"schema": {
            "type": "object", "required": ["access_token", "token_type", "expires_in"], "properties": {
                "access_token": {"type": "string"}, "token_type": {"type": "string", "enum": ["Bearer"]},
                "expires_in": {"type": "integer", "description": "Seconds."}, "scope": {"type": "string"}}}}}},
        "400": _error_description("Request body incorrect.", "invalid_request", "unsupported_grant_type",
                                  "invalid_scope"),
        "401": _error_description("Credentials error.", "invalid_client"),
        "413": _error_description("The body is too large.", "invalid_request"),
        "429": _error_description("Too many failed attempts; Retry-After says how long to wait.",
                                  "temporarily_unavailable")}}
