"""The pages of applications in a real browser: they work without JavaScript, are accessible, and fit a phone."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, Page, expect

from makola.core.applications.published_roles import publish_roles
from makola.core.applications.review import approve, submit
from makola.core.applications.types import ApplicationKind
from makola.core.oauth.default_installs import install_where_missing
from tests.applications.world import Desk
from tests.sandbox.operator_world import eventually
from tests.web.conftest import PATIENCE_MS, browser, visit

__all__ = ["browser"]

_AXE = Path(__file__).parents[1] / "clients" / "node" / "node_modules" / "axe-core" / "axe.min.js"
_PHONE = 500
_SCREENS = ((390, 844, "light"), (1280, 800, "dark"))


@pytest_asyncio.fixture(scope="module")
async def url(desk: Desk) -> AsyncIterator[str]:
    """The pages on a real server."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(desk.pages, log_level="warning", lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))

        async def started() -> bool:
            return server.started

        await eventually(started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await serving


async def sign_in(desk: Desk, page: Page, url: str, name: str) -> None:
    visitor = await desk.world.visitor(name)
    assert visitor.session is not None
    await page.context.add_cookies([{"name": "makola_session", "value": visitor.session.token, "url": url}])


async def problems_of(page: Page, width: int, *, rules: bool) -> list[str]:
    found = [] if await page.evaluate("document.documentElement.scrollWidth") == width else ["too wide"]
    if rules and _AXE.exists():
        await page.evaluate(_AXE.read_text())
        result = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [f"{each['id']}: {node['html']}" for each in result["violations"] for node in each["nodes"]]
    return found


@pytest.mark.parametrize(("width", "height", "scheme"), _SCREENS)
async def test_every_page_is_accessible_and_fits(desk: Desk, url: str, browser: Browser, width: int, height: int,
                                                 scheme: Literal["light", "dark"]) -> None:
    made = await desk.complete(name=f"Accessible and with a very long name {width}")
    waiting = await desk.complete(name="Waiting")
    trusted = await desk.world.application(ApplicationKind.TRUSTED, name="Portal", installed_by_default=True)
    async with desk.world.database.transaction() as connection:
        approved = await submit(connection, desk.world.platform, made.application.client_id)
        await approve(connection, desk.world.platform, approved.submission_id)
        pending = await submit(connection, desk.world.platform, waiting.application.client_id)
        await publish_roles(connection, desk.world.platform, trusted.application.client_id, [("cashier", "Sells.")])
    await install_where_missing(desk.world.database)
    at = f"/applications/{made.application.client_id}"
    paths = {"esi": ["/applications", "/applications/new", "/applications/new?kind=public", at, f"{at}/edit",
                     "/directory", f"/directory/{made.application.client_id}", "/installed",
                     f"/installed/{trusted.application.client_id}"],
             "root": ["/review", f"/review/{pending.submission_id}",
                      f"/applications/{trusted.application.client_id}/edit"]}
    for name, pages in paths.items():
        async with visit(browser, width, height) as page:
            await sign_in(desk, page, url, name)
            await page.emulate_media(color_scheme=scheme)
            for path in pages:
                answer = await page.goto(url + path)
                assert answer is not None
                assert answer.status == 200, path
                looked_at = width > _PHONE or path in {at, f"{at}/edit", "/installed", "/directory"}
                assert await problems_of(page, width, rules=looked_at) == [], path


async def test_an_application_is_made_published_and_taken_back_without_javascript(desk: Desk, url: str,
                                                                               browser: Browser) -> None:
    context = await browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await sign_in(desk, page, url, "esi")
    await page.goto(f"{url}/applications/new")
    await page.get_by_role("link", name="For other accounts").click()
    await page.get_by_label("Display name").fill("By hand")
    await page.get_by_label("Callback URLs").fill("https://a.example/cb")
    await page.get_by_text("Messages", exact=False).first.click()
    await page.get_by_label("Read your messaging history").check()
    await page.get_by_role("button", name="Make it").click()
    secret = await page.locator("#client-secret").inner_text()
    assert len(secret) == 43
    await page.get_by_role("link", name="I have kept it").click()
    await expect(page.locator("main")).to_contain_text("messages.read")
    await page.get_by_role("button", name="Submit for review").click()
    await expect(page.get_by_role("alert")).to_contain_text("The directory needs the access URL.")
    await page.get_by_label("Make a new secret").select_option("3600")
    await page.get_by_role("button", name="New secret").click()
    await page.get_by_role("link", name="I have kept it").click()
    await expect(page.get_by_text("Made 20")).to_have_count(2)
    await page.get_by_text("Close By hand").click()
    await page.get_by_role("button", name="Yes, close it for good").click()
    await expect(page).to_have_url(f"{url}/applications")
    await expect(page.locator("h1")).to_have_text("Applications")
    await expect(page.locator("main")).not_to_contain_text("By hand")
    await context.close()
