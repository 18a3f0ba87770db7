"""Schedules: how late messages leave when many are due at the same second.

`makola serve` with so many messages scheduled for one moment; lateness is measured where it counts, by the time at
which the operator took each message. The virtual operator delivers 5 s later, so that its own work, which a real
one does on its own machine, is not in the figure.
"""

import argparse
import asyncio
import statistics
import time
from datetime import UTC, datetime, timedelta

import aiohttp
import asyncpg

from bench.support import machine
from bench.support.server import World, free_port, makola, prepared_world
from bench.support.targets import Target
from makola.kit.embedded_postgres import EmbeddedPostgres

_LATENESS = """
SELECT extract(epoch FROM s.accepted_at - m."time")::float8 AS late_s
FROM messaging.message m JOIN sandbox.submission s ON s.message_id = m.id WHERE m."time" = $1
"""


async def _schedule(world: World, port: int, at: datetime, count: int) -> None:
    """Schedule `count` messages for `at`."""
    body = {"From": "Makola", "To": world.handset, "Content": "It is time.", "Time": f"{at:%Y-%m-%d %H:%M:%S}"}
    waiting = asyncio.Semaphore(64)
    async with aiohttp.ClientSession(headers={"Authorization": world.authorization}) as session:
        async def one() -> None:
            async with waiting, session.post(f"http://127.0.0.1:{port}/v1/messages", json=body) as answer:
                if answer.status != 201:
                    raise RuntimeError(await answer.text())

        await asyncio.gather(*(one() for _ in range(count)))


async def _measure(url: str, at: datetime, count: int) -> list[float]:
    """Return the lateness of each message, once all have left."""
    connection = await asyncpg.connect(url)
    deadline = time.monotonic() + 60
    rows: list[asyncpg.Record] = []
    while len(rows) < count and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        rows = await connection.fetch(_LATENESS, at)
    await connection.close()
    return sorted(row["late_s"] for row in rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000, help="how many are due at once (10,000)")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(machine.description())
    with prepared_world() as world:
        server = EmbeddedPostgres(world.directory / "postgres")
        port = free_port()
        with makola("serve", world.directory, port, database_url=server.url(), demo="true",
                    sandbox_delivery_delay_ms="5000"):
            lasts = []
            for _ in range(arguments.rounds):
                at = (datetime.now(UTC) + timedelta(seconds=5 + arguments.messages / 400)).replace(microsecond=0)
                asyncio.run(_schedule(world, port, at, arguments.messages))
                slack_s = (at - datetime.now(UTC)).total_seconds()
                late = asyncio.run(_measure(server.url(), at, arguments.messages))
                lasts.append(late[-1])
                print(f"{len(late):,} of {arguments.messages:,} left: p50 {statistics.median(late):.3f} s late,"
                      f" p99 {late[int(len(late) * 0.99)]:.3f} s, last {late[-1]:.3f} s"
                      f" (scheduling ended {slack_s:.0f} s before)", flush=True)
            print(f"the last of {arguments.messages:,} left {statistics.median(lasts):.3f} s late (median of rounds)")
            print(Target("the last leaves, s late", statistics.median(lasts), "<=", 1.0))
        server.stop()


if __name__ == "__main__":
    main()
