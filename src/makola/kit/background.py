"""Background services: loops that end with the process, and nothing else.

There is no job framework: a table with a state is its own queue (design, section 1). A loop here asks a
service to do one batch of what is due, and sleeps until it is woken or its timer runs out.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from makola.kit.database import OUTAGE

_log = structlog.get_logger(__name__)
_AFTER_OUTAGE_S = 1.0


class Background:
    """The loops of one process. A loop that fails unexpectedly sets `failed`, and the process must end."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self.stopping = asyncio.Event()
        self.failed = asyncio.Event()

    def every(self, name: str, step: Callable[[], Awaitable[bool]], *, idle_s: float,
              wake: asyncio.Event | None = None) -> None:
        """Run `step` again and again.

        Args:
            name: what the log calls it.
            step: does one batch; True when there may be more to do at once.
            idle_s: the longest sleep between two steps, in seconds.
            wake: set to end the sleep early.
        """
        self._start(name, self._loop(name, step, idle_s, wake or asyncio.Event()))

    def run(self, name: str, service: Callable[[], Awaitable[None]]) -> None:
        """Run `service` until it ends by itself or the process stops."""
        self._start(name, service())

    async def stop(self, *, grace_s: float = 3.0) -> None:
        """Let every loop finish its present step, for at most `grace_s`, then cancel what is left."""
        self.stopping.set()
        if not self._tasks:
            return
        _, left = await asyncio.wait(self._tasks, timeout=grace_s)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _start(self, name: str, work: Awaitable[None]) -> None:
        async def body() -> None:
            await work

        task = asyncio.create_task(body(), name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.critical("background_failed", service=task.get_name(), exc_info=error)
            self.failed.set()

    async def _loop(self, name: str, step: Callable[[], Awaitable[bool]], idle_s: float,
                    wake: asyncio.Event) -> None:
        stopping = asyncio.create_task(self.stopping.wait())
        try:
            while not self.stopping.is_set():
                wake.clear()
                try:
                    if await step():
                        continue
                except OUTAGE as error:
                    _log.warning("background_waits_for_database", service=name, error=str(error))
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self.stopping.wait(), _AFTER_OUTAGE_S)
                    continue
                woken = asyncio.create_task(wake.wait())
                try:
                    await asyncio.wait({stopping, woken}, timeout=idle_s, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    woken.cancel()
        finally:
            stopping.cancel()
