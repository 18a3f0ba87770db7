"""Read a request: JSON or a form, names in any case (reference, section 0)."""

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

import msgspec

from makola.api.common.asgi import Scope, header
from makola.api.unity.errors import UnityError
from makola.api.unity.values import Values
from makola.core.applications.types import Caller
from makola.kit.json_names import repeated_name

_MOST_FIELDS = 200
_MOST_SHOWN = 100
_NOTHING: tuple[object, ...] = (None, "")


class FormValues(dict[str, object]):
    """The values of a form or a query, by lower-case name: all of them are texts."""


@dataclass(frozen=True, slots=True)
class UnityRequest:
    """A request whose sender is known.

    Attributes:
        path: the parts of the path that vary, by name.
        query: the query's values by lower-case name.
        body: the body's values by lower-case name; empty for GET and DELETE.
        idempotency_key: of the header; empty for none.
        version: the mount point, `v1` or `v3`.
        base_url: scheme and host under which the client knows us.
    """

    caller: Caller
    path: Mapping[str, str]
    query: Values
    body: Values
    idempotency_key: str
    version: str
    base_url: str

    @property
    def is_form(self) -> bool:
        """Whether the values are all texts, because a form or the query has them."""
        return isinstance(self.body or self.query, FormValues)

    @property
    def values(self) -> Values:
        """The body's values, and the query's where the body has none."""
        if not self.query:
            return self.body
        return {**self.query, **self.body} if self.body else self.query


def read_key(scope: Scope) -> str:
    """Return the Idempotency-Key; empty for none. Beyond ASCII clients write UTF-8, and old ones Latin-1."""
    raw = header(scope, b"idempotency-key") or b""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def read_query(scope: Scope) -> dict[str, object]:
    """Return the query's values by lower-case name; the last of a repeated name counts.

    Raises:
        UnityError: it is not UTF-8, or has too many fields.
    """
    raw: bytes = scope["query_string"]
    return _read_form(raw, "The query string") if raw else FormValues()


def read_values(scope: Scope, body: bytes) -> dict[str, object]:
    """Return the body's values by lower-case name.

    Raises:
        UnityError: there is no body, it is neither a JSON object nor a form, or a field is there twice (sub-code 100).
    """
    if not body.strip():
        raise UnityError("malformed", "The request has no body.")
    content_type = (header(scope, b"content-type") or b"").partition(b";")[0].strip().lower()
    if b"json" in content_type or (not content_type and body.lstrip()[:1] == b"{"):
        return _read_json(body)
    if content_type in {b"application/x-www-form-urlencoded", b""}:
        return _read_form(body, "The body")
    raise UnityError("malformed", "The Content-Type must be application/json or application/x-www-form-urlencoded,"
                                  f" not {content_type[:100].decode('latin-1')!r}.")


def _read_json(body: bytes) -> dict[str, object]:
    try:
        body = body.removeprefix(codecs.BOM_UTF8)
        decoded = msgspec.json.decode(body)
        repeated = repeated_name(body, decoded if isinstance(decoded, dict) else None)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnityError("malformed", f"The body is not valid JSON: {error}.") from error
    if not isinstance(decoded, dict):
        raise UnityError("malformed", "The body must be a JSON object.")
    if repeated is not None:
        raise UnityError("malformed", f"{repeated[:_MOST_SHOWN]}: This field is there twice.")
    values = {name.lower(): value for name, value in decoded.items()}
    return values if len(values) == len(decoded) else _merged(decoded)


def _merged(decoded: Mapping[str, object]) -> dict[str, object]:
    """Return the values of an object in which a field is spelled in two ways, as some send it: they must agree."""
    values: dict[str, object] = {}
    for name, value in decoded.items():
        before = values.setdefault(name.lower(), value)
        if before in _NOTHING:
            values[name.lower()] = value
        elif value not in _NOTHING and value != before:
            raise UnityError("malformed", f"{name[:_MOST_SHOWN]}: This field is there twice, with two values.")
    return values


def _read_form(raw: bytes, what: str) -> dict[str, object]:
    try:
        pairs = parse_qsl(raw.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except UnicodeDecodeError as error:
        raise UnityError("malformed", f"{what} is not UTF-8.") from error
    except ValueError as error:
        raise UnityError("malformed", f"{what} has more than {_MOST_FIELDS} fields.") from error
    return FormValues((name.lower(), value) for name, value in pairs)
