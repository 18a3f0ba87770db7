"""The dial pad, a session, and the log under axe-core, in both schemes and on both sizes of screen."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.serving import Serving
from tests.ussd_kit.applications import application, banking
from tests.web.conftest import visit
from tests.web.test_ussd_handset import make_handset, open_phone, send_code

_AXE = Path(__file__).parents[1] / "clients" / "node" / "node_modules" / "axe-core" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


async def _complaints(page: Page) -> list[str]:
    """Return what axe finds wrong with the page as it is now."""
    await page.evaluate(_AXE.read_text())
    found: list[str] = await page.evaluate(
        "async (rules) => (await axe.run(document, {runOnly: rules})).violations"
        ".map((each) => `${each.id}: ${each.nodes.map((node) => node.target).join(', ')}`)", _RULES)
    return found


@pytest.mark.skipif(not _AXE.exists(), reason="axe-core is not installed; ./dev test installs it where Node.js is")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
async def test_nothing_is_wrong(browser: Browser, server: Serving, scheme: str, width: int, height: int) -> None:
    await make_handset(server, "+233244000021")
    with application(banking) as bank:
        await send_code(server, "751", bank.url)
        async with visit(browser, width, height) as page:
            await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            phone = await open_phone(page, server, "+233244000021")
            assert await _complaints(page) == []
            await page.keyboard.type("*751#")
            await page.keyboard.press("Enter")
            await expect(phone.get_by_label("Your reply")).to_be_focused()
            assert await _complaints(page) == []
            await page.keyboard.press("Escape")
            await page.goto(f"{server.url}/ussd")
            await page.locator(".session summary").first.click()
            await page.get_by_role("button", name="Replay against the application").first.click()
            await page.get_by_role("button", name="Send", exact=True).click()
            await expect(page.locator(".verdict").first).to_be_visible()
            assert await _complaints(page) == []
