"""A real browser pays: by mobile money approved on the handset page, by card, twice at once, late, and not at all."""

import asyncio
import re

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, expect

from tests.sandbox.operator_world import eventually
from tests.web.checkout.shop import Shop
from tests.web.conftest import PATIENCE_MS, visit


async def _ask(page: Page, url: str, number: str) -> None:
    await page.goto(url)
    await page.get_by_label("Mobile number").fill(number)
    await page.get_by_role("button", name="Continue").click()


async def test_mobile_money_is_approved_on_the_handset_page(browser: Browser, shop: Shop) -> None:
    invoice = await shop.invoice(12.5)
    async with visit(browser, 390, 844) as customer, visit(browser) as phone:
        await phone.goto(shop.server.url + "/handset")
        await expect(phone.locator("#connection")).to_have_text("Live")
        await customer.goto(invoice["checkoutUrl"])
        number = customer.get_by_label("Mobile number")
        await number.press_sequentially("0" + shop.numbers["MTN"][4:])
        await expect(customer.locator("[data-network]").first).to_have_text("MTN")
        await customer.get_by_role("button", name="Continue").click()
        await expect(customer.get_by_role("heading", name="Approve on your phone")).to_be_visible()
        prompt = phone.get_by_role("dialog", name="Request for money").first
        await expect(prompt).to_contain_text("GHS 12.50")
        await expect(prompt).to_contain_text("to Demonstration shop")
        await prompt.get_by_label("PIN").fill("1234")
        await prompt.get_by_role("button", name="Approve").click()
        await expect(prompt).to_contain_text("Paid GHS 12.50")
        await expect(customer.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
        assert await customer.evaluate("document.documentElement.scrollWidth") == 390
        await expect(customer.locator("h1")).to_be_focused()
        await customer.wait_for_url(shop.server.url + "/docs")  # it goes back to the shop by itself
        await expect(phone.locator(".wallet__balance")).to_have_text("GHS 987.50")
    data = (await shop.status(invoice["clientReference"]))["data"]
    assert isinstance(data, dict)
    assert (data["status"], data["amount"]) == ("Paid", 12.5)


async def test_declined_on_the_phone_then_paid_by_card(browser: Browser, shop: Shop) -> None:
    async with visit(browser, 390, 844) as customer, visit(browser) as phone:
        await phone.goto(shop.server.url + "/handset#" + shop.numbers["Tigo"])
        await _ask(customer, await shop.sell(), shop.numbers["Tigo"])
        await phone.get_by_role("button", name="Decline").click()
        await expect(customer.get_by_role("alert")).to_contain_text("The payment was declined on the phone.")
        await customer.get_by_role("radio", name="Card").check(force=True)
        await expect(customer.get_by_label("Mobile number")).to_be_hidden()
        await customer.get_by_role("button", name="Continue").click()
        await customer.get_by_label("Card number").fill("4242 4242 4242 4242")
        await customer.get_by_role("button", name="Pay GHS 50.00").click()
        await expect(customer.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
        await expect(customer.locator(".receipt")).to_contain_text("Card ending in 4242")
    assert await shop.balance("Tigo") == 1_000


@pytest.mark.parametrize(("number", "words"), [
    ("4000000000000002", "The bank declined the card."),
    ("4000 0000 0000 9995", "There is not enough money on the card."),
    ("4000-0000-0000-0069", "The card has expired."),
])
async def test_cards_that_do_not_pay(browser: Browser, shop: Shop, number: str, words: str) -> None:
    async with visit(browser) as customer:
        await customer.goto(await shop.sell())
        await customer.get_by_role("radio", name="Card").check(force=True)
        await customer.get_by_role("button", name="Continue").click()
        await customer.get_by_label("Card number").fill(number)
        await customer.get_by_role("button", name="Pay GHS 50.00").click()
        await expect(customer.get_by_role("alert")).to_contain_text(words)
        await expect(customer.get_by_role("radio", name="Card")).to_be_checked()


@pytest.mark.parametrize(("code", "heading"), [("123456", "Paid"), ("000000", "The payment did not go through")])
async def test_a_card_that_asks_for_a_code(browser: Browser, shop: Shop, code: str, heading: str) -> None:
    async with visit(browser, 320, 640) as customer:
        await customer.goto(await shop.sell())
        await customer.get_by_role("radio", name="Card").check(force=True)
        await customer.get_by_role("button", name="Continue").click()
        await customer.get_by_label("Card number").fill("4000000000003220")
        await customer.get_by_role("button", name="Pay GHS 50.00").click()
        await customer.get_by_label("Code").fill(code)  # waits for the card's page, which the next line measures
        assert await customer.evaluate("document.documentElement.scrollWidth") == 320
        await customer.get_by_role("button", name="Confirm").click()
        await expect(customer.get_by_role("heading", name=heading, exact=True)).to_be_visible()


async def test_two_windows_of_one_checkout_take_one_payment(browser: Browser, shop: Shop) -> None:
    url = await shop.sell()
    async with visit(browser) as first, visit(browser) as second:
        await second.goto(url)
        await _ask(first, url, shop.numbers["MTN"])
        await expect(first.get_by_role("heading", name="Approve on your phone")).to_be_visible()
        # The other window has learnt of it.
        await expect(second.get_by_role("heading", name="Approve on your phone")).to_be_visible()
        await second.get_by_role("link", name="Pay another way").click()
        await expect(second.get_by_text("what is paid twice is paid back")).to_be_visible()
        await second.get_by_label("Mobile number").fill(shop.numbers["Vodafone"])
        await second.get_by_role("button", name="Continue").click()
        await expect(second.get_by_text("Vodafone PIN")).to_be_visible()
        outcomes = await asyncio.gather(shop.approve("MTN"), shop.approve("Vodafone"))
        assert [outcome["state"] for outcome in outcomes] == ["successful", "successful"]
        for window in (first, second):
            await expect(window.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    await _until(shop, [950, 1_000])


async def _until(shop: Shop, balances: list[float]) -> None:
    """Wait until the wallets of MTN and Vodafone hold these amounts, in whichever order."""
    async def held() -> bool:
        return sorted([await shop.balance("MTN"), await shop.balance("Vodafone")]) == balances

    assert await eventually(held)


async def test_cancelled_and_approved_all_the_same_is_paid_back(browser: Browser, shop: Shop) -> None:
    async with visit(browser) as customer:
        await _ask(customer, await shop.sell(), shop.numbers["MTN"])
        await expect(customer.get_by_role("heading", name="Approve on your phone")).to_be_visible()
        await customer.get_by_role("button", name="Cancel and go back to the shop").click()
        await expect(customer.get_by_role("heading", name="Cancelled")).to_be_visible()
        await expect(customer.get_by_role("link", name="Back to the shop")).to_have_attribute(
            "href", shop.server.url + "/handset")
        assert (await shop.approve("MTN"))["state"] == "successful"
    await _until(shop, [1_000, 1_000])


async def test_a_checkout_that_expires_while_it_is_looked_at(browser: Browser, shop: Shop) -> None:
    url = await shop.sell()
    async with visit(browser) as customer:
        await customer.goto(url)
        await expect(customer.get_by_role("button", name="Continue")).to_be_visible()
        await _expire(shop, url)
        await expect(customer.get_by_role("heading", name="This page has expired")).to_be_visible()


async def _expire(shop: Shop, url: str) -> None:
    """Let a checkout's time be over now."""
    connection = await asyncpg.connect(shop.server.database_url())
    await connection.execute("UPDATE checkout.invoice SET expires_at = now() - interval '1 second' WHERE id = $1",
                             url.rpartition("/")[2])
    await connection.close()


async def test_without_scripts_everything_works(browser: Browser, shop: Shop) -> None:
    context = await browser.new_context(java_script_enabled=False, locale="fr-FR",
                                        viewport={"width": 320, "height": 640})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(await shop.sell())
    await page.get_by_label("Numéro de mobile").fill("12")
    await page.get_by_role("button", name="Continuer").click()
    await expect(page.get_by_role("alert")).to_contain_text("Ce n’est pas un numéro de mobile du Ghana.")
    await page.get_by_label("Numéro de mobile").fill(shop.numbers["MTN"])
    await page.get_by_role("button", name="Continuer").click()
    await expect(page.get_by_role("heading", name="Confirmez sur votre téléphone")).to_be_visible()
    await shop.approve("MTN")
    # The page looks again by itself.
    await expect(page.get_by_role("heading", name="Payé")).to_be_visible()
    await page.get_by_role("link", name="Retour à la boutique").click()
    await expect(page).to_have_url(re.compile("/docs$"))
    await context.close()


async def test_an_order_is_paid_on_delivery(browser: Browser, shop: Shop) -> None:
    async with visit(browser, 320, 640) as customer:
        await customer.goto(await shop.sell())
        await customer.get_by_role("radio", name="Pay on delivery").check(force=True)
        await customer.get_by_label("Mobile number").fill("024 123 4567")
        await customer.get_by_role("button", name="Continue").click()
        await expect(customer.get_by_role("heading", name="Ordered")).to_be_visible()
        assert re.fullmatch(r"\d{7}", await customer.locator(".receipt dd").first.inner_text())
        assert await customer.evaluate("document.documentElement.scrollWidth") == 320


async def test_in_a_frame_of_the_shop_and_of_nobody_else(browser: Browser, shop: Shop) -> None:
    async def frame(request: web.Request) -> web.Response:
        return web.Response(text=f'<!doctype html><iframe title="pay" width="390" height="800" src="'
                                 f'{request.query["u"]}"></iframe>', content_type="text/html")

    app = web.Application()
    app.router.add_get("/", frame)
    async with TestServer(app, host="127.0.0.1") as site, TestServer(app, host="127.0.0.1") as thief:
        url = await shop.sell(returnUrl=str(site.make_url("/done")))
        page = await browser.new_page()  # what is refused is a complaint of the console
        await page.goto(str(site.make_url("/").with_query(u=url + "/direct")))
        inside = page.frame_locator("iframe")
        await inside.get_by_label("Mobile number").fill(shop.numbers["MTN"])
        await inside.get_by_role("button", name="Continue").click()
        await expect(inside.get_by_role("heading", name="Approve on your phone")).to_be_visible()
        await shop.approve("MTN")
        await expect(inside.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
        for host, address in ((site, url), (thief, url), (thief, url + "/direct")):
            await page.goto(str(host.make_url("/").with_query(u=address)))
            await expect(inside.get_by_role("heading")).to_have_count(0)
        await page.close()
