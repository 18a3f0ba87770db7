"""Every face of the page in both languages: axe finds nothing serious, nothing is wider than a small phone."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.web.checkout.shop import Shop
from tests.web.conftest import PATIENCE_MS

_AXE = Path(__file__).parents[2] / "clients" / "node" / "node_modules" / "axe-core" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

Steps = Callable[[Page, Shop], Awaitable[object]]


async def _choose(page: Page, shop: Shop) -> None:
    await page.locator("#number").fill("024 123 4567")


async def _refused(page: Page, shop: Shop) -> None:
    await page.locator("#number").fill("12")
    await page.locator("[data-submit]").click()
    await expect(page.locator(".alert--bad")).to_be_visible()


async def _wait(page: Page, shop: Shop) -> None:
    await page.locator("#number").fill(shop.numbers["MTN"])
    await page.locator("[data-submit]").click()
    await expect(page.locator(".ring")).to_be_visible()


async def _another(page: Page, shop: Shop) -> None:
    await _wait(page, shop)
    await page.locator("a.second").click()
    await expect(page.locator(".ways")).to_be_visible()


async def _paid(page: Page, shop: Shop) -> None:
    await _wait(page, shop)
    await shop.approve("MTN")
    await expect(page.locator(".scene--good")).to_be_visible()
    await page.locator("[data-stay]").click()


async def _failed(page: Page, shop: Shop) -> None:
    await shop.wallet("MTN", registered=False)
    await page.locator("#number").fill(shop.numbers["MTN"])
    await page.locator("[data-submit]").click()
    await expect(page.locator(".alert--bad")).to_be_visible()


async def _ordered(page: Page, shop: Shop) -> None:
    await page.locator("[value=delivery]").check(force=True)
    await page.locator("#number").fill("024 123 4567")
    await page.locator("[data-submit]").click()
    await expect(page.locator(".receipt__big")).to_be_visible()


async def _cancelled(page: Page, shop: Shop) -> None:
    await page.locator(".cancel button").click()
    await expect(page.locator(".seal")).to_be_visible()


async def _card(page: Page, shop: Shop) -> None:
    await page.locator("[value=card]").check(force=True)
    await page.locator("[data-submit]").click()
    await page.wait_for_url("**/sandbox/cards/*")


async def _card_refused(page: Page, shop: Shop) -> None:
    await _card(page, shop)
    await page.locator("#number").fill("1234")
    await page.locator("button.main").click()
    await expect(page.get_by_role("alert")).to_be_visible()


async def _card_code(page: Page, shop: Shop) -> None:
    await _card(page, shop)
    await page.locator("#number").fill("4000000000003220")
    await page.locator("button.main").click()
    await expect(page.locator("#code")).to_be_visible()


async def _card_open(page: Page, shop: Shop) -> None:
    address = page.url
    await _card(page, shop)
    await page.goto(address)
    await expect(page.locator(".ring")).to_be_visible()


async def _missing(page: Page, shop: Shop) -> None:
    await page.goto(shop.server.url + "/checkout/nothing")


FACES: dict[str, Steps] = {
    "choose": _choose, "refused": _refused, "waiting": _wait, "another": _another, "paid": _paid, "failed": _failed,
    "ordered": _ordered, "cancelled": _cancelled, "card": _card, "card refused": _card_refused,
    "card code": _card_code, "card open": _card_open, "missing": _missing}

_ALSO_WIDE = {"failed", "paid", "waiting", "card"}


@pytest.mark.parametrize("face", FACES)
async def test_nobody_is_shut_out(browser: Browser, shop: Shop, face: str) -> None:
    """French and dark on the smallest phone; some of them light on a wide screen too."""
    context = await browser.new_context(locale="fr-FR", color_scheme="dark", reduced_motion="reduce",
                                        viewport=ViewportSize(width=320, height=640))
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    elsewhere: list[str] = []
    page.on("request", lambda request: None if request.url.startswith(shop.server.url) else elsewhere.append(
        request.url))
    await page.goto(await shop.sell(items=[
        {"name": "Encyclopaediaofeverythingthatanybodyeverknew " * 2, "quantity": 12, "unitPrice": 1234.5}],
        totalAmount=14_814, description="A long description of what is bought " * 3))
    await shop.wallet("MTN", balance=100_000, limit_per_payment=100_000)
    await FACES[face](page, shop)
    await page.wait_for_load_state()
    assert await page.evaluate("document.documentElement.scrollWidth") == 320
    await _check(page)
    if face in _ALSO_WIDE:
        await page.emulate_media(color_scheme="light")
        await page.set_viewport_size(ViewportSize(width=1280, height=800))
        await _check(page)
    assert elsewhere == []
    await context.close()


async def test_what_shuts_people_out_would_be_found(browser: Browser, shop: Shop) -> None:
    page = await browser.new_page()
    await page.goto(await shop.sell())
    await page.evaluate("""() => {
        document.documentElement.removeAttribute("lang");
        document.querySelector("label[for=number]").remove();
        document.querySelector(".pay__title").style.color = "#e8e4dc";
    }""")
    found = " ".join(await _violations(page))
    await page.close()
    for rule in ("html-has-lang", "label", "color-contrast"):
        assert rule in found


async def _check(page: Page) -> None:
    assert [found for found in await _violations(page) if not found.startswith(("minor", "null"))] == []


async def _violations(page: Page) -> list[str]:
    await page.evaluate(_AXE.read_text())
    found: list[str] = await page.evaluate("""async (rules) => {
        const { violations } = await axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
        return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(n => n.html).join(" ")}`);
    }""", _RULES)
    return found
