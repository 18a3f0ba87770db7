"""A real browser: password, authenticator app, passkeys; and whether the pages are accessible and fit a phone."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, expect

from makola.kit.database import Database
from tests.people.world import PASSWORD, Place, make_place
from tests.sandbox.operator_world import eventually
from tests.web.conftest import browser, visit

__all__ = ["browser"]

_AXE = Path(__file__).parents[1] / "clients" / "node" / "node_modules" / "axe-core" / "axe.min.js"
_AUTHENTICATOR = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                  "isUserVerified": True, "automaticPresenceSimulation": True}
SIZES = pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])


@dataclass
class Served:
    """A place on a real server."""

    place: Place
    url: str


@pytest_asyncio.fixture
async def served(database: Database) -> AsyncIterator[Served]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://localhost:{listening.getsockname()[1]}"
        async with make_place(database, url=url) as place:
            server = uvicorn.Server(uvicorn.Config(place.app, log_level="warning", lifespan="off"))
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            await eventually(lambda: _started(server))
            place.clock.now = 1_900_000_000.0
            yield Served(place, url)
            server.should_exit = True
            await serving


async def _started(server: uvicorn.Server) -> bool:
    return server.started


async def _sign_in(page: Page, email: str) -> None:
    await page.get_by_label("E-mail address").fill(email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")


async def _add_authenticator(context: BrowserContext, page: Page) -> None:
    devtools = await context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": _AUTHENTICATOR})


async def _fits_and_is_accessible(page: Page, width: int, heading: str) -> None:
    """Check the page with that heading, once it is there: a click does not wait for the page that it leads to."""
    await expect(page.locator("h1")).to_have_text(heading)
    await page.wait_for_load_state()
    assert await page.evaluate("document.documentElement.scrollWidth") == width, page.url
    if width < 500 or not _AXE.exists():  # the same page: once is enough
        return
    await page.evaluate(_AXE.read_text())
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == [], page.url


@SIZES
async def test_password_app_and_passkeys_from_first_to_last(browser: Browser, served: Served, width: int,
                                                            height: int) -> None:
    user = await served.place.person(admin=True)
    async with visit(browser, width, height) as page:
        await _add_authenticator(page.context, page)
        await page.goto(served.url + "/account/security")
        await _fits_and_is_accessible(page, width, "Sign in")
        await _sign_in(page, user.email)
        await page.wait_for_url(served.url + "/account/security")

        await page.get_by_role("button", name="Set up an authenticator app").click()
        await _fits_and_is_accessible(page, width, "Set up an authenticator app")
        await page.get_by_text("Type it instead").click()
        app = pyotp.TOTP((await page.locator(".secret").inner_text()).replace(" ", ""))
        await page.get_by_label("Type the six digits that it shows").fill(served.place.code(app))
        await page.get_by_role("button", name="Switch on").click()
        await _fits_and_is_accessible(page, width, "Your recovery codes")
        await page.get_by_role("link", name="I have kept them").click()

        await page.get_by_role("button", name="Add a passkey").click()
        await expect(page.get_by_role("status")).to_have_text("The passkey is added.")
        await expect(page.get_by_text("Chrome on Linux")).to_have_count(2)
        await _fits_and_is_accessible(page, width, "Security")

        # A passkey alone, naming nobody.
        await _sign_out(page)
        await page.goto(served.url + "/sign-in?next=/people")
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await page.wait_for_url(served.url + "/people")
        await _fits_and_is_accessible(page, width, "People")
        assert await served.place.database.fetchval("SELECT amr FROM identity.session") == ["hwk", "user", "mfa"]

        # The password, then the passkey as second step.
        await _sign_out(page)
        await page.goto(served.url + "/sign-in?next=/account/organisation")
        await _sign_in(page, user.email)
        await page.wait_for_url(served.url + "/sign-in/code?next=/account/organisation")
        await _fits_and_is_accessible(page, width, "Second step")
        await page.get_by_role("button", name="Use a passkey").click()
        await page.wait_for_url(served.url + "/account/organisation")
        await _fits_and_is_accessible(page, width, "Switch organisation")
        await page.get_by_role("button", name="Act for it: Branch").click()
        await expect(page.locator(".viewer summary")).to_contain_text("Branch")
        await page.goto(served.url + "/account/security")
        await page.locator(".viewer summary").click()
        await expect(page.locator(".viewer__self")).to_contain_text("for Branch")
        await page.keyboard.press("Escape")
        await expect(page.locator(".viewer__self")).to_be_hidden()
        await expect(page.locator(".viewer summary")).to_be_focused()
        await page.keyboard.press("Enter")
        await _fits_and_is_accessible(page, width, "Security")

        await page.get_by_role("button", name="Remove the passkey").click()
        await expect(page.get_by_role("status")).to_have_text("The passkey is removed.")
        await _sign_out(page)
        await page.goto(served.url + "/sign-in")
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await expect(page.get_by_text("This passkey was not accepted.")).to_be_visible()
        assert await served.place.count("SELECT count(*) FROM identity.session") == 0


async def _sign_out(page: Page) -> None:
    await expect(page.locator(".viewer summary")).to_be_visible()
    if not await page.locator(".viewer[open]").count():
        await page.locator(".viewer summary").click()
    await page.locator(".viewer__menu").get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("link", name="Sign in")).to_be_visible()


async def test_without_scripts_by_keyboard_alone(browser: Browser, served: Served) -> None:
    user = await served.place.person()
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(served.url + "/sign-in?next=/account/security")
    await expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    await page.keyboard.type(user.email)
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url(served.url + "/account/security")
    await page.locator(".viewer summary").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="Switch organisation")).to_be_visible()
    await page.locator(".viewer__menu button").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    await context.close()


async def test_signing_in_on_the_way_to_another_site_is_not_stopped_by_the_page_s_own_policy(
        browser: Browser, served: Served) -> None:
    """`form-action 'self'` holds for what a form's answer redirects to; the page between ends that."""
    user = await served.place.person()
    context = await browser.new_context()
    page = await context.new_page()
    await page.route("**/oauth?*", lambda route: route.fulfill(
        status=302, headers={"Location": "http://client.example/callback?code=1"}))
    await page.route("http://client.example/**", lambda route: route.fulfill(body="The client's own page"))
    await page.goto(served.url + "/sign-in?next=%2Foauth%3Fclient_id%3D1")
    await _sign_in(page, user.email)
    await expect(page.get_by_text("The client's own page")).to_be_visible()
    await context.close()
