"""Applications through the Hub API: the same as on the pages, for programs."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from makola.kit.database import Database
from tests.hub.things import LISTED
from tests.hub.world import Hub, hub_world

#: More than any round number that somebody might have taken for enough.
_MANY = 110


@pytest_asyncio.fixture(scope="module")
async def hub(module_database_url: str) -> AsyncIterator[Hub]:
    """A tree that the tests of this module share."""
    opened = await Database.connect(module_database_url, min_size=1, max_size=8)
    try:
        async with hub_world(opened) as made:
            yield made
    finally:
        await opened.close()


async def test_a_private_application_is_made_used_rotated_and_closed(hub: Hub) -> None:
    made = await hub.call("c", "POST", "/applications", json={"kind": "private", "name": " Shop  one "})
    assert made.status_code == 201
    body = made.json()
    application, secret = body["application"], body["client_secret"]
    assert (application["name"], application["kind"], application["organisation"]) == ("Shop one", "private",
                                                                                     hub["c"].id)
    path = f"/applications/{application['client_id']}"
    assert secret not in (await hub.get("c", path)).text + (await hub.get("c", "/applications")).text
    rotated = (await hub.call("c", "POST", f"{path}/rotate", json={"overlap_s": 600})).json()
    assert rotated["client_secret"] not in {secret, ""}
    newest, oldest = (await hub.get("c", f"{path}/secrets")).json()
    assert (newest["expires_at"], oldest["expires_at"] is not None) == (None, True)
    assert (await hub.call("c", "DELETE", f"{path}/secrets/{oldest['id']}")).status_code == 204
    assert (await hub.call("c", "DELETE", f"{path}/secrets/{oldest['id']}")).status_code == 404
    assert len((await hub.get("c", f"{path}/secrets")).json()) == 1
    changed = await hub.call("c", "PATCH", path, json={"name": "Shop two", "answer_casing": "camel"})
    assert (changed.json()["name"], changed.json()["answer_casing"]) == ("Shop two", "camel")
    assert (await hub.call("c", "DELETE", path)).status_code == 204
    assert (await hub.call("c", "PATCH", path, json={"name": "Again"})).status_code == 404
    assert (await hub.get("c", path)).json()["closed"] is True
    actions = [each["action"] for each in (await hub.get("c", "/audit_log")).json()
               if each["subject"] == f"application:{application['client_id']}"]
    assert actions == ["application:close", "application:change", "application:revoke_secret", "application:rotate",
                       "application:create"]


async def test_an_account_has_as_many_private_applications_as_it_likes(hub: Hub) -> None:
    """Document, "Private Apps": "You can create an unlimited number of private applications on your account"."""
    made = []
    for number in range(_MANY):
        answer = await hub.call("e", "POST", "/applications", json={"kind": "private", "name": f"Shop {number}"})
        assert answer.status_code == 201, number
        made.append(answer.json())
    listed = await hub.get("e", f"/applications?per_page={_MANY}")
    assert listed.headers["x-total-count"] == str(_MANY)
    assert [each["client_id"] for each in listed.json()] == [each["application"]["client_id"] for each in made]
    for each in (made[0], made[_MANY // 2], made[-1]):  # all of them are of use, not only the newest
        answer = await hub.http.post("/oauth/token", data={
            "grant_type": "client_credentials", "client_id": each["application"]["client_id"],
            "client_secret": each["client_secret"]})
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(("sent", "field"), [
    ({"kind": "private", "name": ""}, "name"), ({"kind": "private", "name": "x" * 101}, "name"),
    ({"kind": "private", "name": "x", "redirect_uris": ["https://a.example/"]}, "redirect_uris"),
    ({"kind": "private", "name": "x", "token_endpoint_auth_method": "none"}, "token_endpoint_auth_method"),
    ({"kind": "partner", "name": "x"}, "kind"), ({"kind": "api_client", "name": "x"}, "kind"),
    ({"kind": "public", "name": "x", "redirect_uris": ["https://a.example/#f"]}, "redirect_uris"),
    ({"kind": "public", "name": "x", "requested_scopes": ["messages.sned"]}, "requested_scopes"),
    ({"kind": "public", "name": "x", "deauthorization_uri": "http://a.example/"}, "deauthorization_uri"),
    ({"kind": "public", "name": "x", "deauthorization_uri": "https://10.0.0.1/"}, "deauthorization_uri"),
    ({"kind": "public", "name": "x", "small_icon_url": "https://127.0.0.1/x.png"}, "small_icon_url"),
    ({"kind": "public", "name": "x", "backchannel_logout_uri": "https://a.example/"}, "backchannel_logout_uri"),
    ({"kind": "public", "name": "x", "installed_by_default": True}, "installed_by_default"),
    ({"kind": "public", "name": "x", "category": "Nonsense"}, "category"),
    ({"kind": "public", "name": "x", "terms_url": "javascript:alert(1)"}, "terms_url"),
    ({"kind": "public", "name": "x", "publisher_email": "nobody"}, "publisher_email"),
    ({"kind": "public", "name": "x", "short_description": "x" * 301}, "short_description"),
    ({"kind": "public", "name": "x", "token_endpoint_auth_method": "private_key_jwt"}, "jwks"),
    ({"kind": "public", "name": "x", "jwks": "{}"}, "jwks"),
    ({"kind": "public", "name": "x", "jwks": '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}'}, "jwks"),
    ({"kind": "public", "name": "x", "jwks": '{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}]}'},
     "jwks"),
    ({"kind": "public", "name": "x", "jwks_uri": "http://a.example/"}, "jwks_uri")])
async def test_what_is_not_possible_is_named(hub: Hub, sent: dict[str, object], field: str) -> None:
    answer = await hub.call("c", "POST", "/applications", json=sent)
    assert answer.status_code == 400
    assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_lifetimes_and_trusted_applications_are_the_platforms(hub: Hub) -> None:
    public = {"kind": "public", "name": "Long", "access_token_lifetime_s": 600}
    assert (await hub.call("c", "POST", "/applications", json=public)).status_code == 403
    assert (await hub.call("c", "POST", "/applications", json={"kind": "trusted", "name": "T"})).status_code == 403
    made = await hub.call("platform", "POST", "/applications", json=public | {"organisation": hub["c"].id})
    assert made.json()["application"]["access_token_lifetime_s"] == 600
    trusted = await hub.call("platform", "POST", "/applications", json={
        "kind": "trusted", "name": "Portal", "installed_by_default": True,
        "authorization_uri": "https://portal.example/new", "switch_session_uri": "https://portal.example/switch",
        "backchannel_logout_uri": "https://portal.example/out"})
    assert trusted.status_code == 201
    path = f"/applications/{trusted.json()['application']['client_id']}"
    roles = {"roles": [{"name": "cashier", "description": "Takes money."}]}
    assert (await hub.call("platform", "PUT", f"{path}/roles", json=roles)).json() == roles["roles"]
    assert (await hub.get("platform", f"{path}/roles")).json() == roles["roles"]
    for wrong in ("Cashier", "", "x" * 51, "a b"):
        answer = await hub.call("platform", "PUT", f"{path}/roles", json={"roles": [{"name": wrong}]})
        assert answer.status_code == 400
    assert (await hub.call("c", "PUT", f"{path}/roles", json=roles)).status_code == 404


async def test_from_a_submission_to_the_directory(hub: Hub) -> None:
    made = (await hub.call("d", "POST", "/applications", json={
        "kind": "public", "name": "Books", **LISTED, "offline_access": True})).json()
    client_id = made["application"]["client_id"]
    path = f"/applications/{client_id}"
    assert (await hub.get("d", f"{path}/submission")).json() is None
    submitted = (await hub.call("d", "POST", f"{path}/submit")).json()
    assert submitted["state"] == "pending"
    assert submitted["content"]["scopes"] == ["messages.send", "offline_access"]
    assert (await hub.get("d", "/submissions")).status_code == 403
    assert [each["id"] for each in (await hub.get("platform", "/submissions")).json()] == [submitted["id"]]
    decision = f"/submissions/{submitted['id']}"
    assert (await hub.call("d", "POST", f"{decision}/approve")).status_code == 403
    assert (await hub.get("e", "/directory")).json() == []
    await hub.call("d", "PATCH", path, json={"name": "Books after the review"})
    assert (await hub.call("platform", "POST", f"{decision}/approve")).json()["state"] == "approved"
    assert (await hub.call("platform", "POST", f"{decision}/reject", json={"note": "x"})).status_code == 409
    [entry] = (await hub.get("e", "/directory?text=BOOKS&category=Accounting")).json()
    assert (entry["client_id"], entry["content"]["name"]) == (client_id, "Books")
    assert (await hub.get("e", f"/directory/{client_id}")).json() == entry
    assert (await hub.get("e", "/directory?text=nothing")).headers["x-total-count"] == "0"
    assert (await hub.get("d", path)).json()["kind"] == "partner"
    suspended = await hub.call("platform", "POST", f"{path}/suspend", json={"reason": "Spam."})
    assert suspended.json()["suspension_reason"] == "Spam."
    assert (await hub.get("e", "/directory")).json() == []
    await hub.call("platform", "POST", f"{path}/resume")
    assert (await hub.call("d", "POST", f"{path}/unpublish")).status_code == 204
    assert (await hub.get("d", path)).json()["kind"] == "public"
    assert (await hub.call("d", "POST", f"{path}/withdraw")).status_code == 404
    incomplete = (await hub.call("d", "POST", "/applications", json={"kind": "public", "name": "Bare"})).json()
    answer = await hub.call("d", "POST", f"/applications/{incomplete['application']['client_id']}/submit")
    assert [each["field"] for each in answer.json()["errors"]] == ["access_url"]


async def test_two_changes_at_once_both_count(hub: Hub) -> None:
    made = (await hub.call("c", "POST", "/applications", json={"kind": "public", "name": "Both"})).json()
    path = f"/applications/{made['application']['client_id']}"
    changes = ({"category": "Finance"}, {"access_url": "https://a.example/"}, {"requested_scopes": ["messages.read"]},
               {"redirect_uris": ["https://a.example/cb"]}, {"name": "All"}, {"publisher_name": "P"})
    answers = await asyncio.gather(*(hub.call("c", "PATCH", path, json=each) for each in changes))
    assert {each.status_code for each in answers} == {200}
    after = (await hub.get("c", path)).json()
    for change in changes:
        assert change.items() <= after.items()
