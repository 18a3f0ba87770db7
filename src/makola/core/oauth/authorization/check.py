"""All the checks of a request at the authorization endpoint, in their order."""

from makola.core.oauth.authorization.checks.client import check_client
from makola.core.oauth.authorization.checks.kind import check_kind
from makola.core.oauth.authorization.checks.max_age import check_max_age
from makola.core.oauth.authorization.checks.nonce import check_handed_back
from makola.core.oauth.authorization.checks.pkce import check_pkce
from makola.core.oauth.authorization.checks.prompt import check_prompt
from makola.core.oauth.authorization.checks.redirect_uri import check_redirect_uri
from makola.core.oauth.authorization.checks.repeated import check_not_repeated
from makola.core.oauth.authorization.checks.request_object import check_no_request_object
from makola.core.oauth.authorization.checks.resource import check_resources
from makola.core.oauth.authorization.checks.response_mode import check_response_mode
from makola.core.oauth.authorization.checks.response_type import TOKEN, check_response_type
from makola.core.oauth.authorization.checks.scope import check_scope
from makola.core.oauth.authorization.request import AuthorizationRequest, Parameters, RedirectedError, Target
from makola.core.oauth.errors import OAuthError
from makola.kit.database import Database


async def check_request(database: Database, parameters: Parameters, issuer: str) -> AuthorizationRequest:
    """Check a request.

    Raises:
        InvalidClientError, InvalidRedirectUriError, InvalidRequestError: to be said on a page: nothing is known to be
            the application's yet.
        RedirectedError: to be said to the application.
    """
    client = await check_client(database, parameters)
    redirect_uri = check_redirect_uri(parameters, client)
    state = parameters.get("state") if "state" not in parameters.repeated else None
    target = Target(redirect_uri, parameters.get("response_type") == TOKEN, state)
    try:
        check_kind(client)
        check_not_repeated(parameters)
        nonce = check_handed_back(parameters)
        response_type = check_response_type(parameters, client)
        check_response_mode(parameters)
        check_no_request_object(parameters)
        return AuthorizationRequest(
            client, target, response_type, parameters.get("redirect_uri"),
            *check_scope(parameters, client), check_pkce(parameters, client), nonce, check_prompt(parameters),
            check_max_age(parameters), check_resources(parameters.resources, issuer))
    except OAuthError as error:
        raise RedirectedError(error, target) from error
