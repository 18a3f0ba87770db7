"""A request is answered: with a code or a token, or with no."""

from makola.core.applications.installations import record_install
from makola.core.identity.types import SignInSession
from makola.core.oauth.authorization.checks.response_type import TOKEN
from makola.core.oauth.authorization.request import AuthorizationRequest, RedirectedError
from makola.core.oauth.errors import AccessDeniedError
from makola.core.oauth.service.consents import record_consent
from makola.core.oauth.service.grants import NewGrant, issue_code, issue_implicit
from makola.core.oauth.types import Lifetimes
from makola.kit.database import Connection
from makola.kit.sealing import Sealer


async def grant(connection: Connection, request: AuthorizationRequest, session: SignInSession, *, organisation_id: int,
                scopes: frozenset[str], lifetimes: Lifetimes, sealer: Sealer, issuer: str, asked: bool) -> str:
    """Write down that the person agrees; return the address that the browser is sent to.

    Args:
        connection: an open transaction.
        request: that was checked.
        session: whose person agrees, and may act for the organisation.
        organisation_id: for whom the application may act.
        scopes: what it may do.
        lifetimes: of what is given out.
        sealer: for the copy of the access token that the deauthorization callback needs.
        issuer: this server.
        asked: whether the person was asked now; what they said is remembered then.
    """
    application_id = request.client.application_id
    if asked:
        await record_consent(connection, user_id=session.user_id, organisation_id=organisation_id,
                             application_id=application_id, scopes=scopes)
    await record_install(connection, organisation_id, application_id, scopes, session.user_id)
    new = NewGrant(request.client, session.user_id, organisation_id, scopes, session.session_id, session.auth_time,
                   session.amr, request.given_redirect_uri, request.code_challenge, request.nonce, request.resources)
    if request.response_type != TOKEN:
        return request.target.address({"code": await issue_code(connection, new, lifetimes)}, issuer)
    token = await issue_implicit(connection, new, lifetimes, sealer)
    lifetime = str(token.expires_in_s)
    return request.target.address({
        "access_token": token.access_token, "token_type": "Bearer", "expires_in": lifetime,
        "expires-in": lifetime,  # as the document prints it; its clients read the other
        "scope": " ".join(sorted(scopes))}, issuer)


def denied(request: AuthorizationRequest, issuer: str) -> str:
    """Return the address that the browser is sent to when the person says no."""
    return RedirectedError(AccessDeniedError("The user has declined access for the application."),
                           request.target).address(issuer)
