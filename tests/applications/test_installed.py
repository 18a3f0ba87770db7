"""What an organisation has authorized: seen with its use, taken back at once, and told as documented."""

from dataclasses import replace
from urllib.parse import parse_qs

from makola.core.applications.published_roles import publish_roles, roles_of_user
from makola.core.applications.registration import change
from makola.core.applications.types import ApplicationKind
from makola.core.oauth.default_installs import install_where_missing
from makola.core.organisations.tree import OrganisationChange, add_organisation
from tests.applications.world import Desk, main_of
from tests.oauth.world import PRIVATE_ALLOWED

GONE = "https://app.example.com/oauth_deauthorize?kept=1"


async def test_deauthorising_kills_the_tokens_and_tells_the_application(desk: Desk) -> None:
    made = await desk.world.application(name="Reader", deauthorization_uri=GONE)
    client_id = made.application.client_id
    ama = await desk.browser("ama")
    tokens = await desk.world.tokens(made, ama.visitor, "openid messages.send")
    assert await desk.world.is_alive(tokens["access_token"])
    page = main_of(await ama.get("/installed"))
    assert "Reader" in page
    assert "Send SMS from your account" in page
    assert "Last used" in page
    answer = await ama.post(f"/installed/{client_id}/deauthorise")
    assert answer.status_code == 303
    assert not await desk.world.is_alive(tokens["access_token"])
    assert "Reader" not in main_of(await ama.get("/installed"))
    row = await desk.world.database.fetchrow(
        "SELECT method, url, query, body FROM callbacks.delivery WHERE event = 'application.deauthorised'"
        " ORDER BY created_at DESC LIMIT 1")
    assert row is not None
    assert (row["method"], row["url"], row["body"]) == ("GET", GONE, None)
    assert parse_qs(row["query"]) == {"access_token": [tokens["access_token"]]}
    assert (await ama.post(f"/installed/{client_id}/deauthorise")).status_code == 404


async def test_only_who_may_takes_it_back_and_only_for_the_own_organisation(desk: Desk) -> None:
    made = await desk.world.application(name="Stays")
    client_id = made.application.client_id
    ama, kofi, esi = await desk.browser("ama"), await desk.browser("kofi"), await desk.browser("esi")
    tokens = await desk.world.tokens(made, ama.visitor, "openid")
    assert (await kofi.post(f"/installed/{client_id}/deauthorise")).status_code == 403
    assert (await esi.post(f"/installed/{client_id}/deauthorise")).status_code == 404
    assert await desk.world.is_alive(tokens["access_token"])
    entries = await desk.world.database.fetch(
        "SELECT action FROM organisations.audit_entry WHERE subject = $1 AND action = 'application:deauthorise'",
        f"application:{client_id}")
    assert entries == []


async def test_a_trusted_application_is_installed_for_every_organisation_once(desk: Desk) -> None:
    welcome = "https://portal.example.com/welcome"
    made = await desk.world.application(ApplicationKind.TRUSTED, name="Portal", installed_by_default=True,
                                        authorization_uri=welcome, deauthorization_uri=GONE)
    database, application_id = desk.world.database, made.application.application_id

    async def told() -> list[str]:
        rows = await database.fetch("SELECT method, query FROM callbacks.delivery WHERE url = $1 ORDER BY query",
                                    welcome)
        assert {row["method"] for row in rows} <= {"GET"}
        return [row["query"] for row in rows]

    async def have() -> list[int]:
        rows = await database.fetch("SELECT organisation_id FROM applications.installation WHERE application_id = $1"
                                    " AND deauthorised_at IS NULL ORDER BY organisation_id", application_id)
        return [row["organisation_id"] for row in rows]

    await install_where_missing(database)
    everybody = sorted(desk.world.organisations.values())
    assert await have() == everybody
    assert sorted(await told()) == sorted(f"organisation_id={each}" for each in everybody)
    ama = await desk.browser("ama")
    assert "Portal" in main_of(await ama.get("/installed"))
    await ama.post(f"/installed/{made.application.client_id}/deauthorise")
    async with database.transaction() as connection:
        fresh = await add_organisation(connection, desk.world.platform, desk.world.organisations["shop"],
                                       OrganisationChange("Newcomer"))
    await install_where_missing(database)
    await install_where_missing(database)
    expected = [each for each in everybody if each != desk.world.organisations["shop"]] + [fresh.organisation_id]
    assert await have() == expected
    assert len(await told()) == len(everybody) + 1
    async with database.transaction() as connection:
        await change(connection, desk.world.platform, made.application.client_id,
                     lambda draft: replace(draft, oauth=replace(draft.oauth, installed_by_default=False)),
                     PRIVATE_ALLOWED)


async def test_roles_are_published_and_given(desk: Desk) -> None:
    made = await desk.world.application(ApplicationKind.TRUSTED, name="Till")
    application_id, client_id = made.application.application_id, made.application.client_id
    ama, kofi = await desk.browser("ama"), await desk.browser("kofi")
    await desk.world.tokens(made, ama.visitor, "openid")
    async with desk.world.database.transaction() as connection:
        roles = await publish_roles(connection, desk.world.platform, client_id,
                                    [("cashier", "Takes money."), ("manager", "")])
    page = await ama.get(f"/installed/{client_id}")
    assert "Takes money." in main_of(page)
    user_id, shop_id = desk.world.people["kofi"], desk.world.organisations["shop"]
    at = f"/installed/{client_id}/roles/{roles[0].role_id}"
    await ama.follow(await ama.post(at, user=str(user_id), given="yes"))
    assert await roles_of_user(desk.world.database, application_id, shop_id, user_id) == ("cashier",)
    assert await roles_of_user(desk.world.database, application_id, desk.world.organisations["branch"], user_id) == ()
    assert (await ama.post(at, user=str(desk.world.people["esi"]), given="yes")).status_code == 404
    assert (await kofi.post(at, user=str(user_id))).status_code == 403
    async with desk.world.database.transaction() as connection:
        await publish_roles(connection, desk.world.platform, client_id, [("cashier", "Still."), ("auditor", "")])
    assert await roles_of_user(desk.world.database, application_id, shop_id, user_id) == ("cashier",)
    await ama.post(at, user=str(user_id))
    assert await roles_of_user(desk.world.database, application_id, shop_id, user_id) == ()
