"""The top of every page on a phone."""

import pytest
from playwright.async_api import Browser, expect

from tests.serving import Serving
from tests.web.conftest import visit

#: The links of which an edge is cut off, or under something else.
_HIDDEN = """() => [...document.querySelectorAll(".top__nav a")].filter(link => {
  const box = link.getBoundingClientRect(), middle = box.y + box.height / 2;
  return box.width && [box.left + 3, box.right - 3].some(x => !link.contains(document.elementFromPoint(x, middle)));
}).map(link => link.textContent)"""


@pytest.mark.parametrize("path", ["/handset", "/callbacks", "/ussd", "/docs", "/docs/unity"])
async def test_every_page_can_be_reached_on_a_narrow_phone(browser: Browser, server: Serving, path: str) -> None:
    async with visit(browser, 360, 740) as page:
        await page.goto(server.url + path)
        links = page.locator(".top__nav a:visible")
        await expect(links.first).to_be_visible()
        assert await links.count() >= 3
        assert await page.evaluate(_HIDDEN) == []
        assert await page.evaluate("document.documentElement.scrollWidth") == 360
