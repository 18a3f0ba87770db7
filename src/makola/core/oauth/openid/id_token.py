"""ID tokens (OpenID Connect Core, section 2)."""

import base64
import hashlib
from datetime import datetime

from makola.core.applications.types import OAuthClient
from makola.core.oauth.keys import SigningKeys
from makola.core.oauth.openid.claims import claims_of
from makola.core.oauth.types import Grant
from makola.kit.clock import now
from makola.kit.database import Database

#: Authentication context classes: with a password alone, or with a second factor or a passkey as well.
ACR_ONE_FACTOR = "urn:makola:acr:1"
ACR_TWO_FACTORS = "urn:makola:acr:2"
_SECOND_FACTORS = frozenset({"mfa", "otp", "hwk", "swk"})


async def make_id_token(database: Database, keys: SigningKeys, grant: Grant, client: OAuthClient, *, issuer: str,
                        algorithm: str, lifetime_s: int, access_token: str, nonce: str | None) -> str:
    """Return a signed ID token about the person who gave a grant."""
    at = _seconds(now())
    claims: dict[str, object] = await claims_of(
        database, user_id=grant.user_id, organisation_id=grant.organisation_id, application_id=grant.application_id,
        scopes=grant.scopes)
    claims |= {
        "iss": issuer, "sub": str(grant.user_id), "aud": client.client_id, "azp": client.client_id, "iat": at,
        "exp": at + lifetime_s, "auth_time": _seconds(grant.auth_time), "amr": list(grant.amr),
        "acr": acr_of(grant.amr), "at_hash": half_hash(access_token)}
    if grant.session_id is not None:
        claims["sid"] = str(grant.session_id)
    if nonce is not None:
        claims["nonce"] = nonce
    return await keys.sign(claims, algorithm=algorithm)


def acr_of(amr: tuple[str, ...]) -> str:
    """Return the class of how somebody has shown who they are."""
    return ACR_TWO_FACTORS if _SECOND_FACTORS & frozenset(amr) else ACR_ONE_FACTOR


def half_hash(text: str) -> str:
    """Return the left half of the SHA-256 in Base64url, as `at_hash` (section 3.1.3.6); both algorithms use SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode("ascii")).digest()[:16]).rstrip(b"=").decode()


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
