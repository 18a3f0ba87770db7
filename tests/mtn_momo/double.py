"""MTN MoMo as its public documentation describes it: tokens, requests under an id of the caller's, statuses."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

KEYS = {"collection": "sub-key-of-collection", "disbursement": "sub-key-of-disbursement"}
USER = "5b158c87-ce9b-4a0f-9f1c-5f6b1d6f1a11"
API_KEY = "api-key-that-nobody-may-see"


@dataclass
class MomoDouble:
    """One installation.

    Attributes:
        requests: each call but those for tokens, as (method, path, headers, body).
        made: what was requested under which id.
        outcome: what the next status says besides its amounts.
        answers: statuses that the next calls get instead, in order.
    """

    url: str = ""
    tokens: list[str] = field(default_factory=list)
    valid: set[str] = field(default_factory=set)
    requests: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    made: dict[tuple[str, str], Any] = field(default_factory=dict)
    outcome: dict[str, Any] = field(default_factory=lambda: {"status": "PENDING"})
    answers: list[int] = field(default_factory=list)

    async def token(self, request: web.Request) -> web.Response:
        product = request.match_info["product"]
        wanted = "Basic " + base64.b64encode(f"{USER}:{API_KEY}".encode()).decode()
        if request.headers.get("Authorization") != wanted or request.headers[
                "Ocp-Apim-Subscription-Key"] != KEYS[product]:
            return web.json_response({"error": "login_failed"}, status=401)
        token = f"token-{len(self.tokens)}-{product}"
        self.tokens.append(token)
        self.valid.add(token)
        return web.json_response({"access_token": token, "token_type": "access_token", "expires_in": 3600})

    def _check(self, request: web.Request, body: Any) -> web.Response | None:
        self.requests.append((request.method, request.path, dict(request.headers), body))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.valid or not token.endswith(request.match_info["product"]):
            return web.json_response({"code": "401", "message": "Unauthorized"}, status=401)
        if request.headers.get("X-Target-Environment") != "mtnghana":
            return web.json_response({"code": "NOT_ALLOWED_TARGET_ENVIRONMENT"}, status=500)
        if self.answers:
            return web.json_response({"code": "INTERNAL_PROCESSING_ERROR"}, status=self.answers.pop(0))
        return None

    async def make(self, request: web.Request) -> web.Response:
        body = await request.json()
        if (refused := self._check(request, body)) is not None:
            return refused
        key = (request.match_info["kind"], request.headers["X-Reference-Id"])
        if key in self.made:
            return web.json_response({"code": "RESOURCE_ALREADY_EXIST"}, status=409)
        if "'" in body["payerMessage"] + body["payeeNote"] or len(body["payeeNote"]) > 160:
            return web.json_response({"code": "BAD_REQUEST"}, status=400)
        self.made[key] = body
        return web.Response(status=202)

    async def status(self, request: web.Request) -> web.Response:
        if (refused := self._check(request, None)) is not None:
            return refused
        made = self.made.get((request.match_info["kind"], request.match_info["reference"]))
        if made is None:
            return web.json_response({"code": "RESOURCE_NOT_FOUND", "message": "Requested resource was not found."},
                                     status=404)
        return web.json_response({**made, **self.outcome})


@asynccontextmanager
async def running_double() -> AsyncIterator[MomoDouble]:
    """Serve it on loopback."""
    double = MomoDouble()
    app = web.Application()
    app.router.add_post("/{product}/token/", double.token)
    app.router.add_post("/{product}/v1_0/{kind}", double.make)
    app.router.add_get("/{product}/v1_0/{kind}/{reference}", double.status)
    async with TestServer(app, host="127.0.0.1") as server:
        double.url = str(server.make_url("")).rstrip("/")
        yield double
