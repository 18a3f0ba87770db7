"""Receivers of callbacks on 127.0.0.1, and the workers that call them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

from makola.core.callbacks.service import CHANNEL, enqueue
from makola.core.callbacks.types import CallbackPolicy, NewCallback
from makola.core.callbacks.workers import CallbackWorker
from makola.kit.background import Background
from makola.kit.database import Database, WakeUps
from makola.kit.outgoing import AddressPolicy
from makola.kit.outgoing.direct import DirectHttp

LOCAL = AddressPolicy(allow_private=True)
QUICK = CallbackPolicy(retry_delays_s=(0.05, 0.05), timeout_s=5.0, connect_timeout_s=2.0)
PARAMETERS = (("From", "Makola"), ("To", "+233241234567"), ("Status", "Delivered & read"))


@dataclass(frozen=True)
class Seen:
    """One request, as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]


Respond = Callable[[Seen], Awaitable[web.Response]]


async def ok(_seen: Seen) -> web.Response:
    return web.Response(text="thank you")


def status(code: int, **headers: str) -> Respond:
    async def respond(_seen: Seen) -> web.Response:
        return web.Response(status=code, text=f"answer {code}",
                            headers={name.replace("_", "-"): value for name, value in headers.items()})

    return respond


async def hang(_seen: Seen) -> web.Response:
    await asyncio.sleep(60)
    return web.Response()


@dataclass
class Receiver:
    """A server that remembers. `respond` may be changed at any time."""

    respond: Respond
    seen: list[Seen] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        seen = Seen(request.method, request.raw_path,
                    {name.lower(): value for name, value in request.headers.items()}, await request.read())
        self.seen.append(seen)
        return await self.respond(seen)


@asynccontextmanager
async def receiver(respond: Respond = ok) -> AsyncIterator[Receiver]:
    remembers = Receiver(respond)
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", remembers.handle)
    server = TestServer(application, host="127.0.0.1")
    await server.start_server(shutdown_timeout=0)
    remembers.url = str(server.make_url("/report"))
    try:
        yield remembers
    finally:
        await server.close()


@asynccontextmanager
async def working(database: Database, policy: CallbackPolicy = QUICK, *,
                  addresses: AddressPolicy = LOCAL) -> AsyncIterator[CallbackWorker]:
    """Run a worker as a process runs it."""
    wake_ups = WakeUps(database.url)
    background = Background()
    async with DirectHttp(addresses) as http:
        worker = CallbackWorker(database, http, policy, wake=wake_ups.on(CHANNEL))
        wake_ups.start([CHANNEL])
        worker.run_in(background)
        try:
            yield worker
            assert not background.failed.is_set()
        finally:
            await background.stop()
            await worker.stop(grace_s=0)
            await wake_ups.stop()


def callback(url: str, *, organisation_id: int = 1, method: str = "POST",
             parameters: tuple[tuple[str, str], ...] = PARAMETERS) -> NewCallback:
    return NewCallback(organisation_id=organisation_id, event="message.report", method=method, url=url,
                       parameters=parameters)


async def send(database: Database, *callbacks: NewCallback) -> list[str]:
    """Enqueue, and return the webhook-ids."""
    async with database.transaction() as connection:
        return [delivery_id.hex for delivery_id in await enqueue(connection, callbacks)]


async def eventually(condition: Callable[[], Awaitable[bool]] | Callable[[], bool], within_s: float = 30) -> None:
    """Wait until `condition` holds."""
    async with asyncio.timeout(within_s):
        while True:
            outcome = condition()
            if await outcome if isinstance(outcome, Awaitable) else outcome:
                return
            await asyncio.sleep(0.01)


async def states(database: Database) -> dict[str, int]:
    rows = await database.fetch("SELECT state, count(*) AS n FROM callbacks.delivery GROUP BY state")
    return {row["state"]: row["n"] for row in rows}


async def settled(database: Database) -> None:
    """Wait until nothing is pending."""
    async def nothing_pending() -> bool:
        return "pending" not in await states(database)

    await eventually(nothing_pending)
