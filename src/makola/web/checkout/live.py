"""Live news for an open page: one event whenever it should show something else."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

from makola.core.checkout.desk import Desk
from makola.core.checkout.errors import UnknownCheckoutError
from makola.core.checkout.queries import checkout_view
from makola.kit.database import OUTAGE
from makola.kit.ids import parse_id
from makola.web.checkout.view import QUIET, scene_of, version_of

_STREAMS_AT_MOST = 500
#: A customer has a window or two; whoever knows one address must not hold the streams of all others.
_STREAMS_OF_ONE_AT_MOST = 5
_LOOK_S = 0.6
_LOOK_LATER_S = 2.5
_LATER = 150
_HEARTBEAT_LOOKS = 20
_LOOKS_AT_MOST = 1_500


class TooManyWatchersError(Exception):
    """This checkout, or this process, has as many open streams as it may have."""


class Watchers:
    """The streams of one process.

    Args:
        desk: the core's services.
        stopping: set when the process drains; every stream ends then.
    """

    def __init__(self, desk: Desk, stopping: asyncio.Event) -> None:
        self._desk = desk
        self._stopping = stopping
        self._open: Counter[UUID | None] = Counter()

    def watch(self, token: str) -> AsyncIterator[bytes]:
        """Return server-sent events: `version` with a text that changes whenever the page should be looked at again.

        Raises:
            TooManyWatchersError: too many are open; a page then asks from time to time.
        """
        checkout_id = parse_id(token)  # the same address may be written in several ways
        if self._is_full(checkout_id):
            raise TooManyWatchersError
        return self._events(token, checkout_id)

    def _is_full(self, checkout_id: UUID | None) -> bool:
        return self._open.total() >= _STREAMS_AT_MOST or self._open[checkout_id] >= _STREAMS_OF_ONE_AT_MOST

    async def _events(self, token: str, checkout_id: UUID | None) -> AsyncIterator[bytes]:
        if self._is_full(checkout_id):  # of many that asked at the same moment; the page asks again, and is told so
            return
        self._open[checkout_id] += 1
        try:
            yield b"retry: 2000\n\n"
            told = ""
            for look in range(_LOOKS_AT_MOST):
                version, is_last = await self._version(token)
                if version and version != told:
                    yield f"event: version\ndata: {version}\n\n".encode()
                    told = version
                elif look % _HEARTBEAT_LOOKS == 0:
                    yield b": still here\n\n"
                if is_last or await self._stopped(_LOOK_S if look < _LATER else _LOOK_LATER_S):
                    return
        finally:
            self._open[checkout_id] -= 1
            if not self._open[checkout_id]:
                del self._open[checkout_id]

    async def _version(self, token: str) -> tuple[str, bool]:
        """Return what the page should show now, and whether that is the end of it."""
        try:
            view = await checkout_view(self._desk, token)
        except UnknownCheckoutError:
            return "", True
        except OUTAGE:
            return "", False
        return version_of(view), scene_of(view) in QUIET

    async def _stopped(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True
