"""What a client can find out by itself: RFC 8414, and OpenID Connect Discovery 1.0."""

from makola.core.applications.scopes import SCOPES
from makola.core.oauth.client_assertions import ALGORITHMS as ASSERTION_ALGORITHMS
from makola.core.oauth.keys import ALGORITHMS
from makola.core.oauth.openid.id_token import ACR_ONE_FACTOR, ACR_TWO_FACTORS

_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]


def server_metadata(issuer: str, *, id_token_algorithm: str) -> dict[str, object]:
    """Return what is said of this server, in both documents alike."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth",
        "token_endpoint": f"{issuer}/oauth/token",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "end_session_endpoint": f"{issuer}/oauth/logout",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code", "token"],
        "response_modes_supported": ["query", "fragment"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials", "implicit"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [*_AUTH_METHODS, "none"],
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": [*_AUTH_METHODS, "none"],
        "revocation_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": _AUTH_METHODS,
        "introspection_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
        "service_documentation": f"{issuer}/docs",
        "subject_types_supported": ["public"],
        # The one that is used first; clients that take what they find first find the right one.
        "id_token_signing_alg_values_supported": sorted(ALGORITHMS, key=lambda each: each != id_token_algorithm),
        "acr_values_supported": [ACR_ONE_FACTOR, ACR_TWO_FACTORS],
        "claims_supported": ["iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash",
                             "sid", "name", "locale", "zoneinfo", "email", "email_verified", "organisation", "roles"],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }
