"""A person signs in and lets an application in, in a real browser, on a desktop and on a phone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import pytest
from aiohttp import web
from playwright.async_api import Browser, expect

from makola.core.applications.types import ApplicationKind, NewlyRegistered
from tests.clients.oauth_people import make_application
from tests.oauth.world import pkce
from tests.serving import Serving
from tests.web.conftest import visit

_AXE = Path(__file__).parents[1] / "clients" / "node" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def made(server: Serving) -> NewlyRegistered:
    return make_application(server, ApplicationKind.PARTNER, requested_scopes=frozenset({
        "account.balance", "messages.send", "contacts.create", "openid", "profile"}))


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[int, "asyncio.Queue[dict[str, str]]"]]:
    """An application's callback: what it is sent, in order."""
    got: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def callback(request: web.Request) -> web.Response:
        await got.put(dict(request.query))
        return web.Response(text="Thank you.")

    application = web.Application()
    application.router.add_get("/callback", callback)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1], got
    finally:
        await runner.cleanup()


def address_of(server: Serving, made: NewlyRegistered, port: int, **more: str) -> str:
    _, challenge = pkce()
    return f"{server.url}/oauth?" + urlencode({
        "client_id": made.application.client_id, "response_type": "code", "state": "kept",
        "redirect_uri": f"http://127.0.0.1:{port}/callback", "code_challenge": challenge,
        "code_challenge_method": "S256"} | more)


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)], ids=["desktop", "phone"])
async def test_a_person_signs_in_sees_what_is_asked_and_agrees(
        browser: Browser, server: Serving, made: NewlyRegistered, width: int, height: int, tmp_path: Path) -> None:
    users = msgspec.json.decode((server.data_directory / "demo.json").read_bytes())["users"]
    async with listening() as (port, got), visit(browser, width, height) as page:
        await page.goto(address_of(server, made, port, scope="openid profile contacts.create account.balance",
                                   prompt="consent"))
        await page.fill("input[name=email]", users["distributor"]["email"])
        await page.fill("input[name=password]", users["distributor"]["password"])
        await page.click("button:has-text('Sign in')")
        await expect(page.locator(".consent__groups li").nth(4)).to_be_visible()
        await page.wait_for_load_state()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if _AXE.exists():
            await page.evaluate(_AXE.read_text())
            found = await page.evaluate("axe.run('main').then(result => result.violations.map(each => each.id))")
            assert found == []
        await page.screenshot(path=tmp_path / "consent.png", full_page=True)
        await page.select_option("select[name=organisation]", index=1)
        await page.click("button:has-text('Allow')")
        await page.wait_for_selector("text=Thank you.")
        answer = await asyncio.wait_for(got.get(), 30)
        assert (answer["state"], answer["iss"]) == ("kept", server.url)
        assert answer["code"].startswith("mk_ac_")


async def test_a_person_declines(
        browser: Browser, server: Serving, made: NewlyRegistered) -> None:
    users = msgspec.json.decode((server.data_directory / "demo.json").read_bytes())["users"]
    async with listening() as (port, got), visit(browser) as page:
        await page.goto(address_of(server, made, port, scope="messages.send"))
        await page.fill("input[name=email]", users["merchant"]["email"])
        await page.fill("input[name=password]", users["merchant"]["password"])
        await page.click("button:has-text('Sign in')")
        await page.click("button:has-text('Decline')")
        await page.wait_for_selector("text=Thank you.")
        answer = await asyncio.wait_for(got.get(), 30)
        assert (answer["error"], answer["state"]) == ("access_denied", "kept")
