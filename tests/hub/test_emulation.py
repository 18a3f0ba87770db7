"""Acting as somebody else: downwards, for a while, with a reason, and with both names in the log."""

import asyncio

import pytest

from makola.core.organisations.permissions import Permission
from tests.hub.world import Hub


async def start(hub: Hub, who: str, whom: str, **more: object) -> dict[str, object]:
    answer = await hub.call(who, "POST", "/emulations", json={"user": hub[whom].user_id, "reason": "Ticket 7"} | more)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, object] = answer.json()
    return body


async def test_everything_is_the_emulated_user_but_the_real_name(hub: Hub) -> None:
    started = await start(hub, "b", "d", duration_s=600)
    assert 595 <= int(str(started["expires_in"])) <= 600
    token = str(started["access_token"])
    seen = (await hub.call(None, "GET", "/whoami", token=token)).json()
    own = (await hub.get("d", "/whoami")).json()
    assert seen == own | {"real_id": hub["b"].user_id, "real_name": "Administrator of b!"}
    listed = (await hub.call(None, "GET", "/organisations", token=token)).json()
    assert {each["id"] for each in listed} == {hub["d"].id, hub["e"].id}
    assert (await hub.get("b", "/whoami")).json()["id"] == hub["b"].user_id


async def test_both_identities_are_in_the_log_for_those_who_may_know(hub: Hub) -> None:
    started = await start(hub, "b", "d")
    token = str(started["access_token"])
    changed = await hub.call(None, "PATCH", f"/organisations/{hub['e'].id}", json={"name": "Renamed"}, token=token)
    assert changed.status_code == 200
    [entry] = (await hub.get("b", "/audit_log?action=organisation:change")).json()
    assert (entry["user"], entry["real_user"], entry["emulated"]) == (hub["d"].user_id, hub["b"].user_id, True)
    assert entry["details"]["after"]["name"] == "Renamed"
    [entry] = (await hub.get("d", "/audit_log?action=organisation:change")).json()
    assert (entry["user"], entry["real_user"], entry["emulated"]) == (hub["d"].user_id, None, True)
    [entry] = (await hub.get("e", "/audit_log?action=organisation:change")).json()
    assert (entry["user"], entry["real_user"]) == (None, None)
    [entry] = (await hub.get("b", "/audit_log?action=emulation:start")).json()
    assert (entry["subject"], entry["details"]["reason"]) == (f"user:{hub['d'].user_id}", "Ticket 7")
    [seen] = (await hub.get("d", "/emulations?in_progress=true")).json()
    assert (seen["user"], seen["real_user"], seen["reason"]) == (hub["d"].user_id, None, "Ticket 7")
    [seen] = (await hub.get("b", "/emulations")).json()
    assert seen["real_user"] == hub["b"].user_id
    assert (await hub.get("stranger", "/emulations")).json() == []


@pytest.mark.parametrize(("who", "whom", "status"), [
    ("c", "c", 403), ("c", "b", 404), ("c", "a", 404), ("c", "c2", 404), ("c", "stranger", 404), ("c", "d", 201),
    ("c", "e", 201), ("platform", "e", 201)])
async def test_only_downwards(hub: Hub, who: str, whom: str, status: int) -> None:
    answer = await hub.call(who, "POST", "/emulations", json={"user": hub[whom].user_id, "reason": "To see"})
    assert answer.status_code == status


@pytest.mark.parametrize(("change", "field"), [
    ({"reason": ""}, "reason"), ({"reason": " "}, "reason"), ({"reason": "x" * 501}, "reason"),
    ({"duration_s": 59}, "duration_s"), ({"duration_s": 3601}, "duration_s"), ({"user": 0}, "user")])
async def test_a_reason_and_a_time_are_needed(hub: Hub, change: dict[str, object], field: str) -> None:
    body = {"user": hub["d"].user_id, "reason": "To see"} | change
    answer = await hub.call("c", "POST", "/emulations", json=body)
    assert answer.status_code == 400
    assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_it_ends_when_told(hub: Hub) -> None:
    token = str((await start(hub, "b", "d"))["access_token"])
    assert (await hub.call(None, "DELETE", "/emulations/current", token=token)).status_code == 204
    assert (await hub.call(None, "GET", "/whoami", token=token)).status_code == 401
    assert (await hub.call("b", "DELETE", "/emulations/current")).status_code == 404
    started = await start(hub, "b", "d")
    for word in ("c", "d", "stranger"):
        assert (await hub.call(word, "DELETE", f"/emulations/{started['id']}")).status_code == 404
    assert (await hub.call("a", "DELETE", f"/emulations/{started['id']}")).status_code == 204
    assert (await hub.call("b", "DELETE", f"/emulations/{started['id']}")).status_code == 404
    assert len((await hub.get("b", "/audit_log?action=emulation:end")).json()) == 2
    assert (await hub.get("b", "/emulations?in_progress=true")).json() == []


async def test_it_ends_by_itself(hub: Hub) -> None:
    token = str((await start(hub, "b", "d"))["access_token"])
    await hub.database.execute("UPDATE organisations.emulation SET ends_at = now() + interval '1 s'")
    await hub.database.execute("UPDATE oauth.access_token SET expires_at = now() + interval '1 s'"
                               " WHERE emulation_id IS NOT NULL")
    assert (await hub.call(None, "GET", "/whoami", token=token)).status_code == 200
    await asyncio.sleep(1.05)
    assert (await hub.call(None, "GET", "/whoami", token=token)).status_code == 401


async def test_it_ends_when_the_ground_is_gone(hub: Hub) -> None:
    """The right is asked again at each look-up: a move, a suspension or another right ends it."""
    user_id, own = await hub.user_of("b", Permission.EMULATION_START, Permission.ORDER_VIEW)
    target, _ = await hub.user_of("d", Permission.ORDER_VIEW)
    answer = await hub.call(None, "POST", "/emulations", json={"user": target, "reason": "To see"}, token=own)
    token = str(answer.json()["access_token"])

    async def works() -> bool:
        return (await hub.call(None, "GET", "/whoami", token=token)).status_code == 200

    assert await works()
    await hub.call("a", "PUT", f"/users/{target}/permissions", json={"permissions": [{"permission": "order:create"}]})
    assert not await works()
    await hub.call("a", "PUT", f"/users/{target}/permissions", json={"permissions": [{"permission": "order:view"}]})
    assert await works()
    await hub.call("a", "POST", f"/organisations/{hub['d'].id}/move", json={"parent": hub["stranger"].id})
    assert not await works()
    await hub.call("a", "POST", f"/organisations/{hub['d'].id}/move", json={"parent": hub["c"].id})
    assert await works()
    await hub.call("a", "POST", f"/users/{user_id}/suspend")
    assert not await works()


async def test_what_would_outlive_it_is_refused(hub: Hub) -> None:
    token = str((await start(hub, "b", "d"))["access_token"])
    client = hub["d"].client.application.client_id
    for method, path, body in (
            ("POST", "/api_clients", {"name": "Back door"}),
            ("POST", f"/api_clients/{client}/rotate", {}),
            ("DELETE", f"/api_clients/{client}", None),
            ("POST", "/emulations", {"user": hub["e"].user_id, "reason": "Deeper"}),
            ("PUT", f"/users/{hub['d'].user_id}/permissions", {"admin": True})):
        assert (await hub.call(None, method, path, json=body, token=token)).status_code == 403, path
