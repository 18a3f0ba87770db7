"""Who a request acts for: HTTP Basic, a Bearer token, or a client id and secret in the URL.

What was found is remembered for a few seconds, so that the hot path asks the database once in that time; a revoked
credential is therefore refused everywhere within the same few seconds. Credentials are never logged.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from time import monotonic

from makola.api.common.asgi import Scope, header
from makola.core.applications.service import authenticate
from makola.core.applications.types import Caller
from makola.core.oauth.service import find_token
from makola.kit.clock import now
from makola.kit.database import Database

_MOST_REMEMBERED = 50_000

#: Their names in the query, in lower case.
URL_CREDENTIALS = frozenset({"clientid", "clientsecret"})


class NotAuthenticatedError(Exception):
    """The request has no credentials, or wrong ones.

    Args:
        detail: for the person who sent it.
        given: whether there were any; a challenge names an error only then (RFC 6750 section 3).
    """

    def __init__(self, detail: str, *, given: bool = True) -> None:
        super().__init__(detail)
        self.given = given


class Credentials:
    """Turns credentials into callers.

    Args:
        database: where applications are.
        remember_s: how long an answer of the database holds.
    """

    def __init__(self, database: Database, *, remember_s: float) -> None:
        self._database = database
        self._remember_s = remember_s
        self._known: dict[bytes, tuple[float, Caller]] = {}

    async def caller(self, scope: Scope, query: Mapping[str, object]) -> Caller:
        """Return who sent a request.

        Args:
            scope: the request's, for the Authorization header.
            query: the query's values by lower-case name.

        Raises:
            NotAuthenticatedError: nobody that may call.
        """
        authorization = header(scope, b"authorization")
        if authorization:
            scheme, _, value = authorization.partition(b" ")
            scheme = scheme.lower()
            if scheme == b"basic":
                return await self._from_basic(value.strip())
            if scheme == b"bearer":
                return await self._from_token(value.strip())
            raise NotAuthenticatedError("The Authorization header must be Basic or Bearer.")
        client_id, client_secret = query.get("clientid"), query.get("clientsecret")
        if isinstance(client_id, str) and isinstance(client_secret, str):
            return await self._from_pair(client_id, client_secret)
        raise NotAuthenticatedError(
            "Credentials are missing: use HTTP Basic, a Bearer token, or ClientId and ClientSecret in the URL.",
            given=False)

    async def bearer(self, scope: Scope) -> Caller:
        """Return who sent a request, where nothing but a Bearer token will do.

        Raises:
            NotAuthenticatedError: there is no token, or it is not valid.
        """
        scheme, _, value = (header(scope, b"authorization") or b"").partition(b" ")
        if scheme.lower() != b"bearer":
            raise NotAuthenticatedError("This API needs an access token: `Authorization: Bearer …`.", given=False)
        return await self._from_token(value.strip())

    def forget(self) -> None:
        """Ask the database again about everybody: somebody was suspended, revoked, or given other rights."""
        self._known.clear()

    def forget_application(self, application_id: int, organisation_id: int | None = None) -> None:
        """Ask the database again about whatever an application shows: something of it was revoked in this process.

        Args:
            application_id: which application.
            organisation_id: only what acts for this organisation; None for all.
        """
        gone = [key for key, (_, caller) in self._known.items()
                if caller.application.application_id == application_id
                and organisation_id in {None, caller.actor.organisation_id}]
        for key in gone:
            del self._known[key]

    async def _from_basic(self, value: bytes) -> Caller:
        key = hashlib.sha256(b"basic\0" + value).digest()
        known = self._known.get(key)
        if known is not None and known[0] > monotonic():
            return known[1]
        try:
            client_id, colon, client_secret = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise NotAuthenticatedError("The Basic credentials are not valid Base64.") from error
        if not colon:
            raise NotAuthenticatedError("The Basic credentials must be a client id, a colon and a client secret.")
        return await self._look_up(key, client_id, client_secret)

    async def _from_pair(self, client_id: str, client_secret: str) -> Caller:
        key = hashlib.sha256(f"{client_id}\0{client_secret}".encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(key)
        if known is not None and known[0] > monotonic():
            return known[1]
        return await self._look_up(key, client_id, client_secret)

    async def _from_token(self, token: bytes) -> Caller:
        key = hashlib.sha256(b"bearer\0" + token).digest()
        known = self._known.get(key)
        if known is not None and known[0] > monotonic():
            return known[1]
        found = await find_token(self._database, token.decode("latin-1"))
        if found is None:
            self._known.pop(key, None)
            raise NotAuthenticatedError("The access token is not valid, or it has expired.")
        self._remember(key, found.caller, (found.expires_at - now()).total_seconds())
        return found.caller

    async def _look_up(self, key: bytes, client_id: str, client_secret: str) -> Caller:
        caller = None if "\0" in client_id else await authenticate(self._database, client_id, client_secret)
        if caller is None:
            self._known.pop(key, None)
            raise NotAuthenticatedError("The client id or the client secret is wrong, or the account is suspended.")
        self._remember(key, caller, self._remember_s)
        return caller

    def _remember(self, key: bytes, caller: Caller, at_most_s: float) -> None:
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[key] = (monotonic() + min(self._remember_s, at_most_s), caller)
