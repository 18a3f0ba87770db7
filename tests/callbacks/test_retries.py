"""When a callback is tried again."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makola.core.callbacks.retries import next_delay_s, read_retry_after
from makola.core.callbacks.types import CallbackPolicy

POLICY = CallbackPolicy()
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
DAY_S = 24 * 3600
spreads = st.floats(-1, 1)


def test_the_schedule() -> None:
    assert [next_delay_s(POLICY, tries, 0.0) for tries in range(1, 11)] == [
        5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400, None]


@given(st.integers(1, 9), spreads)
def test_jitter_is_a_fifth_either_way(tries: int, spread: float) -> None:
    exact = POLICY.retry_delays_s[tries - 1]
    delay_s = next_delay_s(POLICY, tries, spread)
    assert delay_s is not None
    assert exact * 0.8 - 1e-6 <= delay_s <= exact * 1.2 + 1e-6


@given(st.integers(1, 9), spreads, st.floats(0, 1e12))
def test_retry_after_only_ever_delays_and_by_a_day_at_most(tries: int, spread: float, asked_s: float) -> None:
    own = next_delay_s(POLICY, tries, spread)
    delay_s = next_delay_s(POLICY, tries, spread, asked_s)
    assert own is not None
    assert delay_s == max(own, min(asked_s, DAY_S))


def test_retry_after_adds_no_attempt() -> None:
    assert next_delay_s(POLICY, 10, 0.0, 60.0) is None


@pytest.mark.parametrize(("text", "seconds"), [
    ("120", 120.0), (" 0 ", 0.0), ("Sun, 01 Mar 2026 12:01:30 GMT", 90.0), ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
    ("Sunday, 01-Mar-26 12:00:10 GMT", 10.0), ("Sun Mar  1 12:00:20 2026", 20.0), (None, None), ("", None),
    ("-5", None), ("1.5", None), ("soon", None), ("٣", None), ("9" * 13, None),
    ("Sun, 01 Mar 99999 12:00:00 GMT", None), ("Sun, 31 Feb 2026 12:00:00 GMT", None)])
def test_retry_after_is_read(text: str | None, seconds: float | None) -> None:
    assert read_retry_after(text, NOW) == seconds


@given(st.text())
def test_any_retry_after_is_read_without_an_error(text: str) -> None:
    seconds = read_retry_after(text, NOW)
    assert seconds is None or seconds >= 0
