"""The form of an application: fields to values of the core's properties, and properties to fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from makola.core.applications.errors import InvalidApplicationError
from makola.core.applications.scopes import OFFLINE_ACCESS, SCOPES, by_category
from makola.core.applications.types import ApplicationKind, Draft
from makola.kit.whole_numbers import read_whole_number
from makola.web.applications.services import PageRequest
from makola.web.form_data import read_form_data

_CHECKS_OF_ALL = ("unique_client_reference",)
_CHECKS_OF_OAUTH = ("implicit_enabled", "offline_access")
_LISTS = ("redirect_uris", "post_logout_redirect_uris")
_HUB = "Hub"
_MOST_FIELDS = 400

_TEXTS_OF_ALL = ("name", "answer_casing", "token_endpoint_auth_method", "jwks", "jwks_uri")
_TEXTS_OF_OAUTH = (
    "deauthorization_uri", "access_url", "category", "short_description", "long_description", "small_icon_url",
    "large_icon_url", "marketing_url", "terms_url", "privacy_url", "publisher_name", "publisher_website",
    "publisher_email", "publisher_address", "publisher_logo_url")
_TEXTS_OF_TRUSTED = ("authorization_uri", "switch_session_uri", "backchannel_logout_uri")


@dataclass(frozen=True, slots=True)
class Fields:
    """What a form sent: every value of every name."""

    values: Mapping[str, Sequence[str]]

    def text(self, name: str) -> str:
        """Return the last value of a name; empty without one."""
        found = self.values.get(name, ())
        return found[-1] if found else ""


async def read_fields(request: PageRequest) -> Fields:
    """Return a form's text fields with all their values."""
    values: dict[str, list[str]] = {}
    for name, value in list((await read_form_data(request)).multi_items())[:_MOST_FIELDS]:
        if isinstance(value, str):
            values.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return Fields(values)


def values_of(kind: ApplicationKind, fields: Fields) -> dict[str, object]:
    """Return the properties that the form of a kind has, for `drafts.with_values`; a box that is not ticked is off."""
    values: dict[str, object] = {name: fields.text(name).strip() for name in _TEXTS_OF_ALL if name in fields.values}
    values |= {name: name in fields.values for name in _CHECKS_OF_ALL}
    if kind is not ApplicationKind.PRIVATE:
        values |= {name: fields.text(name) for name in _TEXTS_OF_OAUTH if name in fields.values}
        values |= {name: name in fields.values for name in _CHECKS_OF_OAUTH}
        values |= {name: fields.text(name).split() for name in _LISTS if name in fields.values}
        values["requested_scopes"] = list(fields.values.get("requested_scopes", ()))
    if kind is ApplicationKind.TRUSTED:
        values |= {name: fields.text(name).strip() for name in _TEXTS_OF_TRUSTED if name in fields.values}
        values["installed_by_default"] = "installed_by_default" in fields.values
    lifetime = fields.text("access_token_lifetime_s").strip()
    if "access_token_lifetime_s" in fields.values:
        lifetime_s = read_whole_number(lifetime)
        if lifetime and lifetime_s is None:
            raise InvalidApplicationError("This is not a number of seconds.", field="access_token_lifetime_s")
        values["access_token_lifetime_s"] = lifetime_s
    return values


def shown(draft: Draft) -> dict[str, object]:
    """Return a draft as the form shows it: every property by its name, lists as lines."""
    listing = msgspec.to_builtins(draft.listing)
    values: dict[str, object] = {
        **msgspec.to_builtins(draft.oauth), **listing,
        **{f"publisher_{name}": value for name, value in listing["publisher"].items()},
        "name": draft.name, "answer_casing": str(draft.answer_casing),
        "unique_client_reference": draft.unique_client_reference}
    for name in _LISTS:
        values[name] = "\n".join(getattr(draft.oauth, name))
    values["access_token_lifetime_s"] = draft.oauth.access_token_lifetime_s or ""
    values["requested_scopes"] = sorted(draft.oauth.requested_scopes)
    return values


def shown_again(kind: ApplicationKind, before: Draft, fields: Fields) -> dict[str, object]:
    """Return what somebody typed, for the same form with a remark: nothing that was typed is lost."""
    typed: dict[str, object] = shown(before)
    typed |= {name: fields.text(name) for name in fields.values if name in typed and name != "requested_scopes"}
    boxes = _CHECKS_OF_ALL if kind is ApplicationKind.PRIVATE else (*_CHECKS_OF_ALL, *_CHECKS_OF_OAUTH,
                                                                     "installed_by_default")
    typed |= {name: name in fields.values for name in boxes}
    typed["requested_scopes"] = list(fields.values.get("requested_scopes", ()))
    return typed


def scope_choices() -> list[tuple[str, list[dict[str, object]]]]:
    """Return the scopes that a form offers, by category: those of the Hub API last, and not `offline_access`."""
    grouped = by_category(name for name in SCOPES if name != OFFLINE_ACCESS)
    ordered = [each for each in grouped if each[0] != _HUB] + [each for each in grouped if each[0] == _HUB]
    return [(category, [{"name": scope.name, "words": scope.words, "implies": scope.implies} for scope in scopes])
            for category, scopes in ordered]
