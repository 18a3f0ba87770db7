"""Where the person is sent back to."""

from makola.core.applications.clients import permits_redirect_uri
from makola.core.applications.types import OAuthClient
from makola.core.oauth.authorization.request import Parameters
from makola.core.oauth.errors import InvalidRedirectUriError


def check_redirect_uri(parameters: Parameters, client: OAuthClient) -> str:
    """The redirect URI is one that the application registered, character by character (RFC 9700 section 2.1).

    Without one, the only one registered is meant. Everything else is said on a page of ours: a redirect to an address
    that was not checked is what an attacker wants.
    """
    if "redirect_uri" in parameters.repeated:
        raise InvalidRedirectUriError("The parameter redirect_uri is given twice.", field="redirect_uri")
    given = parameters.get("redirect_uri")
    if given is None:
        if len(client.redirect_uris) != 1:
            raise InvalidRedirectUriError("The parameter redirect_uri is missing.", field="redirect_uri")
        return client.redirect_uris[0]
    if not permits_redirect_uri(client, given):
        raise InvalidRedirectUriError("The redirect URI does not match what the application has set as its callback.",
                                      field="redirect_uri")
    return given
