"""A client that shows with a signature that it is itself: `private_key_jwt` (RFC 7523, OpenID Connect Core 9)."""

import base64
import binascii
import json
from collections.abc import Collection
from datetime import UTC, datetime
from time import monotonic

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from makola.core.applications.clients import find_client
from makola.core.applications.types import OAuthClient, TokenEndpointAuthMethod
from makola.core.oauth.errors import InvalidClientError
from makola.kit.clock import now
from makola.kit.database import Database
from makola.kit.outgoing import OutgoingError, OutgoingHttp
from makola.kit.secret_texts import sha256_of

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: Asymmetric ones alone: with a symmetric one the public key would be a secret that everybody knows.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
_LONGEST_S = 3_600  # what common clients set
_LEEWAY_S = 30
_KEY_SET_KEPT_S = 300.0
_MOST_KEY_SETS = 1_000
_MOST_CHARACTERS = 16_384
_REFUSED = "The client assertion is not valid."


class ClientAssertions:
    """Checks assertions, each of which is good once.

    Args:
        database: where clients are, and which assertions were used.
        outgoing: fetches key sets; the client that customers' URLs cannot turn against us.
        audiences: the names under which this server may be addressed: the issuer, and the token endpoint.
    """

    def __init__(self, database: Database, outgoing: OutgoingHttp, audiences: Collection[str]) -> None:
        self._database = database
        self._outgoing = outgoing
        self._audiences = frozenset(audiences)
        self._fetched: dict[str, tuple[float, KeySet]] = {}

    async def check(self, assertion: str) -> OAuthClient:
        """Return the client that made an assertion.

        Raises:
            InvalidClientError: the assertion is wrong, expired, for somebody else, or was used before.
        """
        client = await find_client(self._database, _issuer_of(assertion))
        if (client is None or client.suspended
                or client.token_endpoint_auth_method is not TokenEndpointAuthMethod.PRIVATE_KEY_JWT):
            raise InvalidClientError(_REFUSED)
        try:
            claims = jwt.decode(assertion, await self._keys_of(client), algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise InvalidClientError(_REFUSED) from error
        await self._use(client, self._checked(claims, client.client_id), claims["jti"])
        return client

    def _checked(self, claims: dict[str, object], client_id: str) -> datetime:
        """Check the claims (RFC 7523 section 3); return until when the assertion must be remembered."""
        at = now().timestamp()
        expires, not_before, identifier = claims.get("exp"), claims.get("nbf", 0), claims.get("jti")
        audience = claims.get("aud")
        named = {each for each in (audience if isinstance(audience, list) else [audience]) if isinstance(each, str)}
        if (claims.get("iss") != client_id or claims.get("sub") != client_id or not named & self._audiences
                or isinstance(expires, bool) or not isinstance(expires, int | float)
                or not at - _LEEWAY_S < expires <= at + _LONGEST_S + _LEEWAY_S
                or not isinstance(not_before, int | float) or not_before > at + _LEEWAY_S
                or not isinstance(identifier, str) or not identifier):
            raise InvalidClientError(_REFUSED)
        return datetime.fromtimestamp(expires + _LEEWAY_S, UTC)

    async def _use(self, client: OAuthClient, until: datetime, identifier: object) -> None:
        inserted = await self._database.execute(
            "INSERT INTO oauth.used_assertion (sha256, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            sha256_of(f"{client.application_id}\0{identifier}"), until)
        if inserted != "INSERT 0 1":
            raise InvalidClientError("The client assertion was used before.")

    async def _keys_of(self, client: OAuthClient) -> KeySet:
        if client.jwks is not None:
            return KeySet.import_key_set(json.loads(json.dumps(dict(client.jwks))))
        known = self._fetched.get(client.jwks_uri)
        if known is not None and known[0] > monotonic():
            return known[1]
        try:
            answer = await self._outgoing.request("GET", client.jwks_uri, timeout_s=5.0)
        except OutgoingError as error:
            raise InvalidClientError("The client's key set cannot be fetched.") from error
        if answer.status != 200 or answer.cut:
            raise InvalidClientError("The client's key set cannot be fetched.")
        keys = KeySet.import_key_set(json.loads(answer.body))
        if len(self._fetched) >= _MOST_KEY_SETS:
            self._fetched.clear()
        self._fetched[client.jwks_uri] = (monotonic() + _KEY_SET_KEPT_S, keys)
        return keys


def _issuer_of(assertion: str) -> str:
    """Return whom an assertion says that it is from; nothing is believed yet."""
    parts = assertion.split(".")
    if len(parts) != 3 or len(assertion) > _MOST_CHARACTERS:
        raise InvalidClientError(_REFUSED)
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise InvalidClientError(_REFUSED) from error
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    if not isinstance(issuer, str):
        raise InvalidClientError(_REFUSED)
    return issuer
