"""Paystack as its public documentation describes it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

SECRET_KEY = "sk_test_that_nobody_may_see"


@dataclass
class PaystackDouble:
    """One account.

    Attributes:
        requests: each call, as (method, path, query, body).
        outcome: what every transaction says besides what it was made with.
        answers: statuses that the next calls get instead, in order.
    """

    url: str = ""
    requests: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    transactions: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    outcome: dict[str, Any] = field(default_factory=lambda: {"status": "abandoned"})
    answers: list[int] = field(default_factory=list)

    @web.middleware
    async def door(self, request: web.Request, handler: Any) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.requests.append((request.method, request.path, dict(request.query), body))
        if request.headers.get("Authorization") != f"Bearer {SECRET_KEY}":
            return web.json_response({"status": False, "message": "Invalid key"}, status=401)
        if self.answers:
            return web.json_response({"status": False, "message": "no"}, status=self.answers.pop(0))
        response: web.StreamResponse = await handler(request)
        return response

    async def initialize(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["reference"] in self.transactions:
            return web.json_response({"status": False, "message": "Duplicate Transaction Reference",
                                      "code": "duplicate_reference"}, status=400)
        self.transactions[body["reference"]] = {
            "id": 4_099_260_516 + len(self.transactions), "reference": body["reference"], "amount": int(body["amount"]),
            "currency": body["currency"], "created_at": "2030-01-02T03:04:05.000Z"}
        return web.json_response({"status": True, "message": "Authorization URL created", "data": {
            "authorization_url": f"https://checkout.paystack.com/{body['reference'][:8]}", "access_code": "nkdks46nym",
            "reference": body["reference"]}})

    async def verify(self, request: web.Request) -> web.Response:
        found = self.transactions.get(request.match_info["reference"])
        if found is None:
            return web.json_response({"status": False, "message": "Transaction reference not found.",
                                      "code": "transaction_not_found", "type": "validation_error"}, status=400)
        return web.json_response({"status": True, "message": "Verification successful", "data": found | self.outcome})

    async def refund(self, request: web.Request) -> web.Response:
        body = await request.json()
        made = {"id": 3_000 + len(self.refunds), "status": "pending", "createdAt": "2030-01-02T03:04:05.000Z", **body}
        self.refunds.append(made)
        return web.json_response({"status": True, "message": "Refund has been queued for processing", "data": made})

    async def one_refund(self, request: web.Request) -> web.Response:
        found = next((each for each in self.refunds if str(each["id"]) == request.match_info["id"]), None)
        return web.json_response({"status": True, "message": "Refund retrieved", "data": found})

    def _page(self, request: web.Request, every: list[dict[str, Any]]) -> web.Response:
        size, page = int(request.query["perPage"]), int(request.query["page"])
        return web.json_response({"status": True, "message": "Retrieved", "meta": {"total": len(every), "page": page},
                                  "data": every[(page - 1) * size:page * size]})

    async def list_refunds(self, request: web.Request) -> web.Response:
        return self._page(request, self.refunds)

    async def list_transactions(self, request: web.Request) -> web.Response:
        return self._page(request, [each | self.outcome for each in self.transactions.values()])


@asynccontextmanager
async def running_double() -> AsyncIterator[PaystackDouble]:
    """Serve it on loopback."""
    double = PaystackDouble()
    app = web.Application(middlewares=[double.door])
    app.router.add_post("/transaction/initialize", double.initialize)
    app.router.add_get("/transaction/verify/{reference}", double.verify)
    app.router.add_get("/transaction", double.list_transactions)
    app.router.add_post("/refund", double.refund)
    app.router.add_get("/refund", double.list_refunds)
    app.router.add_get("/refund/{id}", double.one_refund)
    async with TestServer(app, host="127.0.0.1") as server:
        double.url = str(server.make_url("")).rstrip("/")
        yield double
