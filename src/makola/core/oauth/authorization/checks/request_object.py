"""Request objects are not taken."""

from makola.core.oauth.authorization.request import Parameters
from makola.core.oauth.errors import RequestNotSupportedError, RequestUriNotSupportedError


def check_no_request_object(parameters: Parameters) -> None:
    """Neither a request object nor an address of one (OpenID Connect Core, section 6): nothing is fetched."""
    if parameters.get("request") is not None:
        raise RequestNotSupportedError("The parameter request is not supported.", field="request")
    if parameters.get("request_uri") is not None:
        raise RequestUriNotSupportedError("The parameter request_uri is not supported.", field="request_uri")
