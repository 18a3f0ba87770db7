"""An application that receives delivery reports, in the test's own process."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

#: The share of reports that are refused when they first come, so that retries are part of every run.
_REFUSED = 0.1


class Receiver:
    """Remembers every report by its webhook-id, which is how a receiver recognises a repeat."""

    def __init__(self, chance: random.Random) -> None:
        self.reports: dict[str, dict[str, str]] = {}
        self.times: Counter[str] = Counter()
        self.contradictions: list[str] = []
        self.url = ""
        self._chance = chance
        self._refused: set[str] = set()

    async def take(self, request: web.Request) -> web.Response:
        """Remember one report."""
        webhook_id = request.headers["webhook-id"]
        if webhook_id not in self._refused and self._chance.random() < _REFUSED:
            self._refused.add(webhook_id)
            return web.Response(status=503)
        report: dict[str, str] = await request.json()
        if self.reports.setdefault(webhook_id, report) != report:
            self.contradictions.append(webhook_id)
        self.times[webhook_id] += 1
        return web.Response(status=200)

    def statuses(self) -> dict[str, list[str]]:
        """Return the statuses that were reported for each message, repeats left out."""
        found: dict[str, list[str]] = {}
        for report in self.reports.values():
            found.setdefault(report["MessageId"], []).append(report["Status"])
        return found


@asynccontextmanager
async def receiving(chance: random.Random) -> AsyncIterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver(chance)
    application = web.Application()
    application.router.add_post("/reports", receiver.take)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/reports"
    try:
        yield receiver
    finally:
        await runner.cleanup()
