"""The token endpoint (RFC 6749 section 3.2), which both API families share: client credentials.

It is reached as `/oauth/token` and, where the Hub API's clients look for it, as `/api/v1/oauth/create_token`.
"""

import base64
import binascii
from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl, unquote_plus

import msgspec
import structlog

from makola.api.common.asgi import (
    Answer,
    BodyTooLargeError,
    ClientGoneError,
    Receive,
    Scope,
    Send,
    header,
    read_body,
    send_answer,
)
from makola.core.applications.service import authenticate
from makola.core.oauth.errors import InvalidScopeError
from makola.core.oauth.service import grant_client_credentials
from makola.core.oauth.types import NewToken
from makola.kit.database import OUTAGE, Database

_log = structlog.get_logger(__name__)

# RFC 6749 section 5.1: an answer with a token must not be kept by anybody between.
_NO_STORE = ((b"cache-control", b"no-store"), (b"pragma", b"no-cache"))
_MOST_BODY_BYTES = 65_536
_MOST_FIELDS = 50


class _Refusal(Exception):  # noqa: N818 - an answer, not an accident
    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error


class TokenEndpoint:
    """Serves `POST` alone, as the RFC asks.

    Args:
        database: where applications and tokens are.
        lifetime_s: how long a token holds.
        known_scopes: the words that a client may ask for.
    """

    def __init__(self, database: Database, *, lifetime_s: float, known_scopes: Collection[str]) -> None:
        self._database = database
        self._lifetime_s = lifetime_s
        self._known_scopes = known_scopes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            answer = await self._answer(scope, receive)
        except ClientGoneError:
            return
        except BodyTooLargeError:
            answer = _refused(_Refusal(413, "invalid_request", f"The body is longer than {_MOST_BODY_BYTES} bytes."))
        except _Refusal as refusal:
            answer = _refused(refusal)
        except InvalidScopeError as error:
            answer = _refused(_Refusal(400, "invalid_scope", error.detail))
        except OUTAGE as error:
            _log.error("token_request_failed", kind=type(error).__name__, error=str(error))
            answer = _refused(_Refusal(503, "temporarily_unavailable", "The database cannot be reached."))
        await send_answer(send, answer)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        if scope["method"] != "POST":
            refused = _refused(_Refusal(405, "invalid_request", "Use POST here."))
            return Answer(refused.status, refused.body, (*refused.headers, (b"allow", b"POST")))
        values = _read(scope, await read_body(scope, receive, _MOST_BODY_BYTES))
        client_id, client_secret = _credentials(scope, values)
        grant_type = values.get("grant_type")
        if not grant_type:
            raise _Refusal(400, "invalid_request", "The parameter grant_type is missing.")
        if grant_type != "client_credentials":
            raise _Refusal(400, "unsupported_grant_type", "The grant type must be client_credentials.")
        caller = await authenticate(self._database, client_id, client_secret) if "\0" not in client_id else None
        if caller is None:
            raise _Refusal(401, "invalid_client",
                           "The client id or the client secret is wrong, or the account is suspended.")
        async with self._database.connection() as connection:
            token = await grant_client_credentials(
                connection, caller.application, lifetime_s=self._lifetime_s, scope=values.get("scope", ""),
                known_scopes=self._known_scopes)
        return Answer(200, msgspec.json.encode(token_body(token)), _NO_STORE)


def token_body(token: NewToken) -> dict[str, object]:
    """Return an access token as RFC 6749 section 5.1 writes it."""
    body: dict[str, object] = {
        "access_token": token.access_token, "token_type": "Bearer", "expires_in": token.expires_in_s}
    if token.scopes is not None:
        body["scope"] = " ".join(sorted(token.scopes))
    return body


def _read(scope: Scope, raw: bytes) -> dict[str, str]:
    content_type = (header(scope, b"content-type") or b"").partition(b";")[0].strip().lower()
    if content_type == b"application/json":
        return _read_json(raw)
    if content_type in {b"application/x-www-form-urlencoded", b""}:
        return _read_form(raw)
    raise _Refusal(400, "invalid_request", "The body must be application/x-www-form-urlencoded or application/json.")


def _read_json(raw: bytes) -> dict[str, str]:
    try:
        decoded = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        return {name: msgspec.json.decode(value, type=str) for name, value in decoded.items()
                if name in {"client_id", "client_secret", "grant_type", "scope"}}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _Refusal(400, "invalid_request", "The body must be a JSON object of strings.") from error


def _read_form(raw: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise _Refusal(400, "invalid_request", "The body is not a form in UTF-8.") from error
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:  # RFC 6749 section 3.2: no parameter more than once
            raise _Refusal(400, "invalid_request", "A parameter is given twice.")
        values[name] = value
    return values


def _credentials(scope: Scope, values: Mapping[str, str]) -> tuple[str, str]:
    """Return client id and secret, of the header or of the body, but not of both (RFC 6749 section 2.3)."""
    authorization = header(scope, b"authorization")
    if authorization is None:
        if not values.get("client_id") or not values.get("client_secret"):
            raise _Refusal(400, "invalid_request", "The parameters client_id and client_secret are missing.")
        return values["client_id"], values["client_secret"]
    if "client_secret" in values:
        raise _Refusal(400, "invalid_request", "The credentials are in the header and in the body; use one of the two.")
    scheme, _, encoded = authorization.partition(b" ")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode() if scheme.lower() == b"basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        decoded = ""
    client_id, colon, client_secret = decoded.partition(":")
    if not colon:
        raise _Refusal(401, "invalid_client", "The Authorization header must be HTTP Basic.")
    return unquote_plus(client_id), unquote_plus(client_secret)


def _refused(refusal: _Refusal) -> Answer:
    body = msgspec.json.encode({"error": refusal.error, "error_description": str(refusal)})
    challenge = ((b"www-authenticate", b'Basic realm="Makola", charset="UTF-8"'),) if refusal.status == 401 else ()
    return Answer(refusal.status, body, (*_NO_STORE, *challenge))


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
        "413": _error_description("The body is too large.", "invalid_request")}}
