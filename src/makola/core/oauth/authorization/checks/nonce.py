"""Values that are handed back."""

from makola.core.oauth.authorization.request import Parameters
from makola.core.oauth.errors import InvalidRequestError

_MOST_CHARACTERS = 2048


def check_handed_back(parameters: Parameters) -> str | None:
    """State and nonce are handed back as they came, and so must be no longer than an address can carry."""
    for name in ("state", "nonce"):
        given = parameters.get(name)
        if given is not None and (len(given) > _MOST_CHARACTERS or "\0" in given):
            raise InvalidRequestError(f"The {name} is too long.", field=name)
    return parameters.get("nonce")
