"""How a callback's parameters are written, and how the request's URL is put together."""

import json
from collections.abc import Sequence
from urllib.parse import quote

from makola.kit.outgoing import OutgoingUrl


def encode_query(parameters: Sequence[tuple[str, str]]) -> str:
    """Return `parameters` as a query string: a space is %20 and a plus %2B, which every reader agrees on."""
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in parameters)


def encode_json(parameters: Sequence[tuple[str, str]]) -> bytes:
    """Return `parameters` as a JSON object of strings, in ASCII."""
    return json.dumps(dict(parameters), separators=(",", ":")).encode("ascii")


def full_query(url: OutgoingUrl, added: str) -> str:
    """Return the query string of the request: the URL's own, then what is `added`."""
    return "&".join(part for part in (url.query, added) if part)


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")
