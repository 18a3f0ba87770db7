"""OAuth and OpenID Connect: tokens, keys, and who is told that a session ended."""

from dataclasses import dataclass

from makola.api.common.client_authentication import ClientAuthentication
from makola.api.common.token_endpoint import TokenEndpoint
from makola.api.oauth.app import OAuthApp
from makola.api.oauth.context import OAuthContext
from makola.api.oauth.grants import Grants
from makola.core.applications.scopes import ALL_SCOPES
from makola.core.oauth.client_assertions import ClientAssertions
from makola.core.oauth.keys import SigningKeys
from makola.core.oauth.openid.logout import CHANNEL, LogoutNotices, LogoutPolicy
from makola.core.oauth.service import purge_expired
from makola.core.oauth.types import Lifetimes
from makola.settings import Settings
from makola.web.consent.services import ConsentServices
from makola.wiring.parts import Parts
from makola.wiring.sealing import sealer

_PURGE_TICK_S = 600.0
_LOGOUT_TICK_S = 5.0


@dataclass(frozen=True, slots=True)
class OAuthEndpoints:
    """What a web process serves: `app` for programs, `tokens` also where the Hub API's clients look for it."""

    app: OAuthApp
    tokens: TokenEndpoint


def issuer(settings: Settings) -> str:
    """Return the name of this server in everything that it signs."""
    return (settings.public_url or "").rstrip("/")


def lifetimes(settings: Settings) -> Lifetimes:
    """Return how long things hold."""
    return Lifetimes(
        settings.oauth_code_lifetime_s, settings.oauth_public_token_lifetime_s,
        settings.oauth_partner_token_lifetime_s, settings.oauth_refresh_token_lifetime_s,
        settings.oauth_refresh_grace_s, settings.id_token_lifetime_s, settings.oauth_request_lifetime_s)


def start_worker(parts: Parts) -> None:
    """Forget what expired long ago, and tell applications that sessions ended."""
    async def purge() -> bool:
        return await purge_expired(parts.database)

    settings = parts.settings
    notices = LogoutNotices(
        parts.database, SigningKeys(parts.database, sealer(settings)), parts.outgoing,
        LogoutPolicy(settings.callback_retry_delays_s, settings.callback_timeout_s,
                     settings.callback_connect_timeout_s),
        issuer=issuer(settings), algorithm=settings.id_token_algorithm)
    parts.background.every("expired-tokens", purge, idle_s=_PURGE_TICK_S)
    parts.background.every("logout-notices", notices.send_due, idle_s=_LOGOUT_TICK_S, wake=parts.wake_ups.on(CHANNEL))


def oauth_endpoints(parts: Parts) -> OAuthEndpoints:
    """Return the endpoints that programs call."""
    settings, name = parts.settings, issuer(parts.settings)
    authentication = ClientAuthentication(
        parts.database, ClientAssertions(parts.database, parts.outgoing, {name, f"{name}/oauth/token"}))
    context = OAuthContext(
        parts.database, authentication, parts.credentials, SigningKeys(parts.database, sealer(settings)),
        sealer(settings), lifetimes(settings), name, settings.id_token_algorithm)
    grants = Grants(context)
    tokens = TokenEndpoint(
        parts.database, lifetime_s=settings.access_token_lifetime_s, known_scopes=ALL_SCOPES,
        authentication=authentication,
        grants={"authorization_code": grants.code, "refresh_token": grants.refresh_token})
    return OAuthEndpoints(OAuthApp(context, tokens), tokens)


def consent_services(parts: Parts) -> ConsentServices:
    """Return what the consent and sign-out pages work with."""
    settings = parts.settings
    return ConsentServices(parts.database, SigningKeys(parts.database, sealer(settings)), sealer(settings),
                           lifetimes(settings), issuer(settings))
