"""The questions that this process has under way: each provider's go on by themselves, and none waits for another."""

import asyncio
from collections.abc import Collection, Coroutine
from dataclasses import dataclass
from uuid import UUID

#: A provider that has not answered so many is asked nothing more until it has: the rest stays due in the database.
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class _Round:
    provider: str
    transaction_ids: frozenset[UUID]


class Rounds:
    """Tasks that each ask one provider about some transactions and record what it says."""

    def __init__(self) -> None:
        self._under_way: dict[asyncio.Task[None], _Round] = {}

    def begin(self, provider: str, transaction_ids: Collection[UUID], work: Coroutine[None, None, None]) -> None:
        """Begin a round; the transactions are in hand already."""
        task = asyncio.create_task(work, name=f"ask {provider}")
        self._under_way[task] = _Round(provider, frozenset(transaction_ids))

    def full(self) -> list[str]:
        """Return the providers that are to be asked nothing more for now."""
        counts: dict[str, int] = {}
        for task, one in self._under_way.items():
            if not task.done():
                counts[one.provider] = counts.get(one.provider, 0) + len(one.transaction_ids)
        return [provider for provider, count in counts.items() if count >= _AT_ONCE]

    def asked(self) -> frozenset[UUID]:
        """Return what is being asked about."""
        return frozenset().union(*(one.transaction_ids for task, one in self._under_way.items() if not task.done()))

    def collect(self) -> None:
        """Forget the rounds that are over; raise what one of them has raised."""
        for task in [task for task in self._under_way if task.done()]:
            del self._under_way[task]
            if not task.cancelled():
                task.result()

    async def finish(self) -> None:
        """Wait until nothing is under way; raise what a round has raised."""
        while self._under_way:
            await asyncio.wait(self._under_way)
            self.collect()

    async def end_with(self, stopping: asyncio.Event) -> None:
        """Wait for the end of the process and finish; what is cancelled meanwhile is due when its lease ends."""
        try:
            await stopping.wait()
            await self.finish()
        finally:
            for task in self._under_way:
                task.cancel()
