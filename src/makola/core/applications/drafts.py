"""What the owner of an application may write, checked: each kind has properties of its own."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TypeVar

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from makola.core.applications.errors import InvalidApplicationError
from makola.core.applications.listings import checked_listing
from makola.core.applications.scopes import ALL_SCOPES
from makola.core.applications.types import (
    ApplicationKind,
    Draft,
    Listing,
    OAuthSettings,
    Publisher,
    TokenEndpointAuthMethod,
)
from makola.core.applications.urls import MOST_CALLBACKS, check_callback, check_fetched
from makola.kit.outgoing import AddressPolicy

Value = TypeVar("Value", Draft, OAuthSettings, Listing, Publisher)

MOST_NAME_CHARACTERS = 100
SHORTEST_LIFETIME_S = 60
LONGEST_LIFETIME_S = 30 * 86_400
_MOST_JWKS_CHARACTERS = 20_000
#: Published as public keys: anything of a private one must not be among them.
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

#: Properties that every application may have; those of the OAuth kinds; those of trusted applications alone.
_OF_ALL = frozenset({"token_endpoint_auth_method", "jwks", "jwks_uri"})
_OF_TRUSTED = frozenset({"authorization_uri", "switch_session_uri", "backchannel_logout_uri", "installed_by_default"})
_WORDS = {"redirect_uris": "callback URLs", "post_logout_redirect_uris": "URLs after signing out",
          "requested_scopes": "requested permissions", "implicit_enabled": "the implicit flow",
          "access_token_lifetime_s": "a lifetime of its own", "deauthorization_uri": "a deauthorization callback",
          "authorization_uri": "an authorization callback", "switch_session_uri": "a switch-session URL",
          "backchannel_logout_uri": "a logout URL", "installed_by_default": "default installation"}


_OF_OAUTH = frozenset(each.name for each in fields(OAuthSettings))
_OF_LISTING = frozenset(each.name for each in fields(Listing)) - {"publisher"}
_OF_PUBLISHER = frozenset(f"publisher_{each.name}" for each in fields(Publisher))
_OF_APPLICATION = frozenset({"name", "answer_casing", "unique_client_reference"})

#: Every property by the one name that it has in forms, in the API and in refusals.
PROPERTIES = _OF_APPLICATION | _OF_OAUTH | _OF_LISTING | _OF_PUBLISHER


def with_values(draft: Draft, values: Mapping[str, object]) -> Draft:
    """Return a draft with some properties changed; it is not checked yet.

    Args:
        draft: as it is.
        values: by the names of `PROPERTIES`, as JSON would hold them; other names are an error of the program.

    Raises:
        InvalidApplicationError: a value is of another type than its property.
    """
    unknown = values.keys() - PROPERTIES
    if unknown:
        raise ValueError(f"no properties of an application: {sorted(unknown)}")

    def chosen(names: frozenset[str], prefix: str = "") -> dict[str, object]:
        return {name.removeprefix(prefix): value for name, value in values.items() if name in names}

    publisher = _replaced(draft.listing.publisher, chosen(_OF_PUBLISHER, "publisher_"), "publisher_")
    listing = replace(_replaced(draft.listing, chosen(_OF_LISTING)), publisher=publisher)
    return replace(_replaced(draft, chosen(_OF_APPLICATION)), listing=listing,
                   oauth=_replaced(draft.oauth, chosen(_OF_OAUTH)))


def _replaced(value: Value, changes: Mapping[str, object], prefix: str = "") -> Value:
    """Return a value with some fields changed; `prefix` begins the names of its properties."""
    if not changes:
        return value
    try:
        return msgspec.convert({**msgspec.to_builtins(value), **changes}, type(value))
    except msgspec.ValidationError as error:
        field = str(error).partition("`$.")[2].partition("`")[0].partition("[")[0]
        raise InvalidApplicationError("This value is not possible here.", field=prefix + field) from error


def checked_draft(kind: ApplicationKind, draft: Draft, policy: AddressPolicy) -> Draft:
    """Return what an owner wrote as it is kept.

    Args:
        kind: of the application.
        draft: as it was written.
        policy: where we may fetch from.

    Raises:
        InvalidApplicationError: a value is not possible, or not for this kind; it names the field.
    """
    name = " ".join(draft.name.split())
    if not name or len(name) > MOST_NAME_CHARACTERS or not name.isprintable():
        raise InvalidApplicationError(f"A name has 1 to {MOST_NAME_CHARACTERS} characters that can be shown.",
                                      field="name")
    _require_possible(kind, draft.oauth)
    return replace(draft, name=name, oauth=_checked_oauth(kind, draft.oauth, policy),
                   listing=checked_listing(draft.listing, policy))


def _require_possible(kind: ApplicationKind, oauth: OAuthSettings) -> None:
    """Refuse properties that this kind does not have."""
    default = OAuthSettings()
    for each in fields(OAuthSettings):
        if each.name in _OF_ALL or getattr(oauth, each.name) == getattr(default, each.name):
            continue
        if kind is ApplicationKind.PRIVATE or (kind is not ApplicationKind.TRUSTED and each.name in _OF_TRUSTED):
            raise InvalidApplicationError(f"A {kind} application has no {_WORDS[each.name]}.", field=each.name)


def _checked_oauth(kind: ApplicationKind, oauth: OAuthSettings, policy: AddressPolicy) -> OAuthSettings:
    unknown = sorted(oauth.requested_scopes - ALL_SCOPES)
    if unknown:
        raise InvalidApplicationError(f"There is no scope {unknown[0][:100]!r}.", field="requested_scopes")
    lifetime_s = oauth.access_token_lifetime_s
    if lifetime_s is not None and not SHORTEST_LIFETIME_S <= lifetime_s <= LONGEST_LIFETIME_S:
        raise InvalidApplicationError(f"From {SHORTEST_LIFETIME_S} to {LONGEST_LIFETIME_S} seconds.",
                                      field="access_token_lifetime_s")
    for name in ("deauthorization_uri", "authorization_uri", "backchannel_logout_uri", "jwks_uri"):
        check_fetched(getattr(oauth, name), policy, field=name)
    if oauth.switch_session_uri:
        check_callback(oauth.switch_session_uri, field="switch_session_uri")
    _check_keys(oauth)
    if kind is ApplicationKind.PRIVATE and oauth.token_endpoint_auth_method is TokenEndpointAuthMethod.NONE:
        raise InvalidApplicationError("A private application needs a secret or a key.",
                                      field="token_endpoint_auth_method")
    return replace(oauth, redirect_uris=_callbacks(oauth.redirect_uris, "redirect_uris"),
                   post_logout_redirect_uris=_callbacks(oauth.post_logout_redirect_uris, "post_logout_redirect_uris"))


def _callbacks(uris: tuple[str, ...], field: str) -> tuple[str, ...]:
    kept = tuple(dict.fromkeys(uri.strip() for uri in uris if uri.strip()))
    if len(kept) > MOST_CALLBACKS:
        raise InvalidApplicationError(f"At most {MOST_CALLBACKS} URLs.", field=field)
    for uri in kept:
        check_callback(uri, field=field)
    return kept


def _check_keys(oauth: OAuthSettings) -> None:
    if oauth.jwks and oauth.jwks_uri:
        raise InvalidApplicationError("The keys are given here or at an URL, not both.", field="jwks_uri")
    if oauth.jwks:
        check_public_keys(oauth.jwks)
    if oauth.token_endpoint_auth_method is TokenEndpointAuthMethod.PRIVATE_KEY_JWT and not (
            oauth.jwks or oauth.jwks_uri):
        raise InvalidApplicationError("private_key_jwt needs public keys, or the URL where they are.", field="jwks")


def check_public_keys(jwks: str) -> None:
    """Check a JSON Web Key Set of public signature keys (RFC 7517 section 5).

    Raises:
        InvalidApplicationError: it is none, it is too long, or a private or a symmetric key is in it.
    """
    wrong = InvalidApplicationError('This is not a JSON Web Key Set: {"keys": [...]}.', field="jwks")
    if len(jwks) > _MOST_JWKS_CHARACTERS:
        raise InvalidApplicationError(f"At most {_MOST_JWKS_CHARACTERS} characters.", field="jwks")
    try:
        decoded = json.loads(jwks)
        keys = decoded["keys"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise wrong from error
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise wrong
    if any(_PRIVATE_MEMBERS & key.keys() or key.get("kty") not in {"RSA", "EC", "OKP"} for key in keys):
        raise InvalidApplicationError("Give public keys only (RSA, EC, OKP): a private or symmetric key is here.",
                                      field="jwks")
    try:
        KeySet.import_key_set(decoded)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise wrong from error
