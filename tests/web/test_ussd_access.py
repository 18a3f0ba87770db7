"""Who sees which sessions at `/ussd`: the organisation acted for and those below it; nobody without signing in."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import SimpleNamespace

import httpx
import pytest
import pytest_asyncio
from litestar import Litestar, Router

from makola.core.organisations.actors import find_platform_actor
from makola.core.organisations.permissions import ALL_RIGHTS, Grants, Permission
from makola.core.organisations.service import create_organisation
from makola.core.organisations.types import Actor
from makola.core.ussd.asking import Applications
from makola.core.ussd.service.mapping import map_code
from makola.kit.database import Database
from makola.kit.ids import new_id
from makola.kit.outgoing import OutgoingHttp
from makola.web.pages import Pages
from makola.web.router import create_web_router
from makola.web.ussd import create_ussd_router, router


@dataclass
class Site:
    """The pages of a server without a demonstration world, and who is signed in."""

    client: httpx.AsyncClient
    organisations: dict[str, int]
    sessions: dict[str, str]
    mapped: list[tuple[int, str, str]]
    viewer: Actor | None = None

    def sign_in(self, name: str, grants: Grants = ALL_RIGHTS) -> None:
        """Let a person of an organisation be signed in."""
        own = self.organisations[name]
        self.viewer = replace(_SOMEBODY, organisation_id=own, grants=grants)

    async def seen(self) -> set[str]:
        """The names of the organisations whose sessions the page shows."""
        html = (await self.client.get("/ussd")).text
        return {name for name, session in self.sessions.items() if session in html}


_SOMEBODY = Actor(0, (1, 2), 0, None, "GH", "GMT", user_id=1)


@pytest_asyncio.fixture
async def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """Four organisations, each with a code and a session."""
    organisations: dict[str, int] = {}
    sessions: dict[str, str] = {}
    async with database.transaction() as connection:
        above: int | None = None
        for code, (name, parent) in enumerate((("root", None), ("shop", "root"), ("stall", "shop"), ("bank", "root"))):
            above = organisations.get(parent) if parent else None
            organisation = await create_organisation(connection, above, name=name)
            organisations[name] = organisation.organisation_id
            platform = await find_platform_actor(connection)
            assert platform is not None
            service = await map_code(connection, platform, f"80{code}", "http://app.example.com/", allow_private=True,
                                     owner_id=organisation.organisation_id)
            session_id = new_id()
            sessions[name] = session_id.hex
            await connection.execute(
                "INSERT INTO ussd.session (id, service_id, organisation_id, service_code, connector,"
                " operator_session_id, mobile, operator, started_at) VALUES ($1, $2, $3, $4, 'x', $5, '1', 'M', $6)",
                session_id, service.service_id, organisation.organisation_id, service.code, session_id.hex,
                datetime.now(UTC))
    made = Site(httpx.AsyncClient(), organisations, sessions, [])

    async def signed_in(_request: object) -> object:
        if made.viewer is None:
            return None
        return SimpleNamespace(actor=made.viewer, user=SimpleNamespace(name="Ama", email="ama@example.com"),
                               organisation_name="x", session=SimpleNamespace(csrf_token="x"))

    async def remember(viewer: Actor | None, code: str, url: str) -> None:
        assert viewer is not None
        made.mapped.append((viewer.organisation_id, code, url))

    monkeypatch.setattr(router, "signed_in", signed_in)
    async with OutgoingHttp() as outgoing:
        def ussd(pages: Pages) -> Router:
            return create_ussd_router(pages, database, Applications(outgoing), remember, asyncio.Event(), demo=False)

        app = Litestar([create_web_router(handset=False, more=[ussd])], openapi_config=None)
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type] # Litestar's own names for the same shapes
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            made.client = client
            yield made


async def test_nobody_without_signing_in(site: Site) -> None:
    page = await site.client.get("/ussd")
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=/ussd")
    session = site.sessions["shop"]
    assert (await site.client.get(f"/ussd/sessions/{session}")).status_code == 303
    for path in ("/ussd/services", "/ussd/events", f"/ussd/sessions/{session}/replay"):
        assert (await site.client.get(path)).status_code == 401
    refused = await site.client.post("/ussd/services", json={"code": "1", "url": "http://example.com/"})
    assert (refused.status_code, site.mapped) == (401, [])


@pytest.mark.parametrize(("name", "sees"), [
    ("root", {"root", "shop", "stall", "bank"}), ("shop", {"shop", "stall"}), ("stall", {"stall"}),
    ("bank", {"bank"})])
async def test_the_own_organisation_and_those_below(site: Site, name: str, sees: set[str]) -> None:
    site.sign_in(name)
    assert await site.seen() == sees
    for other, session in site.sessions.items():
        wanted = 200 if other in sees else 404
        assert (await site.client.get(f"/ussd/sessions/{session}")).status_code == wanted
        assert (await site.client.get(f"/ussd/sessions/{session}/replay")).status_code == wanted
    services = (await site.client.get("/ussd/services")).json()["services"]
    assert len(services) == len(sees)


async def test_looking_and_changing_are_permissions(site: Site) -> None:
    body = {"code": "*801*1#", "url": "http://example.com/"}
    replay = f"/ussd/sessions/{site.sessions['shop']}/replay"
    site.sign_in("shop", Grants({}, ALL_RIGHTS.modules))
    assert (await site.client.get("/ussd")).status_code == 403
    assert (await site.client.get("/ussd/services")).status_code == 403
    site.sign_in("shop", Grants({Permission.CLIENT_VIEW: False}, ALL_RIGHTS.modules))
    assert (await site.client.get("/ussd")).status_code == 200
    assert (await site.client.post("/ussd/services", json=body)).status_code == 403
    assert (await site.client.post(replay, json={"position": 1})).status_code == 403
    assert site.mapped == []
    site.sign_in("shop")
    assert (await site.client.post("/ussd/services", json=body)).status_code == 200
    assert site.mapped == [(site.organisations["shop"], "*801*1#", "http://example.com/")]
