"""One running server for the clients, and a way to wait for what happens after an answer."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from tests.serving import Serving, serving

Answer = TypeVar("Answer")

_TIMEOUT_S = 30.0


@pytest.fixture(scope="package")
def server() -> Iterator[Serving]:
    """A running server that all tests of this folder share."""
    with serving(sandbox_delivery_delay_ms="20", log_level="warning") as running:
        yield running


def eventually(ask: Callable[[], Answer], condition: Callable[[Answer], bool]) -> Answer:
    """Ask until the answer is as wanted; return it."""
    deadline = time.monotonic() + _TIMEOUT_S
    while not condition(answer := ask()):
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)
    return answer
