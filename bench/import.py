"""`makola import products` of 100,000 nested products, from CSV, JSON lines and XLSX, into an empty database.

The reference is PostgreSQL's own COPY of the same documents into one table: what the disk and the server ask for.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import asyncpg

from bench.support import machine
from bench.support.products import product
from bench.support.targets import Target
from makola.commands.exchange.formats import RowWriter
from makola.commands.exchange.products import COLUMNS, row_of
from makola.kit.embedded_postgres import EmbeddedPostgres

_MAKOLA = [sys.executable, "-m", "makola"]
_MOST_SECONDS, _MOST_MEMORY_MIB = 60, 250


def _write(file: Path, count: int) -> None:
    with RowWriter(file, list(COLUMNS)) as writer:
        for number in range(count):
            writer.write(row_of(product(number)))


def _import(file: Path, data: Path) -> tuple[float, float]:
    """Return the seconds that the import takes, and the most memory that it holds in MiB."""
    subprocess.run([*_MAKOLA, "migrate", "--data", str(data)], check=True, stdout=subprocess.DEVNULL)
    began = time.monotonic()
    process = subprocess.Popen([*_MAKOLA, "import", "products", str(file), "--data", str(data)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise RuntimeError(f"the import ended with {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - began, usage.ru_maxrss / 1024


async def _copy(url: str, into: str) -> float:
    """Return the seconds that a COPY of the stored documents into another table takes."""
    connection = await asyncpg.connect(url)
    try:
        rows = [tuple(row) for row in await connection.fetch("SELECT product_id, template FROM catalogue.document")]
        await connection.execute(f"CREATE TABLE {into} (product_id bigint PRIMARY KEY, template bytea NOT NULL)")
        began = time.monotonic()
        await connection.copy_records_to_table(into, records=rows)
        return time.monotonic() - began
    finally:
        await connection.close()


def _reference(data: Path) -> float:
    server = EmbeddedPostgres(data / "postgres")
    try:
        return asyncio.run(_copy(server.url(), "reference_document"))
    finally:
        server.stop()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=100_000, help="how many (100,000)")
    parser.add_argument("--formats", nargs="+", choices=("csv", "jsonl", "xlsx"), default=["csv", "jsonl", "xlsx"])
    arguments = parser.parse_args()
    print(machine.description())
    for ending in arguments.formats:
        with tempfile.TemporaryDirectory(prefix="makola-bench-") as name:
            directory = Path(name)
            directory.chmod(0o755)
            file = directory / f"products.{ending}"
            _write(file, arguments.products)
            seconds, memory_mib = _import(file, directory / "data")
            reference_s = _reference(directory / "data")
            print(f"  {ending}: {file.stat().st_size / 2**20:.0f} MiB, {arguments.products / seconds:,.0f} products/s, "
                  f"{seconds / reference_s:.0f} times as long as a COPY of the documents ({reference_s:.1f} s)")
            print(Target(f"{ending}: {arguments.products:,} products in s", seconds, "<", _MOST_SECONDS))
            print(Target(f"{ending}: memory of the process in MiB", memory_mib, "<", _MOST_MEMORY_MIB), flush=True)
    print(f"  load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
