"""Proof that the flow ends with whom it began."""

import re

from makola.core.applications.types import OAuthClient
from makola.core.oauth.authorization.request import Parameters
from makola.core.oauth.errors import InvalidRequestError

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")  # a SHA-256 in Base64url


def check_pkce(parameters: Parameters, client: OAuthClient) -> str | None:
    """A client without a secret must send a code_challenge, with S256 (RFC 9700 section 2.1.1); `plain` is refused.

    A method that is left out would mean `plain` (RFC 7636 section 4.3) and is refused too.
    """
    if parameters.get("response_type") != "code":
        return None
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
    if challenge is None:
        if method is not None or not client.is_confidential:
            raise InvalidRequestError("The parameter code_challenge is missing: use PKCE with S256.",
                                      field="code_challenge")
        return None
    if method != "S256":
        raise InvalidRequestError("The code_challenge_method must be S256.", field="code_challenge_method")
    if not _CHALLENGE.match(challenge):
        raise InvalidRequestError("The code_challenge is not a SHA-256 in Base64url.", field="code_challenge")
    return challenge
