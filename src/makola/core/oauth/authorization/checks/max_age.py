"""How long ago the person may have signed in."""

from makola.core.oauth.authorization.request import Parameters
from makola.core.oauth.errors import InvalidRequestError
from makola.kit.whole_numbers import read_whole_number

_LARGEST_S = 10**9 - 1


def check_max_age(parameters: Parameters) -> int | None:
    """`max_age` is a number of seconds."""
    given = parameters.get("max_age")
    if given is None:
        return None
    max_age_s = read_whole_number(given, largest=_LARGEST_S)
    if max_age_s is None:
        raise InvalidRequestError("The max_age must be a number of seconds.", field="max_age")
    return max_age_s
