"""A USSD application in the test's own process, that answers what the test says and remembers what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import aiohttp
from aiohttp import web

Request: TypeAlias = dict[str, Any]
Answer: TypeAlias = dict[str, object] | bytes | web.Response
Script = Callable[[Request], Answer | Awaitable[Answer]]


class Application:
    """Attributes:
    requests: every body, in the order of arrival, with its keys in theirs.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.headers: list[dict[str, str]] = []
        self.raw: list[bytes] = []
        self.url = ""
        self._arrived = asyncio.Condition()
        self.script: Script = lambda _: {"Type": "Release", "Message": "Bye"}

    def of_type(self, kind: str) -> list[Request]:
        """Return the requests of one Type."""
        return [request for request in self.requests if request.get("Type") == kind]

    async def wait_for(self, kind: str) -> Request:
        """Return the first request of a Type, waiting for it."""
        async with asyncio.timeout(30), self._arrived:
            await self._arrived.wait_for(lambda: bool(self.of_type(kind)))
        return self.of_type(kind)[0]

    async def wait_for_any(self) -> Request:
        """Return the first request, whatever it is, waiting for it."""
        async with asyncio.timeout(30), self._arrived:
            await self._arrived.wait_for(lambda: bool(self.requests))
        return self.requests[0]

    async def until_asked(self, server_url: str, handset: str, code: str) -> None:
        """Dial a code that was sent here until it comes here: the gateway learns of a change a moment later.

        Args:
            server_url: of the running program.
            handset: dials; whatever session it has ends.
            code: as it is dialled; nothing else may be answered yet than the end of a session.
        """
        async with asyncio.timeout(30), aiohttp.ClientSession() as http:
            while not self.requests:
                async with http.post(f"{server_url}/sandbox/handsets/{handset}/ussd", json={"input": code}) as dialled:
                    assert dialled.status == 200, await dialled.text()
        for seen in (self.requests, self.headers, self.raw):
            seen.clear()

    def menu(self, *answers: Answer) -> None:
        """Answer Initiation and Response with these, one after the other; anything else with a Release."""
        left = list(answers)
        self.script = lambda request: (left.pop(0) if request["Type"] in {"Initiation", "Response"} and left
                                       else {"Type": "Release", "Message": "Noted"})

    async def take(self, request: web.Request) -> web.Response:
        """Answer one request."""
        body = await request.read()
        self.raw.append(body)
        self.headers.append(dict(request.headers))
        asked: Request = json.loads(body)
        self.requests.append(asked)
        async with self._arrived:
            self._arrived.notify_all()
        answer = self.script(asked)
        if not isinstance(answer, dict | bytes | web.Response):
            answer = await answer
        if isinstance(answer, web.Response):
            return answer
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return web.Response(body=content, content_type="application/json")


@asynccontextmanager
async def answering() -> AsyncIterator[Application]:
    """Run an application."""
    application = Application()
    served = web.Application()
    served.router.add_post("/ussd", application.take)
    runner = web.AppRunner(served, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    application.url = f"http://127.0.0.1:{runner.addresses[0][1]}/ussd"
    try:
        yield application
    finally:
        await runner.cleanup()
