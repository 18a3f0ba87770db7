"""The rules that keep one receiver from delaying another."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from makola.core.callbacks.lanes import Claimed, Lanes
from makola.core.callbacks.types import CallbackPolicy
from makola.kit.ids import new_id

POLICY = replace(CallbackPolicy(), in_flight_limit=8, in_flight_per_receiver=3)


def claimed(receiver: str) -> Claimed:
    return Claimed(delivery_id=new_id(), organisation_id=1, receiver=receiver, method="POST", url="", query="",
                   body=b"", content_type="", tries=0, lease_until=datetime.now(UTC), secret="", stale_at=1e9)


def started(lanes: Lanes, now: float = 0.0) -> list[Claimed]:
    return list(iter(lambda: lanes.start(now), None))


def make_trusted(lanes: Lanes, receiver: str, now: float = 0.0) -> None:
    lanes.add([claimed(receiver)])
    one = lanes.start(now)
    assert one is not None
    lanes.finish(one, now + 0.01, answered=True)


def receivers(deliveries: list[Claimed]) -> list[str]:
    return [one.receiver for one in deliveries]


def test_an_unknown_receiver_gets_one_attempt_and_more_once_it_answers() -> None:
    lanes = Lanes(POLICY)
    lanes.add(claimed("a") for _ in range(5))
    first = started(lanes)
    assert len(first) == 1
    lanes.finish(first[0], 0.01, answered=True)
    assert len(started(lanes)) == 3


def test_a_receiver_that_falls_silent_gives_back_what_waits_and_is_tried_one_by_one() -> None:
    lanes = Lanes(POLICY)
    make_trusted(lanes, "a")
    waiting = [claimed("a") for _ in range(5)]
    lanes.add(waiting)
    under_way = started(lanes)
    assert len(under_way) == 3
    assert lanes.finish(under_way[0], 15.0, answered=False) == waiting[3:]
    for one in under_way[1:]:
        lanes.finish(one, 15.0, answered=False)
    lanes.add(claimed("a") for _ in range(3))
    assert len(started(lanes, 20.0)) == 1


def test_lanes_take_turns() -> None:
    lanes = Lanes(POLICY)
    for receiver in "ab":
        make_trusted(lanes, receiver)
    lanes.add([claimed("a"), claimed("a"), claimed("a"), claimed("b"), claimed("b")])
    assert receivers(started(lanes)) == ["a", "b", "a", "b", "a"]


def test_the_silent_leave_half_of_the_slots_to_the_others() -> None:
    lanes = Lanes(POLICY)
    make_trusted(lanes, "good")
    lanes.add(claimed(f"unknown {number}") for number in range(20))
    assert len(started(lanes)) == 4
    lanes.add(claimed("good") for _ in range(3))
    assert receivers(started(lanes)) == ["good"] * 3


def test_attempts_that_wait_for_long_hold_no_slot() -> None:
    lanes = Lanes(POLICY)
    lanes.add(claimed(f"dead {number}") for number in range(10))
    lanes.add([claimed("unknown")])
    assert len(started(lanes, 0.0)) == 4
    lanes.park(0.9)
    assert started(lanes, 0.9) == []
    lanes.park(1.1)
    assert len(started(lanes, 1.1)) == 4
    lanes.park(2.2)
    assert receivers(started(lanes, 2.2))[-1] == "unknown"


def test_no_more_are_parked_than_the_limit() -> None:
    lanes = Lanes(POLICY)
    lanes.add(claimed(f"dead {number}") for number in range(100))
    for second in range(20):
        lanes.park(second * 2.0)
        started(lanes, second * 2.0)
    assert lanes.in_flight == POLICY.in_flight_limit + POLICY.in_flight_limit // 2


def test_a_fast_receiver_has_a_stock_and_a_slow_one_none() -> None:
    lanes = Lanes(POLICY)
    make_trusted(lanes, "fast")
    lanes.add([claimed("slow")])
    one = lanes.start(0.0)
    assert one is not None
    lanes.finish(one, 3.0, answered=True)
    rooms = lanes.rooms()
    assert rooms.trusted["fast"] > POLICY.in_flight_per_receiver
    assert "slow" not in rooms.trusted
    assert rooms.others == {"fast": 0, "slow": POLICY.in_flight_per_receiver}


def test_what_is_held_limits_what_is_claimed() -> None:
    lanes = Lanes(POLICY)
    lanes.add(claimed(f"unknown {number}") for number in range(5))
    assert lanes.rooms().others_limit == POLICY.in_flight_limit - 5
    assert lanes.rooms().others["unknown 1"] == 0


def test_lanes_of_the_past_are_forgotten() -> None:
    lanes = Lanes(POLICY)
    for number in range(3000):
        make_trusted(lanes, f"receiver {number}")
    assert len(lanes.rooms().others) <= 1024


@given(st.lists(st.tuples(st.sampled_from(["add", "start", "answer", "silence", "give up", "park", "empty"]),
                          st.integers(0, 5)), max_size=200))
def test_the_limits_hold_whatever_happens(steps: list[tuple[str, int]]) -> None:
    lanes = Lanes(POLICY)
    now, waiting, under_way = 0.0, 0, list[Claimed]()

    def take(number: int, end: Callable[[Claimed], list[Claimed]]) -> None:
        nonlocal waiting
        if under_way:
            waiting -= len(end(under_way.pop(number % len(under_way))))

    def give_up(one: Claimed) -> list[Claimed]:
        lanes.forget(one)
        return []

    for step, number in steps:
        now += 0.4
        if step == "add":
            lanes.add([claimed(f"receiver {number}")])
            waiting += 1
        elif step == "start":
            fresh = started(lanes, now)
            under_way += fresh
            waiting -= len(fresh)
        elif step == "answer":
            take(number, partial(lanes.finish, now=now, answered=True))
        elif step == "silence":
            take(number, partial(lanes.finish, now=now, answered=False))
        elif step == "give up":
            take(number, give_up)
        elif step == "park":
            lanes.park(now)
        else:
            waiting -= len(lanes.empty())
        assert lanes.in_flight == len(under_way) <= 2 * POLICY.in_flight_limit
        each = receivers(under_way)
        assert all(each.count(receiver) <= POLICY.in_flight_per_receiver for receiver in each)
    for one in list(under_way):
        lanes.finish(one, now, answered=True)
    rounds = 0
    while fresh := started(lanes, now + 100):  # nothing that waits is ever stuck
        rounds += 1
        waiting -= len(fresh)
        for one in fresh:
            lanes.finish(one, now + 100, answered=True)
    assert waiting == 0
