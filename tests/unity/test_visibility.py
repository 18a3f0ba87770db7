"""Who sees what: one's own and what is below; nothing else exists. Suspension at any tier ends it all."""

import hashlib
import json
from pathlib import Path

import pytest

from makola.core.organisations.service import create_organisation
from tests.unity.asgi_client import Client
from tests.unity.hub import Hub, Tenant, ahead, eventually, running_hub


async def _family(hub: Hub) -> tuple[Tenant, Tenant, Tenant, Tenant]:
    """A reseller, its merchant, the merchant's shop, and another merchant of the reseller."""
    reseller = await hub.tenant()
    merchant = await hub.tenant(below=reseller)
    return reseller, merchant, await hub.tenant(below=merchant), await hub.tenant(below=reseller)


async def test_by_its_id_a_message_is_seen_from_above_and_from_nowhere_else(hub: Hub) -> None:
    reseller, merchant, shop, other = await _family(hub)
    stranger = await hub.tenant()
    message_id = await merchant.sent()
    for seer in (reseller, merchant):
        assert (await seer.message(message_id))["MessageId"] == message_id
    for blind in (shop, other, stranger):
        for reply in (await blind.client.get(f"/v1/messages/{message_id}"),
                      await blind.client.delete(f"/v1/messages/{message_id}"),
                      await blind.client.put(f"/v1/messages/{message_id}", Time=ahead(days=1)),
                      await blind.client.post(f"/v1/messages/{message_id}", Time=ahead(days=1))):
            assert reply.outcome == (404, 404)
        unknown = await blind.client.get(f"/v1/messages/{'0' * 32}")
        assert unknown.body == (await blind.client.get(f"/v1/messages/{message_id}")).body


async def test_a_list_has_one_s_own_messages_only(hub: Hub) -> None:
    reseller, merchant, shop, _ = await _family(hub)
    ids = [await tenant.sent() for tenant in (reseller, merchant, shop)]
    for tenant, message_id in zip((reseller, merchant, shop), ids, strict=True):
        page = (await tenant.client.get("/v1/messages")).json
        assert [message["MessageId"] for message in page["Messages"]] == [message_id]
        assert page["Count"] == 1


async def test_what_a_stranger_cannot_see_a_stranger_cannot_cancel(hub: Hub) -> None:
    merchant, stranger = await hub.tenant(), await hub.tenant()
    message_id = await merchant.sent(Time=ahead(days=1))
    assert (await stranger.client.delete(f"/v1/messages/{message_id}")).outcome == (404, 404)
    assert (await merchant.message(message_id))["Status"] == "Scheduled"


@pytest.mark.parametrize("tier", [1, 2, 3])
async def test_suspension_at_any_tier_is_401(hub: Hub, tier: int) -> None:
    tenant = await hub.tenant(prices=(1, 1, 1))
    suspend = "UPDATE organisations.organisation SET suspended_at = {} WHERE id = $1"
    await hub.database.execute(suspend.format("now()"), tenant.chain[tier])
    before = await tenant.footprint()
    in_url = Client(tenant.client.asgi, tenant.client.client_id, tenant.client.client_secret, in_url=True)
    for client in (tenant.client, in_url):
        assert (await client.get("/v1/messages")).outcome == (401, 401)
        reply = await client.get("/v1/messages/send", From="Makola", To="0241234567", Content="x")
        assert reply.outcome == (401, 401)
    assert await tenant.footprint() == before
    await hub.database.execute(suspend.format("NULL"), tenant.chain[tier])
    assert (await tenant.send()).outcome == (201, 0)


async def test_a_suspended_application_and_an_expired_secret_are_401(hub: Hub) -> None:
    tenant = await hub.tenant()
    for change, undo in (
            ("UPDATE applications.application SET suspended_at = now() WHERE id = $1",
             "UPDATE applications.application SET suspended_at = NULL WHERE id = $1"),
            ("UPDATE applications.secret SET expires_at = now() WHERE application_id = $1",
             "UPDATE applications.secret SET expires_at = NULL WHERE application_id = $1")):
        await hub.database.execute(change, tenant.application_id)
        assert (await tenant.client.get("/v1/messages")).outcome == (401, 401)
        await hub.database.execute(undo, tenant.application_id)
        assert (await tenant.client.get("/v1/messages")).status == 200


async def test_two_secrets_are_both_good(hub: Hub) -> None:
    """A secret is changed without an outage: the old one holds until it expires."""
    tenant = await hub.tenant()
    await hub.database.execute("INSERT INTO applications.secret (application_id, sha256) VALUES ($1, $2)",
                               tenant.application_id, hashlib.sha256(b"another").digest())
    other = Client(tenant.client.asgi, tenant.client.client_id, "another")
    for client in (tenant.client, other):
        assert (await client.get("/v1/messages")).status == 200


async def test_what_is_remembered_of_a_caller_is_forgotten_in_time(module_database_url: str, hub: Hub,
                                                                   tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text(json.dumps(hub.world))
    async with running_hub(module_database_url, tmp_path, world=False, actor_cache_s=1.5) as remembering:
        tenant = await remembering.tenant()
        assert (await tenant.client.get("/v1/messages")).status == 200
        await hub.database.execute("UPDATE organisations.organisation SET suspended_at = now() WHERE id = $1",
                                   tenant.organisation_id)
        assert (await tenant.client.get("/v1/messages")).status == 200
        wrong = remembering.client(tenant.client.client_id, "wrong")
        assert (await wrong.get("/v1/messages")).outcome == (401, 401)

        async def is_refused() -> bool:
            return (await tenant.client.get("/v1/messages")).status == 401

        await eventually(is_refused, within_s=30)


async def test_settings_are_one_s_own(hub: Hub) -> None:
    tenant, stranger = await hub.tenant(), await hub.tenant()
    target = f"/v1/account/settings/{stranger.organisation_id}"
    assert (await tenant.client.put(target, TimeZone="Africa/Lagos")).outcome == (404, 404)
    assert (await stranger.client.get("/v1/account/settings")).json["TimeZone"] == "GMT"
    assert (await stranger.client.put(target, TimeZone="Africa/Lagos")).json["TimeZone"] == "Africa/Lagos"


async def test_an_organisation_without_an_application_changes_nothing(hub: Hub) -> None:
    tenant = await hub.tenant()
    async with hub.database.transaction() as connection:
        await create_organisation(connection, tenant.organisation_id, name="Below")
    assert (await tenant.send()).outcome == (201, 0)
