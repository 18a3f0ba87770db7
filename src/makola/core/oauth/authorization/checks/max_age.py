"""How long ago the person may have signed in."""

from makola.core.oauth.authorization.request import Parameters
from makola.core.oauth.errors import InvalidRequestError

_MOST_DIGITS = 9


def check_max_age(parameters: Parameters) -> int | None:
    """`max_age` is a number of seconds."""
    given = parameters.get("max_age")
    if given is None:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > _MOST_DIGITS:
        raise InvalidRequestError("The max_age must be a number of seconds.", field="max_age")
    return int(given)
