"""The door for Paystack's webhooks: only what is signed is read, and what is read makes us ask."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide

from makola.kit.ids import parse_id

WEBHOOK_PATH = "/payments/paystack"
_BODY_BYTES_AT_MOST = 262_144
_UNAUTHORISED = 401

#: Makes the core ask how a transaction stands.
Hint = Callable[[UUID], Awaitable[None]]
_Request = Request[object, object, State]


class _Data(msgspec.Struct):
    reference: str | None = None
    merchant_note: str | None = None


class _Event(msgspec.Struct):
    event: str
    data: _Data


class _Door:
    def __init__(self, hint: Hint, secret_key: str) -> None:
        self.hint = hint
        self._secret_key = secret_key.encode()

    def is_signed(self, body: bytes, signature: str) -> bool:
        """Say whether a signature is that of the raw body, in a time that tells nothing about it."""
        expected = hmac.new(self._secret_key, body, hashlib.sha512).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.encode())


def create_paystack_router(hint: Hint, secret_key: str) -> Router:
    """Return the route for webhooks: `/payments/paystack`."""
    door = _Door(hint, secret_key)
    return Router(path=WEBHOOK_PATH, route_handlers=[webhook], include_in_schema=False,
                  request_max_body_size=_BODY_BYTES_AT_MOST,
                  dependencies={"door": Provide(lambda: door, sync_to_thread=False)})


@post("/", status_code=200)
async def webhook(door: NamedDependency[_Door], request: _Request) -> Response[bytes]:
    """Take a webhook. One that is signed and not understood is taken too: Paystack would send it again for days."""
    body = await request.body()
    if not door.is_signed(body, request.headers.get("x-paystack-signature", "")):
        return Response(b"", status_code=_UNAUTHORISED, media_type="text/plain")
    try:
        event = msgspec.json.decode(body, type=_Event)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Response(b"", media_type="text/plain")
    for text in (event.data.reference, (event.data.merchant_note or "").removeprefix("Refund ")):
        transaction_id = parse_id(text or "")
        if transaction_id is not None:
            await door.hint(transaction_id)
    return Response(b"", media_type="text/plain")
