"""Requests to MTN MoMo: tokens, headers, and what an answer means. Nothing here is logged with its headers or body."""

import asyncio
import base64
import enum
import time
from dataclasses import dataclass, field
from http import HTTPStatus

import msgspec
import structlog

from makola.kit.errors import DomainError
from makola.kit.outgoing import Answer, OutgoingError, OutgoingHttp

#: A token is renewed so long before its end.
_RENEW_BEFORE_S = 60.0
_LEAST_LIFE_S = 5.0
_TIMEOUT_S = 15.0

_log = structlog.get_logger(__name__)


class MomoProduct(enum.StrEnum):
    """The products, each with its own key and its own token."""

    COLLECTION = "collection"
    DISBURSEMENT = "disbursement"


@dataclass(frozen=True, slots=True)
class MomoAccount:
    """What one product is called with.

    Attributes:
        subscription_key: Ocp-Apim-Subscription-Key.
        api_user: made at the provider, a UUID.
        api_key: its secret.
    """

    subscription_key: str = field(repr=False)
    api_user: str
    api_key: str = field(repr=False)


class _Token(msgspec.Struct):
    access_token: str
    expires_in: float = 3600


class MomoUnreachableError(Exception):
    """No answer, or one that says nothing about the request. The text holds no secret."""


class MomoWire:
    """Calls one installation of the API.

    Args:
        outgoing: the HTTP client.
        base_url: such as https://proxy.momoapi.mtn.com.
        environment: X-Target-Environment, such as mtnghana.
        accounts: by product; a product that is missing cannot be called.
    """

    def __init__(self, outgoing: OutgoingHttp, base_url: str, environment: str,
                 accounts: dict[MomoProduct, MomoAccount]) -> None:
        self._outgoing = outgoing
        self._base_url = base_url.rstrip("/")
        self._environment = environment
        self._accounts = accounts
        self._tokens: dict[MomoProduct, tuple[float, str]] = {}
        self._renewing = {product: asyncio.Lock() for product in MomoProduct}

    def has(self, product: MomoProduct) -> bool:
        """Say whether a product can be called."""
        return product in self._accounts

    async def call(self, product: MomoProduct, method: str, path: str, *, body: object = None,
                   reference: str = "", callback_url: str = "") -> Answer:
        """Send one request with a token; a token that is no longer good is renewed once.

        Args:
            product: which API.
            method: GET or POST.
            path: below the product, such as v1_0/requesttopay.
            body: sent as JSON; None for none.
            reference: X-Reference-Id, a version 4 UUID.
            callback_url: where a notice of the end is sent.

        Raises:
            MomoUnreachableError: no answer came, or no token could be had.
        """
        for attempt in range(2):
            token = await self._token(product)
            answer = await self._send(product, method, path, f"Bearer {token}", body, reference, callback_url)
            if answer.status != HTTPStatus.UNAUTHORIZED or attempt:
                return answer
            self._tokens.pop(product, None)
        raise MomoUnreachableError("the token is not taken")

    async def _token(self, product: MomoProduct) -> str:
        async with self._renewing[product]:
            kept = self._tokens.get(product)
            if kept is not None and kept[0] > time.monotonic():
                return kept[1]
            account = self._accounts.get(product)
            if account is None:
                raise MomoUnreachableError(f"there is no account for {product}")
            pair = base64.b64encode(f"{account.api_user}:{account.api_key}".encode()).decode()
            answer = await self._send(product, "POST", "token/", f"Basic {pair}", None, "", "")
            if answer.status != HTTPStatus.OK:
                raise MomoUnreachableError(f"no token: status {answer.status}")
            try:
                token = msgspec.json.decode(answer.body, type=_Token)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise MomoUnreachableError("no token: the answer is not what is documented") from error
            life_s = max(_LEAST_LIFE_S, token.expires_in - _RENEW_BEFORE_S)
            self._tokens[product] = (time.monotonic() + life_s, token.access_token)
            return token.access_token

    async def _send(self, product: MomoProduct, method: str, path: str, authorization: str, body: object,
                    reference: str, callback_url: str) -> Answer:
        headers = {"Authorization": authorization,
                   "Ocp-Apim-Subscription-Key": self._accounts[product].subscription_key,
                   "X-Target-Environment": self._environment, "Accept": "application/json"}
        if reference:
            headers["X-Reference-Id"] = reference
        if callback_url:
            headers["X-Callback-Url"] = callback_url
        content = b"" if body is None else msgspec.json.encode(body)
        if content:
            headers["Content-Type"] = "application/json"
        try:
            return await self._outgoing.request(method, f"{self._base_url}/{product}/{path}", headers=headers,
                                                body=content or (b"" if method == "POST" else None),
                                                timeout_s=_TIMEOUT_S)
        except (OutgoingError, DomainError) as error:
            _log.warning("mtn_momo_unreachable", product=product.value, path=path, reason=str(error))
            raise MomoUnreachableError(str(error)) from error
