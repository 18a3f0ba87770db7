"""A server whose leases and retries are short, an application that hears of every message, and a seed."""

import random
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
import pytest_asyncio

from tests.durability.receiver import receiving
from tests.durability.stage import Stage
from tests.serving import Serving, seed, serving

#: Short enough that what a killed process had in hand is soon taken over; the callbacks' lease is four time-outs.
_SETTINGS = {
    "lease_s": "2", "callback_timeout_s": "1", "callback_retry_delays_s": ",".join(["0.2"] * 40),
    "sandbox_delivery_delay_ms": "50", "log_level": "warning",
}


@pytest.fixture
def chance() -> random.Random:
    """Chance that can be repeated: run with `MAKOLA_TEST_SEED` set to what a failed run has printed."""
    number = seed()
    print(f"MAKOLA_TEST_SEED={number}")
    return random.Random(number)


@pytest.fixture
def server() -> Iterator[Serving]:
    """A running server of this test's own."""
    with serving(**_SETTINGS) as running:
        yield running


@pytest_asyncio.fixture
async def stage(server: Serving, chance: random.Random) -> AsyncIterator[Stage]:
    """A running server whose demonstration merchant has its delivery reports sent to the test."""
    async with receiving(chance) as receiver:
        credentials = aiohttp.encode_basic_auth(*server.world.merchant.pair)
        async with aiohttp.ClientSession(headers={"Authorization": credentials}) as session:
            answer = await session.put(f"{server.url}/v1/account/settings",
                                       json={"DeliveryReportNotificationUrl": receiver.url})
            assert answer.status == 200
        yield Stage(server, receiver, chance)
