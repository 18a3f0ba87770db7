"""What these pages work with."""

from dataclasses import dataclass, field

from makola.core.oauth.keys import SigningKeys
from makola.core.oauth.types import Lifetimes
from makola.kit.database import Database
from makola.kit.sealing import Sealer


@dataclass(frozen=True, slots=True)
class ConsentServices:
    """Services and settings, made once.

    Attributes:
        keys: check the ID token that an application hints with.
        sealer: for the copy of an access token that a deauthorization callback needs.
        issuer: this server, as every answer names it.
    """

    database: Database
    keys: SigningKeys
    sealer: Sealer = field(repr=False)
    lifetimes: Lifetimes
    issuer: str
