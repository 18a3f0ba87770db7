"""How the OAuth endpoints read what they are sent, and write what they answer.

A token answer is written as the client asks for by `Accept`: form-urlencoded, JSON or XML (Unity document, "Web Server
Flow", step 5). Without a wish it is what the clients of that grant read: a form after a code or a refresh token, as
that document says; JSON after client credentials, as the Hub API and RFC 6749 say.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode
from xml.sax.saxutils import escape

import msgspec

from makola.api.common.asgi import Answer, Scope, header
from makola.kit.json_names import repeated_name

#: RFC 6749 section 5.1: an answer with a token must not be kept by anybody between.
NO_STORE = ((b"cache-control", b"no-store"), (b"pragma", b"no-cache"))
MOST_BODY_BYTES = 65_536
_MOST_FIELDS = 50
_FORM = b"application/x-www-form-urlencoded"
_JSON = b"application/json"
_XML = b"application/xml"
_FORMATS = {_FORM: _FORM, _JSON: _JSON, _XML: _XML, b"text/xml": _XML}
#: After these grants the documents' clients read a form.
FORM_GRANTS = frozenset({"authorization_code", "refresh_token"})


class Refusal(Exception):  # noqa: N818 - an answer, not an accident
    """A request that is refused, as RFC 6749 section 5.2 says."""

    def __init__(self, status: int, error: str, description: str,
                 headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.headers = headers


def read_values(scope: Scope, raw: bytes) -> dict[str, str]:
    """Return the parameters of a body.

    Raises:
        Refusal: it is neither a form nor a JSON object of texts, or has a parameter twice.
    """
    content_type = (header(scope, b"content-type") or b"").partition(b";")[0].strip().lower()
    if content_type == _JSON:
        return _read_json(raw)
    if content_type in {_FORM, b""}:
        return _read_form(raw)
    raise Refusal(400, "invalid_request", "The body must be application/x-www-form-urlencoded or application/json.")


def _read_json(raw: bytes) -> dict[str, str]:
    try:  # what is not ours may be anything
        values = {name: value for name, value in msgspec.json.decode(raw, type=dict[str, object]).items()
                  if isinstance(value, str)}
        repeated = repeated_name(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, "invalid_request", "The body must be a JSON object of strings.") from error
    if repeated is not None:
        raise _given_twice()
    return values


def _read_form(raw: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Refusal(400, "invalid_request", "The body is not a form in UTF-8.") from error
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:  # RFC 6749 section 3.2: no parameter more than once
            raise _given_twice()
        values[name] = value
    return values


def _given_twice() -> Refusal:
    return Refusal(400, "invalid_request", "A parameter is given twice.")


def answer_format(scope: Scope, grant_type: str | None) -> bytes:
    """Return the content type in which a token answer is written."""
    default = _FORM if grant_type in FORM_GRANTS and scope["path"].startswith("/oauth") else _JSON
    accept = header(scope, b"accept")
    if accept is None or accept == b"*/*":
        return default
    wishes = []
    for position, part in enumerate(accept.lower().split(b",")):
        kind, *parameters = [each.strip() for each in part.split(b";")]
        quality = next((_number(each[2:]) for each in parameters if each.startswith(b"q=")), 1.0)
        wishes.append((-quality, position, kind))
    for negative, _, kind in sorted(wishes):
        if negative < 0 and kind in _FORMATS:
            return _FORMATS[kind]
        if negative < 0 and kind in {b"*/*", b"application/*"}:
            return default
    return default


def _number(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def write_values(values: Mapping[str, object], content_type: bytes) -> bytes:
    """Write a flat answer."""
    if content_type == _JSON:
        return msgspec.json.encode(values)
    if content_type == _FORM:
        return urlencode({name: str(value) for name, value in values.items()}).encode()
    inside = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in values.items())
    return f'<?xml version="1.0" encoding="utf-8"?><OAuth>{inside}</OAuth>'.encode()


def answer_of(values: Mapping[str, object], content_type: bytes) -> Answer:
    """Return a token answer."""
    return Answer(200, write_values(values, content_type), NO_STORE, content_type + b"; charset=utf-8")


def refused(refusal: Refusal, content_type: bytes = _JSON) -> Answer:
    """Return the answer that a refusal is; with a challenge where the client did not show that it is itself."""
    body = write_values({"error": refusal.error, "error_description": str(refusal)}, content_type)
    challenge = ((b"www-authenticate", b'Basic realm="Makola", charset="UTF-8"'),) if refusal.status == 401 else ()
    return Answer(refusal.status, body, (*NO_STORE, *challenge, *refusal.headers), content_type + b"; charset=utf-8")
