"""Live news: nobody holds the streams of others, and a page without a stream is told all the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from playwright.async_api import Browser, expect

from tests.sandbox.operator_world import eventually
from tests.web.checkout.shop import Shop
from tests.web.conftest import visit

_STREAMS = 5


@asynccontextmanager
async def _streams(shop: Shop, url: str, count: int) -> AsyncIterator[list[int]]:
    """Open streams of a page at the same time and hold those that say something; give the status of each."""
    async with httpx.AsyncClient(base_url=shop.server.url, timeout=20) as client, AsyncExitStack() as held:
        read: list[AsyncIterator[bytes]] = []  # one that nobody reads any more is closed

        async def open_one() -> int:
            answer = await held.enter_async_context(client.stream("GET", f"{url}/events"))
            read.append(answer.aiter_bytes())
            if answer.status_code == httpx.codes.OK and not await anext(read[-1], b""):
                return 0
            return answer.status_code

        yield list(await asyncio.gather(*(open_one() for _ in range(count))))


async def test_one_checkout_has_a_few_streams(shop: Shop) -> None:
    url, other = await shop.sell(), await shop.sell()
    base, _, token = url.rpartition("/")
    other_spelling = f"{base}/{token.replace('-', '').upper()}"
    async with _streams(shop, url, _STREAMS) as held:
        assert held == [200] * _STREAMS
        for spelling in (url, other_spelling):
            refused = await shop.client.get(f"{spelling}/events")
            assert refused.status_code == 503
        state = (await shop.client.get(f"{url}/state")).json()
        assert state["scene"] == "choose"
        async with _streams(shop, other, 1) as others:
            assert others == [200]

    async def free() -> bool:
        async with _streams(shop, url, 1) as again:
            return again == [200]

    await eventually(free)


async def test_many_streams_asked_for_at_the_same_moment(shop: Shop) -> None:
    async with _streams(shop, await shop.sell(), 4 * _STREAMS) as held:
        assert held.count(200) == _STREAMS


async def test_a_page_without_a_stream_asks_from_time_to_time(browser: Browser, shop: Shop) -> None:
    url = await shop.sell()
    async with _streams(shop, url, _STREAMS) as held, visit(browser) as customer:
        assert held == [200] * _STREAMS
        await customer.goto(url)
        await customer.get_by_label("Mobile number").fill(shop.numbers["MTN"])
        await customer.get_by_role("button", name="Continue").click()
        await expect(customer.get_by_role("heading", name="Approve on your phone")).to_be_visible()
        await shop.approve("MTN")
        await expect(customer.get_by_role("heading", name="Paid", exact=True)).to_be_visible(timeout=15_000)
