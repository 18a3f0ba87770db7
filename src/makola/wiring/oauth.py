"""OAuth: tokens."""

from makola.api.common.token_endpoint import TokenEndpoint
from makola.core.oauth.service import purge_expired
from makola.core.organisations.permissions import Permission
from makola.wiring.parts import Parts
from makola.wiring.unity import UNITY_ENDPOINTS

_PURGE_TICK_S = 600.0
#: What a client may ask its token to be limited to.
_SCOPES = frozenset({*(endpoint.scope for endpoint in UNITY_ENDPOINTS), *map(str, Permission)})


def start_worker(parts: Parts) -> None:
    """Forget tokens that expired long ago."""
    async def purge() -> bool:
        return await purge_expired(parts.database)

    parts.background.every("expired-tokens", purge, idle_s=_PURGE_TICK_S)


def token_endpoint(parts: Parts) -> TokenEndpoint:
    """Return where both families' clients get their tokens."""
    return TokenEndpoint(parts.database, lifetime_s=parts.settings.access_token_lifetime_s, known_scopes=_SCOPES)
