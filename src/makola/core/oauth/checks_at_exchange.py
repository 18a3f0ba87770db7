"""What a code or a refresh token must pass before it is exchanged. Each check raises, or lets pass."""

import base64
import hashlib
import hmac
import re
from datetime import datetime

from makola.core.applications.types import OAuthClient
from makola.core.oauth.errors import InvalidGrantError, InvalidRequestError, InvalidScopeError

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}\Z")


def check_binding(application_id: int, client: OAuthClient) -> None:
    """What was given to one client is exchanged by no other (RFC 6749 section 4.1.3)."""
    if application_id != client.application_id:
        raise InvalidGrantError("It was given to another client.")


def check_not_expired(expires_at: datetime, at: datetime) -> None:
    """It still holds."""
    if expires_at <= at:
        raise InvalidGrantError("It has expired.")


def check_redirect_uri_repeated(authorized: str | None, given: str | None) -> None:
    """The redirect URI of the request is repeated, character by character (RFC 6749 section 4.1.3)."""
    if authorized is not None and authorized != given:
        raise InvalidGrantError("The redirect_uri is not the one of the authorization request.", field="redirect_uri")


def check_code_verifier(client: OAuthClient, challenge: str | None, verifier: str | None) -> None:
    """The client proves that it began this flow (RFC 7636), and nobody takes the proof away (RFC 9700 section 4.8).

    A verifier for a request without a challenge means that somebody has removed the challenge.
    """
    if challenge is None:
        if verifier is not None:
            raise InvalidGrantError("The authorization request had no code_challenge.", field="code_verifier")
        if not client.is_confidential:
            raise InvalidGrantError("A client without a secret must use PKCE.", field="code_verifier")
        return
    if not verifier:
        raise InvalidRequestError("The parameter code_verifier is missing.", field="code_verifier")
    if not _VERIFIER.match(verifier) or not hmac.compare_digest(create_s256_code_challenge(verifier), challenge):
        raise InvalidGrantError("The code_verifier does not match.", field="code_verifier")


def create_s256_code_challenge(verifier: str) -> str:
    """Return the challenge of a verifier (RFC 7636 section 4.2, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


def check_scope_not_wider(granted: frozenset[str], scope: str | None) -> frozenset[str]:
    """Less than was granted may be asked for, more not (RFC 6749 section 6). Returns what the token allows."""
    wanted = frozenset((scope or "").split())
    if not wanted <= granted:
        raise InvalidScopeError("More is asked for than was granted.", field="scope")
    return wanted or granted
