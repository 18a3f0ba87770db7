"""What an application asks of a person, and where the answer goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from makola.core.applications.types import OAuthClient
from makola.core.oauth.errors import OAuthError

#: Of the parameters of a request these may be there once; what is not in the list is ignored (RFC 6749 section 3.1).
KNOWN = frozenset({
    "client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "code_challenge",
    "code_challenge_method", "prompt", "max_age", "request", "request_uri", "login_hint", "acr_values", "display",
    "ui_locales", "id_token_hint", "claims"})
#: RFC 8707 section 2: there may be several.
REPEATED = "resource"
#: As the document spells it in one of its two tables.
_ALIASES = {"client_is": "client_id"}


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters as they came: one value for each name, and those names that came twice."""

    values: Mapping[str, str]
    resources: tuple[str, ...]
    repeated: frozenset[str]

    def get(self, name: str) -> str | None:
        """Return a value; None where there is none, or an empty one (RFC 6749 section 3.1)."""
        return self.values.get(name) or None


def read_parameters(pairs: Sequence[tuple[str, str]]) -> Parameters:
    """Sort the parameters of a request."""
    values: dict[str, str] = {}
    resources, repeated = [], set()
    for written, value in pairs:
        name = _ALIASES.get(written.lower(), written)
        if name == REPEATED:
            resources.append(value)
        elif name in KNOWN:
            if name in values:
                repeated.add(name)
            values.setdefault(name, value)
    return Parameters(values, tuple(resources), frozenset(repeated))


@dataclass(frozen=True, slots=True)
class Target:
    """Where the answer goes: a redirect URI that was checked."""

    redirect_uri: str
    in_fragment: bool
    state: str | None

    def address(self, answer: Mapping[str, str], issuer: str) -> str:
        """Return the address that the browser is sent to.

        The issuer stands in every answer, so that a client which knows several servers cannot be made to take a code
        from one to another (RFC 9207; "mix-up", RFC 9700 section 4.4).
        """
        given = {**answer, **({"state": self.state} if self.state is not None else {}), "iss": issuer}
        added = urlencode(given)
        parts = urlsplit(self.redirect_uri)
        if self.in_fragment:
            return urlunsplit(parts._replace(fragment=added))
        return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that passed every check.

    Attributes:
        given_redirect_uri: as the request gave it, which the token request must repeat; None where it gave none.
        asked: the scopes that the application asked for; empty where it asked for none.
        scopes: these and all that they imply.
        max_age_s: how long ago the person may have shown who they are; None for any time.
    """

    client: OAuthClient
    target: Target
    response_type: str
    given_redirect_uri: str | None
    asked: frozenset[str]
    scopes: frozenset[str]
    code_challenge: str | None = None
    nonce: str | None = None
    prompt: frozenset[str] = frozenset()
    max_age_s: int | None = None
    resources: tuple[str, ...] = ()


class RedirectedError(Exception):
    """A refusal that the application is told of, at its redirect URI."""

    def __init__(self, error: OAuthError, target: Target) -> None:
        super().__init__(error.detail)
        self.error = error
        self.target = target

    def address(self, issuer: str) -> str:
        """Return the address that the browser is sent to."""
        return self.target.address({"error": self.error.code, "error_description": self.error.detail}, issuer)
