"""A tree of organisations for the tests, and a client that speaks to the Hub API without a network.

    platform > a > b > c > d > e     the chain of the documents, below a platform
                     > c2            c's sibling
               a > stranger          elsewhere
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from makola.api.common.asgi import Receive, Scope, Send
from makola.api.common.credentials import Credentials
from makola.api.common.token_endpoint import TokenEndpoint
from makola.api.hub.app import TOKEN_PATH, HubApp
from makola.api.hub.context import HubContext
from makola.api.hub.hot import HotRoute
from makola.core.applications.api_clients import create_api_client
from makola.core.applications.types import NewApplication
from makola.core.organisations.actors import find_platform_actor
from makola.core.organisations.credit import set_credit
from makola.core.organisations.members import NewGrants, NewUser, add_member
from makola.core.organisations.permissions import Permission
from makola.core.organisations.service import create_organisation
from makola.core.organisations.tree import OrganisationChange, add_organisation
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database

_TREE = (("a", "platform"), ("b", "a"), ("c", "b"), ("c2", "b"), ("d", "c"), ("e", "d"), ("stranger", "a"))
CREDIT_LIMIT_UNITS = 1_000_000_000


@dataclass(slots=True)
class Tier:
    """An organisation with an administrator and the administrator's API client."""

    word: str
    id: int
    user_id: int
    client: NewApplication
    token: str = ""

    @property
    def name(self) -> str:
        """The organisation's name, which appears nowhere else."""
        return f"Organisation of {self.word}!"


@dataclass(slots=True)
class Hub:
    """The tree, and how to speak as one of it."""

    http: httpx.AsyncClient
    database: Database
    app: HubApp
    platform: Actor
    tiers: dict[str, Tier] = field(default_factory=dict)

    def __getitem__(self, word: str) -> Tier:
        return self.tiers[word]

    async def call(self, who: str | None, method: str, path: str, *, json: object = None, content: bytes | None = None,
                   token: str | None = None, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Send a request below `/api/v1` as the administrator of an organisation, or with a token."""
        bearer = token if token is not None else self.tiers[who].token if who is not None else None
        sent = {**({"Authorization": f"Bearer {bearer}"} if bearer is not None else {}), **(headers or {})}
        if content is not None:
            return await self.http.request(method, f"/api/v1{path}", content=content, headers=sent)
        return await self.http.request(method, f"/api/v1{path}", json=json, headers=sent)

    async def get(self, who: str, path: str) -> httpx.Response:
        """Send a GET."""
        return await self.call(who, "GET", path)

    async def token_of(self, client: NewApplication) -> str:
        """Return a new access token of an API client."""
        answer = await self.http.post(TOKEN_PATH, data={
            "grant_type": "client_credentials", "client_id": client.application.client_id,
            "client_secret": client.client_secret})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def user_of(self, word: str, *permissions: Permission | tuple[Permission, bool], email: str = "",
                      admin: bool = False, modules: tuple[str, ...] | None = None) -> tuple[int, str]:
        """Make a user of an organisation who may do this alone; return the user's id and a token."""
        async with self.database.transaction() as connection:
            user_id, client = await make_user(
                connection, self.platform, self[word].id, f"User {word}", email or f"{word}@x.example",
                NewGrants([(str(each), False) if isinstance(each, Permission) else (str(each[0]), each[1])
                           for each in permissions], admin=admin, modules=modules))
        return user_id, await self.token_of(client)


async def make_user(connection: Connection, actor: Actor, organisation_id: int, name: str, email: str,
                    grants: NewGrants) -> tuple[int, NewApplication]:
    """Make a user and an API client that stands for the user."""
    new = NewUser(name, email, "GBP", "en", "Europe/London")
    user = await add_member(connection, actor, organisation_id, new, grants)
    return user.user_id, await create_api_client(connection, actor, user.user_id, f"Client of {name}")


@asynccontextmanager
async def hub_world(database: Database, hot_routes: Sequence[HotRoute] = ()) -> AsyncIterator[Hub]:
    """Make the tree in an empty database, and serve the API over it."""
    async with database.transaction() as connection:
        await create_organisation(connection, None, name="Organisation of platform!")
        platform = await find_platform_actor(connection)
        assert platform is not None
        tiers = await _make_tiers(connection, platform)
    app = HubApp(HubContext(database, Credentials(database, remember_s=5.0), 100_000), hot_routes)
    tokens = TokenEndpoint(database, lifetime_s=3600, known_scopes={"messages.send", *map(str, Permission)})

    async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
        is_token = scope["path"] in {TOKEN_PATH, "/oauth/token"}
        await (tokens if is_token else app)(scope, receive, send)

    transport = httpx.ASGITransport(app=entrance)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as http:
        hub = Hub(http, database, app, platform, tiers)
        for tier in tiers.values():
            tier.token = await hub.token_of(tier.client)
        yield hub


async def _make_tiers(connection: Connection, platform: Actor) -> dict[str, Tier]:
    ids = {"platform": platform.organisation_id}
    for word, parent in _TREE:
        made = await add_organisation(connection, platform, ids[parent], OrganisationChange(f"Organisation of {word}!"))
        ids[word] = made.organisation_id
        await set_credit(connection, platform, ids[word], currency="GBP", credit_limit_units=CREDIT_LIMIT_UNITS)
    tiers = {}
    for word, organisation_id in ids.items():
        user_id, client = await make_user(
            connection, platform, organisation_id, f"Administrator of {word}!", f"{word}@example.com",
            NewGrants(admin=True, root=word == "platform"))
        tiers[word] = Tier(word, organisation_id, user_id, client)
    return tiers
