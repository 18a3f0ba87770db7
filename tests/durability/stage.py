"""What a durability test plays on, and what it checks at the end."""

import asyncio
import random
import time
from dataclasses import dataclass

import asyncpg

from tests.durability import invariants
from tests.durability.load import Load, Told
from tests.durability.receiver import Receiver
from tests.serving import Serving

_ENOUGH_ANSWERS = 32


@dataclass(frozen=True)
class Stage:
    """A running server, an application that hears of every message, and chance."""

    server: Serving
    receiver: Receiver
    chance: random.Random

    async def in_mid_load(self, load: Load, *, at_most_s: float = 0.7) -> None:
        """Return at a random moment while messages pass."""
        load.up.set()
        enough, deadline = load.answers + _ENOUGH_ANSWERS, time.monotonic() + 60
        while load.answers < enough:
            assert time.monotonic() < deadline, f"nothing passes: {self.server.errors}"
            await asyncio.sleep(0.01)
        await asyncio.sleep(self.chance.uniform(0, at_most_s))

    async def kill(self, load: Load) -> None:
        """Kill the server; the programs wait until there is another."""
        load.up.clear()
        await asyncio.to_thread(self.server.kill)

    async def start(self) -> None:
        """Start the server again."""
        await asyncio.to_thread(self.server.start)

    async def check(self, told: Told, *, may_be_cancelled: frozenset[str] = frozenset(),
                    cancelled: frozenset[str] = frozenset()) -> None:
        """Wait until the system is at rest, and check all of it.

        Args:
            told: what the programs were told.
            cancelled: the ids of messages whose cancellation was answered 2xx.
            may_be_cancelled: those whose cancellation was asked for.
        """
        await asyncio.to_thread(self.server.check_well)
        database = await asyncpg.connect(self.server.database_url())
        try:
            await invariants.rest(database)
            stored = await invariants.check_messages(database, told)
            deleted = await invariants.find_cancelled(database)
            assert cancelled <= deleted, f"cancelled, and not so: {cancelled - deleted}"
            assert deleted <= may_be_cancelled, f"nobody cancelled {deleted - may_be_cancelled}"
            delivered = stored - deleted
            await invariants.check_delivered(database, delivered)
            await invariants.check_handsets(database, delivered)
            await invariants.check_money(database, delivered)
            invariants.check_reports(self.receiver, delivered)
        finally:
            await database.close()
        print(f"{len(told.answered)} answered, {len(told.unanswered)} not, {len(told.refused)} refused;"
              f" {len(stored)} stored, {len(deleted)} cancelled, {self.receiver.times.total()} reports")
