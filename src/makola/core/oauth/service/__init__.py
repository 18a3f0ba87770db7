"""What may be done with tokens and authorizations."""

from makola.core.oauth.service.consents import has_consented, last_grant, list_grants, record_consent
from makola.core.oauth.service.grants import (
    Exchanged,
    NewGrant,
    access_lifetime_s,
    issue_code,
    issue_implicit,
    redeem_code,
    refresh,
)
from makola.core.oauth.service.introspection import introspect
from makola.core.oauth.service.revocation import EndedGrant, revoke_grant, revoke_grants, revoke_token
from makola.core.oauth.service.tokens import (
    find_token,
    grant_client_credentials,
    issue_emulation_token,
    own_token,
    purge_expired,
    revoke_tokens_of_application,
)
from makola.core.oauth.service.writer import TokenWriter

__all__ = [
    "EndedGrant",
    "Exchanged",
    "NewGrant",
    "TokenWriter",
    "access_lifetime_s",
    "find_token",
    "grant_client_credentials",
    "has_consented",
    "introspect",
    "issue_code",
    "issue_emulation_token",
    "issue_implicit",
    "last_grant",
    "list_grants",
    "own_token",
    "purge_expired",
    "record_consent",
    "redeem_code",
    "refresh",
    "revoke_grant",
    "revoke_grants",
    "revoke_token",
    "revoke_tokens_of_application",
]
