"""Programs, their credentials, and what they are in each of the two documents."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from makola.core.organisations.types import Actor


class ApplicationKind(enum.StrEnum):
    """What a program may do, and for whom.

    Attributes:
        PRIVATE: acts for the account of its owner alone, with client id and secret.
        PUBLIC: acts for other accounts by OAuth, with what each of them grants.
        PARTNER: a public one that the platform has reviewed and published in the directory.
        TRUSTED: made by the platform's owner: installed by default, without consent, single sign-on.
        API_CLIENT: stands for one user (Hub API).
    """

    PRIVATE = "private"
    PUBLIC = "public"
    PARTNER = "partner"
    TRUSTED = "trusted"
    API_CLIENT = "api_client"


#: Those that act for other organisations, after an authorization.
OAUTH_KINDS = frozenset({ApplicationKind.PUBLIC, ApplicationKind.PARTNER, ApplicationKind.TRUSTED})


class TokenEndpointAuthMethod(enum.StrEnum):
    """How a program shows the token endpoint that it is itself (OpenID Connect Core, section 9).

    `CLIENT_SECRET` is Basic or in the body, as the program likes: the documents know both.
    """

    CLIENT_SECRET = "client_secret"  # noqa: S105 - a method's name
    PRIVATE_KEY_JWT = "private_key_jwt"
    NONE = "none"


class AnswerCasing(enum.StrEnum):
    """How the names in an answer are written, where an API family lets the application choose."""

    PASCAL = "pascal"
    CAMEL = "camel"


@dataclass(frozen=True, slots=True)
class Application:
    """A program that may call, as its caller's API needs to know it.

    `user_id` is the user that an API client stands for; None for a private application, which stands for its whole
    organisation.
    """

    application_id: int
    organisation_id: int
    name: str
    client_id: str
    answer_casing: AnswerCasing
    unique_client_reference: bool
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """What a request's credentials stand for."""

    actor: Actor
    application: Application


@dataclass(frozen=True, slots=True)
class NewApplication:
    """A new application with its secret, which is never shown again."""

    application: Application
    client_secret: str


@dataclass(frozen=True, slots=True)
class ApiClient:
    """An API client, as those see it who administer it; its secret is not kept."""

    application: Application
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who stands behind an application, for the people who are asked to authorize it."""

    name: str = ""
    website: str = ""
    email: str = ""
    address: str = ""
    logo_url: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """What people read about an application before they authorize it (document, "Partner App Properties").

    Attributes:
        access_url: where the application is used.
        category: one of `listings.CATEGORIES`; empty while nobody has chosen.
        short_description: Markdown.
        long_description: Markdown.
        small_icon_url: a picture of at least 100 by 100 pixels.
        large_icon_url: a picture at most 128 pixels high.
        offline_access: whether the application asks for refresh tokens.
    """

    access_url: str = ""
    category: str = ""
    short_description: str = ""
    long_description: str = ""
    small_icon_url: str = ""
    large_icon_url: str = ""
    marketing_url: str = ""
    terms_url: str = ""
    privacy_url: str = ""
    offline_access: bool = False
    publisher: Publisher = field(default_factory=Publisher)


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """An application as the OAuth server needs to know it.

    Attributes:
        organisation_id: the owner.
        name: for people; of a partner application the name that was reviewed.
        redirect_uris: compared exactly, except the port of a loopback address (`clients.permits_redirect_uri`).
        is_confidential: whether it keeps a secret or a key; others must use PKCE and get no client credentials.
        jwks: the program's public keys (RFC 7517) for `private_key_jwt`; None where they are at `jwks_uri`.
        jwks_uri: where its public keys are; empty where they are in `jwks`.
        implicit_enabled: whether `response_type=token` is allowed.
        allowed_scopes: what it may ask for, implied scopes included; a private application may ask for anything.
        offline_access: whether it may get refresh tokens (partner and trusted applications that ask for them).
        access_token_lifetime_s: this application's own; None for what the settings say for its kind.
        skips_consent: trusted: nobody is asked.
        backchannel_logout_uri: the document's "Logout URL", called as OpenID Connect Back-Channel Logout says.
        switch_session_uri: where a user goes on who changes the organisation; empty for the portal.
        deauthorization_uri: fetched when an organisation removes its authorization; empty for nowhere.
        authorization_uri: fetched when the application is installed without a user; empty for nowhere.
        suspended: refused everywhere, as an unknown client is.
        secret_hashes: SHA-256 of the secrets that hold at this moment.
    """

    application_id: int
    organisation_id: int
    kind: ApplicationKind
    client_id: str
    name: str
    redirect_uris: tuple[str, ...] = ()
    is_confidential: bool = True
    token_endpoint_auth_method: TokenEndpointAuthMethod = TokenEndpointAuthMethod.CLIENT_SECRET
    jwks: Mapping[str, object] | None = None
    jwks_uri: str = ""
    implicit_enabled: bool = False
    allowed_scopes: frozenset[str] = frozenset()
    offline_access: bool = False
    access_token_lifetime_s: int | None = None
    skips_consent: bool = False
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str = ""
    switch_session_uri: str = ""
    deauthorization_uri: str = ""
    authorization_uri: str = ""
    suspended: bool = False
    listing: Listing = field(default_factory=Listing)
    user_id: int | None = None
    secret_hashes: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def publisher(self) -> Publisher:
        """Who stands behind it."""
        return self.listing.publisher


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """How an application speaks OAuth, as its owner sets it (document, "Public App Properties").

    Attributes:
        redirect_uris: the callback URLs.
        requested_scopes: what it asks people for; implied ones are added when they are asked.
        jwks: public keys as JSON (RFC 7517), for `private_key_jwt`; empty where they are at `jwks_uri`.
        implicit_enabled: allows tokens in the fragment of a redirect; RFC 9700 advises against it.
        access_token_lifetime_s: set by the platform's owner; None for that of the application's kind.
        authorization_uri, switch_session_uri, backchannel_logout_uri, installed_by_default: of trusted applications.
    """

    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    requested_scopes: frozenset[str] = frozenset()
    token_endpoint_auth_method: TokenEndpointAuthMethod = TokenEndpointAuthMethod.CLIENT_SECRET
    jwks: str = ""
    jwks_uri: str = ""
    implicit_enabled: bool = False
    access_token_lifetime_s: int | None = None
    deauthorization_uri: str = ""
    authorization_uri: str = ""
    switch_session_uri: str = ""
    backchannel_logout_uri: str = ""
    installed_by_default: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """All that the owner of an application may change."""

    name: str
    answer_casing: AnswerCasing = AnswerCasing.PASCAL
    unique_client_reference: bool = False
    oauth: OAuthSettings = field(default_factory=OAuthSettings)
    listing: Listing = field(default_factory=Listing)


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that holds now; `expires_at` None until it is replaced or revoked."""

    secret_id: int
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class RegisteredApplication:
    """An application as its owner sees it.

    Attributes:
        suspended_at: since when the platform has refused it.
        suspension_reason: in the platform's words.
        closed_at: since when its owner has given it up, for good.
    """

    application_id: int
    organisation_id: int
    kind: ApplicationKind
    client_id: str
    draft: Draft
    created_at: datetime
    suspended_at: datetime | None = None
    suspension_reason: str = ""
    closed_at: datetime | None = None

    @property
    def name(self) -> str:
        """What its owner calls it."""
        return self.draft.name


@dataclass(frozen=True, slots=True)
class NewlyRegistered:
    """A new application; its secret, shown this once, is empty where it has none."""

    application: RegisteredApplication
    client_secret: str
