"""Who is called next, so that a slow or dead receiver waits for itself alone.

Every receiver has a lane. A lane is trusted while its receiver answers, within a second on average. The rules:

- in one lane at most `in_flight_per_receiver` attempts run, and a single one as long as no answer has come or
  the last attempt got none: the next answer opens the lane;
- the lanes that are not trusted share half of the slots, so that the others always have the other half;
- an attempt that has waited for more than a second is parked: it holds no slot any more, while fewer than
  `in_flight_limit` are parked. So even many dead receivers at once, of which nothing is known yet when a
  process starts, hold the others up for about a second;
- a trusted lane holds claimed deliveries for a quarter of a second of its own speed, so that a fast receiver
  never waits for the database; any other lane holds only what it may send, so as not to sit on leases.
"""

import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from makola.core.callbacks.types import CallbackPolicy

_SLOW_S = 1.0
_STOCK_S = 0.25
_STOCK_LIMIT = 256
_LANES_KEPT = 1024
_AVERAGE_WEIGHT = 0.2

#: How many deliveries are claimed at first for a receiver of which nothing is known.
UNKNOWN_ROOM = 1


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours until `lease_until`; `stale_at` is the last moment to begin, in loop time."""

    delivery_id: UUID
    organisation_id: int
    receiver: str
    method: str
    url: str = field(repr=False)
    query: str = field(repr=False)
    body: bytes | None = field(repr=False)
    content_type: str
    tries: int
    lease_until: datetime
    secret: str = field(repr=False)
    stale_at: float
    previous_secret: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class _Lane:
    waiting: deque[Claimed] = field(default_factory=deque)
    in_flight: int = 0
    parked: int = 0
    queued: bool = False
    open: bool = False
    trusted: bool = False
    duration_s: float | None = None

    @property
    def held(self) -> int:
        return self.in_flight + len(self.waiting)

    @property
    def slots(self) -> int:
        return self.in_flight - self.parked


@dataclass(frozen=True, slots=True)
class Rooms:
    """How many deliveries may be claimed.

    Attributes:
        trusted: for each trusted receiver with room.
        trusted_limit: for all of these together.
        others: for each receiver we know; none for the trusted ones. The rest have `UNKNOWN_ROOM`.
        others_limit: for all that are not trusted together.
    """

    trusted: dict[str, int]
    trusted_limit: int
    others: dict[str, int]
    others_limit: int


class Lanes:
    """Claimed deliveries, waiting or under way, by receiver. Times are those of the event loop, in seconds."""

    def __init__(self, policy: CallbackPolicy) -> None:
        self._slot_limit = policy.in_flight_limit
        self._untrusted_limit = max(1, policy.in_flight_limit // 2)
        self._per_receiver = policy.in_flight_per_receiver
        self._lanes: dict[str, _Lane] = {}
        self._ready: deque[str] = deque()
        self._started_at: dict[UUID, float] = {}
        self._holding_slot: dict[UUID, str] = {}
        self._slots = 0
        self._untrusted_slots = 0

    @property
    def in_flight(self) -> int:
        """The number of attempts under way."""
        return len(self._started_at)

    def rooms(self) -> Rooms:
        """Return what may be claimed now."""
        trusted: dict[str, int] = {}
        others: dict[str, int] = {}
        trusted_held = others_held = 0
        for receiver, lane in self._lanes.items():
            room = max(0, self._stock(lane) - lane.held)
            if lane.trusted:
                trusted_held += lane.held
                others[receiver] = 0
                if room:
                    trusted[receiver] = room
            else:
                others_held += lane.slots + len(lane.waiting)
                others[receiver] = room
        shuffled = list(trusted.items())
        random.shuffle(shuffled)  # nobody is always first when the limit is near
        return Rooms(dict(shuffled), max(0, 4 * self._slot_limit - trusted_held),
                     others, max(0, 2 * self._untrusted_limit - others_held))

    def add(self, claimed: Iterable[Claimed]) -> None:
        """Take in what was claimed."""
        for delivery in claimed:
            lane = self._lanes.setdefault(delivery.receiver, _Lane())
            lane.waiting.append(delivery)
            self._offer(delivery.receiver, lane)

    def start(self, now: float) -> Claimed | None:
        """Return the next delivery to send, each lane in its turn; None when nothing may start now."""
        if self._slots >= self._slot_limit:
            return None
        for _ in range(len(self._ready)):
            receiver = self._ready.popleft()
            lane = self._lanes[receiver]
            lane.queued = False
            if not lane.trusted and self._untrusted_slots >= self._untrusted_limit:
                self._offer(receiver, lane)
                continue
            if lane.waiting and lane.in_flight < self._cap(lane):
                delivery = lane.waiting.popleft()
                self._started_at[delivery.delivery_id] = now
                self._holding_slot[delivery.delivery_id] = receiver
                lane.in_flight += 1
                self._count_slots(lane, 1)
                self._offer(receiver, lane)
                return delivery
        return None

    def park(self, now: float) -> None:
        """Take the slots from attempts that have waited for long."""
        while len(self._started_at) - self._slots < self._slot_limit and self._holding_slot:
            delivery_id, receiver = next(iter(self._holding_slot.items()))  # the oldest
            if now - self._started_at[delivery_id] <= _SLOW_S:
                return
            del self._holding_slot[delivery_id]
            lane = self._lanes[receiver]
            lane.parked += 1
            self._count_slots(lane, -1)

    def finish(self, delivery: Claimed, now: float, *, answered: bool) -> list[Claimed]:
        """Note that the attempt at `delivery` has ended.

        Args:
            delivery: what `start` returned.
            now: when.
            answered: False when no answer came.

        Returns:
            What waited in a lane that has just fallen silent: no longer ours, to be released.
        """
        lane = self._lanes[delivery.receiver]
        duration_s = now - self._started_at[delivery.delivery_id]
        self._end(delivery, lane)
        before_s = duration_s if lane.duration_s is None else lane.duration_s
        lane.duration_s = before_s + (duration_s - before_s) * _AVERAGE_WEIGHT
        lane.open = answered
        trusted = answered and lane.duration_s <= _SLOW_S
        if trusted != lane.trusted:
            self._untrusted_slots += -lane.slots if trusted else lane.slots
            lane.trusted = trusted
        released: list[Claimed] = []
        if not answered:
            released += lane.waiting
            lane.waiting.clear()
        self._offer(delivery.receiver, lane)
        self._forget_idle()
        return released

    def forget(self, delivery: Claimed) -> None:
        """Note that the attempt at `delivery` was given up and says nothing about its receiver."""
        lane = self._lanes[delivery.receiver]
        self._end(delivery, lane)
        self._offer(delivery.receiver, lane)

    def empty(self) -> list[Claimed]:
        """Take out everything that waits."""
        released = [delivery for lane in self._lanes.values() for delivery in lane.waiting]
        for lane in self._lanes.values():
            lane.waiting.clear()
        return released

    def _cap(self, lane: _Lane) -> int:
        return self._per_receiver if lane.open else UNKNOWN_ROOM

    def _stock(self, lane: _Lane) -> int:
        cap = self._cap(lane)
        if not lane.trusted or lane.duration_s is None:
            return cap
        return min(cap + int(cap * _STOCK_S / max(lane.duration_s, 0.001)), _STOCK_LIMIT)

    def _count_slots(self, lane: _Lane, change: int) -> None:
        self._slots += change
        if not lane.trusted:
            self._untrusted_slots += change

    def _end(self, delivery: Claimed, lane: _Lane) -> None:
        del self._started_at[delivery.delivery_id]
        lane.in_flight -= 1
        if self._holding_slot.pop(delivery.delivery_id, None) is None:
            lane.parked -= 1
        else:
            self._count_slots(lane, -1)

    def _offer(self, receiver: str, lane: _Lane) -> None:
        if lane.waiting and not lane.queued and lane.in_flight < self._cap(lane):
            lane.queued = True
            self._ready.append(receiver)

    def _forget_idle(self) -> None:
        if len(self._lanes) <= _LANES_KEPT:
            return
        idle = next((receiver for receiver, lane in self._lanes.items() if not (lane.held or lane.queued)), None)
        if idle is not None:
            del self._lanes[idle]
