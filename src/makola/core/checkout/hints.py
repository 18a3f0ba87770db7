"""Providers' notices, handed in memory to the loop of this process that asks providers.

A notice is a hint and nothing more: what is lost with the process is found out by the poller, as if there had been
none.
"""

import asyncio
import time
from collections.abc import Iterable
from uuid import UUID

#: A loop that is at one step for longer than this has much to take in hand: new hints go to the database meanwhile.
_PATIENCE_S = 0.25
_MOST = 10_000


class Hints:
    """The transactions whose providers are to be asked at once."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, None] = {}
        self._wake: asyncio.Event | None = None
        self._busy_since: float | None = None

    def listen(self) -> asyncio.Event:
        """Say that this process asks providers from now on; return the event that is set at every hint."""
        self._wake = asyncio.Event()
        return self._wake

    def take(self, transaction_ids: Iterable[UUID]) -> bool:
        """Have providers asked at once; False where nobody in this process would do it soon."""
        stuck = self._busy_since is not None and time.monotonic() - self._busy_since > _PATIENCE_S
        if self._wake is None or stuck or len(self._waiting) >= _MOST:
            return False
        self._waiting.update(dict.fromkeys(transaction_ids))
        self._wake.set()
        return True

    def collect(self, limit: int) -> list[UUID]:
        """Return what is to be asked, the first one first, and be busy until `done`."""
        chosen = list(self._waiting)[:limit]
        for transaction_id in chosen:
            del self._waiting[transaction_id]
        self._busy_since = time.monotonic()
        return chosen

    def done(self, left: Iterable[UUID] = ()) -> bool:
        """End a step, with what it could not do; True when there is more."""
        self._busy_since = None
        self._waiting.update(dict.fromkeys(left))
        return bool(self._waiting)
