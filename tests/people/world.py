"""The pages of people over a database of their own, a small tree, and browsers that fill in forms."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from itertools import count
from typing import Any
from urllib.parse import urlencode

import httpx
import pyotp
from litestar import Litestar

from makola.core.identity.accounts import set_password
from makola.core.identity.passwords import Passwords
from makola.core.identity.second_factor import Authenticators
from makola.core.identity.sessions import SessionPolicy
from makola.core.identity.sign_in import SignIn
from makola.core.identity.types import User
from makola.core.organisations.actors import find_platform_actor
from makola.core.organisations.members import NewGrants, NewUser, add_member
from makola.core.organisations.service import create_organisation
from makola.core.organisations.tree import OrganisationChange, add_organisation
from makola.core.organisations.types import Actor
from makola.kit.database import Database
from makola.kit.sealing import Sealer
from makola.web import create_web_router
from makola.web.people.cookies import Cookies
from makola.web.people.services import PeopleServices
from makola.wiring import people as wiring

URL = "http://localhost:8080"
PASSWORD = "seven green bicycles"
OTHER_PASSWORD = "eight quiet mountains"
POLICY = SessionPolicy(idle_s=3600, lifetime_s=86_400, fresh_s=600)

_addresses = count(1)


class Clock:
    """A time that tests move."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Browser:
    """A browser without scripts: keeps cookies, fills in the forms of the page that it sees.

    Its address is its own, so that tests do not slow one another down.
    """

    def __init__(self, app: Litestar, url: str = URL, *, address: str = "", **headers: str) -> None:
        number = next(_addresses)
        self.address = address or f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        transport = httpx.ASGITransport(app=app, client=(self.address, 5000))  # type: ignore[arg-type]
        self.http = httpx.AsyncClient(transport=transport, base_url=url,
                                      headers={"User-Agent": "Firefox/1 Linux"} | headers)
        self.page = httpx.Response(204)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Look at a page; do not follow where it sends."""
        self.page = await self.http.get(path, headers=headers)
        return self.page

    async def read(self, path: str) -> str:
        """Look at a page; return its words."""
        await self.get(path)
        return self.words

    async def submit(self, path: str, values: Mapping[str, str] | None = None, *, at: str = "",
                     token: str | None = None, headers: Mapping[str, str] | None = None,
                     **fields: str) -> httpx.Response:
        """Send a form of the present page (or of `at`) to `path`."""
        if at:
            await self.get(at)
        found = re.search(r'name="csrf_token" value="([^"]*)"', self.page.text) if token is None else None
        given = token if token is not None else unescape(found[1]) if found else ""
        body = urlencode({"csrf_token": given} | dict(values or {}) | fields)
        self.page = await self.http.post(path, content=body, headers={
            "Content-Type": "application/x-www-form-urlencoded"} | dict(headers or {}))
        return self.page

    async def sign_in(self, email: str, password: str = PASSWORD, *, query: str = "") -> httpx.Response:
        """Fill in the sign-in page."""
        await self.get(f"/sign-in{query}")
        found = re.search(r'name="next" value="([^"]*)"', self.page.text)
        values = {"email": email, "password": password, "next": unescape(found[1]) if found else "/"}
        return await self.submit("/sign-in", values | ({"again": "1"} if 'name="again"' in self.page.text else {}))

    async def is_signed_in(self) -> bool:
        """Whether the security page opens."""
        return (await self.http.get("/account/security")).status_code == 200

    @property
    def session(self) -> str:
        """The session cookie's value; empty for none."""
        return self.http.cookies.get("makola_session") or self.http.cookies.get("__Host-makola_session") or ""

    @property
    def problem(self) -> str:
        """What the page says was wrong; empty for nothing."""
        found = re.search(r'id="problem">\s*<p><strong>(.*?)</strong>', self.page.text, re.S)
        return unescape(found[1]) if found else ""

    @property
    def words(self) -> str:
        """The text of the page's main part."""
        main = re.search(r"<main.*?</main>", self.page.text, re.S)
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", main[0])).split()) if main else ""


@dataclass
class Place:
    """The tree: platform > shop > branch."""

    database: Database
    services: PeopleServices
    app: Litestar
    platform: Actor
    clock: Clock
    organisations: dict[str, int] = field(default_factory=dict)
    _number: "count[int]" = field(default_factory=lambda: count(1))

    def browser(self, url: str = URL, *, address: str = "", **headers: str) -> Browser:
        """A browser that has never been here."""
        return Browser(self.app, url, address=address, **headers)

    async def person(self, organisation: str = "shop", *, password: str | None = PASSWORD, admin: bool = False,
                     permissions: tuple[str, ...] = ()) -> User:
        """Add somebody."""
        number = next(self._number)
        async with self.database.transaction() as connection:
            user = await add_member(
                connection, self.platform, self.organisations[organisation],
                NewUser(f"Ama {number}", f"Ama.{number}@example.com", "GHS"),
                NewGrants(admin=admin, permissions=[(each, False) for each in permissions]))
            if password is not None:
                await set_password(connection, user.user_id, await self.services.passwords.hash(password))
        return user

    async def signed_in(self, user: User, **headers: str) -> Browser:
        """A browser in which somebody is signed in."""
        browser = self.browser(**headers)
        answer = await browser.sign_in(user.email)
        assert answer.status_code == 303, browser.words
        return browser

    async def with_totp(self, user: User) -> tuple[Browser, "pyotp.TOTP", list[str]]:
        """Set up an authenticator app; return the browser, the app, and the recovery codes."""
        browser = await self.signed_in(user)
        await browser.submit("/account/authenticator", at="/account/security")
        await browser.get("/account/authenticator")
        secret = re.search(r'class="secret">([A-Z2-7 ]+)<', browser.page.text)
        assert secret is not None
        app = pyotp.TOTP(secret[1].replace(" ", ""))
        page = await browser.submit("/account/authenticator/confirm", code=self.code(app))
        codes = re.findall(r"\b[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}\b", page.text)
        self.clock.now += 30
        return browser, app, codes

    def code(self, app: "pyotp.TOTP", *, steps: int = 0) -> str:
        """What the app shows now, or some steps of 30 s later."""
        return app.at(int(self.clock.now) + 30 * steps)

    async def fresh_throttle(self) -> None:
        """Let every wait be over; what was counted stays."""
        await self.database.execute("UPDATE identity.throttle SET blocked_until = now() - interval '1 second'")

    async def count(self, sql: str, *arguments: object) -> int:
        """Return the number that a query answers."""
        number: int = await self.database.fetchval(sql, *arguments)
        return number


@asynccontextmanager
async def make_place(database: Database, *, url: str = URL, **passwords: Any) -> AsyncIterator[Place]:
    """Make the tree and serve the pages."""
    hasher = Passwords(**{"memory_kib": 64, "passes": 1, "at_once": 2} | passwords)
    clock = Clock()
    authenticators = Authenticators(Sealer(b"k" * 32), clock)
    services = PeopleServices(
        database, SignIn(database, hasher, authenticators, POLICY, wiring.admits), hasher, authenticators, POLICY,
        Cookies(url), url, invitation_lifetime_s=3600)
    app = Litestar([create_web_router(handset=False, sign_in=True, more=[wiring.pages(services)])],
                   openapi_config=None, logging_config=None, state=wiring.state(services))
    async with database.transaction() as connection:
        root = await connection.fetchval("SELECT id FROM organisations.organisation WHERE parent_id IS NULL")
        root_id = root or (await create_organisation(connection, None, name="Platform")).organisation_id
        platform = await find_platform_actor(connection)
        assert platform is not None
        place = Place(database, services, app, platform, clock, {"platform": root_id})
        for name, parent in (("shop", "platform"), ("branch", "shop"), ("rival", "platform")):
            made = await add_organisation(connection, platform, place.organisations[parent],
                                          OrganisationChange(name.capitalize()))
            place.organisations[name] = made.organisation_id
    try:
        yield place
    finally:
        hasher.close()
