"""`POST /operators/ussd/{name}[/{secret}]`: where operators push USSD. A hot path, so as thin as ASGI allows."""

from collections.abc import Sequence
from typing import Protocol

import msgspec
import structlog

from makola.api.common.asgi import (
    Answer,
    BodyTooLargeError,
    ClientGoneError,
    Receive,
    Scope,
    Send,
    header,
    read_body,
    send_answer,
)
from makola.core.ussd.ports import Gateway, Push, Reply

_log = structlog.get_logger(__name__)

_BODY_BYTES_AT_MOST = 65_536


class OperatorDoor(Protocol):
    """What the configuration says of one operator."""

    name: str
    secret_header: str

    def admits(self, address: str, secret: str) -> bool:
        """Say whether whoever is at `address` and knows `secret` is the operator."""

    def read(self, body: bytes) -> Push:
        """Read a push; ValueError, with a sentence for the operator, where it cannot be read."""

    def write(self, push: Push, reply: Reply) -> tuple[bytes, bytes]:
        """Return an answer's content type and body."""


class UssdDoors:
    """The doors of every operator, as one ASGI application.

    Args:
        gateway: serves the pushes.
        doors: one for each operator.
    """

    def __init__(self, gateway: Gateway, doors: Sequence[OperatorDoor]) -> None:
        self._gateway = gateway
        self._doors = {door.name: door for door in doors}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one push."""
        try:
            answer = await self._answer(scope, receive)
        except ClientGoneError:
            return
        except BodyTooLargeError:
            answer = _refused(413, "body_too_large", f"a push has at most {_BODY_BYTES_AT_MOST} bytes")
        except Exception:
            # A mistake of the program: the operator still gets an answer, and the server logs what it was.
            await send_answer(send, _refused(500, "failed", "the push failed on the server"))
            raise
        await send_answer(send, answer)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        _, family, *rest = [part for part in scope["path"].split("/") if part] or ["", ""]
        door = self._doors.get(rest[0]) if family == "ussd" and 1 <= len(rest) <= 2 else None
        if door is None or not door.admits(_address(scope), _secret(scope, door, rest)):
            return _refused(404, "not_found", "there is nothing here")  # whoever guesses learns nothing
        if scope["method"] != "POST":
            return _refused(405, "method_not_allowed", "use POST", (b"allow", b"POST"))
        body = await read_body(scope, receive, _BODY_BYTES_AT_MOST)
        try:
            push = door.read(body)
        except ValueError as error:
            _log.warning("ussd_push_unreadable", connector=door.name, cause=str(error))
            return _refused(400, "unreadable", str(error))
        content_type, content = door.write(push, await self._gateway.push(push))
        return Answer(200, content, ((b"cache-control", b"no-store"),), content_type)


def _secret(scope: Scope, door: OperatorDoor, rest: Sequence[str]) -> str:
    if door.secret_header:
        return (header(scope, door.secret_header.encode()) or b"").decode("latin-1")
    return rest[1] if len(rest) == 2 else ""


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _refused(status: int, code: str, detail: str, *headers: tuple[bytes, bytes]) -> Answer:
    return Answer(status, msgspec.json.encode({"error": code, "detail": detail}), headers)
