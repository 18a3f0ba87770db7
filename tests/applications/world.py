"""The OAuth world of tests/oauth with the pages of applications, and the Hub API beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from html import unescape
from re import S, findall, search

import httpx
from litestar import Litestar
from litestar.datastructures import State

from makola.core.applications.registration import change
from makola.core.applications.types import Listing, NewlyRegistered, Publisher
from makola.core.identity.passwords import Passwords
from makola.core.identity.second_factor import Authenticators
from makola.core.identity.sign_in import SignIn
from makola.core.organisations.acting import load_acting
from makola.core.organisations.actors import find_platform_actor
from makola.core.organisations.members import NewGrants, NewUser, add_member
from makola.core.organisations.types import Actor
from makola.kit.database import Database
from makola.web import create_web_router
from makola.web.applications.router import application_pages
from makola.web.applications.services import ApplicationServices
from makola.web.people.cookies import Cookies
from makola.web.people.router import people_pages
from makola.web.people.services import PeopleServices
from makola.web.people.signed_in import STATE_NAME
from tests.oauth.world import ISSUER, POLICY, PRIVATE_ALLOWED, Visitor, World, oauth_world

LISTING = Listing(
    access_url="https://ledger.example.com/", category="Accounting", short_description="Books for **shops**.",
    long_description="# Why\n\n- simple\n- [more](https://ledger.example.com/more)",
    terms_url="https://ledger.example.com/terms", privacy_url="https://ledger.example.com/privacy",
    publisher=Publisher("Ledger & Sons", "https://ledger.example.com", "books@ledger.example.com", "1 Road\nAccra"))


@dataclass(slots=True)
class Desk:
    """The world, and browsers that look at the pages of applications."""

    world: World
    services: ApplicationServices
    pages: Litestar

    async def browser(self, name: str | None) -> "Looking":
        """Open the pages as somebody."""
        visitor = await self.world.visitor(name)
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.pages), base_url=ISSUER)  # type: ignore[arg-type]
        if visitor.session is not None:
            http.cookies.set("makola_session", visitor.session.token, domain="makola.test")
        self.world.visitors.append(Visitor(http))
        return Looking(visitor, http)

    async def actor(self, name: str) -> Actor:
        """Return the actor that a person is in the pages."""
        row = await self.world.database.fetchrow('SELECT organisation_id FROM identity."user" WHERE id = $1',
                                                 self.world.people[name])
        assert row is not None
        actor = await load_acting(self.world.database, self.world.people[name], row["organisation_id"])
        assert actor is not None
        return actor

    async def complete(self, **settings: object) -> NewlyRegistered:
        """Make a public application of the maker's that can be published."""
        made = await self.world.application(**settings)  # type: ignore[arg-type]
        async with self.world.database.transaction() as connection:
            changed = await change(connection, self.world.platform, made.application.client_id,
                                   lambda draft: replace(draft, listing=LISTING), PRIVATE_ALLOWED)
        return NewlyRegistered(changed, made.client_secret)


@dataclass(slots=True)
class Looking:
    """A browser on the pages of applications."""

    visitor: Visitor
    http: httpx.AsyncClient

    async def get(self, path: str) -> httpx.Response:
        """Look at a page."""
        return await self.http.get(path)

    async def post(self, path: str, **fields: object) -> httpx.Response:
        """Send a form of this session."""
        return await self.http.post(path, data={"csrf_token": self.visitor.csrf_token, **fields})

    async def follow(self, answer: httpx.Response) -> httpx.Response:
        """Go where a redirect leads."""
        assert answer.status_code == 303, (answer.status_code, answer.text[:2000])
        return await self.get(answer.headers["location"])


def shown_secret(page: httpx.Response) -> tuple[str, str]:
    """Return the client id and the secret that a page shows."""
    client_id = search(r'id="client-id">([^<]+)<', page.text)
    secret = search(r'id="client-secret">([^<]+)<', page.text)
    assert client_id is not None
    assert secret is not None, page.text
    return unescape(client_id[1]), unescape(secret[1])


def main_of(page: httpx.Response) -> str:
    """Return the words of a page's main part."""
    main = search(r"<main.*</main>", page.text, S)
    assert main is not None, page.text
    return " ".join(unescape(" ".join(findall(r">([^<]+)<", main[0]))).split())


@asynccontextmanager
async def desk_of(database: Database) -> AsyncIterator[Desk]:
    """Make the world, with the platform's owner `root` in it, and serve the pages of applications."""
    async with oauth_world(database) as world:
        async with database.transaction() as connection:
            platform = await find_platform_actor(connection)
            assert platform is not None
            root = await add_member(connection, platform, platform.organisation_id,
                                    NewUser("Root", "root@example.com", "GHS", "en", "UTC"),
                                    NewGrants(admin=True, root=True))
            world.people["root"] = root.user_id
        services = ApplicationServices(database, PRIVATE_ALLOWED, world.sealer, world.credentials.forget)
        yield Desk(world, services, _pages(database, services, world))


def _pages(database: Database, services: ApplicationServices, world: World) -> Litestar:
    passwords, authenticators = Passwords(memory_kib=1024, passes=1, at_once=1), Authenticators(world.sealer)

    async def admits(_connection: object, _user: object) -> bool:
        return True

    people = PeopleServices(
        database, SignIn(database, passwords, authenticators, POLICY, admits), passwords, authenticators, POLICY,
        Cookies(ISSUER), ISSUER, invitation_lifetime_s=3600)
    router = create_web_router(handset=False, sign_in=True, more=[people_pages(people), application_pages(services)])
    return Litestar([router], openapi_config=None, logging_config=None, state=State({STATE_NAME: people}))
