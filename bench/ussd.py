"""USSD sessions of four steps through the gateway, next to nginx proxying the same POSTs.

Subjects:
  direct     the application itself (nginx answering from memory, on the core of the load)
  nginx      nginx in front of it, one worker, keep-alive on both sides
  makola     `makola web`: an operator's push authenticated and read, every tier charged once a session, each step
             recorded before the application is asked and again when it has answered

What is added is what a percentile is over the same percentile of `direct`, in the same run.
"""

import argparse
import json
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.support import machine
from bench.support.load import Figures
from bench.support.nginx import application, find_nginx, proxy
from bench.support.server import LOAD_CORE, World, free_port, makola, prepared_world, wait_for
from bench.support.targets import Target
from makola.core.ussd.protocol import encode_request
from makola.core.ussd.types import RequestType, UssdRequest
from makola.kit.embedded_postgres import EmbeddedPostgres

_SECRET = "a-secret-of-the-benchmark"
_AT_ONCE = 64
_RATE = 1_000
_OPEN = 10_000
#: At a time: more than connections, and few enough that a run has as many of each of the four steps.
_SESSIONS = 256
_HANGING_AT_ONCE = 256
#: Subscribers of the hanging application dial again after a pause of up to so long.
_SPREAD_S = 8
#: What is typed in a session's last step.
_LAST_INPUT = "1234567890123456789"
_LAST_REQUEST = UssdRequest("233244000000", "0" * 32, "711", RequestType.RESPONSE, _LAST_INPUT, "MTN", 4, "menu")

# Steps of many sessions are interleaved, so that a session's next step is never sent before its last one is answered.
# What a run leaves open must not time out in the next one: that is what the long time for subscribers is for.
_SCRIPT = """
local sessions, steps, code, hub = {sessions}, {steps}, "{code}", {hub}
local life, count = {life}, 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
function request()
  local round, place = math.floor(count / sessions), count % sessions
  local step = round % steps + 1
  local session = string.format("%d-%d-%d", life, math.floor(round / steps), place)
  count = count + 1
  local body
  if hub then
    local kind, text = "continue", "1"
    if step == 1 then kind, text = "begin", "" end
    if step == 4 then text = "{last}" end
    body = string.format('{{"sessionId":"%s","requestId":"%d","type":"%s","msisdn":"+2332440%05d",' ..
      '"serviceCode":"%s","text":"%s","operator":"MTN"}}', session, step, kind, place, code, text)
  else
    local message = "1"
    if step == 4 then message = "{last}" end
    body = string.format('{{"Mobile":"2332440%05d","SessionId":"%032d","ServiceCode":"711","Type":"Response",' ..
      '"Message":"%s","Operator":"MTN","Sequence":%d,"ClientState":"menu"}}', place, count, message, step)
  end
  return wrk.format(nil, nil, nil, body)
end
function delay() return {delay} end
"""


@dataclass(slots=True)
class _Load:
    """One target, and how many times it was loaded: each time with sessions of its own."""

    url: str
    hub: bool
    directory: Path
    code: str = "*711#"
    life: int = 0

    def run(self, *, connections: int, duration_s: int, rate: int = 0, steps: int = 4,
            sessions: int = _SESSIONS, spread_ms: int = 0) -> Figures:
        """Post steps; as fast as they are answered, at about `rate` a second, or each after a random pause.

        Subscribers do not wait for each other: what comes at a rate comes by chance, not in step.
        """
        self.life += 1
        delay_ms = max(0, round(1000 * connections / rate) - 2) if rate else 0
        script = self.directory / f"load-{self.code.strip('*#').replace('*', '-')}-{self.hub}.lua"
        script.write_text(_SCRIPT.format(sessions=sessions, steps=steps, code=self.code,
                                         delay=f"math.random(0, {spread_ms})" if spread_ms else
                                         f"math.floor(-{delay_ms} * math.log(1 - math.random()) + 0.5)",
                                         hub=str(self.hub).lower(), life=self.life, last=_LAST_INPUT))
        output = subprocess.run(
            ["taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{connections}", f"-d{duration_s}s", "--latency",
             "--timeout", "20s", "-s", str(script), self.url], check=True, capture_output=True, text=True).stdout
        return _figures(output)


def _figures(output: str) -> Figures:
    errors = [int(number) for number in re.findall(r"Non-2xx or 3xx responses: (\d+)", output)]
    for line in re.findall(r"Socket errors: (.*)", output):
        errors += map(int, re.findall(r"\d+", line))
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    found = {name: re.search(rf"{name}\s+([\d.]+)(us|ms|s)", output) for name in ("50%", "99%")}
    units = {"us": 0.001, "ms": 1.0, "s": 1000.0}
    latency = {name: float(match[1]) * units[match[2]] for name, match in found.items() if match}
    if rate is None or len(latency) < 2:
        raise RuntimeError(output)
    return Figures(float(rate[1]), latency["50%"], latency["99%"], sum(errors))


def _call(world: World, base: str, method: str, path: str, body: dict[str, object] | None = None) -> dict[str, object]:
    request = urllib.request.Request(
        f"{base}{path}", None if body is None else json.dumps(body).encode(),
        {"Authorization": world.authorization, "Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        answered: dict[str, object] = json.loads(answer.read())
    return answered


def _map(world: World, base: str, application_url: str, hanging_url: str) -> None:
    """Send `*711#` to the application, and a sub-code of it to one that hangs."""
    listed = _call(world, base, "GET", "/v1/ussd/services")["ServiceList"]
    services = listed if isinstance(listed, list) else []
    (bank,) = [service for service in services if service["Code"] == "711"]
    _call(world, base, "PUT", f"/v1/ussd/services/{bank['Id']}",
          {"Url": application_url})
    if not any(service["Code"] == "711*9" for service in services):
        _call(world, base, "POST", "/v1/ussd/services", {"Code": "711*9", "Name": "Hangs", "Url": hanging_url})


@contextmanager
def _hanging() -> Iterator[str]:
    """An application that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        taken: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    taken.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def _say(name: str, runs: list[Figures]) -> Figures:
    middle = Figures(
        statistics.median(run.requests_per_s for run in runs), statistics.median(run.p50_ms for run in runs),
        statistics.median(run.p99_ms for run in runs), sum(run.error_count for run in runs))
    print(f"  {name:<24} {middle.requests_per_s:>9,.0f}/s  p50 {middle.p50_ms:>7.2f} ms  p99 {middle.p99_ms:>7.2f} ms"
          f"  errors {middle.error_count}", flush=True)
    return middle


def _measure(arguments: argparse.Namespace, direct: _Load, by_nginx: _Load, hub: _Load) -> list[Target]:
    subjects = {"direct": direct, "nginx": by_nginx, "makola": hub}
    fast: dict[str, list[Figures]] = {name: [] for name in subjects}
    slow: dict[str, list[Figures]] = {name: [] for name in subjects}
    hub.run(connections=_AT_ONCE, duration_s=2)
    for _ in range(arguments.rounds):
        for name, load in subjects.items():
            fast[name].append(load.run(connections=_AT_ONCE, duration_s=arguments.seconds))
            slow[name].append(load.run(connections=_AT_ONCE, duration_s=arguments.seconds, rate=_RATE))
    print(f"as fast as they are answered, {_AT_ONCE} at once:")
    rates = {name: _say(name, runs).requests_per_s for name, runs in fast.items()}
    print(f"at about {_RATE:,} steps/s:")
    paced = {name: _say(name, runs) for name, runs in slow.items()}
    base = paced["direct"]
    print(f"  nginx adds p50 {paced['nginx'].p50_ms - base.p50_ms:.2f} ms, p99 "
          f"{paced['nginx'].p99_ms - base.p99_ms:.2f} ms")
    return [Target("steps/s, as a share of nginx's", rates["makola"] / rates["nginx"], ">=", 0.1),
            Target("added at p50, ms", paced["makola"].p50_ms - base.p50_ms, "<", 2.0),
            Target("added at p99, ms", paced["makola"].p99_ms - base.p99_ms, "<", 10.0)]


def _hang(arguments: argparse.Namespace, hub: _Load) -> Target:
    """Load one application alone, then beside one that hangs on every request."""
    hanging = _Load(hub.url, True, hub.directory, code="*711*9#")
    alone, beside = [], []
    for _ in range(arguments.rounds):
        alone.append(hub.run(connections=_AT_ONCE, duration_s=arguments.seconds, rate=_RATE // 2))
        load = threading.Thread(target=lambda: hanging.run(
            connections=_HANGING_AT_ONCE, duration_s=arguments.seconds + _SPREAD_S, steps=1, sessions=50_000,
            spread_ms=_SPREAD_S * 1000))
        load.start()
        time.sleep(_SPREAD_S)  # by now they no longer dial all at once
        beside.append(hub.run(connections=_AT_ONCE, duration_s=arguments.seconds, rate=_RATE // 2))
        load.join()
    print(f"at about {_RATE // 2:,} steps/s, alone and beside {_HANGING_AT_ONCE} subscribers of an application that"
          " hangs:")
    change = _say("beside", beside).p99_ms / _say("alone", alone).p99_ms
    return Target("p99 beside a hanging application, as a share", change, "<=", 1.2)


def _memory(hub: _Load, pid: int) -> Target:
    """Leave sessions open and look at the process."""
    opened, before = 0.0, machine.resident_mib(pid)
    while opened < _OPEN:
        run = hub.run(connections=_AT_ONCE, duration_s=5, steps=1, sessions=100_000)
        opened += run.requests_per_s * 5
    print(f"memory before: {before:.0f} MiB, with {opened:,.0f} sessions open:")
    return Target("memory, MiB", machine.resident_mib(pid), "<", 300)


def _run(arguments: argparse.Namespace, nginx: str, world: World, url: str) -> list[Target]:
    operators = world.directory / "operators.toml"
    operators.write_text(f'[bench]\ndescription = "json"\nsecret = "{_SECRET}"\n')
    application_port, proxy_port, port = free_port(), free_port(), free_port()
    with (application(nginx, world.directory, application_port, len(encode_request(_LAST_REQUEST))),
          proxy(nginx, world.directory, proxy_port, application_port), _hanging() as hanging_url,
          makola("web", world.directory, port, database_url=url, demo="true",
                 ussd_operators_file=str(operators), ussd_subscriber_timeout_s="600") as process):
        wait_for(f"http://127.0.0.1:{proxy_port}/")
        _map(world, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{application_port}/ussd", hanging_url)
        direct = _Load(f"http://127.0.0.1:{application_port}/ussd", False, world.directory)
        by_nginx = _Load(f"http://127.0.0.1:{proxy_port}/ussd", False, world.directory)
        hub = _Load(f"http://127.0.0.1:{port}/operators/ussd/bench/{_SECRET}", True, world.directory)
        targets = _measure(arguments, direct, by_nginx, hub)
        if not arguments.brief:
            targets.append(_hang(arguments, hub))
            targets.append(_memory(hub, process.pid))
    return targets


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each subject is measured (3)")
    parser.add_argument("--seconds", type=int, default=5, help="how long each time (5)")
    parser.add_argument("--brief", action="store_true", help="leave out the hanging application and the memory")
    arguments = parser.parse_args()
    nginx = find_nginx()
    if nginx is None:
        sys.exit("nginx is missing: it is the application and the reference; install it (Debian: nginx-light)")
    print(machine.description())
    with prepared_world() as world:
        server = EmbeddedPostgres(world.directory / "postgres")
        try:
            targets = _run(arguments, nginx, world, server.url())
        finally:
            server.stop()
    print("targets:")
    for target in targets:
        print(target)


if __name__ == "__main__":
    main()
