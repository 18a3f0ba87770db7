"""Revocation, introspection, user info, keys."""

from makola.api.common.asgi import Answer, Receive, Scope, read_body
from makola.api.common.credentials import NotAuthenticatedError
from makola.api.common.oauth_messages import MOST_BODY_BYTES, NO_STORE, Refusal, read_values, write_values
from makola.api.oauth.context import OAuthContext
from makola.core.oauth.openid.claims import claims_of
from makola.core.oauth.service import introspect, revoke_token
from makola.core.oauth.types import TokenInformation

_JSON = b"application/json"


async def revocation(context: OAuthContext, scope: Scope, receive: Receive) -> Answer:
    """Revoke a token (RFC 7009): the answer is the same whether there was one or not."""
    values = read_values(scope, await read_body(scope, receive, MOST_BODY_BYTES))
    client = await context.authentication.client(scope, values)
    if not values.get("token"):
        raise Refusal(400, "invalid_request", "The parameter token is missing.")
    await revoke_token(context.database, client, values["token"])
    context.credentials.forget_application(client.application_id)
    return Answer(200, b"", NO_STORE)


async def introspection(context: OAuthContext, scope: Scope, receive: Receive) -> Answer:
    """Say what a token is (RFC 7662), to a client that shows a secret or a key."""
    values = read_values(scope, await read_body(scope, receive, MOST_BODY_BYTES))
    client = await context.authentication.client(scope, values, needs_secret=True)
    if not values.get("token"):
        raise Refusal(400, "invalid_request", "The parameter token is missing.")
    found = await introspect(context.database, client, values["token"])
    body = {"active": False} if found is None else _active(context.issuer, found)
    return Answer(200, write_values(body, _JSON), NO_STORE)


def _active(issuer: str, found: TokenInformation) -> dict[str, object]:
    body: dict[str, object] = {
        "active": True, "iss": issuer, "client_id": found.client_id, "token_type": "Bearer",
        "exp": int(found.expires_at.timestamp()), "iat": int(found.created_at.timestamp()),
        "organisation": found.organisation_id}
    if found.kind == "refresh_token":
        body["token_type"] = "refresh_token"  # noqa: S105 - a kind of token
    if found.scopes is not None:
        body["scope"] = " ".join(sorted(found.scopes))
    if found.user_id is not None:
        body["sub"] = str(found.user_id)
    return body


async def userinfo(context: OAuthContext, scope: Scope) -> Answer:
    """Say who the person is that a token with the scope `openid` stands for (OpenID Connect Core, section 5.3)."""
    try:
        caller = await context.credentials.bearer(scope)
    except NotAuthenticatedError as error:
        return _challenge(401, "invalid_token" if error.given else "", str(error))
    actor = caller.actor
    if actor.user_id is None or actor.scopes is None or "openid" not in actor.scopes:
        return _challenge(403, "insufficient_scope", "The scope openid is needed.")
    claims = await claims_of(context.database, user_id=actor.user_id, organisation_id=actor.organisation_id,
                             application_id=actor.application_id, scopes=actor.scopes)
    if not claims:
        return _challenge(401, "invalid_token", "There is no such person any more.")
    return Answer(200, write_values(claims, _JSON), NO_STORE)


def _challenge(status: int, error: str, description: str) -> Answer:
    """Refuse as RFC 6750 section 3 says: an error is named only to whoever showed a token."""
    plain = description.replace("\\", "").replace('"', "'").encode("ascii", "replace")
    named = b', error="' + error.encode() + b'", error_description="' + plain + b'"' if error else b""
    body = write_values({"error": error or "invalid_request", "error_description": description}, _JSON)
    return Answer(status, body, (*NO_STORE, (b"www-authenticate", b'Bearer realm="Makola"' + named)))


async def key_set(context: OAuthContext) -> Answer:
    """Publish the keys that ID tokens are signed with."""
    return Answer(200, write_values(await context.keys.key_set(), _JSON), ((b"cache-control", b"public, max-age=600"),))
