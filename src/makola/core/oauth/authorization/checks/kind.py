"""What kind of application asks."""

from makola.core.applications.types import OAUTH_KINDS, OAuthClient
from makola.core.oauth.errors import UnauthorizedClientError


def check_kind(client: OAuthClient) -> None:
    """Public, partner and trusted applications act for others; a private one has its owner's account and no other's."""
    if client.kind not in OAUTH_KINDS:
        raise UnauthorizedClientError("A private application acts for its owner alone: use client credentials.")
