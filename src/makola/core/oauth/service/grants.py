"""Authorizations: a code for the browser to carry, exchanged for tokens once; refresh tokens that rotate.

All that one authorization gives out is its family. Whatever is exchanged a second time ends the family, for one of the
two who had it is not the client (RFC 9700 sections 2.1.1 and 4.14.2). Each exchange locks the grant, so that of two
that come at the same time one is the second; and what ends a family is committed before it is said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makola.core.applications.scopes import OFFLINE_ACCESS
from makola.core.applications.types import ApplicationKind, OAuthClient
from makola.core.oauth import store
from makola.core.oauth.checks_at_exchange import (
    check_binding,
    check_code_verifier,
    check_not_expired,
    check_redirect_uri_repeated,
    check_scope_not_wider,
)
from makola.core.oauth.errors import InvalidGrantError, OAuthError, UsedTwiceError
from makola.core.oauth.service.tokens import expiry
from makola.core.oauth.service.writer import NewAccessToken, insert_access_tokens, new_access_token_text
from makola.core.oauth.types import CODE_PREFIX, REFRESH_TOKEN_PREFIX, Grant, Lifetimes, NewToken
from makola.core.organisations.acting import load_acting
from makola.kit.clock import now
from makola.kit.database import Connection, Database, Record
from makola.kit.sealing import Sealer
from makola.kit.secret_texts import new_secret_text, sha256_of

SEALED_TOKEN = "access token"  # noqa: S105 - what the seal is for


@dataclass(frozen=True, slots=True)
class NewGrant:
    """What a user has agreed to, or what was agreed before.

    Attributes:
        redirect_uri: as the request gave it; None where it gave none.
        code_challenge: S256; None where the client is confidential and sent none.
    """

    client: OAuthClient
    user_id: int
    organisation_id: int
    scopes: frozenset[str]
    session_id: UUID | None
    auth_time: datetime
    amr: tuple[str, ...]
    redirect_uri: str | None = None
    code_challenge: str | None = None
    nonce: str | None = None
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What an exchange gave: the tokens, and what an ID token needs to know."""

    token: NewToken
    grant: Grant
    nonce: str | None = None


async def issue_code(connection: Connection, new: NewGrant, lifetimes: Lifetimes) -> str:
    """Write an authorization down; return the code that the client exchanges for tokens."""
    at = now()
    expires_at = expiry(at, lifetimes.code_s)
    grant_id = await _insert_grant(connection, new, at, expires_at)
    code = new_secret_text(CODE_PREFIX)
    await connection.execute(
        store.INSERT_CODE, sha256_of(code), grant_id, new.client.application_id, new.redirect_uri, new.code_challenge,
        new.nonce, list(new.resources), at, expires_at)
    return code


async def issue_implicit(connection: Connection, new: NewGrant, lifetimes: Lifetimes, sealer: Sealer) -> NewToken:
    """Write an authorization down; return an access token at once (RFC 6749 section 4.2)."""
    at = now()
    grant_id = await _insert_grant(connection, new, at, at)
    grant = Grant(grant_id, new.client.application_id, new.organisation_id, new.user_id, new.scopes, new.session_id,
                  new.auth_time, new.amr, at)
    return await _issue_tokens(connection, new.client, grant, grant.scopes, lifetimes, sealer, at)


async def redeem_code(database: Database, client: OAuthClient, values: Mapping[str, str], lifetimes: Lifetimes,
                      sealer: Sealer) -> Exchanged:
    """Exchange a code for tokens.

    Args:
        database: where the code is.
        client: that has shown that it is itself, or has no secret to show.
        values: the request's: code, redirect_uri, code_verifier.
        lifetimes: of the tokens.
        sealer: for the copy of the access token that the deauthorization callback needs.

    Raises:
        InvalidGrantError: the code is wrong, expired, used, another client's, or not proven.
        InvalidRequestError: a parameter is missing.
    """
    may_act = await _may_act(database, await store.grant_of_code(database, values.get("code", "")))
    async with database.transaction() as connection:
        outcome = await _redeem(connection, client, values, lifetimes, sealer, may_act=may_act)
    if isinstance(outcome, OAuthError):
        raise outcome
    return outcome


async def refresh(database: Database, client: OAuthClient, values: Mapping[str, str], lifetimes: Lifetimes,
                  sealer: Sealer) -> Exchanged:
    """Exchange a refresh token for an access token and the next refresh token.

    Args:
        database: where the token is.
        client: that has shown that it is itself, or has no secret to show.
        values: the request's: refresh_token, and scope for less than was granted.
        lifetimes: of the tokens; `refresh_grace_s` too.
        sealer: as for `redeem_code`.

    Raises:
        InvalidGrantError: the token is wrong, expired, used, revoked, or another client's.
        InvalidScopeError: more is asked for than was granted.
        InvalidRequestError: a parameter is missing.
    """
    may_act = await _may_act(database, await store.grant_of_refresh_token(database, values.get("refresh_token", "")))
    async with database.transaction() as connection:
        outcome = await _refresh(connection, client, values, lifetimes, sealer, may_act=may_act)
    if isinstance(outcome, OAuthError):
        raise outcome
    return outcome


async def _redeem(connection: Connection, client: OAuthClient, values: Mapping[str, str], lifetimes: Lifetimes,
                  sealer: Sealer, *, may_act: bool) -> Exchanged | OAuthError:
    given, at = values.get("code", ""), now()
    locked = await store.grant_of_code(connection, given, lock=True)
    code = await store.find_code(connection, given) if locked is not None else None
    if locked is None or code is None:
        return InvalidGrantError("The code is not valid.", field="code")
    check_binding(code["application_id"], client)
    if code["redeemed_at"] is not None:
        await store.revoke_grant(connection, locked["id"], "code used twice")
        return UsedTwiceError("The code was used before; what it gave out has been revoked.", field="code")
    check_not_expired(code["expires_at"], at)
    check_redirect_uri_repeated(code["redirect_uri"], values.get("redirect_uri"))
    check_code_verifier(client, code["code_challenge"], values.get("code_verifier"))
    if locked["revoked_at"] is not None or not may_act:
        return InvalidGrantError("The authorization does not hold any more.", field="code")
    grant = store.grant_of(locked)
    await store.mark_redeemed(connection, given, at)
    token = await _issue_tokens(connection, client, grant, grant.scopes, lifetimes, sealer, at,
                                with_refresh=client.offline_access and OFFLINE_ACCESS in grant.scopes)
    return Exchanged(token, grant, code["nonce"])


async def _refresh(connection: Connection, client: OAuthClient, values: Mapping[str, str], lifetimes: Lifetimes,
                   sealer: Sealer, *, may_act: bool) -> Exchanged | OAuthError:
    given, at = values.get("refresh_token", ""), now()
    locked = await store.grant_of_refresh_token(connection, given, lock=True)
    found = await store.find_refresh_token(connection, given) if locked is not None else None
    if locked is None or found is None:
        return InvalidGrantError("The refresh token is not valid.", field="refresh_token")
    check_binding(found["application_id"], client)
    if locked["revoked_at"] is None and _is_reuse(found, at, lifetimes.refresh_grace_s):
        await store.revoke_grant(connection, locked["id"], "refresh token used twice")
        return UsedTwiceError("The refresh token was used before; the authorization has been revoked.",
                              field="refresh_token")
    check_not_expired(found["expires_at"], at)
    if locked["revoked_at"] is not None or not may_act or not client.offline_access:
        return InvalidGrantError("The authorization does not hold any more.", field="refresh_token")
    grant = store.grant_of(locked)
    scopes = check_scope_not_wider(grant.scopes & client.allowed_scopes, values.get("scope"))
    await store.mark_used(connection, given, found["parent"], at)
    token = await _issue_tokens(connection, client, grant, scopes, lifetimes, sealer, at, with_refresh=True,
                                parent=found["first"])
    return Exchanged(token, grant)


def _is_reuse(found: Record, at: datetime, grace_s: float) -> bool:
    """Say whether a refresh token that was exchanged comes back too late, or after its successor was used.

    Within the grace it is exchanged again: the answer may have been lost, or two processes of the client refresh at
    the same time. Whoever uses a successor has had an answer, and the grace is over.
    """
    used_at: datetime | None = found["used_at"]
    return used_at is not None and (found["succeeded"] or expiry(used_at, grace_s) < at)


async def _may_act(database: Database, found: Record | None) -> bool:
    """Say whether a grant's user may still act for its organisation.

    Asked before the transaction: inside it, a second connection would be waited for while one is held.
    """
    return found is not None and await load_acting(database, found["user_id"], found["organisation_id"]) is not None


async def _insert_grant(connection: Connection, new: NewGrant, at: datetime, expires_at: datetime) -> int:
    grant_id: int = await connection.fetchval(
        store.INSERT_GRANT, new.client.application_id, new.organisation_id, new.user_id, sorted(new.scopes),
        new.session_id, new.auth_time, list(new.amr), at, expires_at)
    return grant_id


async def _issue_tokens(connection: Connection, client: OAuthClient, grant: Grant, scopes: frozenset[str],
                        lifetimes: Lifetimes, sealer: Sealer, at: datetime, *, with_refresh: bool = False,
                        parent: bytes | None = None) -> NewToken:
    lifetime_s = access_lifetime_s(client, lifetimes)
    token = NewAccessToken(new_access_token_text(), client.application_id, grant.user_id, None, scopes, at,
                           expiry(at, lifetime_s), grant.organisation_id, grant.grant_id)
    await insert_access_tokens(connection, [token])
    until, refresh_token = token.expires_at, ""
    if with_refresh:
        refresh_token = new_secret_text(REFRESH_TOKEN_PREFIX)
        refresh_until = expiry(at, lifetimes.refresh_token_s)
        await connection.execute(store.INSERT_ROTATED, sha256_of(refresh_token), grant.grant_id,
                                 client.application_id, parent, at, refresh_until)
        until = max(until, refresh_until)
    sealed = sealer.seal(SEALED_TOKEN, token.text.encode()) if client.deauthorization_uri else None
    await store.prolong(connection, grant.grant_id, until, sealed)
    return NewToken(token.text, lifetime_s, scopes, refresh_token)


def access_lifetime_s(client: OAuthClient, lifetimes: Lifetimes) -> int:
    """Return how long an access token of an authorization holds: the application's own time, or its kind's."""
    if client.access_token_lifetime_s is not None:
        return client.access_token_lifetime_s
    is_short = client.kind is ApplicationKind.PUBLIC
    return lifetimes.public_token_s if is_short else lifetimes.partner_token_s
