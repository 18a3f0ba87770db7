"""Applications as the OAuth server sees them: found by client id, their secrets checked, their redirects compared."""

import hmac
import json
import re
from dataclasses import replace

from makola.core.applications.contents import Content, read_content, read_listing
from makola.core.applications.scopes import ALL_SCOPES, OFFLINE_ACCESS, OPENID_SCOPES, with_implied
from makola.core.applications.types import (
    ApplicationKind,
    Listing,
    OAuthClient,
    TokenEndpointAuthMethod,
)
from makola.core.organisations.queries import find_place
from makola.kit.database import Connection, Database, Record
from makola.kit.secret_texts import sha256_of

# One row of everything: the OAuth server asks once for each request.
_FIND = """
SELECT a.id, a.organisation_id, a.kind, a.client_id, a.name, a.user_id, a.suspended_at IS NOT NULL AS suspended,
       o.redirect_uris, o.post_logout_redirect_uris, o.requested_scopes, o.token_endpoint_auth_method, o.jwks,
       o.jwks_uri, o.implicit_enabled, o.access_token_lifetime_s, o.deauthorization_uri, o.authorization_uri,
       o.switch_session_uri, o.backchannel_logout_uri, o.application_id IS NOT NULL AS speaks_oauth,
       l.draft, p.content AS published,
       array(SELECT s.sha256 FROM applications.secret s
             WHERE s.application_id = a.id AND (s.expires_at IS NULL OR s.expires_at > now())) AS secrets
FROM applications.application a
LEFT JOIN applications.oauth_client o ON o.application_id = a.id
LEFT JOIN applications.listing l ON l.application_id = a.id
LEFT JOIN applications.publication p ON p.application_id = a.id
"""

#: RFC 8252 section 7.3: the port of a loopback address is the operating system's to choose.
_LOOPBACK = re.compile(r"(?P<start>http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?(?P<rest>[/?].*)?", re.DOTALL)

_NO_SECRET = sha256_of("")


async def find_client(database: Database | Connection, client_id: str) -> OAuthClient | None:
    """Return an application by its client id, suspended or not; None when there is none.

    Whoever asks must refuse a suspended one exactly as an unknown one.
    """
    if "\0" in client_id or not client_id.isascii():  # the database cannot be asked for every text that there is
        return None
    return await _client(database, await database.fetchrow(_FIND + " WHERE a.client_id = $1", client_id))


async def find_client_by_id(database: Database | Connection, application_id: int) -> OAuthClient | None:
    """Return an application by its number, suspended or not; None when there is none."""
    return await _client(database, await database.fetchrow(_FIND + " WHERE a.id = $1", application_id))


def check_secret(client: OAuthClient | None, client_secret: str) -> bool:
    """Say whether a secret is one of those that hold now; it takes the same time for a client that does not exist."""
    given = sha256_of(client_secret)
    stored = client.secret_hashes if client is not None else ()
    matches = [hmac.compare_digest(given, one) for one in stored or (_NO_SECRET,)]
    return bool(stored) and any(matches)


def permits_redirect_uri(client: OAuthClient, redirect_uri: str) -> bool:
    """Say whether a user may be sent to `redirect_uri`: exactly as registered, character by character.

    Only the port of a registered loopback IP address may be another one (RFC 8252 section 7.3).
    """
    return _permits(client.redirect_uris, redirect_uri)


def permits_post_logout_redirect_uri(client: OAuthClient, redirect_uri: str) -> bool:
    """Say whether a user may be sent to `redirect_uri` after signing out; the same comparison."""
    return _permits(client.post_logout_redirect_uris, redirect_uri)


def _permits(registered: tuple[str, ...], given: str) -> bool:
    if given in registered:
        return True
    loopback = _LOOPBACK.fullmatch(given)
    if loopback is None or not given.isascii() or any(character <= " " for character in given):
        return False
    wanted = (loopback["start"], loopback["rest"])
    return any((each["start"], each["rest"]) == wanted for each in map(_LOOPBACK.fullmatch, registered)
               if each is not None)


async def _client(database: Database | Connection, row: Record | None) -> OAuthClient | None:
    if row is None:
        return None
    client = _client_of(row)
    if not client.suspended and await find_place(database, client.organisation_id) is None:
        return replace(client, suspended=True)  # its owner is, or a tier above
    return client


def _client_of(row: Record) -> OAuthClient:
    kind = ApplicationKind(row["kind"])
    if not row["speaks_oauth"]:  # a private application or an API client: client credentials alone
        return OAuthClient(row["id"], row["organisation_id"], kind, row["client_id"], row["name"],
                           allowed_scopes=ALL_SCOPES, suspended=row["suspended"], user_id=row["user_id"],
                           secret_hashes=tuple(row["secrets"]))
    method = TokenEndpointAuthMethod(row["token_endpoint_auth_method"])
    in_force = _in_force(row, kind)
    offline = in_force.listing.offline_access and kind in {ApplicationKind.PARTNER, ApplicationKind.TRUSTED}
    return OAuthClient(
        row["id"], row["organisation_id"], kind, row["client_id"], in_force.name,
        redirect_uris=tuple(row["redirect_uris"]), is_confidential=method is not TokenEndpointAuthMethod.NONE,
        token_endpoint_auth_method=method, jwks=json.loads(row["jwks"]) if row["jwks"] else None,
        jwks_uri=row["jwks_uri"], implicit_enabled=row["implicit_enabled"],
        allowed_scopes=_allowed(kind, in_force.scopes, offline=offline), offline_access=offline,
        access_token_lifetime_s=row["access_token_lifetime_s"], skips_consent=kind is ApplicationKind.TRUSTED,
        post_logout_redirect_uris=tuple(row["post_logout_redirect_uris"]),
        backchannel_logout_uri=row["backchannel_logout_uri"], switch_session_uri=row["switch_session_uri"],
        deauthorization_uri=row["deauthorization_uri"], authorization_uri=row["authorization_uri"],
        suspended=row["suspended"], listing=in_force.listing, user_id=row["user_id"],
        secret_hashes=tuple(row["secrets"]) if method is TokenEndpointAuthMethod.CLIENT_SECRET else ())


def _in_force(row: Record, kind: ApplicationKind) -> Content:
    """Return name, scopes and listing: as reviewed where that is what people rely on, as written otherwise."""
    if kind is ApplicationKind.PARTNER and row["published"] is not None:
        return read_content(row["published"])
    listing = read_listing(row["draft"]) if row["draft"] is not None else Listing()
    return Content(row["name"], frozenset(row["requested_scopes"]), listing)


def _allowed(kind: ApplicationKind, scopes: frozenset[str], *, offline: bool) -> frozenset[str]:
    if kind is ApplicationKind.PRIVATE:
        return ALL_SCOPES
    allowed = with_implied(scopes) & ALL_SCOPES - {OFFLINE_ACCESS}
    if kind is ApplicationKind.TRUSTED:
        allowed |= OPENID_SCOPES
    return allowed | {OFFLINE_ACCESS} if offline else allowed
