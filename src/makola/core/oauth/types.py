"""Tokens."""

from dataclasses import dataclass
from datetime import datetime

from makola.core.applications.types import Caller

#: So that a token is recognised where it does not belong: in a log, in a repository.
ACCESS_TOKEN_PREFIX = "mk_at_"  # noqa: S105 - the beginning of every token is no secret


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just given out; it is stored as a hash only. `scopes` None: all the rights."""

    access_token: str
    expires_in_s: int
    scopes: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class TokenCaller:
    """Whom a token stands for, and until when."""

    caller: Caller
    expires_at: datetime
