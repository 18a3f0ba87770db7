"""The sessions that this process goes on with, and until when each waits."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from itertools import chain, islice
from time import monotonic
from typing import TypeAlias

from makola.core.ussd.machine import Session
from makola.core.ussd.ports import Reply
from makola.core.ussd.types import Service, SessionState

Key: TypeAlias = tuple[str, str]

#: How long, and how many, ended sessions are kept so that a repeated push finds its answer without the database.
_KEPT_S = 60.0
_KEPT_AT_MOST = 20_000
#: How many sessions time out in one go: so many, or this share of all.
_DUE_AT_LEAST = 50
_DUE_SHARE = 20


class Live:
    """One session in this process. Whoever changes it holds `lock`.

    Attributes:
        key: the connector, and the operator's id of the session.
        session: None until it has begun, or was read back.
        service: as it was when the session began.
        position: of the last recorded step.
        push_ids: of the recorded steps, the last one last.
        reply: to the last push.
        secrets: what was typed masked, so that it is kept nowhere even where the application repeats it.
        lost: what the session needs to go on was masked, and this process never had it.
        offer: what was dialled, while the subscriber chooses whether to resume a session that timed out.
        deadline: when the subscriber's time is over, on the monotonic clock.
    """

    __slots__ = ("deadline", "key", "lock", "lost", "mobile", "network_id", "offer", "position", "push_ids", "reply",
                 "secrets", "service", "session")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.lock = asyncio.Lock()
        self.session: Session | None = None
        self.service: Service | None = None
        self.mobile = ""
        self.network_id = ""
        self.position = 0
        self.push_ids: tuple[str, ...] = ()
        self.reply: Reply | None = None
        self.secrets: tuple[str, ...] = ()
        self.lost = False
        self.offer: str | None = None
        self.deadline = 0.0

    @property
    def is_open(self) -> bool:
        """Whether there is a session that has not ended."""
        return self.session is not None and self.session.state is not SessionState.ENDED


class LiveSessions:
    """Finds a session by its key, and those whose time is over."""

    def __init__(self, subscriber_timeout_s: float) -> None:
        self._timeout_s = subscriber_timeout_s
        self._by_key: dict[Key, Live] = {}
        # All wait equally long, so the one that was put last is due last; but for those that were read back from disk,
        # which have waited already, each for a time of its own.
        self._waiting: OrderedDict[Key, Live] = OrderedDict()
        self._read_back: OrderedDict[Key, Live] = OrderedDict()
        self._ended: OrderedDict[Key, Live] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_key)

    def get(self, key: Key) -> Live | None:
        """Return a session that this process knows."""
        return self._by_key.get(key)

    def take(self, key: Key) -> Live:
        """Return a session, or an empty place for it."""
        live = self._by_key.get(key)
        if live is None:
            live = self._by_key[key] = Live(key)
        return live

    def wait(self, live: Live, *, already_s: float = 0.0) -> None:
        """Let the subscriber's time begin, or go on after `already_s` of it."""
        self.busy(live)
        live.deadline = monotonic() + max(0.0, self._timeout_s - already_s)
        (self._read_back if already_s else self._waiting)[live.key] = live

    def busy(self, live: Live) -> None:
        """Stop the subscriber's time: a step is under way."""
        self._waiting.pop(live.key, None)
        self._read_back.pop(live.key, None)

    def end(self, live: Live) -> None:
        """Keep an ended session a while, for its last answer."""
        self.busy(live)
        live.deadline = monotonic() + _KEPT_S
        self._ended[live.key] = live
        self._ended.move_to_end(live.key)
        if len(self._ended) > _KEPT_AT_MOST:
            self.forget(next(iter(self._ended.values())))

    def forget(self, live: Live) -> None:
        """Know nothing of a session any more: the database does."""
        if self._by_key.get(live.key) is live:
            del self._by_key[live.key]
        for queue in (self._waiting, self._read_back, self._ended):
            if queue.get(live.key) is live:
                del queue[live.key]

    def clear(self, live: Live) -> None:
        """Empty a session's place for another one."""
        for queue in (self._waiting, self._read_back, self._ended):
            queue.pop(live.key, None)
        self._by_key.setdefault(live.key, live)  # it may have been forgotten when its session went on elsewhere
        live.session, live.service, live.reply, live.offer = None, None, None, None
        live.position, live.push_ids, live.secrets, live.lost = 0, (), (), False

    def due(self) -> list[Live]:
        """Return sessions whose subscriber took too long; forget those that ended a while ago.

        Of many at once only some are returned, so that those who do answer do not wait behind them.
        """
        now = monotonic()
        for live in list(_until(self._ended, now)):
            self.forget(live)
        most = max(_DUE_AT_LEAST, (len(self._waiting) + len(self._read_back)) // _DUE_SHARE)
        read_back = (live for live in self._read_back.values() if live.deadline <= now)
        return list(islice(chain(_until(self._waiting, now), read_back), most))


def _until(queue: OrderedDict[Key, Live], moment: float) -> Iterator[Live]:
    for live in queue.values():
        if live.deadline > moment:
            return
        yield live
