"""Requests to Paystack, and the shapes of its answers. Nothing here is logged with its headers or body."""

from datetime import datetime
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlencode

import msgspec
import structlog

from makola.kit.errors import DomainError
from makola.kit.outgoing import OutgoingError, OutgoingHttp

_TIMEOUT_S = 15.0
_ANSWER_BYTES_AT_MOST = 4_194_304
_log = structlog.get_logger(__name__)


class Authorization(msgspec.Struct):
    """What Paystack says of the card."""

    last4: str | None = None


class PaystackTransaction(msgspec.Struct):
    """A transaction as it is verified and listed. `amount` in 1/100 of the currency's unit."""

    id: int
    status: str
    reference: str
    amount: int
    currency: str
    created_at: datetime | None = None
    gateway_response: str | None = None
    authorization: Authorization | None = None


class PaystackRefund(msgspec.Struct):
    """A refund as it is made and listed."""

    id: int
    status: str
    amount: int
    currency: str
    merchant_note: str | None = None
    created_at: datetime | None = msgspec.field(name="createdAt", default=None)


class Begun(msgspec.Struct):
    """Where the customer pays."""

    authorization_url: str


class PaystackUnreachableError(Exception):
    """No answer, or one that says nothing about the request."""


class PaystackRefusedError(Exception):
    """An answer that refuses the request.

    Args:
        code: Paystack's word for it; empty where it has none.
        message: in words, for the log.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class _Refusal(msgspec.Struct):
    message: str = ""
    code: str = ""


class _Envelope(msgspec.Struct):
    status: bool
    data: msgspec.Raw = msgspec.Raw(b"null")


_Shape = TypeVar("_Shape")


class PaystackWire:
    """Calls the API.

    Args:
        outgoing: the HTTP client.
        base_url: https://api.paystack.co.
        secret_key: sk_live_… or sk_test_….
    """

    def __init__(self, outgoing: OutgoingHttp, base_url: str, secret_key: str) -> None:
        self._outgoing = outgoing
        self._base_url = base_url.rstrip("/")
        self._secret_key = secret_key

    async def call(self, method: str, path: str, shape: type[_Shape], *, body: object = None,
                   query: dict[str, str] | None = None) -> _Shape:
        """Send one request; return what it answers as `shape`.

        Raises:
            PaystackRefusedError: it is refused.
            PaystackUnreachableError: no answer came, or one that means nothing.
        """
        url = f"{self._base_url}/{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {self._secret_key}", "Accept": "application/json"}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = msgspec.json.encode(body)
        try:
            answer = await self._outgoing.request(method, url, headers=headers, body=content, timeout_s=_TIMEOUT_S,
                                                  max_answer_bytes=_ANSWER_BYTES_AT_MOST)
        except (OutgoingError, DomainError) as error:
            _log.warning("paystack_unreachable", path=path, reason=str(error))
            raise PaystackUnreachableError(str(error)) from error
        try:
            if answer.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY}:
                refusal = msgspec.json.decode(answer.body, type=_Refusal)
                raise PaystackRefusedError(refusal.code, refusal.message)
            if answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
                raise PaystackUnreachableError(f"status {answer.status}")
            envelope = msgspec.json.decode(answer.body, type=_Envelope)
            if not envelope.status:
                raise PaystackUnreachableError("an answer without a result")
            return msgspec.json.decode(envelope.data, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise PaystackUnreachableError("the answer is not what is documented") from error
