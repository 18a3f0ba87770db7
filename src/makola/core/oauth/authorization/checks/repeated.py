"""No parameter twice."""

from makola.core.oauth.authorization.request import Parameters
from makola.core.oauth.errors import InvalidRequestError


def check_not_repeated(parameters: Parameters) -> None:
    """No parameter is there twice (RFC 6749 section 3.1): two readers could take different ones."""
    if parameters.repeated:
        raise InvalidRequestError(f"The parameter {min(parameters.repeated)} is given twice.",
                                  field=min(parameters.repeated))
