"""How a client shows the OAuth endpoints that it is itself: a secret in the body or by Basic, or a signed assertion."""

import asyncio
import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from makola.api.common.asgi import Scope, header
from makola.api.common.failure_brake import FailureBrake
from makola.api.common.oauth_messages import Refusal
from makola.core.applications.clients import check_secret, find_client
from makola.core.applications.service import authenticate, find_caller
from makola.core.applications.types import Caller, OAuthClient, TokenEndpointAuthMethod
from makola.core.oauth.client_assertions import ASSERTION_TYPE, ClientAssertions
from makola.core.oauth.errors import InvalidClientError, TooManyFailuresError
from makola.kit.database import Database

_WRONG = "The client id or the client secret is wrong, or the account is suspended."


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a request shows; `client_secret` None: nothing but a name."""

    client_id: str
    client_secret: str | None


class ClientAuthentication:
    """Finds out which client a request is from.

    Args:
        database: where clients are.
        assertions: checks `private_key_jwt`; None where that is not taken.
    """

    def __init__(self, database: Database, assertions: ClientAssertions | None = None) -> None:
        self._database = database
        self._assertions = assertions
        self._brake = FailureBrake()
        self._asked: dict[tuple[str, str], asyncio.Task[Caller | None]] = {}

    async def caller(self, scope: Scope, values: Mapping[str, str]) -> Caller:
        """Return whom a client acts for that acts for itself (client credentials).

        Raises:
            Refusal: it did not show that it is itself, or is of a kind that acts for others alone.
        """
        if "client_assertion" in values:
            client = await self.client(scope, values, needs_secret=True)
            caller = await find_caller(self._database, client.application_id, user_id=client.user_id, scopes=None,
                                       emulation_id=None)
            if caller is None:
                raise _not_for_itself()
            return caller
        shown = _shown(scope, values)
        if shown.client_secret is None:
            raise _missing()
        address = _address(scope)
        self._check_brake(shown.client_id, address)
        caller = await self._authenticate(shown.client_id, shown.client_secret)
        if caller is None:
            await self._refuse_kind(shown)
            self._brake.failed(shown.client_id, address)
            raise Refusal(401, "invalid_client", _WRONG)
        self._brake.succeeded(shown.client_id, address)
        return caller

    async def client(self, scope: Scope, values: Mapping[str, str], *, needs_secret: bool = False) -> OAuthClient:
        """Return the client that a request is from.

        Args:
            scope: of the request, for its Authorization header.
            values: of its body.
            needs_secret: refuse a client that has nothing to show.

        Raises:
            Refusal: it did not show that it is itself.
        """
        if "client_assertion" in values or "client_assertion_type" in values:
            return await self._by_assertion(scope, values)
        shown = _shown(scope, values)
        address = _address(scope)
        self._check_brake(shown.client_id, address)
        client = await find_client(self._database, shown.client_id)
        if client is None or client.suspended or not _shows(client, shown, needs_secret=needs_secret):
            if client is None:
                check_secret(None, shown.client_secret or "")
            self._brake.failed(shown.client_id, address)
            raise Refusal(401, "invalid_client", _WRONG)
        self._brake.succeeded(shown.client_id, address)
        return client

    def forget_failures(self) -> None:
        """Let nobody wait any more."""
        self._brake = FailureBrake()

    async def _by_assertion(self, scope: Scope, values: Mapping[str, str]) -> OAuthClient:
        if header(scope, b"authorization") is not None or "client_secret" in values:
            raise _twice()
        if self._assertions is None or values.get("client_assertion_type") != ASSERTION_TYPE:
            raise Refusal(400, "invalid_request", "This client_assertion_type is not supported.")
        address = _address(scope)
        self._check_brake(values.get("client_id", ""), address)
        try:
            client = await self._assertions.check(values.get("client_assertion", ""))
        except InvalidClientError as error:
            self._brake.failed(values.get("client_id", ""), address)
            raise Refusal(401, "invalid_client", error.detail) from error
        if values.get("client_id", client.client_id) != client.client_id:
            raise Refusal(401, "invalid_client", "The assertion is another client's.")
        return client

    def _check_brake(self, client_id: str, address: str) -> None:
        try:
            self._brake.check(client_id, address)
        except TooManyFailuresError as error:
            raise Refusal(429, "temporarily_unavailable", error.detail,
                          ((b"retry-after", str(error.retry_after_s).encode()),)) from error

    async def _authenticate(self, client_id: str, client_secret: str) -> Caller | None:
        """Ask the database once for all requests that show the same and come while it is asked.

        A credential that was revoked before a request came is refused all the same, but for the time that one
        question takes.
        """
        if "\0" in client_id:
            return None
        key = (client_id, client_secret)
        task = self._asked.get(key)
        if task is None:
            task = asyncio.create_task(authenticate(self._database, client_id, client_secret))
            self._asked[key] = task
            task.add_done_callback(lambda _: self._asked.pop(key, None))
        return await asyncio.shield(task)

    async def _refuse_kind(self, shown: _Shown) -> None:
        client = await find_client(self._database, shown.client_id)
        if client is not None and not client.suspended and check_secret(client, shown.client_secret or ""):
            raise _not_for_itself()


def _shows(client: OAuthClient, shown: _Shown, *, needs_secret: bool) -> bool:
    if client.token_endpoint_auth_method is TokenEndpointAuthMethod.NONE:
        return shown.client_secret is None and not needs_secret
    if client.token_endpoint_auth_method is not TokenEndpointAuthMethod.CLIENT_SECRET:
        return False
    return shown.client_secret is not None and check_secret(client, shown.client_secret)


def _shown(scope: Scope, values: Mapping[str, str]) -> _Shown:
    """Return client id and secret, of the header or of the body, but not of both (RFC 6749 section 2.3)."""
    authorization = header(scope, b"authorization")
    if authorization is None:
        if not values.get("client_id"):
            raise _missing()
        return _Shown(values["client_id"], values.get("client_secret") or None)
    if "client_secret" in values:
        raise _twice()
    scheme, _, encoded = authorization.partition(b" ")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode() if scheme.lower() == b"basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        decoded = ""
    client_id, colon, client_secret = decoded.partition(":")
    if not colon:
        raise Refusal(401, "invalid_client", "The Authorization header must be HTTP Basic.")
    shown = _Shown(unquote_plus(client_id), unquote_plus(client_secret))
    if values.get("client_id", shown.client_id) != shown.client_id:
        raise Refusal(400, "invalid_request", "The header and the body name different clients.")
    return shown


def _missing() -> Refusal:
    return Refusal(400, "invalid_request", "The parameters client_id and client_secret are missing.")


def _twice() -> Refusal:
    return Refusal(400, "invalid_request", "The credentials are given in two ways; use one of the two.")


def _not_for_itself() -> Refusal:
    return Refusal(400, "unauthorized_client", "This application acts for others alone: use the authorization code.")


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
