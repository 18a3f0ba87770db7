"""A request and an answer, as thin as ASGI allows: the hot routes go through here."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, TypeAlias

import msgspec

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


class BodyTooLargeError(Exception):
    """The body is longer than the server takes."""


class ClientGoneError(Exception):
    """The client went away before its request was complete."""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What is sent back. `body` is complete; `headers` are in lower case."""

    status: int
    body: bytes
    headers: Sequence[tuple[bytes, bytes]] = ()
    content_type: bytes = b"application/json; charset=utf-8"


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the first header called `name` (lower case); None when there is none."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


async def read_body(scope: Scope, receive: Receive, limit_bytes: int) -> bytes:
    """Return the whole body.

    Raises:
        BodyTooLargeError: it is longer than `limit_bytes`.
        ClientGoneError: the connection ended before it was complete.
    """
    announced = header(scope, b"content-length")
    if announced is not None and announced.isdigit() and int(announced) > limit_bytes:
        raise BodyTooLargeError
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGoneError
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit_bytes:
            raise BodyTooLargeError
        return body
    parts = bytearray(body)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        parts += message.get("body", b"")
        if len(parts) > limit_bytes:
            raise BodyTooLargeError
    return bytes(parts)


async def send_answer(send: Send, answer: Answer) -> None:
    """Send a complete answer."""
    await send({
        "type": "http.response.start", "status": answer.status,
        "headers": [(b"content-type", answer.content_type), (b"content-length", str(len(answer.body)).encode()),
                    *answer.headers]})
    await send({"type": "http.response.body", "body": answer.body})
