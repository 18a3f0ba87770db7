"""Code or token."""

from makola.core.applications.types import OAuthClient
from makola.core.oauth.authorization.request import Parameters
from makola.core.oauth.errors import InvalidRequestError, UnauthorizedClientError, UnsupportedResponseTypeError

CODE = "code"
TOKEN = "token"  # noqa: S105 - a response type's name


def check_response_type(parameters: Parameters, client: OAuthClient) -> str:
    """The response type is `code`, or `token` where the application has the implicit flow switched on."""
    response_type = parameters.get("response_type")
    if response_type is None:
        raise InvalidRequestError("The parameter response_type is missing.", field="response_type")
    if response_type not in {CODE, TOKEN}:
        raise UnsupportedResponseTypeError("The response type must be code or token.", field="response_type")
    if response_type == TOKEN and not client.implicit_enabled:
        raise UnauthorizedClientError("The implicit flow is not switched on for this application; use code with PKCE.",
                                      field="response_type")
    return response_type
