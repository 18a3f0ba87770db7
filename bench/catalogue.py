"""The catalogue: 50,000 nested products, each at the caller's own price, the caller at the fifth tier.

Subjects, on one core each in turn, 16 connections:
  makola     `makola web`: pages of 100 and 1,000, the first and the 500th page, text search, one product
  DRF        Django REST Framework on gunicorn with one worker, over the same tables, everything prefetched
  file       a static file of the same bytes, by Starlette on uvicorn, the HTTP server that Makola runs on
  constant   an answer of one product's bytes that is there already, by a bare ASGI application on uvicorn
Then: how soon a change of price is seen, and what the process holds in memory. The first reading of every product
after a start, which fills the memory, is told apart.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.support import machine, reading
from bench.support.products import product
from bench.support.reading import Reading
from bench.support.server import SERVER_CORE, free_port, makola, prepared_world, wait_for
from bench.support.targets import Target
from makola.core.catalogue.service.prices import save_rules
from makola.core.catalogue.service.products import save_products
from makola.core.catalogue.types import PriceRule, RuleKind
from makola.kit.database import Database
from makola.kit.embedded_postgres import EmbeddedPostgres

_CALLER = "customer"
_CONNECTIONS = 16
_BATCH = 2_000
_CHANGES = 20
_REFERENCES = Path(__file__).parent.parent / ".tools" / "bench-catalogue"
_REQUIREMENTS = Path(__file__).parent / "support" / "references.txt"
_LIST = "/api/v1/products"


# -- what is served ---------------------------------------------------------------------------------------------


async def _fill(url: str, count: int) -> None:
    """Store products, and let every tier of the chain add a markup."""
    database = await Database.connect(url, min_size=1, max_size=2)
    for start in range(0, count, _BATCH):
        async with database.transaction() as connection:
            await save_products(connection, [product(number) for number in range(start, min(start + _BATCH, count))])
    await database.execute("VACUUM ANALYZE")
    await database.close()


def _token(directory: Path, base_url: str) -> str:
    client = json.loads((directory / "demo.json").read_text())["clients"][_CALLER]
    body = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": client["client_id"],
                                   "client_secret": client["client_secret"]}).encode()
    with urllib.request.urlopen(f"{base_url}/api/v1/oauth/create_token", body, timeout=10) as answer:
        return str(json.load(answer)["access_token"])


def _read(url: str, headers: dict[str, str]) -> tuple[bytes, int]:
    """Return an answer's body and how much there is on all pages."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
        return answer.read(), int(answer.headers.get("X-Total-Count", 0))


def _read_all(base_url: str, headers: dict[str, str]) -> tuple[float, bytes, int]:
    """Read every product; return the seconds it took, the first page, and how many there are."""
    began = time.monotonic()
    first, total = _read(f"{base_url}{_LIST}?per_page=1000", headers)
    for page in range(2, -(-total // 1000) + 1):
        _read(f"{base_url}{_LIST}?per_page=1000&page={page}", headers)
    return time.monotonic() - began, first, total


@contextmanager
def _process(command: Sequence[str], port: int, path: str, environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(["taskset", "-c", str(SERVER_CORE), *command], cwd=Path(__file__).parent / "support",
                               env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}{path}")
        yield
    finally:
        process.terminate()
        process.wait(20)


def _prepare_references() -> Path:
    """Make the environment of the references, once; return its directory of programs."""
    programs, stamp = _REFERENCES / "bin", _REFERENCES / "installed"
    if not stamp.exists() or stamp.read_text() != _REQUIREMENTS.read_text():
        print("installing what bench/support/references.txt names", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(_REFERENCES)], check=True)
        subprocess.run([programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                        "-r", str(_REQUIREMENTS)], check=True)
        stamp.write_text(_REQUIREMENTS.read_text())
    return programs


# -- what is asked ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Questions:
    """The addresses of each measurement."""

    hundred: list[str]
    thousand: list[str]
    first: list[str]
    last: list[str]
    search: list[str]
    single: list[str]

    @classmethod
    def about(cls, count: int, ids: Sequence[int]) -> "_Questions":
        chance = random.Random(1)
        return cls(
            [f"{_LIST}?per_page=100&page={chance.randrange(count // 100) + 1}" for _ in range(2_000)],
            [f"{_LIST}?per_page=1000&page={chance.randrange(count // 1000) + 1}" for _ in range(2_000)],
            [f"{_LIST}?per_page=100&page=1"], [f"{_LIST}?per_page=100&page={min(500, count // 100)}"],
            [f"{_LIST}?per_page=100&text={urllib.parse.quote(_part_of(chance, count))}" for _ in range(5_000)],
            [f"{_LIST}/{chance.choice(ids)}" for _ in range(5_000)])


def _part_of(chance: random.Random, count: int) -> str:
    """Return three to ten characters of some product's name or code."""
    some = product(chance.randrange(count))
    text = chance.choice((some.name, some.product_code))
    length = chance.randint(3, 10)
    start = chance.randrange(max(1, len(text) - length))
    return text[start:start + length].strip() or "phone"


# -- measurements -----------------------------------------------------------------------------------------------

_Figures = dict[str, list[Reading]]


def _measure_makola(base_url: str, headers: dict[str, str], questions: _Questions, seconds: int,
                    figures: _Figures) -> None:
    for name, targets in (
            ("1,000 a page", questions.thousand), ("100 a page", questions.hundred),
            ("the first page", questions.first), ("the 500th page", questions.last),
            ("text search", questions.search), ("one product", questions.single)):
        reading.get(base_url, targets, headers, connections=_CONNECTIONS, duration_s=1)
        figures.setdefault(f"makola, {name}", []).append(
            reading.get(base_url, targets, headers, connections=_CONNECTIONS, duration_s=seconds))


def _measure_references(url: str, programs: Path, files: Path, questions: _Questions, seconds: int,
                        figures: _Figures) -> None:
    port = free_port()
    with _process([str(programs / "gunicorn"), "--workers", "1", "--bind", f"127.0.0.1:{port}",
                   "--log-level", "error", "drf_reference:application"], port, f"{_LIST}?per_page=1",
                  {"REFERENCE_DATABASE_URL": url}):
        for name, targets in (("100 a page", questions.hundred), ("one product", questions.single)):
            figures.setdefault(f"DRF, {name}", []).append(reading.get(
                f"http://127.0.0.1:{port}", targets, {}, connections=_CONNECTIONS, duration_s=seconds))
    port = free_port()
    with _process([str(programs / "python"), "-m", "uvicorn", "static_reference:application", "--port", str(port),
                   "--no-access-log", "--log-level", "error", "--loop", "uvloop", "--http", "httptools",
                   "--lifespan", "off"], port, "/memory/one", {"REFERENCE_DIRECTORY": str(files)}):
        for name, path in (("file, 1,000 a page", "/thousand"), ("constant, 1,000 a page", "/memory/thousand"),
                           ("constant, one product", "/memory/one")):
            figures.setdefault(name, []).append(reading.get(
                f"http://127.0.0.1:{port}", [path], {}, connections=_CONNECTIONS, duration_s=seconds))


def _wait_for_change(target: str, headers: dict[str, str], before: bytes) -> None:
    while _read(target, headers)[0] == before:
        time.sleep(0.002)


async def _freshness(url: str, base_url: str, headers: dict[str, str], root_id: int) -> list[float]:
    """Change the markup at the top, again and again; return the seconds until the bottom sees each change."""
    database = await Database.connect(url, min_size=1, max_size=2)
    target = f"{base_url}{_LIST}?per_page=1"
    delays: list[float] = []
    for number in range(_CHANGES):
        before, _ = await asyncio.to_thread(_read, target, headers)
        async with database.transaction() as connection:
            await save_rules(connection, [PriceRule(0, root_id, RuleKind.MARKUP, 1_000 + number)])
        committed = time.monotonic()
        await asyncio.to_thread(_wait_for_change, target, headers, before)
        delays.append(time.monotonic() - committed)
    await database.close()
    return delays


# -- the report -------------------------------------------------------------------------------------------------


def _print(figures: _Figures) -> None:
    for name, runs in figures.items():
        print(f"  {name:<24} {_median(runs, 'requests_per_s'):>9,.0f}/s  "
              f"{_median(runs, 'bytes_per_s') / 2**20:>7,.0f} MiB/s  p50 {_median(runs, 'p50_ms'):>8.2f} ms  "
              f"p99 {_median(runs, 'p99_ms'):>8.2f} ms  errors {sum(run.error_count for run in runs)}")


def _median(runs: Sequence[Reading], field: str) -> float:
    return float(statistics.median(getattr(run, field) for run in runs))


def _targets(figures: _Figures, delays_s: Sequence[float], memory_mib: float) -> list[Target]:
    def rate(name: str) -> float:
        return _median(figures[name], "requests_per_s")

    pages = rate("makola, the first page") / rate("makola, the 500th page")
    return [
        Target("100 a page: times DRF", rate("makola, 100 a page") / rate("DRF, 100 a page"), ">=", 50),
        Target("1,000 a page: pages/s", rate("makola, 1,000 a page"), ">=", 100),
        Target("1,000 a page: bytes/s over the file's", _median(figures["makola, 1,000 a page"], "bytes_per_s")
               / _median(figures["file, 1,000 a page"], "bytes_per_s"), ">=", 1 / 3),
        Target("one product: over a constant answer", rate("makola, one product") / rate("constant, one product"),
               ">=", 1 / 3),
        Target("text search: p99 in ms", _median(figures["makola, text search"], "p99_ms"), "<", 50),
        Target("500th page and first: slower over faster", max(pages, 1 / pages), "<=", 2),
        Target("a price changed: seen after s at most", max(delays_s), "<", 1),
        Target("memory of the process in MiB", memory_mib, "<", 250)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=50_000, help="how many there are (50,000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each subject is measured (3)")
    parser.add_argument("--seconds", type=int, default=5, help="how long each time (5)")
    arguments = parser.parse_args()
    programs = _prepare_references()
    print(machine.description())
    with prepared_world() as world:
        server = EmbeddedPostgres(world.directory / "postgres")
        try:
            asyncio.run(_run(world.directory, server.url(), programs, arguments))
        finally:
            server.stop()


async def _run(directory: Path, url: str, programs: Path, arguments: argparse.Namespace) -> None:
    await _fill(url, arguments.products)
    database = await Database.connect(url, min_size=1, max_size=1)
    ids = [row["id"] for row in await database.fetch("SELECT id FROM catalogue.product")]
    root_id = await database.fetchval("SELECT id FROM organisations.organisation WHERE parent_id IS NULL")
    await database.close()
    questions = _Questions.about(arguments.products, ids)
    figures: _Figures = {}
    delays_s: list[float] = []
    memories_mib: list[float] = []
    colds_s: list[float] = []
    environment: Any = {"database_url": url, "demo": "true"}
    for _ in range(arguments.rounds):
        port = free_port()
        base_url = f"http://127.0.0.1:{port}"
        with makola("web", directory, port, **environment) as process, \
                tempfile.TemporaryDirectory(prefix="makola-bench-") as files:
            headers = {"Authorization": f"Bearer {await asyncio.to_thread(_token, directory, base_url)}"}
            cold_s, page, total = await asyncio.to_thread(_read_all, base_url, headers)
            single, _ = await asyncio.to_thread(_read, f"{base_url}{questions.single[0]}", headers)
            (Path(files) / "thousand").write_bytes(page)
            (Path(files) / "one").write_bytes(single)
            await asyncio.to_thread(_measure_makola, base_url, headers, questions, arguments.seconds, figures)
            delays_s += await _freshness(url, base_url, headers, root_id)
            memories_mib.append(machine.resident_mib(process.pid))
            colds_s.append(cold_s)
            await asyncio.to_thread(_measure_references, url, programs, Path(files), questions, arguments.seconds,
                                    figures)
    print(f"{total:,} products on the caller's list, {_CONNECTIONS} connections, pages of 1,000 are "
          f"{len(page) / 2**20:.2f} MiB; medians of {arguments.rounds} rounds of {arguments.seconds} s")
    _print(figures)
    print(f"  every product read once after a start, page by page of 1,000: {statistics.median(colds_s):.1f} s; "
          f"a changed price is seen after {statistics.median(delays_s) * 1000:.0f} ms (median of {len(delays_s)})")
    for target in _targets(figures, delays_s, max(memories_mib)):
        print(target)
    print(f"  load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
