"""The log of USSD sessions: followed live, masked, and replayed against the application."""

import json
import re
from collections.abc import Sequence

import httpx
from playwright.async_api import Browser, Locator, Page, expect

from tests.serving import Serving
from tests.ussd_kit.applications import Request, application, banking, says
from tests.web.conftest import visit
from tests.web.test_ussd_handset import make_handset, send_code

PIN = "73915"
NUMBER = "+233244000099"
KEYS = ["Mobile", "SessionId", "ServiceCode", "Type", "Message", "Operator", "Sequence", "ClientState"]


async def play(server: Serving, code: str, answers: Sequence[str] = (), number: str = NUMBER) -> str:
    """Play a session on a handset; return its SessionId."""
    await make_handset(server, number)
    async with httpx.AsyncClient(base_url=f"{server.url}/sandbox/handsets/{number}") as client:
        screen = (await client.post("/ussd", json={"input": code})).json()
        while "NOAPP" in screen["text"]:  # the gateway learns of a new code a moment later
            screen = (await client.post("/ussd", json={"input": code})).json()
        for answer in answers:
            screen = (await client.post("/ussd", json={"session": screen["session"], "input": answer})).json()
        return str(screen["session_id"])


def session_of(page: Page, session_id: str) -> Locator:
    """One session in the list."""
    return page.locator(f"[data-session='{session_id}']")


async def test_sessions_appear_live_with_every_step_and_without_what_was_masked(
        browser: Browser, server: Serving) -> None:
    with application(banking) as bank:
        await send_code(server, "731", bank.url)
        async with visit(browser) as page:
            await page.goto(f"{server.url}/ussd")
            await expect(page.locator("#follow")).to_have_text("Live")
            session_id = await play(server, "*731#")
            session = session_of(page, session_id)
            await expect(session.locator(".chip")).to_have_text("Open")
            await session.locator("summary").first.click()
            await expect(session.locator(".step")).to_have_count(1)

            other = await play(server, "*731#", [PIN, "1"], number="+233244000098")
            ended = session_of(page, other)
            await expect(ended.locator(".chip")).to_have_text("Ended by the application")
            assert await session.get_attribute("open") is not None, "what is open stays open"
            await ended.locator("summary").first.click()
            steps = ended.locator(".step")
            await expect(steps).to_have_count(3)
            await expect(steps.nth(0).locator(".step__screen")).to_have_text("Enter your pin")
            await expect(steps.nth(1).locator(".step__typed b")).to_have_text("****")
            await expect(steps.nth(2).locator(".step__screen")).to_have_text("****")
            requests = [json.loads(await steps.nth(n).locator(".wire code").first.text_content() or "")
                        for n in range(3)]
            assert [list(each) for each in requests] == [KEYS] * 3
            assert [each["Sequence"] for each in requests] == [1, 2, 3]
            assert [each["Message"] for each in requests] == ["*731#", "****", "****"]
            assert requests[1]["ClientState"] == "2017-03-30"
            assert {each["SessionId"] for each in requests} == {other}
            html = await page.content()
    assert PIN not in html
    assert "53,743" not in html


async def test_an_error_is_shown_with_its_cause_and_counted(browser: Browser, server: Serving) -> None:
    with application(lambda _request: (503, b"<h1>Down & out</h1>")) as broken:
        await send_code(server, "732", broken.url)
        session_id = await play(server, "*732#")
        async with visit(browser, 390, 844) as page:
            await page.goto(f"{server.url}/ussd")
            session = session_of(page, session_id)
            await expect(session.locator(".chip")).to_have_text("Error UUE")
            await session.locator("summary").first.click()
            await expect(session.locator(".step__error")).to_contain_text("The application answered 503.")
            await expect(session.locator(".step__body code")).to_have_text("<h1>Down & out</h1>")
            await expect(session.locator(".step__facts")).to_contain_text(re.compile(r"\d+ ms · HTTP 503"))
            counts = page.locator(".service").filter(has_text="*732#").locator(".service__errors a")
            await expect(counts).to_have_text(re.compile(r"UUE\s*1"))
            assert await page.evaluate("document.documentElement.scrollWidth") == 390

            await page.get_by_role("link", name="*732#").click()
            await expect(page.locator(".session")).to_have_count(1)


async def test_errors_are_listed_live_with_their_cause_whether_a_session_began_or_not(
        browser: Browser, server: Serving) -> None:
    with application(lambda _request: (500, b"Oops")) as broken:
        await send_code(server, "752", broken.url)
        async with visit(browser, 360, 740) as page:
            await page.goto(f"{server.url}/ussd#errors")
            await expect(page.locator("#follow")).to_have_text("Live")
            errors = page.locator("#errors")
            await expect(errors).to_have_attribute("open", "")
            async with httpx.AsyncClient(base_url=server.url) as client:  # no session begins
                await client.post(f"/sandbox/handsets/{NUMBER}/ussd", json={"input": "*797*31#"})
            nobodys = errors.locator(".error").filter(has_text="No service has the code *797*31#.")
            await expect(nobodys.locator(".error__what b")).to_have_text("NOAPP")
            await expect(nobodys.locator(".error__facts")).to_contain_text("no session began")

            session_id = await play(server, "*752#")
            failed = errors.locator(".error").filter(has_text="*752#")
            await expect(failed.locator(".error__what")).to_have_text("UUE The application answered 500.")
            await expect(failed.locator(".error__facts")).to_contain_text("HTTP 500")
            await expect(failed.locator(".error__body code")).to_have_text("Oops")
            await expect(failed.get_by_role("link", name="Session")).to_have_attribute(
                "href", f"/ussd/sessions/{session_id}")
            assert await page.evaluate("document.documentElement.scrollWidth") == 360

            await page.locator(".service").filter(has_text="*752#").get_by_role("link", name="UUE").click()
            await expect(page.locator(".session")).to_have_count(1)
            await expect(page.locator("#errors .error")).to_have_count(1)
            await page.get_by_role("link", name="Show everything").click()
            await expect(page.locator("#errors")).not_to_have_attribute("open", "")
            await page.goto(f"{server.url}/ussd?error=%00'&service=1")
            await expect(page.get_by_role("heading", name="USSD sessions")).to_be_visible()


async def test_a_session_is_replayed_step_by_step_with_a_new_id_and_the_pin_typed_again(
        browser: Browser, server: Serving) -> None:
    balance = "1"

    def changing(request: Request) -> bytes:
        if request["Sequence"] == 3:
            return says(f"Balance {balance}", "Release")
        return banking(request)

    with application(changing) as bank:
        await send_code(server, "733", bank.url)
        session_id = await play(server, "*733#", [PIN, "1"])
        balance = "2"
        async with visit(browser) as page:
            await page.goto(f"{server.url}/ussd/sessions/{session_id}")
            await page.get_by_role("button", name="Replay against the application").click()
            field = page.get_by_label("What to send")
            await expect(field).to_have_value("*733#")
            await page.keyboard.press("Enter")
            await expect(field).to_have_attribute("type", "password")
            await expect(field).to_be_focused()
            await page.keyboard.type(PIN)
            await page.keyboard.press("Enter")
            await expect(field).to_be_focused()
            await page.keyboard.type("1")
            await page.keyboard.press("Enter")
            await expect(page.get_by_text("The replay is complete.")).to_be_visible()
            await expect(page.locator(".verdict")).to_have_text(["Same as then", "Same as then", "Different"])
            await expect(page.locator(".step__side--replay .step__screen").last).to_have_text("Balance 2")
            recorded = page.locator(".step__side:not(.step__side--replay) .step__screen")
            await expect(recorded.last).to_have_text("Balance 1")
            assert PIN not in await page.content()
        original, replayed = bank.asked[:3], bank.asked[3:]
    assert [list(each) for each in replayed] == [KEYS] * 3
    assert {each.pop("SessionId") for each in original} == {session_id}
    (new_id,) = {each.pop("SessionId") for each in replayed}
    assert new_id != session_id
    assert replayed == original
    assert [each.get("makola-replay-of") for each in bank.headers] == [None] * 3 + [session_id] * 3


async def test_a_session_that_goes_on_while_it_is_replayed(browser: Browser, server: Serving) -> None:
    number = "+233244000097"
    with application(banking) as bank:
        await send_code(server, "737", bank.url)
        session_id = await play(server, "*737#", number=number)
        async with visit(browser) as page:
            await page.goto(f"{server.url}/ussd/sessions/{session_id}")
            async with httpx.AsyncClient(base_url=server.url) as client:
                await client.delete(f"/sandbox/handsets/{number}/ussd")
            await page.get_by_role("button", name="Replay against the application").click()
            await page.get_by_role("button", name="Send", exact=True).click()
            await expect(page.get_by_text("The replay is complete.")).to_be_visible()
            await page.reload()
            await expect(page.locator(".step")).to_have_count(2)


async def test_a_replay_that_fails_says_why(browser: Browser, server: Serving) -> None:
    with application(banking) as bank:
        await send_code(server, "734", bank.url)
        session_id = await play(server, "*734#", [PIN])
    async with visit(browser) as page:
        await page.goto(f"{server.url}/ussd/sessions/{session_id}")
        await page.get_by_role("button", name="Replay against the application").click()
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.locator(".step__side--replay .step__error")).to_contain_text("URNF")
        await expect(page.get_by_text("The application failed: the replay ends here.")).to_be_visible()
        await page.get_by_role("button", name="Close the replay").click()
        await expect(page.locator(".step__side--replay").first).to_be_hidden()


async def test_a_replay_is_refused_without_the_input_that_was_masked_or_for_what_is_not_there(
        server: Serving) -> None:
    with application(banking) as bank:
        await send_code(server, "735", bank.url)
        session_id = await play(server, "*735#", [PIN])
        before = len(bank.requests)
        async with httpx.AsyncClient(base_url=server.url) as client:
            replay = f"/ussd/sessions/{session_id}/replay"
            plan = (await client.get(replay)).json()["steps"]
            assert [each["masked"] for each in plan] == [False, True]
            masked = await client.post(replay, json={"position": plan[1]["position"]})
            assert (masked.status_code, masked.json()["error"]) == (400, "input_needed")
            unknown = await client.post(replay, json={"position": 99})
            assert (unknown.status_code, unknown.json()["error"]) == (404, "unknown_step")
            none = await client.post(f"/ussd/sessions/{'0' * 32}/replay", json={"position": 1})
            assert (none.status_code, none.json()["error"]) == (404, "unknown_session")
            state = {"session_id": "x", "sequence": 1, "client_state": None, "private": False}
            forged = await client.post(replay, json={"position": plan[0]["position"], "state": state})
            assert forged.status_code == 400
        assert len(bank.requests) == before


async def test_only_this_sites_pages_change_anything_and_only_under_its_own_name(server: Serving) -> None:
    async with httpx.AsyncClient(base_url=server.url) as client:
        body = {"code": "*739#", "url": "http://localhost:3000/ussd"}
        other = await client.post("/ussd/services", json=body, headers={"Origin": "http://evil.example"})
        assert other.status_code == 403
        form = await client.post("/ussd/services", data=body)
        assert form.status_code == 415
        rebound = await client.get("/ussd", headers={"Host": "evil.example"})
        assert rebound.status_code not in {200, 303}
        codes = [each["code"] for each in (await client.get("/ussd/services")).json()["services"]]
        assert "739" not in codes
        for code, url in (("*#", body["url"]), ("71\0", body["url"]), ("714", "http://169.254.169.254/"), ("714", "file:///etc/passwd"),
                          ("714", "")):
            refused = await client.post("/ussd/services", json={"code": code, "url": url})
            assert refused.status_code == 400 or url == "", (code, url, refused.text)
        assert (await client.get("/ussd/sessions/nonsense")).status_code == 404
        assert (await client.get("/ussd?before=nonsense&service=0")).status_code == 200


async def test_older_sessions_are_on_further_pages(server: Serving) -> None:
    with application(lambda _request: says("Bye", "Release")) as running:
        await send_code(server, "736", running.url)
        await make_handset(server, NUMBER)
        async with httpx.AsyncClient(base_url=f"{server.url}/sandbox/handsets/{NUMBER}") as phone:
            ids = [(await phone.post("/ussd", json={"input": "*736#"})).json()["session_id"] for _ in range(26)]
    async with httpx.AsyncClient(base_url=server.url) as client:
        services = (await client.get("/ussd")).text
        service_id = re.search(r'href="/ussd\?service=(\d+)"\s+title="[^"]+">\*736#', services)
        assert service_id is not None
        first = (await client.get(f"/ussd?service={service_id[1]}")).text
        older = re.search(r'href="(/ussd\?before=[^"]+)">Older', first)
        assert older is not None
        second = (await client.get(older[1].replace("&amp;", "&"))).text
    shown = [re.findall(r'data-session="([0-9a-f]{32})"', page) for page in (first, second)]
    assert shown[0] + shown[1] == ids[::-1]
    assert len(shown[0]) == 25
