"""Server-sent events of what happens on handsets: live, resumable, and never faster than a browser can draw."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from makola.connectors.sandbox import handset_store, store, ussd_store
from makola.connectors.sandbox.errors import TooManyStreamsError
from makola.connectors.sandbox.schemas import HandsetView, view_handset, view_message, view_operator
from makola.connectors.sandbox.types import OperatorDefaults
from makola.connectors.sandbox.wallet_schemas import WalletNews, read_news
from makola.connectors.sandbox.wallets import Wallets
from makola.kit.database import OUTAGE, Database, WakeUps

_STREAMS_AT_MOST = 200
_MESSAGES_AT_ONCE = 100
_AFTER_OUTAGE_S = 1.0


class Feed:
    """The event streams of one process.

    Args:
        database: where the operator keeps its tables.
        wake_ups: listens on `CHANNELS`.
        stopping: set when the process drains; every stream ends then.
        defaults: how the operator behaves where nobody said otherwise.
        pause_s: the shortest time between two events of one stream.
        heartbeat_s: after how long a silent stream says that it lives.
        poll_s: how often a stream looks although nothing woke it, because a notification can be lost.
        wallets: of the handsets; None where there are none.
    """

    def __init__(self, database: Database, wake_ups: WakeUps, stopping: asyncio.Event,
                 defaults: OperatorDefaults | None = None, *, pause_s: float = 0.15,
                 heartbeat_s: float = 15.0, poll_s: float = 5.0, wallets: Wallets | None = None) -> None:
        self._database = database
        self._wake_ups = wake_ups
        self._stopping = stopping
        self._defaults = defaults or OperatorDefaults()
        self._pause_s = pause_s
        self._heartbeat_s = heartbeat_s
        self._poll_s = poll_s
        self._wallets = wallets
        self._open = 0

    @asynccontextmanager
    async def _woken(self) -> AsyncIterator[asyncio.Event]:
        event = self._wake_ups.on(store.NEWS_CHANNEL)
        self._open += 1
        try:
            yield event
        finally:
            self._open -= 1
            self._wake_ups.forget(store.NEWS_CHANNEL, event)

    def stream(self, number: str | None, after: int | None) -> AsyncIterator[bytes]:
        """Return events until the process drains or the handset is deleted.

        Args:
            number: of one handset; None for all of them.
            after: the last message id that the reader has; None to begin with what is new.

        Returns:
            `event: ready`, then `messages`, `wallets`, `ussd`, `handset` (for one) or `handsets` and `operator`
            (for all), and comments as heartbeats. Their `id` is the last message's.

        Raises:
            TooManyStreamsError: this process has as many as it may have.
        """
        if self._open >= _STREAMS_AT_MOST:
            raise TooManyStreamsError(f"{_STREAMS_AT_MOST} event streams are open already")
        return self._events(number, after)

    async def _events(self, number: str | None, after: int | None) -> AsyncIterator[bytes]:
        async with self._woken() as woken:
            newest = await handset_store.fetch_last_id(self._database)
            cursor = newest if after is None else min(after, newest)  # another database may stand here now
            reader = _Reader(self._database, self._defaults, number, cursor, self._wallets)
            yield b"retry: 1000\n" + _event("ready", {"last_id": cursor}, cursor)
            clock = asyncio.get_running_loop().time
            spoke_at = clock()
            while not (self._stopping.is_set() or reader.gone):
                woken.clear()
                try:
                    news = await reader.read()
                except OUTAGE:
                    await self._wait(None, _AFTER_OUTAGE_S)
                    continue
                if news:
                    yield news
                    spoke_at = clock()
                    await self._wait(None, self._pause_s)
                    continue
                silence_left_s = self._heartbeat_s - (clock() - spoke_at)
                if silence_left_s <= 0:
                    yield b": still here\n\n"
                    spoke_at = clock()
                    continue
                await self._wait(woken, min(self._poll_s, silence_left_s))

    async def _wait(self, woken: asyncio.Event | None, seconds: float) -> None:
        """Sleep until `woken`, until the process drains, or for `seconds`."""
        waits = [asyncio.ensure_future(event.wait()) for event in (self._stopping, woken) if event is not None]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


class _Reader:
    """What one stream has told already."""

    def __init__(self, database: Database, defaults: OperatorDefaults, number: str | None, cursor: int,
                 wallets: Wallets | None) -> None:
        self._database = database
        self._defaults = defaults
        self._number = number
        self._cursor = cursor
        self._revision = -1
        self._handset: HandsetView | None = None
        self._wallets = wallets
        self._wallet_news: WalletNews | None = None
        self._ussd_cursor: int | None = None
        self.gone = False

    async def read(self) -> bytes:
        """Return what is new as events, empty when nothing is."""
        return await self._in_wallets() + await self._changes() + await self._messages() + await self._ussd()

    async def _in_wallets(self) -> bytes:
        """Every wallet and every prompt, whenever one of them is not what it was."""
        if self._wallets is None or self.gone:
            return b""
        news = await read_news(self._wallets, self._number)
        if news == self._wallet_news:
            return b""
        self._wallet_news = news
        return _event("wallets", news, self._cursor)

    async def _ussd(self) -> bytes:
        """What the network has shown unasked since this stream began."""
        if self._ussd_cursor is None:
            self._ussd_cursor = await ussd_store.fetch_last_event_id(self._database)
            return b""
        told = await ussd_store.fetch_events(self._database, self._number, self._ussd_cursor)
        if told:
            self._ussd_cursor = told[-1].event_id
        return b"".join(_event("ussd", {"number": event.number, "session": event.session, "text": event.text,
                                        "open": False, "masked": False}, self._cursor) for event in told)

    async def _messages(self) -> bytes:
        limit = _MESSAGES_AT_ONCE + 1
        if self._number is None:
            found = await handset_store.fetch_newest_of_handsets(self._database, self._cursor, limit)
        else:
            found = await handset_store.fetch_newest_messages(self._database, self._number, self._cursor, limit)
        if not found:
            return b""
        self._cursor = found[-1].id
        shown = found[-_MESSAGES_AT_ONCE:]
        return _event("messages", {"messages": [view_message(message) for message in shown],
                                   "incomplete": len(found) > len(shown)}, self._cursor)

    async def _changes(self) -> bytes:
        status = await store.fetch_status(self._database, self._defaults)
        if status.revision == self._revision:
            return b""
        self._revision = status.revision
        if self._number is None:
            return (_event("operator", view_operator(status), self._cursor)
                    + _event("handsets", {"revision": status.revision}, self._cursor))
        handset = await handset_store.fetch_handset(self._database, self._number)
        if handset is None:
            self.gone = True
            return _event("gone", {"number": self._number}, self._cursor)
        view = msgspec.structs.replace(view_handset(handset), last_message_id=0)
        if view == self._handset:
            return b""
        self._handset = view
        return _event("handset", view_handset(handset), self._cursor)


def _event(name: str, data: object, last_id: int) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (last_id, name.encode(), msgspec.json.encode(data))
