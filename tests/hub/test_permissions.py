"""Nobody gives, takes over or touches more than he holds himself."""

from hypothesis import given
from hypothesis import strategies as st

from makola.core.organisations.permissions import Grants, Module, Permission
from tests.hub.world import Hub

grants = st.builds(
    Grants, st.dictionaries(st.sampled_from(Permission), st.booleans(), max_size=6),
    st.frozensets(st.sampled_from(Module)), st.booleans(), st.booleans())


@given(grants, grants)
def test_who_covers_somebody_may_all_that_he_may(holder: Grants, other: Grants) -> None:
    if holder.covers(other):
        for permission in Permission:
            assert holder.may(permission) or not other.may(permission)
            assert holder.may_for_parent(permission) or not other.may_for_parent(permission)


@given(grants)
def test_everybody_covers_himself(holder: Grants) -> None:
    assert holder.covers(holder)
    assert Grants(root=True).covers(holder)


@given(grants, grants, grants)
def test_covering_is_transitive(first: Grants, second: Grants, third: Grants) -> None:
    if first.covers(second) and second.covers(third):
        assert first.covers(third)


def user(hub: Hub, word: str, rights: object = None, number: int = 0) -> dict[str, object]:
    body: dict[str, object] = {"name": "New user", "email": f"new{number}@{word}.example",
                               "organisation": hub[word].id}
    return body | ({"rights": rights} if rights is not None else {})


async def test_a_user_is_made_with_rights_and_changed(hub: Hub) -> None:
    made = await hub.call("c", "POST", "/users", json=user(hub, "d", {
        "permissions": [{"permission": "order:create"}, {"permission": "address:view", "parent": True}]}))
    assert made.status_code == 201
    assert made.json() == {"id": made.json()["id"], "organisation": hub["d"].id, "name": "New user",
                           "email": "new0@d.example", "currency": "GBP", "locale": "en", "timezone": "UTC",
                           "suspended": False}
    path = f"/users/{made.json()['id']}"
    rights = (await hub.get("c", f"{path}/permissions")).json()
    assert rights == {
        "permissions": [{"permission": "address:view", "parent": True},
                        {"permission": "order:create", "parent": False}],
        "roles": [], "modules": ["MESSAGING", "PAYMENTS", "WEBSTORE"], "admin": False, "root": False,
        "effective_permissions": [{"permission": "address:view", "parent": True},
                                  {"permission": "order:create", "parent": False}],
        "effective_modules": ["MESSAGING", "PAYMENTS", "WEBSTORE"]}
    without = (await hub.call("c", "PUT", f"{path}/permissions", json={
        "permissions": [{"permission": "order:create"}], "modules": ["MESSAGING"]})).json()
    assert without["effective_permissions"] == []
    changed = await hub.call("b", "PATCH", path, json={
        "currency": "USD", "timezone": "Africa/Accra", "locale": "en-GB"})
    assert (changed.json()["currency"], changed.json()["timezone"]) == ("USD", "Africa/Accra")
    for wrong in ({"currency": "pounds"}, {"timezone": "Mars/Olympus"}, {"locale": "?"}, {"email": "nobody"},
                  {"name": " "}):
        answer = await hub.call("b", "PATCH", path, json=wrong)
        assert [each["field"] for each in answer.json()["errors"]] == list(wrong)
    taken = await hub.call("b", "PATCH", path, json={"email": "C@example.com"})
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "email")


async def test_rights_that_do_not_exist_are_named(hub: Hub) -> None:
    for rights, field in (({"permissions": [{"permission": "all:things"}]}, "permissions"),
                          ({"modules": ["ALL"]}, "modules"), ({"roles": [999]}, "roles"), ({"root": True}, "root")):
        answer = await hub.call("c", "POST", "/users", json=user(hub, "d", rights))
        assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert (await hub.get("c", f"/users?organisation={hub['d'].id}")).headers["x-total-count"] == "1"


async def test_nobody_gives_what_he_does_not_hold(hub: Hub) -> None:
    _, token = await hub.user_of("c", Permission.USER_CREATE, Permission.PERMISSION_CHANGE, Permission.ORDER_VIEW)

    async def add(rights: object, number: int) -> int:
        return (await hub.call(None, "POST", "/users", token=token, json=user(hub, "d", rights, number))).status_code

    assert await add({"permissions": [{"permission": "order:view"}]}, 1) == 201
    assert await add({"permissions": [{"permission": "order:view", "parent": True}]}, 2) == 403
    assert await add({"permissions": [{"permission": "order:create"}]}, 3) == 403
    assert await add({"admin": True}, 4) == 403
    assert (await hub.call("platform", "POST", "/users", json=user(hub, "platform", {"root": True}))).status_code == 201
    admin = {"permissions": [], "admin": True}
    _, platform_admin = await hub.user_of("platform", admin=True)
    answer = await hub.call(None, "POST", "/users", token=platform_admin, json=user(hub, "platform", {
        **admin, "root": True}, 5))
    assert answer.status_code == 403


async def test_nobody_takes_over_somebody_who_holds_more(hub: Hub) -> None:
    everything = [each for each in Permission if each is not Permission.CREDIT_CHANGE]
    _, token = await hub.user_of("c", *((each, True) for each in everything))
    for word, user_id in (("c", hub["c"].user_id), ("d", hub["d"].user_id)):
        client = hub[word].client.application.client_id
        for method, path, body in (
                ("PATCH", f"/users/{user_id}", {"email": "mine@example.com"}),
                ("POST", f"/users/{user_id}/suspend", None),
                ("PUT", f"/users/{user_id}/permissions", {}),
                ("POST", "/api_clients", {"name": "Mine", "user": user_id}),
                ("POST", f"/api_clients/{client}/rotate", {}),
                ("DELETE", f"/api_clients/{client}", None),
                ("POST", "/emulations", {"user": user_id, "reason": "To see"})):
            answer = await hub.call(None, method, path, json=body, token=token)
            assert answer.status_code == 403, (method, path)
    lesser, _ = await hub.user_of("d", Permission.ORDER_VIEW)
    assert (await hub.call(None, "PATCH", f"/users/{lesser}", json={"name": "Ok"}, token=token)).status_code == 200
    assert (await hub.call(None, "POST", "/api_clients", json={"name": "Ok", "user": lesser},
                           token=token)).status_code == 201


async def test_nobody_changes_his_own_rights_or_suspends_himself(hub: Hub) -> None:
    own = hub["c"].user_id
    assert (await hub.call("c", "PUT", f"/users/{own}/permissions", json={"admin": True})).status_code == 403
    assert (await hub.call("c", "POST", f"/users/{own}/suspend")).status_code == 403
    user_id, token = await hub.user_of("c")
    assert (await hub.call(None, "PATCH", f"/users/{user_id}", json={"name": "Me"}, token=token)).status_code == 200
    assert (await hub.call(None, "GET", f"/users/{user_id}/permissions", token=token)).status_code == 200
    assert (await hub.call(None, "GET", f"/users/{own}/permissions", token=token)).status_code == 403


async def test_a_role_gives_its_permissions_and_takes_them_away(hub: Hub) -> None:
    role = (await hub.call("c", "POST", "/roles", json={
        "name": "Buyer", "permissions": [{"permission": "order:create"}]})).json()
    assert role == {"id": role["id"], "organisation": hub["c"].id, "name": "Buyer", "shared": False,
                    "permissions": [{"permission": "order:create", "parent": False}]}
    assert (await hub.call("c", "POST", "/roles", json={"name": "BUYER", "permissions": []})).status_code == 409
    made = (await hub.call("c", "POST", "/users", json=user(hub, "d", {"roles": [role["id"]]}))).json()

    async def effective() -> list[str]:
        rights = (await hub.get("c", f"/users/{made['id']}/permissions")).json()
        return [each["permission"] for each in rights["effective_permissions"]]

    assert await effective() == ["order:create"]
    await hub.call("c", "PATCH", f"/roles/{role['id']}", json={"permissions": [{"permission": "order:view"}]})
    assert await effective() == ["order:view"]
    await hub.call("a", "POST", f"/organisations/{hub['d'].id}/move", json={"parent": hub["stranger"].id})
    rights = (await hub.get("a", f"/users/{made['id']}/permissions")).json()
    assert (rights["roles"], rights["effective_permissions"]) == ([role["id"]], [])
    await hub.call("a", "POST", f"/organisations/{hub['d'].id}/move", json={"parent": hub["c"].id})
    assert await effective() == ["order:view"]
    assert (await hub.call("c", "DELETE", f"/roles/{role['id']}")).status_code == 204
    assert await effective() == []


async def test_a_role_of_a_sibling_or_of_one_below_cannot_be_given(hub: Hub) -> None:
    for word in ("c2", "e"):
        role = (await hub.call(word, "POST", "/roles", json={"name": "Own", "permissions": []})).json()
        answer = await hub.call("b", "POST", "/users", json=user(hub, "d", {"roles": [role["id"]]}))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (404, "roles")


async def test_a_permission_with_parent_reaches_what_the_parent_shares(hub: Hub) -> None:
    address = {"name": "Depot", "addr_line_1": "1 Road", "city": "Hull", "country_code": 829}
    for word, shared in (("a", True), ("b", True), ("b", False), ("c", False)):
        answer = await hub.call(word, "POST", f"/organisations/{hub[word].id}/addresses",
                                json=address | {"shared": shared, "company_name": f"{word} {shared}"})
        assert answer.status_code == 201
        await hub.call(word, "POST", "/roles", json={"name": f"{word} {shared}", "permissions": [], "shared": shared})
    for parent, more in ((True, ["b True"]), (False, [])):
        _, token = await hub.user_of("c", (Permission.ADDRESS_VIEW, parent), (Permission.ROLE_VIEW, parent),
                                     email=f"{parent}@x.example")
        listed = await hub.call(None, "GET", f"/organisations/{hub['c'].id}/addresses", token=token)
        assert [each["company_name"] for each in listed.json()] == ["c False", *more]
        assert listed.headers["x-total-count"] == str(1 + len(more))
        roles = (await hub.call(None, "GET", "/roles", token=token)).json()
        assert sorted(each["name"] for each in roles) == sorted(["c False", *more])
        assert (await hub.call(None, "GET", f"/organisations/{hub['b'].id}/addresses", token=token)).status_code == 404
    shared_role = next(each for each in (await hub.get("b", "/roles")).json() if each["name"] == "b True")
    given_on = await hub.call("c", "POST", "/users", json=user(hub, "d", {"roles": [shared_role["id"]]}))
    assert given_on.status_code == 201
    assert (await hub.call("c", "PATCH", f"/roles/{shared_role['id']}", json={"name": "Mine"})).status_code == 404
    assert (await hub.call("c", "DELETE", f"/roles/{shared_role['id']}")).status_code == 404
