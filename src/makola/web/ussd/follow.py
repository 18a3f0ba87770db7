"""Server-sent events of the log: which sessions have changed, and that there are new errors.

The page then fetches what it shows of them.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from makola.core.ussd.queries import list_failures, list_sessions
from makola.kit.database import OUTAGE, Database
from makola.web.ussd.views import version_of

_STREAMS_AT_MOST = 100
_LOOK_S = 0.7
_HEARTBEAT_S = 15.0
_NEWEST = 25
#: Where the newest error is among the versions of sessions.
_ERRORS = ""


class Follow:
    """The event streams of one process.

    Args:
        database: where sessions are recorded.
        stopping: set when the process drains; every stream ends then.
        look_s: how often a stream looks for changes, in seconds.
    """

    def __init__(self, database: Database, stopping: asyncio.Event, *, look_s: float = _LOOK_S) -> None:
        self._database = database
        self._stopping = stopping
        self._look_s = look_s
        self._open = 0

    @property
    def is_full(self) -> bool:
        """Whether this process has as many streams as it may have."""
        return self._open >= _STREAMS_AT_MOST

    async def events(self, organisation_ids: Sequence[int] | None) -> AsyncIterator[bytes]:
        """Yield `event: changed` with the ids of the newest sessions that are new or have changed.

        There are none of them where it is an error that never became a session.
        """
        self._open += 1
        try:
            yield b"retry: 1500\n\n"
            clock = asyncio.get_running_loop().time
            known, spoke_at = await self._versions(organisation_ids), clock()
            while not self._stopping.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), self._look_s)
                try:
                    now = await self._versions(organisation_ids)
                except OUTAGE:
                    continue
                changed = [session for session, version in now.items() if session and known.get(session) != version]
                if changed or known[_ERRORS] != now[_ERRORS]:
                    yield b"event: changed\ndata: " + json.dumps({"sessions": changed}).encode() + b"\n\n"
                    known, spoke_at = now, clock()
                elif clock() - spoke_at > _HEARTBEAT_S:
                    yield b": alive\n\n"
                    spoke_at = clock()
        finally:
            self._open -= 1

    async def _versions(self, organisation_ids: Sequence[int] | None) -> dict[str, str]:
        """Return what changes with each session, by its id, and with the errors."""
        newest = await list_sessions(self._database, organisation_ids=organisation_ids, limit=_NEWEST)
        failures = await list_failures(self._database, organisation_ids=organisation_ids, limit=1)
        return {_ERRORS: str(failures[0].failure_id if failures else 0)} | {
            history.session.session_id.hex: version_of(history) for history in newest}
