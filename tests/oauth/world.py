"""An OAuth server in this process, people who are signed in, and applications of each kind.

    platform > shop > branch     whose administrator is Ama; Kofi works at the shop and administers nothing
             > maker             who owns the applications
"""

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from html import unescape
from re import findall, search
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
from litestar import Litestar
from litestar.datastructures import State

from makola.api.common.asgi import Receive, Scope, Send
from makola.api.common.client_authentication import ClientAuthentication
from makola.api.common.credentials import Credentials
from makola.api.common.token_endpoint import TokenEndpoint
from makola.api.oauth.app import OAuthApp
from makola.api.oauth.context import OAuthContext
from makola.api.oauth.grants import Grants
from makola.core.applications.registration import register
from makola.core.applications.scopes import ALL_SCOPES
from makola.core.applications.types import ApplicationKind, Draft, Listing, NewlyRegistered, OAuthSettings
from makola.core.identity.passwords import Passwords
from makola.core.identity.queries import find_user
from makola.core.identity.second_factor import Authenticators
from makola.core.identity.sessions import Browser, NewSession, SessionPolicy, csrf_token, open_session
from makola.core.identity.sign_in import SignIn
from makola.core.identity.types import User
from makola.core.oauth.client_assertions import ClientAssertions
from makola.core.oauth.keys import SigningKeys
from makola.core.oauth.types import Lifetimes
from makola.core.organisations.actors import find_platform_actor
from makola.core.organisations.members import NewGrants, NewUser, add_member
from makola.core.organisations.service import create_organisation
from makola.core.organisations.tree import OrganisationChange, add_organisation
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database
from makola.kit.outgoing import AddressPolicy, OutgoingHttp
from makola.kit.sealing import Sealer
from makola.web import create_web_router
from makola.web.consent.router import consent_pages
from makola.web.consent.services import ConsentServices
from makola.web.people.cookies import Cookies
from makola.web.people.router import people_pages
from makola.web.people.services import PeopleServices
from makola.web.people.signed_in import STATE_NAME

ISSUER = "http://makola.test"
CALLBACK = "https://app.example.com/oauth_callback"
LOOPBACK = "http://127.0.0.1/callback"
SCOPES = frozenset({"messages.send", "contacts.create", "account.balance", "openid", "profile", "email"})
KEY = b"k" * 32
POLICY = SessionPolicy(idle_s=3600, lifetime_s=86_400, fresh_s=600)
PRIVATE_ALLOWED = AddressPolicy(allow_private=True)


@dataclass(slots=True)
class Visitor:
    """A browser, in which a person may be signed in."""

    http: httpx.AsyncClient
    user_id: int = 0
    session: NewSession | None = None

    @property
    def csrf_token(self) -> str:
        assert self.session is not None
        return csrf_token(self.session.token)

    async def ask(self, **parameters: str) -> httpx.Response:
        """Go to the authorization endpoint."""
        return await self.http.get("/oauth", params=parameters)

    async def decide(self, page: httpx.Response, decision: str = "allow", **change: str) -> httpx.Response:
        """Press a button of the consent page."""
        assert page.status_code == 200, (page.status_code, page.text)
        return await self.http.post("/oauth/consent", data={**form_of(page), "decision": decision, **change})

    async def allow(self, **parameters: str) -> dict[str, str]:
        """Ask, agree if asked, and return what the application gets."""
        answer = await self.ask(**parameters)
        return answer_of(answer if answer.status_code == 303 else await self.decide(answer))


@dataclass(slots=True)
class World:
    """The server and what is in it."""

    http: httpx.AsyncClient
    database: Database
    keys: SigningKeys
    sealer: Sealer
    credentials: Credentials
    platform: Actor
    outgoing: OutgoingHttp
    authentication: ClientAuthentication
    entrance: object
    organisations: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    visitors: list[Visitor] = field(default_factory=list)

    async def application(self, kind: ApplicationKind = ApplicationKind.PUBLIC, *, name: str = "Ledger & Sons",
                          offline_access: bool = False, **settings: object) -> NewlyRegistered:
        """Make an application of the maker's; a partner application is one that was reviewed."""
        oauth = replace(OAuthSettings(redirect_uris=(CALLBACK,), requested_scopes=SCOPES), **settings)  # type: ignore[arg-type]
        made_as = ApplicationKind.PUBLIC if kind is ApplicationKind.PARTNER else kind
        async with self.database.transaction() as connection:
            made = await register(
                connection, self.platform, made_as,
                Draft(name, oauth=oauth, listing=Listing(offline_access=offline_access)), PRIVATE_ALLOWED,
                organisation_id=None if kind is ApplicationKind.TRUSTED else self.organisations["maker"])
            if kind is ApplicationKind.PARTNER:
                await connection.execute("UPDATE applications.application SET kind = 'partner' WHERE client_id = $1",
                                         made.application.client_id)
        return made

    async def visitor(self, name: str | None = "ama", *, amr: tuple[str, ...] = ("pwd",)) -> Visitor:
        """Open a browser; somebody is signed in, or nobody."""
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.entrance), base_url=ISSUER)  # type: ignore[arg-type]
        visitor = Visitor(http)
        self.visitors.append(visitor)
        if name is not None:
            await self.sign_in(visitor, name, amr=amr)
        return visitor

    async def sign_in(self, visitor: Visitor, name: str, *, amr: tuple[str, ...] = ("pwd",)) -> None:
        """Sign somebody in; the same person's session goes on."""
        async with self.database.transaction() as connection:
            user = await find_user(connection, self.people[name])
            assert user is not None
            replacing = visitor.session.token if visitor.session is not None else ""
            visitor.session = await open_session(connection, user, amr, Browser("127.0.0.1", "test"), POLICY,
                                                 replacing=replacing)
        visitor.user_id = user.user_id
        visitor.http.cookies.set("makola_session", visitor.session.token, domain="makola.test")

    async def token(self, made: NewlyRegistered, **values: str) -> httpx.Response:
        """Ask the token endpoint as an application with a secret in the body, for JSON."""
        sent = {"client_id": made.application.client_id, **values}
        if made.client_secret:
            sent["client_secret"] = made.client_secret
        return await self.http.post("/oauth/token", data=sent, headers={"Accept": "application/json"})

    async def tokens(self, made: NewlyRegistered, visitor: Visitor, scope: str, **more: str) -> dict[str, Any]:
        """Go the whole way of the code flow; return the token answer."""
        verifier, request = code_request(made, scope=scope, **more)
        got = await visitor.allow(**request)
        answer = await self.token(made, grant_type="authorization_code", code=got["code"],
                                  redirect_uri=request["redirect_uri"], code_verifier=verifier)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def userinfo(self, access_token: str) -> httpx.Response:
        """Use a token."""
        return await self.http.get("/oauth/userinfo", headers={"Authorization": f"Bearer {access_token}"})

    async def is_alive(self, access_token: str) -> bool:
        """Say whether a token with the scope `openid` still works."""
        return (await self.userinfo(access_token)).status_code == 200


def pkce() -> tuple[str, str]:
    """Return a verifier and its challenge."""
    verifier = secrets.token_urlsafe(32)
    return verifier, base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def code_request(made: NewlyRegistered, *, scope: str = "openid", **more: str) -> tuple[str, dict[str, str]]:
    """Return a verifier, and the parameters of a request for a code."""
    verifier, challenge = pkce()
    return verifier, {
        "client_id": made.application.client_id, "response_type": "code", "redirect_uri": CALLBACK, "scope": scope,
        "state": secrets.token_urlsafe(8), "code_challenge": challenge, "code_challenge_method": "S256"} | more


def form_of(page: httpx.Response) -> dict[str, str]:
    """Return what the form of a page would send."""
    form = search(r'<form method="post" action="/oauth[^"]*".*?</form>', page.text, 16)
    assert form is not None, page.text
    fields = {unescape(name): unescape(value) for name, value in
              findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form[0])}
    chosen = search(r'<option value="(\d+)" selected', form[0])
    return fields | ({"organisation": chosen[1]} if chosen else {})


def answer_of(answer: httpx.Response) -> dict[str, str]:
    """Return what a redirect to the application carries."""
    assert answer.status_code == 303, (answer.status_code, answer.text)
    parts = urlsplit(answer.headers["location"])
    return dict(parse_qsl(parts.query or parts.fragment, keep_blank_values=True))


def query_of(answer: httpx.Response) -> Mapping[str, list[str]]:
    """Return the query of a redirect."""
    return parse_qs(urlsplit(answer.headers["location"]).query)


def path_with(path: str, **values: str) -> str:
    """Return a path with a query."""
    return f"{path}?{urlencode(values)}"


@asynccontextmanager
async def oauth_world(database: Database, *, lifetimes: Lifetimes | None = None) -> AsyncIterator[World]:
    """Make the world in an empty database, and serve it."""
    lifetimes, sealer, credentials = lifetimes or Lifetimes(), Sealer(KEY), Credentials(database, remember_s=5)
    keys, outgoing = SigningKeys(database, sealer), OutgoingHttp(PRIVATE_ALLOWED)
    authentication = ClientAuthentication(
        database, ClientAssertions(database, outgoing, {ISSUER, f"{ISSUER}/oauth/token"}))
    context = OAuthContext(database, authentication, credentials, keys, sealer, lifetimes, ISSUER, "RS256")
    grants = Grants(context)
    tokens = TokenEndpoint(database, lifetime_s=3600, known_scopes=ALL_SCOPES, authentication=authentication,
                           grants={"authorization_code": grants.code, "refresh_token": grants.refresh_token})
    programs = OAuthApp(context, tokens)
    pages = _pages(database, ConsentServices(database, keys, sealer, lifetimes, ISSUER), sealer)

    async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
        await (programs if programs.serves(scope["path"]) else pages)(scope, receive, send)  # type: ignore[arg-type]

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=entrance), base_url=ISSUER) as http:
        async with database.transaction() as connection:
            await create_organisation(connection, None, name="Platform")
            platform = await find_platform_actor(connection)
            assert platform is not None
            world = World(http, database, keys, sealer, credentials, platform, outgoing, authentication,
                          entrance)
            await _people(connection, world)
        try:
            yield world
        finally:
            for visitor in world.visitors:
                await visitor.http.aclose()
            await outgoing.close()


def _pages(database: Database, consent: ConsentServices, sealer: Sealer) -> Litestar:
    passwords, authenticators = Passwords(memory_kib=1024, passes=1, at_once=1), Authenticators(sealer)

    async def admits(_database: Database | Connection, _user: User) -> bool:
        return True

    people = PeopleServices(
        database, SignIn(database, passwords, authenticators, POLICY, admits), passwords, authenticators, POLICY,
        Cookies(ISSUER), ISSUER, invitation_lifetime_s=3600)
    router = create_web_router(handset=False, sign_in=True, more=[people_pages(people), consent_pages(consent)])
    return Litestar([router], openapi_config=None, logging_config=None, state=State({STATE_NAME: people}))


async def _people(connection: Connection, world: World) -> None:
    world.organisations["platform"] = world.platform.organisation_id
    for word, parent in (("shop", "platform"), ("branch", "shop"), ("maker", "platform")):
        made = await add_organisation(connection, world.platform, world.organisations[parent],
                                      OrganisationChange(f"The {word}"))
        world.organisations[word] = made.organisation_id
    for name, where, admin in (("ama", "shop", True), ("kofi", "shop", False), ("esi", "maker", True)):
        user = await add_member(
            connection, world.platform, world.organisations[where],
            NewUser(name.title(), f"{name}@example.com", "GHS", "en", "Africa/Accra"), NewGrants(admin=admin))
        world.people[name] = user.user_id
