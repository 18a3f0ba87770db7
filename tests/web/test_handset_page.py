"""The handset in a real browser: messages arrive live, the phone is switched off and on, replies go out."""

import pytest
from playwright.async_api import Browser, Page, expect

from makola.connectors.sandbox import HandsetState
from makola.kit.database import Database
from tests.sandbox.operator_app import RunningOperator
from tests.sandbox.operator_world import eventually, outgoing
from tests.web.conftest import serve_bench, visit

NUMBER = "+233241234567"
OTHER = "+233201234567"
SIZES = pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])


async def _open(page: Page, bench: RunningOperator) -> None:
    await page.goto(bench.url + "/handset")
    await expect(page.locator("#connection")).to_have_text("Live")


@SIZES
async def test_a_message_arrives_live_is_read_and_answered(
        browser: Browser, bench: RunningOperator, width: int, height: int) -> None:
    await bench.world.handsets.create(number=NUMBER, name="Ama")
    async with visit(browser, width, height) as page:
        await _open(page, bench)
        await expect(page.get_by_text("No messages yet")).to_be_visible()
        await expect(page.locator(".empty code")).to_contain_text(f"'To={NUMBER}'")
        await bench.world.take(outgoing(NUMBER, "Your order is on its way", sender="+233302000111"))
        thread = page.get_by_role("button", name="+233 30 200 0111")
        await expect(thread).to_contain_text("Your order is on its way")
        await expect(page).to_have_title("(1) Handsets: Makola")
        await thread.click()
        await expect(page).to_have_title("Handsets: Makola")
        await expect(page.locator(".bubble")).to_have_text(["Your order is on its way"])
        await bench.world.take(outgoing(NUMBER, "It is here", sender="+233302000111"))
        await expect(page.locator(".bubble")).to_have_text(["Your order is on its way", "It is here"])
        await page.get_by_label("Answer").fill("Thank you")
        await page.get_by_label("Answer").press("Enter")
        await expect(page.locator(".bubble").last).to_have_text("Thank you")
        assert await page.evaluate("document.documentElement.scrollWidth") == width

    async def told() -> bool:
        return [(told.recipient, told.content) for told in bench.world.core.received] == [
            ("+233302000111", "Thank you")]

    assert await eventually(told)


@SIZES
async def test_switched_off_it_waits_and_switched_on_it_arrives(
        browser: Browser, bench: RunningOperator, width: int, height: int) -> None:
    await bench.world.handsets.create(number=NUMBER, name="Ama")
    async with visit(browser, width, height) as page:
        await _open(page, bench)
        await page.get_by_role("button", name="Switch off").click()
        await expect(page.get_by_text("This phone is off")).to_be_visible()
        assert (await bench.world.handsets.get(NUMBER)).state is HandsetState.OFF
        await bench.world.take(outgoing(NUMBER, "Later"))
        await expect(page.get_by_text("1 message waits at the operator.")).to_be_visible()
        await page.get_by_role("article").get_by_role("button", name="Switch on").first.click()
        await expect(page.get_by_role("button", name="Makola").filter(has_text="Later")).to_be_visible()
        await expect(page.get_by_text("This phone is off")).to_be_hidden()


async def test_the_states_are_chosen_by_keyboard_and_changes_elsewhere_show(
        browser: Browser, bench: RunningOperator) -> None:
    await bench.world.handsets.create(number=NUMBER)
    async with visit(browser) as page:
        await _open(page, bench)
        await page.get_by_role("radio", name="On").focus()
        for name, state in (("Off", HandsetState.OFF), ("Full", HandsetState.FULL),
                            ("Blocked", HandsetState.BLOCKED), ("Unknown", HandsetState.UNKNOWN)):
            await page.keyboard.press("ArrowRight")
            await expect(page.locator(".handset__state")).to_have_text(name)
            assert (await bench.world.handsets.get(NUMBER)).state is state
        await expect(page.locator(".statusbar__network")).to_have_text("No service")
        await bench.world.handsets.change(NUMBER, state=HandsetState.ON, name="Kofi")
        await expect(page.get_by_role("article", name="Phone Kofi +233 24 123 4567, On")).to_be_visible()


async def test_a_handset_is_made_in_the_dialog_and_one_that_exists_is_opened(
        browser: Browser, bench: RunningOperator) -> None:
    async with visit(browser) as page:
        await _open(page, bench)
        await page.get_by_role("button", name="New handset").last.click()
        await page.get_by_label("Number").fill("12")
        await page.get_by_role("button", name="Create handset").click()
        await expect(page.locator("#new-error")).to_contain_text("not a valid telephone number")
        await page.get_by_label("Number").fill("")
        await page.get_by_label("Name").last.fill("Esi")
        await page.get_by_role("radio", name="Vodafone").check()
        await page.get_by_role("button", name="Create handset").click()
        await expect(page.get_by_role("heading", name="Esi", exact=True)).to_be_visible()
        (made,) = await bench.world.handsets.all()
        assert (made.name, made.network_id) == ("Esi", "62002")
        await bench.world.handsets.create(number=NUMBER, name="Ama")
        await page.get_by_role("button", name="New handset").first.click()
        await page.get_by_label("Number").fill("0241234567")
        await page.get_by_role("button", name="Create handset").click()
        await expect(page.locator(".phone")).to_have_count(2)


async def test_what_a_message_says_is_never_markup_and_flash_messages_lie_over_the_screen(
        browser: Browser, bench: RunningOperator) -> None:
    hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    await bench.world.handsets.create(number=NUMBER, name=hostile[:40])
    async with visit(browser) as page:
        await _open(page, bench)
        await bench.world.take(outgoing(NUMBER, hostile, sender="<b>Bank"))
        await expect(page.locator(".thread__preview")).to_have_text(hostile)
        await bench.world.take(outgoing(NUMBER, hostile, sender="<b>Bank", flash=True))
        await expect(page.get_by_role("alert").get_by_text(hostile)).to_be_visible()
        await page.get_by_role("button", name="Dismiss").click()
        await expect(page.get_by_role("button", name="Dismiss")).to_be_hidden()
        await page.locator(".thread").click()
        await expect(page.locator(".bubble__text")).to_have_text([hostile, hostile])
        assert await page.locator(".phone img, .phone script, .phone b").count() == 0
        assert await page.title() == "Handsets: Makola"


async def test_messages_sent_while_the_server_was_away_appear_when_it_is_back(
        browser: Browser, database: Database) -> None:
    async with visit(browser) as page:
        async with serve_bench(database) as bench:
            await bench.world.handsets.create(number=NUMBER)
            await _open(page, bench)
            await bench.world.take(outgoing(NUMBER, "before"))
            await expect(page.locator(".thread__preview")).to_have_text("before")
            port = int(bench.url.rpartition(":")[2])
        await expect(page.locator("#connection")).to_have_text("Reconnecting")
        await bench.world.take(outgoing(NUMBER, "meanwhile"))
        async with serve_bench(database, port):
            await expect(page.locator(".thread__preview")).to_have_text("meanwhile")
            await expect(page.locator("#connection")).to_have_text("Live")


async def test_a_flood_reaches_the_page_and_several_phones_stand_side_by_side(
        browser: Browser, bench: RunningOperator) -> None:
    for number in (NUMBER, OTHER):
        await bench.world.handsets.create(number=number)
    async with visit(browser) as page:
        await _open(page, bench)
        await page.get_by_role("button", name="Open +233 20 123 4567 beside the others").click()
        await expect(page.locator(".phone")).to_have_count(2)
        for start in range(0, 3000, 500):
            await bench.world.connector.submit([outgoing(OTHER, f"No. {n}") for n in range(start, start + 500)])
        await bench.world.take(outgoing(NUMBER, "the last"))
        await expect(page.locator(".phone").first.locator(".thread__preview")).to_have_text("the last")
        newest = (await eventually(lambda: _delivered(bench)))[-1]
        await expect(page.locator(".phone").last.locator(".thread__preview")).to_have_text(newest)
        for _ in range(2):
            await page.get_by_role("button", name="Close this phone").first.click()
        await bench.world.handsets.change(NUMBER, name="Ama")
        await expect(page.locator(".handset__name").first).to_have_text("Ama")
        await expect(page.get_by_text("No phone is open")).to_be_visible()


async def _delivered(bench: RunningOperator) -> list[str]:
    under_way = await bench.world.database.fetchval("SELECT count(*) FROM sandbox.submission WHERE state < 2")
    return [] if under_way else await bench.world.texts(OTHER)


async def test_on_a_narrow_screen_the_list_is_a_sheet(browser: Browser, bench: RunningOperator) -> None:
    await bench.world.handsets.create(number=NUMBER, name="Ama")
    await bench.world.handsets.create(number=OTHER, name="Kofi")
    async with visit(browser, 390, 844) as page:
        await _open(page, bench)
        panel = page.get_by_role("complementary", name="Control of the handsets")
        await expect(panel).to_be_hidden()
        await page.locator("#panel-open").click()
        await panel.get_by_role("button", name="Kofi").click()
        await page.keyboard.press("Escape")
        await expect(panel).to_be_hidden()
        await expect(page.get_by_role("heading", name="Kofi", exact=True)).to_be_visible()
        await expect(page.get_by_role("heading", name="Ama", exact=True)).to_be_hidden()
