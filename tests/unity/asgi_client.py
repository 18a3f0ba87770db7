"""A client that calls the ASGI application itself, so that nothing between them tidies up what is sent."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote, urlencode

from makola.api.common.asgi import AsgiApp


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body; every answer of this API is JSON."""
        assert self.headers["content-type"].startswith("application/json"), self.headers
        assert int(self.headers["content-length"]) == len(self.body)
        return json.loads(self.body)

    @property
    def outcome(self) -> tuple[int, object]:
        """The HTTP status and the sub-code."""
        return self.status, self.json["Status"]


@dataclass(frozen=True)
class Client:
    """One program with its credentials, sent as HTTP Basic unless `authorization` or `in_url` says otherwise."""

    asgi: AsgiApp
    client_id: str = ""
    client_secret: str = ""
    authorization: str | None = None
    in_url: bool = False
    extra_headers: Mapping[str, str] = field(default_factory=dict)

    def with_headers(self, **headers: str) -> "Client":
        """Return a client that sends these headers too; underscores stand for dashes."""
        named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        return replace(self, extra_headers={**self.extra_headers, **named})

    async def get(self, target: str, **parameters: object) -> Reply:
        """Send a GET; `parameters` become the query."""
        return await self.request("GET", _with_query(target, parameters))

    async def post(self, target: str, **values: object) -> Reply:
        """Send a POST with a JSON body."""
        return await self.send_json("POST", target, values)

    async def put(self, target: str, **values: object) -> Reply:
        """Send a PUT with a JSON body."""
        return await self.send_json("PUT", target, values)

    async def delete(self, target: str) -> Reply:
        """Send a DELETE."""
        return await self.request("DELETE", target)

    async def send_json(self, method: str, target: str, value: object) -> Reply:
        """Send any JSON."""
        return await self.request(method, target, json.dumps(value).encode(), "application/json")

    async def form(self, method: str, target: str, **values: object) -> Reply:
        """Send a form."""
        body = urlencode({_name(name): value for name, value in values.items()}).encode()
        return await self.request(method, target, body, "application/x-www-form-urlencoded")

    async def request(self, method: str, target: str, body: bytes = b"", content_type: str | None = None, *,
                      chunk_bytes: int = 65_536, announce: bool = True) -> Reply:
        """Send anything.

        Args:
            method: as it is to be sent.
            target: path and query as they stand in the request line.
            body: sent in pieces of `chunk_bytes`.
            content_type: None for no such header.
            announce: send a Content-Length.
        """
        path, _, query = target.partition("?")
        if self.in_url:
            query = "&".join(filter(None, (query, urlencode(
                {"ClientId": self.client_id, "ClientSecret": self.client_secret}))))
        pieces = [body[start:start + chunk_bytes] for start in range(0, len(body), chunk_bytes)] or [b""]
        return await _call(self.asgi, {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
            "method": method, "scheme": "http", "path": unquote(path, errors="replace"), "raw_path": path.encode(),
            "query_string": query.encode("latin-1"), "root_path": "", "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 50_000), "headers": self._headers(content_type, len(body) if announce else None),
        }, pieces)

    def _headers(self, content_type: str | None, length: int | None) -> list[tuple[bytes, bytes]]:
        headers = {"host": "hub.test", **self.extra_headers}
        if self.authorization is not None:
            headers["authorization"] = self.authorization
        elif self.client_id and not self.in_url:
            pair = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
            headers["authorization"] = f"Basic {pair}"
        if content_type is not None:
            headers["content-type"] = content_type
        if length is not None:
            headers["content-length"] = str(length)
        return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]


async def _call(asgi: AsgiApp, scope: dict[str, Any], pieces: list[bytes]) -> Reply:
    left = list(pieces)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not left:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    await asgi(scope, receive, send)
    head, *rest = sent
    return Reply(head["status"], {name.decode(): value.decode("latin-1") for name, value in head["headers"]},
                 b"".join(message.get("body", b"") for message in rest))


def _name(name: str) -> str:
    """`from_` is `From`: the name is a word of the language."""
    return name.rstrip("_")


def _with_query(target: str, parameters: Mapping[str, object]) -> str:
    if not parameters:
        return target
    query = urlencode({_name(name): str(value) for name, value in parameters.items()}, quote_via=quote)
    return f"{target}{'&' if '?' in target else '?'}{query}"
