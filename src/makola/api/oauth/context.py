"""What the endpoints work with."""

from dataclasses import dataclass, field

from makola.api.common.client_authentication import ClientAuthentication
from makola.api.common.credentials import Credentials
from makola.core.oauth.keys import SigningKeys
from makola.core.oauth.types import Lifetimes
from makola.kit.database import Database
from makola.kit.sealing import Sealer


@dataclass(frozen=True, slots=True)
class OAuthContext:
    """Services and settings, made once.

    Attributes:
        authentication: which client a request is from.
        credentials: whom a Bearer token stands for.
        sealer: for the copy of an access token that a deauthorization callback needs.
        issuer: this server, as every answer and every ID token names it.
        id_token_algorithm: RS256 or ES256.
    """

    database: Database
    authentication: ClientAuthentication
    credentials: Credentials
    keys: SigningKeys
    sealer: Sealer = field(repr=False)
    lifetimes: Lifetimes
    issuer: str
    id_token_algorithm: str
