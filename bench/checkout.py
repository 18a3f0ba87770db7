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
from urllib.parse import urlencode
from uuid import uuid4

import msgspec
import uvloop

from bench.support import machine
from bench.support.line import Line, Receiver
from bench.support.server import LOAD_CORE, World, free_port, makola, prepared_world
from bench.support.targets import Target
from makola.kit.embedded_postgres import EmbeddedPostgres

_REQUESTS_PER_FLOW = 5
_FLOWS_PER_S = 150
_CREATE_P99_MS = 50
_PIN = b'{"pin":"1234"}'
_TOKEN = re.compile(rb'name="token" value="([^"]+)"')
_JSON = "content-type: application/json\r\n"
_FORM = "content-type: application/x-www-form-urlencoded\r\n"
_PLENTY = 100_000_000


@dataclass
class Till:
    """The merchant's own server: it is told of every checkout once."""

    url: str = ""
    waiting: dict[str, "asyncio.Future[str]"] = field(default_factory=dict)
    told_twice: int = 0

    def take(self, body: bytes) -> None:
        """Receive one callback."""
        told = msgspec.json.decode(body)
        waiting = self.waiting.pop(told["Data"]["CheckoutId"], None)
        if waiting is None:
            self.told_twice += 1
        else:
            waiting.set_result(told["ResponseCode"])

    async def open(self) -> asyncio.Server:
        """Listen on a free port."""
        server = await asyncio.get_running_loop().create_server(lambda: Receiver(self.take), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callback"
        return server


@dataclass
class Customer:
    """Somebody with a phone, who buys again and again."""

    line: Line
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
        page = f"/checkout/{checkout_id}"
        token = _TOKEN.search(await self.ask("GET", page))
        if token is None:
            raise RuntimeError("the page has no form")
        form = urlencode({"token": token.group(1), "method": "momo", "number": self.handset}).encode()
        await self.ask("POST", f"{page}/pay", form, status=303, headers=_FORM)
        prompts = f"/sandbox/handsets/{self.handset}/prompts"
        prompt = msgspec.json.decode(await self.ask("GET", prompts))["prompts"][-1]["id"]
        await self.ask("POST", f"{prompts}/{prompt}", _PIN, headers=_JSON)
        code = await asyncio.wait_for(told, 30)
        if code != "0000":
            raise RuntimeError(f"the merchant was told {code}")
        self.flow_ms.append((time.perf_counter() - began) * 1000)

    async def create(self) -> str:
        """The create call."""
        began = time.perf_counter()
        made = await self.ask("POST", "/v2/pos/onlinecheckout/items/initiate", msgspec.json.encode({
            "items": [{"name": "Harry Potter", "quantity": 1, "unitPrice": 50},
                      {"name": "Chinua Achebe", "quantity": 1, "unitPrice": 50}],
            "totalAmount": 100, "description": "Book Shop Checkout", "callbackUrl": self.till.url,
            "returnUrl": "http://127.0.0.1:9/paid", "merchantAccountNumber": self.account,
            "cancellationUrl": "http://127.0.0.1:9/no", "clientReference": uuid4().hex}),
            headers=f"{_JSON}authorization: {self.world.authorization}\r\n")
        self.create_ms.append((time.perf_counter() - began) * 1000)
        checkout_id: str = msgspec.json.decode(made)["data"]["checkoutId"]
        return checkout_id

    async def bare(self) -> None:
        """As many requests as a flow has, each one statement."""
        for _ in range(_REQUESTS_PER_FLOW):
            await self.ask("GET", "/health")

    async def ask(self, method: str, path: str, body: bytes = b"", *, status: int = 200, headers: str = "") -> bytes:
        """Make a request; return the answer's body."""
        got, answer = await self.line.request(method, path, body, headers=headers)
        if got != status:
            raise RuntimeError(f"{method} {path} answered {got}: {answer[:500]!r}")
        return answer


async def _customers(base: str, world: World, account: str, count: int, till: Till) -> list[Customer]:
    create_ms: list[float] = []
    customers = []
    for _ in range(count):
        customer = Customer(await Line.open(base), world, account, "", till, create_ms)
        made = await customer.ask("POST", "/sandbox/handsets", b'{"network_id":"62001","name":"Customer"}',
                                  status=201, headers=_JSON)
        customer.handset = msgspec.json.decode(made)["number"]
        await customer.ask("PATCH", f"/sandbox/handsets/{customer.handset}/wallet", msgspec.json.encode(
            {"balance": _PLENTY, "limit_per_payment": _PLENTY, "limit_per_day": _PLENTY}), headers=_JSON)
        customers.append(customer)
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
    server = await till.open()
    customers = await _customers(base, world, account, arguments.customers, till)
    await _during(2, customers, Customer.buy)
    flows, bare, creates, used_s, own_s = [], [], [], 0.0, 0.0
    for customer in customers:
        customer.flow_ms.clear()
    for _ in range(arguments.rounds):
        customers[0].create_ms.clear()
        before_s, own_before_s = machine.cpu_seconds(process_id), time.process_time()
        flows.append(await _during(arguments.seconds, customers, Customer.buy))
        used_s += machine.cpu_seconds(process_id) - before_s
        own_s += time.process_time() - own_before_s
        bare.append(await _during(arguments.seconds, customers, Customer.bare))
        creates.append(_p99(customers[0].create_ms))
    customers[0].create_ms.clear()
    alone = await _during(arguments.seconds, customers, Customer.create)
    server.close()
    rate, reference = statistics.median(flows), statistics.median(bare)
    every_flow = [ms for customer in customers for ms in customer.flow_ms]
    print(f"flows     {rate:>8,.0f}/s   p50 {statistics.median(every_flow):>7.1f} ms   p99 {_p99(every_flow):>7.1f} ms"
          f"   {rate / reference:.2f} x requests")
    print(f"          {used_s / len(every_flow) * 1000:>8.2f} ms of processor time in the server for each flow,"
          f" {own_s / len(every_flow) * 1000:.2f} ms in the load")
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
