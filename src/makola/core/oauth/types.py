"""Tokens, grants, and how long they hold."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makola.core.applications.types import Caller

#: So that a secret is recognised where it does not belong: in a log, in a repository.
ACCESS_TOKEN_PREFIX = "mk_at_"  # noqa: S105 - the beginning of every token is no secret
REFRESH_TOKEN_PREFIX = "mk_rt_"  # noqa: S105 - as above
CODE_PREFIX = "mk_ac_"
REQUEST_PREFIX = "mk_ar_"


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just given out; it is stored as a hash only. `scopes` None: all the rights."""

    access_token: str
    expires_in_s: int
    scopes: frozenset[str] | None
    refresh_token: str = ""
    id_token: str = ""


@dataclass(frozen=True, slots=True)
class TokenCaller:
    """Whom a token stands for, and until when."""

    caller: Caller
    expires_at: datetime
    grant_id: int | None = None


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long things hold, in seconds.

    Attributes:
        code_s: an authorization code.
        public_token_s: an access token of a public application.
        partner_token_s: an access token of a partner or trusted application.
        refresh_token_s: a refresh token that is not used.
        refresh_grace_s: how long a refresh token that was exchanged is exchanged again, for a client whose answer
            was lost on the way.
        id_token_s: an ID token.
        request_s: how long a person may take over the consent page.
    """

    code_s: int = 60
    public_token_s: int = 10_800
    partner_token_s: int = 2_592_000
    refresh_token_s: int = 31_536_000
    refresh_grace_s: int = 30
    id_token_s: int = 3_600
    request_s: int = 900


@dataclass(frozen=True, slots=True)
class Grant:
    """One authorization: a user lets an application act for an organisation.

    Attributes:
        session_id: in which it was given; what OpenID Connect calls `sid`.
        auth_time: when the user had last shown who they are, and `amr` how (RFC 8176).
    """

    grant_id: int
    application_id: int
    organisation_id: int
    user_id: int
    scopes: frozenset[str]
    session_id: UUID | None
    auth_time: datetime
    amr: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TokenInformation:
    """What introspection says of a token that holds (RFC 7662 section 2.2)."""

    application_id: int
    client_id: str
    kind: str
    scopes: frozenset[str] | None
    user_id: int | None
    organisation_id: int
    created_at: datetime
    expires_at: datetime
