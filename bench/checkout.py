"""Whole checkouts: create, open the page, pay by a sandbox wallet, approve on the handset, callback received.

Subjects, in the same run, with the same client and as many customers:
  flows      `makola serve`, everything in one process: five requests and one callback for each checkout
  create     the create call alone, for its latency
  requests   the reference: as many bare requests as a flow has (`/health`, one statement each), and no callback
"""

import argparse
import asyncio
import os
import re
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import uuid4

import aiohttp
import uvloop
from aiohttp import web

from bench.support import machine
from bench.support.server import LOAD_CORE, World, free_port, makola, prepared_world
from bench.support.targets import Target
from makola.kit.embedded_postgres import EmbeddedPostgres

_REQUESTS_PER_FLOW = 5
_FLOWS_PER_S = 150
_CREATE_P99_MS = 50
_PIN = "1234"
_TOKEN = re.compile(r'name="token" value="([^"]+)"')
_PLENTY = 100_000_000


@dataclass
class Till:
    """The merchant's own server: it is told of every checkout once."""

    url: str = ""
    waiting: dict[str, "asyncio.Future[str]"] = field(default_factory=dict)
    told_twice: int = 0

    async def take(self, request: web.Request) -> web.Response:
        """Receive one callback."""
        body = await request.json()
        waiting = self.waiting.pop(body["Data"]["CheckoutId"], None)
        if waiting is None:
            self.told_twice += 1
        else:
            waiting.set_result(body["ResponseCode"])
        return web.Response()

    async def open(self) -> web.AppRunner:
        """Listen on a free port."""
        application = web.Application()
        application.router.add_post("/callback", self.take)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
        return runner


@dataclass
class Customer:
    """Somebody with a phone, who buys again and again."""

    session: aiohttp.ClientSession
    base: str
    world: World
    account: str
    handset: str
    till: Till
    create_ms: list[float]
    flow_ms: list[float] = field(default_factory=list)

    async def buy(self) -> None:
        """One whole checkout."""
        began = time.perf_counter()
        checkout_id = await self.create()
        told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.till.waiting[checkout_id] = told
        page = f"{self.base}/checkout/{checkout_id}"
        async with self.session.get(page) as answer:
            token = _TOKEN.search(await answer.text())
        if token is None:
            raise RuntimeError("the page has no form")
        form = {"token": token.group(1), "method": "momo", "number": self.handset}
        async with self.session.post(f"{page}/pay", data=form, allow_redirects=False) as answer:
            if answer.status != 303:
                raise RuntimeError(f"pay answered {answer.status}: {await answer.text()}")
        handset = f"{self.base}/sandbox/handsets/{self.handset}/prompts"
        async with self.session.get(handset) as answer:
            prompt = (await answer.json())["prompts"][-1]["id"]
        async with self.session.post(f"{handset}/{prompt}", json={"pin": _PIN}) as answer:
            if answer.status != 200:
                raise RuntimeError(f"approve answered {answer.status}: {await answer.text()}")
        code = await asyncio.wait_for(told, 30)
        if code != "0000":
            raise RuntimeError(f"the merchant was told {code}")
        self.flow_ms.append((time.perf_counter() - began) * 1000)

    async def create(self) -> str:
        """The create call."""
        began = time.perf_counter()
        async with self.session.post(f"{self.base}/v2/pos/onlinecheckout/items/initiate", json={
                "items": [{"name": "Harry Potter", "quantity": 1, "unitPrice": 50},
                          {"name": "Chinua Achebe", "quantity": 1, "unitPrice": 50}],
                "totalAmount": 100, "description": "Book Shop Checkout", "callbackUrl": self.till.url,
                "returnUrl": "http://127.0.0.1:9/paid", "merchantAccountNumber": self.account,
                "cancellationUrl": "http://127.0.0.1:9/no", "clientReference": uuid4().hex},
                headers={"Authorization": self.world.authorization}) as answer:
            made = await answer.json()
        self.create_ms.append((time.perf_counter() - began) * 1000)
        checkout_id: str = made["data"]["checkoutId"]
        return checkout_id

    async def bare(self) -> None:
        """As many requests as a flow has, each one statement."""
        for _ in range(_REQUESTS_PER_FLOW):
            async with self.session.get(f"{self.base}/health") as answer:
                await answer.read()


async def _customers(session: aiohttp.ClientSession, base: str, world: World, account: str, count: int,
                     till: Till) -> list[Customer]:
    create_ms: list[float] = []
    customers = []
    for _ in range(count):
        async with session.post(f"{base}/sandbox/handsets", json={"network_id": "62001", "name": "Customer"}) as made:
            number = (await made.json())["number"]
        async with session.patch(f"{base}/sandbox/handsets/{number}/wallet", json={
                "balance": _PLENTY, "limit_per_payment": _PLENTY, "limit_per_day": _PLENTY}) as changed:
            changed.raise_for_status()
        customers.append(Customer(session, base, world, account, number, till, create_ms))
    return customers


async def _during(duration_s: float, customers: list[Customer], deed: Callable[[Customer], Awaitable[object]]) -> float:
    """Have every customer do it again and again; return how often a second."""
    done = 0
    began = time.perf_counter()
    ending = began + duration_s

    async def one(customer: Customer) -> None:
        nonlocal done
        while time.perf_counter() < ending:
            await deed(customer)
            done += 1

    await asyncio.gather(*(one(customer) for customer in customers))
    return done / (time.perf_counter() - began)


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


async def _measure(base: str, world: World, account: str, process_id: int, arguments: argparse.Namespace) -> bool:
    till = Till()
    runner = await till.open()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        customers = await _customers(session, base, world, account, arguments.customers, till)
        await _during(2, customers, Customer.buy)
        flows, bare, creates, used_s = [], [], [], 0.0
        for customer in customers:
            customer.flow_ms.clear()
        for _ in range(arguments.rounds):
            customers[0].create_ms.clear()
            before_s = machine.cpu_seconds(process_id)
            flows.append(await _during(arguments.seconds, customers, Customer.buy))
            used_s += machine.cpu_seconds(process_id) - before_s
            bare.append(await _during(arguments.seconds, customers, Customer.bare))
            creates.append(_p99(customers[0].create_ms))
        customers[0].create_ms.clear()
        alone = await _during(arguments.seconds, customers, Customer.create)
    await runner.cleanup()
    rate, reference = statistics.median(flows), statistics.median(bare)
    every_flow = [ms for customer in customers for ms in customer.flow_ms]
    print(f"flows     {rate:>8,.0f}/s   p50 {statistics.median(every_flow):>7.1f} ms   p99 {_p99(every_flow):>7.1f} ms"
          f"   {rate / reference:.2f} x requests")
    print(f"          {used_s / len(every_flow) * 1000:>8.2f} ms of processor time in the server for each flow")
    print(f"requests  {reference:>8,.0f}/s   ({_REQUESTS_PER_FLOW} bare requests each)")
    print(f"create    {alone:>8,.0f}/s   alone: p50 {statistics.median(customers[0].create_ms):.1f} ms,"
          f" p99 {_p99(customers[0].create_ms):.1f} ms; told twice: {till.told_twice}")
    targets = (Target("complete flows/s", rate, ">=", _FLOWS_PER_S),
               Target("p99 of create during the flows, ms", statistics.median(creates), "<", _CREATE_P99_MS))
    for target in targets:
        print(target)
    return all(target.is_reached for target in targets)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each subject is measured (3)")
    parser.add_argument("--seconds", type=int, default=5, help="how long each time (5)")
    parser.add_argument("--customers", type=int, default=32)
    arguments = parser.parse_args()
    print(machine.description())
    with prepared_world() as world:
        server = EmbeddedPostgres(world.directory / "postgres")
        port = free_port()
        try:
            with makola("serve", world.directory, port, database_url=server.url(), demo="true",
                        log_level="warning") as process:
                os.sched_setaffinity(0, {LOAD_CORE})
                uvloop.run(_measure(f"http://127.0.0.1:{port}", world, world.merchant_account_number,
                                    process.pid, arguments))
        finally:
            os.sched_setaffinity(0, range(os.cpu_count() or 1))
            server.stop()


if __name__ == "__main__":
    main()
