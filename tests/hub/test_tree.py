"""Administration of the tree: who may add, change, suspend and move what."""

import asyncio

import pytest

from makola.core.organisations.permissions import Permission
from makola.core.organisations.queries import find_chains
from tests.hub.world import Hub


async def chains(hub: Hub) -> dict[str, tuple[int, ...]]:
    async with hub.database.connection() as connection:
        by_id = await find_chains(connection, [tier.id for tier in hub.tiers.values()])
    return {word: by_id[tier.id] for word, tier in hub.tiers.items()}


async def test_an_organisation_is_added_below_oneself_and_can_be_used(hub: Hub) -> None:
    made = (await hub.call("c", "POST", "/organisations", json={"name": " New "})).json()
    assert (made["name"], made["parent"], made["finance_type"]) == ("New", hub["c"].id, "DIRECT")
    below = (await hub.call("c", "POST", "/organisations", json={
        "name": "Deep", "parent": made["id"], "finance_type": "AGENT", "linked_account": True,
        "modules": ["WEBSTORE"]})).json()
    assert below == {"id": below["id"], "name": "Deep", "parent": made["id"], "linked_account": True,
                     "finance_type": "AGENT", "modules": ["WEBSTORE"], "suspended": False}
    assert {made["id"], below["id"]} <= {each["id"] for each in (await hub.get("a", "/organisations")).json()}
    assert (await hub.get("d", f"/organisations/{below['id']}")).status_code == 404
    async with hub.database.connection() as connection:
        assert (await find_chains(connection, [below["id"]]))[below["id"]] == (
            *(await chains(hub))["c"], made["id"], below["id"])


async def test_of_itself_an_organisation_changes_the_name_alone(hub: Hub) -> None:
    path = f"/organisations/{hub['c'].id}"
    assert (await hub.call("c", "PATCH", path, json={"name": "Other"})).json()["name"] == "Other"
    changes: list[dict[str, object]] = [{"finance_type": "AGENT"}, {"linked_account": True}, {"modules": []}]
    for change in changes:
        assert (await hub.call("c", "PATCH", path, json=change)).status_code == 403
        assert (await hub.call("b", "PATCH", path, json=change)).status_code == 200
    for action in ("suspend", "resume"):
        assert (await hub.call("c", "POST", f"{path}/{action}")).status_code == 403
    assert (await hub.call("c", "PUT", f"{path}/credit_accounts/GBP", json={"credit_limit": 10})).status_code == 403


async def test_a_module_taken_above_is_gone_below(hub: Hub) -> None:
    path = f"/organisations/{hub['b'].id}"
    assert (await hub.call("a", "PATCH", path, json={"modules": ["MESSAGING"]})).status_code == 200
    who = (await hub.get("d", "/whoami")).json()
    assert who["modules"] == ["MESSAGING"]
    held = {each["permission"] for each in who["permissions"]}
    assert "user:view" in held
    assert "order:create" not in held
    assert (await hub.call("b", "PATCH", f"/organisations/{hub['c'].id}", json={
        "modules": ["MESSAGING"]})).status_code == 200
    refused = await hub.call("b", "PATCH", f"/organisations/{hub['c'].id}", json={"modules": ["PAYMENTS"]})
    assert [each["field"] for each in refused.json()["errors"]] == ["modules"]
    assert (await hub.call("a", "PATCH", path, json={"modules": ["WEBSTORE", "MESSAGING"]})).status_code == 200
    assert (await hub.get("b", "/whoami")).json()["modules"] == ["MESSAGING", "WEBSTORE"]
    assert (await hub.get("c", "/whoami")).json()["modules"] == ["MESSAGING"]


async def test_a_move_rewrites_the_whole_subtree_and_with_it_who_sees_what(hub: Hub) -> None:
    before = await chains(hub)
    answer = await hub.call("a", "POST", f"/organisations/{hub['c'].id}/move", json={"parent": hub["stranger"].id})
    assert (answer.status_code, answer.json()["parent"]) == (200, hub["stranger"].id)
    after = await chains(hub)
    assert after["c"] == (*before["stranger"], hub["c"].id)
    assert after["d"] == (*after["c"], hub["d"].id)
    assert after["e"] == (*after["d"], hub["e"].id)
    assert {word: after[word] for word in ("a", "b", "c2", "stranger")} == {
        word: before[word] for word in ("a", "b", "c2", "stranger")}
    assert (await hub.get("stranger", f"/organisations/{hub['e'].id}")).status_code == 200
    assert (await hub.get("b", f"/organisations/{hub['e'].id}")).status_code == 404
    again = await hub.call("a", "POST", f"/organisations/{hub['c'].id}/move", json={"parent": hub["stranger"].id})
    assert again.status_code == 200
    log = (await hub.get("a", "/audit_log?action=organisation:move")).json()
    assert [each["details"] for each in log] == [{"from": hub["b"].id, "to": hub["stranger"].id}]


async def test_impossible_moves(hub: Hub) -> None:
    async def move(who: str, what: str, to: str) -> int:
        return (await hub.call(who, "POST", f"/organisations/{hub[what].id}/move", json={
            "parent": hub[to].id})).status_code

    before = await chains(hub)
    assert await move("b", "c", "e") == 409
    assert await move("b", "c", "c") == 409
    assert await move("b", "c", "a") == 404
    assert await move("b", "c", "stranger") == 404
    assert await move("c", "c2", "d") == 404
    assert await move("c", "c", "d") == 403
    assert await move("platform", "platform", "a") == 403
    assert await chains(hub) == before


async def test_moves_and_additions_at_the_same_time_leave_a_tree(hub: Hub) -> None:
    """Two moves that together would make a circle, and children added below what moves."""
    answers = await asyncio.gather(
        hub.call("a", "POST", f"/organisations/{hub['c'].id}/move", json={"parent": hub["c2"].id}),
        hub.call("a", "POST", f"/organisations/{hub['c2'].id}/move", json={"parent": hub["e"].id}),
        *(hub.call("a", "POST", "/organisations", json={"name": f"New {number}", "parent": hub["e"].id})
          for number in range(8)))
    assert sorted(answer.status_code for answer in answers[:2]) == [200, 409]
    assert {answer.status_code for answer in answers[2:]} == {201}
    rows = await hub.database.fetch("SELECT id, parent_id, chain FROM organisations.organisation")
    parents = {row["id"]: row["parent_id"] for row in rows}
    for row in rows:
        chain = [row["id"]]
        while parents[chain[0]] is not None:
            chain.insert(0, parents[chain[0]])
            assert len(chain) <= len(rows)
        assert row["chain"] == chain


async def test_credit_is_given_from_above_in_any_amount_that_can_be_written(hub: Hub) -> None:
    path = f"/organisations/{hub['d'].id}/credit_accounts"
    for limit, status in ((0.0001, 200), (1e12, 200), (0.00001, 400), (-1, 400), (1e13, 400), ("5", 200), ("x", 400)):
        answer = await hub.call("b", "PUT", f"{path}/EUR", json={"credit_limit": limit})
        assert answer.status_code == status, limit
        assert status == 200 or answer.json()["errors"][0]["field"] == "credit_limit"
    assert (await hub.call("b", "PUT", f"{path}/eur", json={"credit_limit": 1})).status_code == 400
    listed = (await hub.get("d", path)).json()
    assert listed[0] == {"currency": "EUR", "credit_limit": 5.0, "balance": 0.0, "held": 0.0, "available": 5.0}
    assert [each["currency"] for each in listed] == ["EUR", "GBP"]


@pytest.mark.parametrize("permission", [Permission.ORGANISATION_CREATE, Permission.ORGANISATION_CHANGE])
async def test_without_the_permission_nothing_changes(hub: Hub, permission: Permission) -> None:
    others = [each for each in Permission if each is not permission]
    _, token = await hub.user_of("c", *others)
    method, path = ("POST", "/organisations") if permission is Permission.ORGANISATION_CREATE else (
        "PATCH", f"/organisations/{hub['d'].id}")
    answer = await hub.call(None, method, path, json={"name": "Other"}, token=token)
    assert answer.status_code == 403
    assert str(permission) in answer.json()["detail"]


async def test_a_new_organisation_gets_no_module_that_its_maker_does_not_have(hub: Hub) -> None:
    user_id, token = await hub.user_of("c", Permission.ORGANISATION_CREATE, Permission.ORGANISATION_VIEW)
    taken = await hub.call("c", "PUT", f"/users/{user_id}/permissions", json={
        "permissions": [{"permission": "organisation:create"}], "modules": ["MESSAGING"]})
    assert taken.status_code == 200, taken.text
    headers = {"Authorization": f"Bearer {token}"}
    for modules, status in ((["MESSAGING", "WEBSTORE"], 400), (["MESSAGING"], 201), (None, 201)):
        sent = {"name": "New"} if modules is None else {"name": "New", "modules": modules}
        answer = await hub.http.post("/api/v1/organisations", headers=headers, json=sent)
        assert answer.status_code == status, answer.text
        if status == 201:
            assert answer.json()["modules"] == ["MESSAGING"]
        else:
            assert [each["field"] for each in answer.json()["errors"]] == ["modules"]


@pytest.mark.parametrize("name", ["\x1b[2Jgone", "two\nlines", "a\x9bb", "a\u2028b"])
async def test_names_hold_no_control_characters(hub: Hub, name: str) -> None:
    """They are shown in terminals, to which such a character is an order."""
    address = {"name": "Office", "addr_line_1": "1 Street", "city": name, "country_code": 829}
    for path, sent, field in (
            ("/organisations", {"name": name}, "name"), ("/users", {"name": name, "email": "x@example.com"}, "name"),
            ("/roles", {"name": name, "permissions": []}, "name"),
            (f"/organisations/{hub['c'].id}/addresses", address, "city")):
        refused = await hub.call("c", "POST", path, json=sent)
        assert refused.status_code == 400, refused.text
        assert [each["field"] for each in refused.json()["errors"]] == [field]
    refused = await hub.call("c", "PATCH", f"/organisations/{hub['c'].id}", json={"name": name})
    assert [each["field"] for each in refused.json()["errors"]] == ["name"]


async def test_a_currency_is_one_that_exists(hub: Hub) -> None:
    credit = await hub.call("b", "PUT", f"/organisations/{hub['c'].id}/credit_accounts/ZZZ", json={"credit_limit": 10})
    user = await hub.call("c", "POST", "/users", json={"name": "X", "email": "x@example.com", "currency": "ZZZ"})
    for refused in (credit, user):
        assert refused.status_code == 400, refused.text
        assert [each["field"] for each in refused.json()["errors"]] == ["currency"]


async def test_what_those_above_suspended_stays_suspended_below(hub: Hub) -> None:
    user_id, _ = await hub.user_of("d", Permission.PRODUCT_VIEW)
    for path in (f"/organisations/{hub['e'].id}", f"/users/{user_id}"):
        assert (await hub.call("c", "POST", f"{path}/suspend")).status_code == 200
        assert (await hub.call("a", "POST", f"{path}/suspend")).status_code == 200  # a takes it over
        assert (await hub.call("c", "POST", f"{path}/suspend")).status_code == 200
        for word in ("c", "b"):
            refused = await hub.call(word, "POST", f"{path}/resume")
            assert refused.status_code == 403, refused.text
            assert (await hub.get("a", path)).json()["suspended"] is True
        assert (await hub.call("a", "POST", f"{path}/resume")).json()["suspended"] is False
        assert (await hub.call("c", "POST", f"{path}/suspend")).status_code == 200
        assert (await hub.call("c", "POST", f"{path}/resume")).json()["suspended"] is False
