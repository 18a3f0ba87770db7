"""Client-credentials grants, and what a Bearer token costs a request beside Basic.

Subjects, one process each in turn, 32 connections; the load has one core:
  makola       `makola web` on the other core: every token committed before it is answered; PostgreSQL runs on both
  npm opaque   oidc-provider 9 on Node.js, in-memory adapter: it stores nothing; on both cores, for V8 collects
               garbage, compiles and signs on threads of its own, and warm before it is measured
  npm JWT      the same with signed access tokens (RS256)
  toolkit      django-oauth-toolkit on gunicorn with one worker, its tokens in the same PostgreSQL
Then: one read request of the Unity API with HTTP Basic and with Bearer.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from bench.support import load, machine, reading
from bench.support.load import Figures
from bench.support.server import SERVER_CORE, World, free_port, makola, prepared_world
from bench.support.targets import Target
from makola.kit.embedded_postgres import EmbeddedPostgres

_CONNECTIONS = 32
_SECRET = "bench-secret-of-the-references"
_SUPPORT = Path(__file__).parent / "support"
_TOOLS = Path(__file__).parent.parent / ".tools" / "bench-token"
_REQUIREMENTS = _SUPPORT / "token_references.txt"
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_READ = "/v1/account/settings"
#: Until V8 has compiled what is hot: in the first three seconds it gives half of what it gives after six.
_NODE_WARM_UP_S = 7


def _prepare_references() -> tuple[Path, Path | None]:
    """Install the references, once; return the Python programs, and Node's program where it can be had."""
    programs, stamp = _TOOLS / "python" / "bin", _TOOLS / "installed"
    wanted = _REQUIREMENTS.read_text() + (_SUPPORT / "oidc_provider" / "package.json").read_text()
    node = shutil.which("node")
    if not stamp.exists() or stamp.read_text() != wanted:
        print("installing django-oauth-toolkit and oidc-provider into .tools/bench-token", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(_TOOLS / "python")], check=True)
        subprocess.run([programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                        "-r", str(_REQUIREMENTS)], check=True)
        if node is not None:
            shutil.copytree(_SUPPORT / "oidc_provider", _TOOLS / "node", dirs_exist_ok=True)
            subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=_TOOLS / "node", check=True)
        stamp.write_text(wanted)
    if node is None:
        print("Node.js is missing: oidc-provider is left out")
    return programs, Path(node) if node is not None else None


@contextmanager
def _process(command: Sequence[str | Path], directory: Path, environment: Mapping[str, str], port: int, *,
             one_core: bool) -> Iterator[None]:
    pinned = ["taskset", "-c", str(SERVER_CORE)] if one_core else []
    process = subprocess.Popen([*pinned, *map(str, command)], cwd=directory, env={**os.environ, **environment},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        asyncio.run(_listens(port))
        yield
    finally:
        process.terminate()
        process.wait(20)


async def _listens(port: int) -> None:
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise TimeoutError(f"nothing listens on {port}")


def _body(client_id: str, client_secret: str) -> str:
    return urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": client_id,
                                   "client_secret": client_secret})


def _grants(url: str, body: str, seconds: int, *, warm_up_s: int = 1) -> Figures:
    load.post(url, body, _FORM, connections=_CONNECTIONS, duration_s=warm_up_s)
    return load.post(url, body, _FORM, connections=_CONNECTIONS, duration_s=seconds)


def _makola(world: World, url: str, seconds: int, figures: dict[str, list[Figures]],
            reads: dict[str, list[reading.Reading]]) -> None:
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    with makola("web", world.directory, port, database_url=url, demo="true"):
        body = _body(world.client_id, world.client_secret)
        before = asyncio.run(_count(url))
        run = _grants(f"{base_url}/oauth/token", body, seconds)
        stored = asyncio.run(_count(url)) - before
        if stored < run.requests_per_s * seconds:
            raise RuntimeError(f"{stored} tokens are stored, {run.requests_per_s * seconds:.0f} were given out")
        figures["makola"].append(run)
        request = urllib.request.Request(f"{base_url}/oauth/token", body.encode(), _FORM)
        with urllib.request.urlopen(request, timeout=10) as answer:
            bearer = f"Bearer {json.load(answer)['access_token']}"
        for _ in range(3):  # in turn, so that what else the machine does meets both
            for name, authorization in (("Basic", world.authorization), ("Bearer", bearer)):
                reads[name].append(reading.get(base_url, [_READ], {"Authorization": authorization},
                                               connections=_CONNECTIONS, duration_s=max(1, seconds // 3)))


async def _count(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM oauth.access_token"))
    finally:
        await connection.close()


def _node(node: Path, token_format: str, seconds: int) -> Figures:
    port = free_port()
    environment = {"PORT": str(port), "FORMAT": token_format, "CLIENT_SECRET": _SECRET, "NODE_ENV": "production"}
    with _process([node, "server.js"], _TOOLS / "node", environment, port, one_core=False):
        return _grants(f"http://127.0.0.1:{port}/token", _body("bench", _SECRET), seconds, warm_up_s=_NODE_WARM_UP_S)


def _toolkit(programs: Path, url: str, seconds: int) -> Figures:
    port = free_port()
    environment = {"REFERENCE_DATABASE_URL": url, "CLIENT_SECRET": _SECRET}
    subprocess.run([programs / "python", "toolkit_reference.py"], cwd=_SUPPORT, check=True,
                   env={**os.environ, **environment})
    command = [str(programs / "gunicorn"), "toolkit_reference:application", "--bind", f"127.0.0.1:{port}",
               "--workers", "1", "--threads", "8", "--keep-alive", "60", "--log-level", "critical"]
    with _process(command, _SUPPORT, environment, port, one_core=True):
        return _grants(f"http://127.0.0.1:{port}/token", _body("bench", _SECRET), seconds)


async def _second_database(url: str) -> str:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE DATABASE toolkit")
    await connection.close()
    return url.replace("/postgres?", "/toolkit?")


def _print(figures: Mapping[str, Sequence[Figures]], reads: Mapping[str, Sequence[reading.Reading]]) -> None:
    rates = {name: statistics.median(run.requests_per_s for run in runs) for name, runs in figures.items() if runs}
    for name, rate in rates.items():
        runs = figures[name]
        print(f"  {name:<11} {rate:>9,.0f}/s  p50 {statistics.median(r.p50_ms for r in runs):>7.2f} ms  "
              f"p99 {statistics.median(r.p99_ms for r in runs):>7.2f} ms  errors {sum(r.error_count for r in runs)}")
    basic, bearer = (statistics.median(run.requests_per_s for run in reads[name]) for name in ("Basic", "Bearer"))
    print(f"  GET {_READ}: Basic {basic:,.0f}/s, Bearer {bearer:,.0f}/s")
    for target in _targets(rates, basic / bearer):
        print(target)


def _targets(rates: Mapping[str, float], bearer_cost: float) -> Iterator[Target]:
    ours = rates["makola"]
    if "npm JWT" in rates:
        yield Target("makola / oidc-provider with JWT", ours / rates["npm JWT"], ">=", 1.0)
        yield Target("makola / oidc-provider opaque, which stores nothing", ours / rates["npm opaque"], ">=", 1.0)
    yield Target("makola / django-oauth-toolkit", ours / rates["toolkit"], ">=", 6.0)
    yield Target("cost of a Bearer request / of the same with Basic", bearer_cost, "<=", 1.1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each subject is measured (3)")
    parser.add_argument("--seconds", type=int, default=4, help="how long each time (4)")
    arguments = parser.parse_args()
    programs, node = _prepare_references()
    print(machine.description())
    figures: dict[str, list[Figures]] = {"makola": [], "npm opaque": [], "npm JWT": [], "toolkit": []}
    reads: dict[str, list[reading.Reading]] = {"Basic": [], "Bearer": []}
    with prepared_world() as world:
        server = EmbeddedPostgres(world.directory / "postgres")
        try:
            toolkit_url = asyncio.run(_second_database(server.url()))
            for _ in range(arguments.rounds):
                _makola(world, server.url(), arguments.seconds, figures, reads)
                if node is not None:
                    figures["npm opaque"].append(_node(node, "opaque", arguments.seconds))
                    figures["npm JWT"].append(_node(node, "jwt", arguments.seconds))
                figures["toolkit"].append(_toolkit(programs, toolkit_url, arguments.seconds))
        finally:
            server.stop()
    print(f"client-credentials grants, {_CONNECTIONS} connections; medians of {arguments.rounds} rounds of"
          f" {arguments.seconds} s")
    _print(figures, reads)
    print(f"  load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
