"""Query or fragment."""

from makola.core.oauth.authorization.request import Parameters
from makola.core.oauth.errors import InvalidRequestError


def check_response_mode(parameters: Parameters) -> None:
    """A code comes in the query and a token in the fragment, and nowhere else: tokens stay out of servers' logs."""
    wanted = {"code": "query", "token": "fragment"}.get(parameters.get("response_type") or "")
    given = parameters.get("response_mode")
    if given is not None and given != wanted:
        raise InvalidRequestError("This response mode is not supported.", field="response_mode")
