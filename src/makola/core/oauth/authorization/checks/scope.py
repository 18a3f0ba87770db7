"""What is asked for."""

from makola.core.applications.scopes import ALL_SCOPES, with_implied
from makola.core.applications.types import OAuthClient
from makola.core.oauth.authorization.request import Parameters
from makola.core.oauth.errors import InvalidScopeError


def check_scope(parameters: Parameters, client: OAuthClient) -> tuple[frozenset[str], frozenset[str]]:
    """Every scope exists, and the application has said that it asks for it.

    Returns what was asked for, and the same with the implied ones added ("Unity API OAuth Scopes").
    """
    asked = frozenset((parameters.get("scope") or "").split())
    if not asked <= ALL_SCOPES:
        raise InvalidScopeError("There is no such scope.", field="scope")
    scopes = with_implied(asked)
    if not scopes <= client.allowed_scopes:
        raise InvalidScopeError("The application has not registered a permission that it asks for.", field="scope")
    return asked, scopes
