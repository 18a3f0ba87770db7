"""USSD in a real browser: codes are dialled on a handset, screens answered, cancelled, and left to time out."""

import asyncio

import httpx
import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.serving import Serving
from tests.ussd_kit.applications import ASK_PIN, Request, application, banking, says
from tests.web.conftest import visit

SIZES = pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])

#: The document's session ("More Examples"): what the application is asked, word for word.
BANKING = [
    {"Mobile": "233262183777", "ServiceCode": "711", "Type": "Initiation", "Message": "*711#",
     "Operator": "Vodafone", "Sequence": 1, "ClientState": None},
    {"Mobile": "233262183777", "ServiceCode": "711", "Type": "Response", "Message": "1234",
     "Operator": "Vodafone", "Sequence": 2, "ClientState": "2017-03-30"},
    {"Mobile": "233262183777", "ServiceCode": "711", "Type": "Response", "Message": "1",
     "Operator": "Vodafone", "Sequence": 3, "ClientState": None},
]


async def send_code(server: Serving, code: str, url: str) -> None:
    """Send a code to an application, as the form on the page does."""
    async with httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.post("/ussd/services", json={"code": code, "url": url})
        assert answer.status_code == 200, answer.text


async def make_handset(server: Serving, number: str, network_id: str = "62001", name: str = "") -> None:
    """Make a handset where there is none yet."""
    async with httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.post("/sandbox/handsets",
                                   json={"number": number, "network_id": network_id, "name": name})
        assert answer.status_code in {201, 409}, answer.text


async def open_phone(page: Page, server: Serving, number: str) -> Locator:
    """Open a handset at its dial pad; return the phone."""
    await page.goto(f"{server.url}/handset#{number}")
    await expect(page.locator("#connection")).to_have_text("Live")
    phone = page.locator(".phone.is-selected")
    await phone.get_by_role("button", name="Phone", exact=True).click()
    await expect(phone.get_by_label("Code to dial")).to_be_focused()
    return phone


@SIZES
async def test_the_documents_banking_session_word_for_word(
        browser: Browser, server: Serving, width: int, height: int) -> None:
    await make_handset(server, "+233262183777", "62002", "James")
    with application(banking) as bank:
        await send_code(server, "711", bank.url)
        async with visit(browser, width, height) as page:
            phone = await open_phone(page, server, "+233262183777")
            for key in ("star", "7", "1", "1", "hash"):
                await phone.get_by_role("button", name=key, exact=True).click()
            await phone.get_by_role("button", name="Dial", exact=True).click()
            card = phone.get_by_role("dialog", name="USSD session")
            await expect(card.locator(".ussd__text")).to_have_text("Enter your pin")
            answer = card.get_by_label("Your reply")
            await expect(answer).to_be_focused()
            await expect(answer).to_have_attribute("type", "password")
            await page.keyboard.type("1234")
            await page.keyboard.press("Enter")
            await expect(card.locator(".ussd__text")).to_have_text(
                "Dear Customer \n1. Account Balance \n2. Mini Statement", use_inner_text=False)
            await expect(answer).to_have_value("")
            await page.keyboard.type("1")
            await page.keyboard.press("Enter")
            await expect(card.locator(".ussd__text")).to_have_text("Your account balance is GHS 53,743")
            await expect(card.get_by_role("button", name="OK")).to_be_focused()
            await expect(card.get_by_role("button", name="Cancel")).to_be_hidden()
            assert await page.evaluate("document.documentElement.scrollWidth") == width
            await page.keyboard.press("Enter")
            await expect(card).to_be_hidden()
            await expect(phone.get_by_label("Code to dial")).to_be_focused()
    asked = bank.asked
    assert [list(each) for each in asked] == [
        ["Mobile", "SessionId", "ServiceCode", "Type", "Message", "Operator", "Sequence", "ClientState"]] * 3
    assert len({each.pop("SessionId") for each in asked}) == 1
    assert asked == BANKING


async def test_escape_cancels_and_the_application_is_told(browser: Browser, server: Serving) -> None:
    await make_handset(server, "+233244000001")
    with application(banking) as bank:
        await send_code(server, "721", bank.url)
        async with visit(browser) as page:
            phone = await open_phone(page, server, "+233244000001")
            await page.keyboard.type("*721#")
            await page.keyboard.press("Enter")
            await expect(phone.get_by_text("Enter your pin")).to_be_visible()
            await page.keyboard.press("Escape")
            await expect(phone.get_by_role("dialog")).to_be_hidden()
            asked = await asyncio.to_thread(bank.wait_for, 2)
    last = asked[-1]
    assert (last["Type"], last["Message"], last["Sequence"], last["ClientState"]) == ("Release", "", 2, "2017-03-30")


async def test_tab_stays_in_the_session_and_the_phone_below_rests(browser: Browser, server: Serving) -> None:
    await make_handset(server, "+233244000002")
    with application(banking) as bank:
        await send_code(server, "722", bank.url)
        async with visit(browser) as page:
            phone = await open_phone(page, server, "+233244000002")
            await page.keyboard.type("*722#")
            await page.keyboard.press("Enter")
            card = phone.get_by_role("dialog")
            await expect(card.get_by_label("Your reply")).to_be_focused()
            for stop in (card.get_by_role("link", name="Log"), card.get_by_role("button", name="Cancel"),
                         card.get_by_role("button", name="Send"), card.get_by_label("Your reply")):
                await page.keyboard.press("Tab")
                await expect(stop).to_be_focused()
            await page.keyboard.press("Shift+Tab")
            await expect(card.get_by_role("button", name="Send")).to_be_focused()
            await expect(phone.locator(".app[inert]")).to_have_count(1)
            await card.get_by_role("button", name="Cancel").click()
            await expect(phone.locator(".app[inert]")).to_have_count(0)


async def test_who_says_nothing_is_told_that_it_took_too_long(browser: Browser, server: Serving) -> None:
    await make_handset(server, "+233244000003")
    with application(banking) as bank:
        await send_code(server, "723", bank.url)
        async with visit(browser) as page:
            phone = await open_phone(page, server, "+233244000003")
            await page.keyboard.type("*723#")
            await page.keyboard.press("Enter")
            await expect(phone.get_by_text("Enter your pin")).to_be_visible()
            await expect(phone.locator(".ussd__text")).to_contain_text("ST: The application took too long to respond.")
            await expect(phone.get_by_role("button", name="OK")).to_be_visible()
        asked = await asyncio.to_thread(bank.wait_for, 2)
    assert (asked[-1]["Type"], asked[-1]["Message"]) == ("Timeout", "")


async def test_several_handsets_each_have_their_own_session(browser: Browser, server: Serving) -> None:
    numbers = ["+233244000011", "+233244000012"]
    for number in numbers:
        await make_handset(server, number, name=number[-2:])

    def greets(request: Request) -> bytes:
        return says(f"{request['Mobile']} said {request['Message']}")

    with application(greets) as running:
        await send_code(server, "724", running.url)
        async with visit(browser, 1600, 900) as page:
            await open_phone(page, server, numbers[0])
            await page.goto(f"{server.url}/handset#{numbers[1]}")
            await expect(page.get_by_role("article", name="12")).to_be_visible()
            phones = [page.get_by_role("article", name=number[-2:]) for number in ("11", "12")]
            for phone in phones:
                await phone.get_by_role("button", name="Phone", exact=True).click()
                await phone.get_by_label("Code to dial").fill("*724#")
                await phone.get_by_label("Code to dial").press("Enter")
                await expect(phone.get_by_label("Your reply")).to_be_visible()
            for phone, text in zip(phones, ("one", "two"), strict=True):
                await phone.get_by_label("Your reply").fill(text)
                await phone.get_by_label("Your reply").press("Enter")
            for phone, number, text in zip(phones, numbers, ("one", "two"), strict=True):
                await expect(phone.locator(".ussd__text")).to_have_text(f"{number[1:]} said {text}")
            await expect(phones[1].get_by_label("Your reply")).to_be_focused()


async def test_what_a_screen_says_is_never_markup(browser: Browser, server: Serving) -> None:
    hostile = '<img src=x onerror="document.title=1"><b>Hi'
    await make_handset(server, "+233244000004")
    with application(lambda _request: says(hostile)) as running:
        await send_code(server, "725", running.url)
        async with visit(browser) as page:
            phone = await open_phone(page, server, "+233244000004")
            await page.keyboard.type("*725#")
            await page.keyboard.press("Enter")
            await expect(phone.locator(".ussd__text")).to_have_text(hostile)
            assert await phone.locator(".ussd__text *").count() == 0


async def test_codes_are_offered_mapped_on_the_page_and_errors_are_the_documents(
        browser: Browser, server: Serving) -> None:
    await make_handset(server, "+233244000005")
    with application(lambda _request: (200, b"<html>")) as broken:
        async with visit(browser) as page:
            phone = await open_phone(page, server, "+233244000005")
            await phone.get_by_role("button", name="*712# Bank without credit").click()
            await expect(phone.locator(".ussd__text")).to_contain_text("NOCR: Your service is currently unavailable")
            await page.keyboard.press("Enter")
            await page.keyboard.type("*799#")
            await page.keyboard.press("Enter")
            await expect(phone.locator(".ussd__text")).to_contain_text("NOAPP: Your application is not yet mapped")
            await expect(phone.get_by_role("link", name="Log")).to_have_attribute("href", "/ussd#errors")
            await page.keyboard.press("Escape")

            form = page.locator(".codes__form")
            await form.get_by_label("Service code").fill("*726#")
            await form.get_by_label("Address of the application").fill("ftp://nowhere")
            await form.get_by_role("button", name="Save").click()
            await expect(page.locator(".codes__error")).not_to_be_empty()
            await form.get_by_label("Address of the application").fill(broken.url)
            await form.get_by_role("button", name="Save").click()
            await expect(page.locator(".codes__error")).to_be_empty()
            await page.locator(".codes__item").filter(has_text="*726#").get_by_role("button").click()
            await expect(phone.locator(".ussd__text")).to_contain_text(
                "UUE: Your application is not responding with a valid JSON response.")
            await page.keyboard.press("Escape")

            await page.keyboard.type("0244123456")
            await page.keyboard.press("Enter")
            await expect(phone.get_by_text("This phone makes no calls.")).to_be_visible()


async def test_the_green_key_brings_back_what_was_dialled_last(browser: Browser, server: Serving) -> None:
    await make_handset(server, "+233244000006")
    async with visit(browser) as page:
        phone = await open_phone(page, server, "+233244000006")
        await page.keyboard.type("*798*1*2#")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Escape")
        await expect(phone.get_by_role("dialog")).to_be_hidden()
        await phone.get_by_role("button", name="Dial", exact=True).click()
        await expect(phone.get_by_label("Code to dial")).to_have_value("*798*1*2#")
        for _ in range(3):
            await phone.get_by_role("button", name="Delete the last digit").click()
        await expect(phone.get_by_label("Code to dial")).to_have_value("*798*1")


async def test_a_phone_that_is_switched_off_loses_its_session(browser: Browser, server: Serving) -> None:
    await make_handset(server, "+233244000007")
    with application(lambda _request: ASK_PIN) as bank:
        await send_code(server, "727", bank.url)
        async with visit(browser) as page:
            phone = await open_phone(page, server, "+233244000007")
            await page.keyboard.type("*727#")
            await page.keyboard.press("Enter")
            await expect(phone.get_by_text("Enter your pin")).to_be_visible()
            await phone.get_by_role("button", name="Switch off").click()
            await expect(phone.get_by_text("This phone is off")).to_be_visible()
            await expect(phone.get_by_role("dialog")).to_be_hidden()
            asked = await asyncio.to_thread(bank.wait_for, 2)
    assert asked[-1]["Type"] == "Release"
