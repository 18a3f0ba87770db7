"""The token endpoint, and what a token is good for."""

import asyncio
import base64
from datetime import timedelta

import httpx
import pytest

from makola.core.applications.service import create_application
from makola.core.organisations.permissions import Permission
from makola.kit.clock import now
from tests.hub.world import Hub

PATHS = ["/api/v1/oauth/create_token", "/oauth/token"]


def credentials(hub: Hub) -> dict[str, str]:
    client = hub["c"].client
    return {"client_id": client.application.client_id, "client_secret": client.client_secret,
            "grant_type": "client_credentials"}


def basic(client_id: str, client_secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()}


def check_token(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in"}
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 3600
    assert body["access_token"].startswith("mk_at_")
    assert len(base64.urlsafe_b64decode(body["access_token"].removeprefix("mk_at_") + "=")) == 32
    return str(body["access_token"])


@pytest.mark.parametrize("path", PATHS)
async def test_form_json_and_basic_give_a_token(shared_hub: Hub, path: str) -> None:
    sent = credentials(shared_hub)
    token = check_token(await shared_hub.http.post(path, data=sent))
    check_token(await shared_hub.http.post(path, json=sent))
    check_token(await shared_hub.http.post(path, data={"grant_type": "client_credentials"},
                                           headers=basic(sent["client_id"], sent["client_secret"])))
    assert (await shared_hub.call(None, "GET", "/whoami", token=token)).json()["organisation"] == shared_hub["c"].id


@pytest.mark.parametrize(("change", "status", "error"), [
    ({"client_secret": "wrong"}, 401, "invalid_client"),
    ({"client_id": "123e4567-e89b-12d3-a456-426614174000"}, 401, "invalid_client"),
    ({"client_id": "nothing like it \0"}, 401, "invalid_client"),
    ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ({"grant_type": None}, 400, "invalid_request"),
    ({"client_id": None}, 400, "invalid_request"),
    ({"client_secret": None}, 400, "invalid_request"),
    ({"scope": "no:such"}, 400, "invalid_scope"),
])
async def test_a_wrong_request_gets_the_errors_of_the_rfc(shared_hub: Hub, change: dict[str, str | None], status: int,
                                                          error: str) -> None:
    sent = {name: value for name, value in (credentials(shared_hub) | change).items() if value is not None}
    for answer in (await shared_hub.http.post(PATHS[0], data=sent), await shared_hub.http.post(PATHS[0], json=sent)):
        assert answer.status_code == status
        assert answer.json()["error"] == error
        assert answer.json()["error_description"]
        assert answer.headers["cache-control"] == "no-store"
        assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_other_wrong_requests(shared_hub: Hub) -> None:
    sent = credentials(shared_hub)
    post = shared_hub.http.post
    assert (await post(PATHS[0], content=b"{", headers={"content-type": "application/json"})).status_code == 400
    assert (await post(PATHS[0], content=b"[]", headers={"content-type": "application/json"})).status_code == 400
    assert (await post(PATHS[0], content=b"\xff=1", headers={
        "content-type": "application/x-www-form-urlencoded"})).status_code == 400
    assert (await post(PATHS[0], content=b"x", headers={"content-type": "text/plain"})).status_code == 400
    assert (await post(PATHS[0], content=b"x" * 70_000)).status_code == 413
    both = await post(PATHS[0], data=sent, headers=basic(sent["client_id"], sent["client_secret"]))
    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")
    twice = f"grant_type=client_credentials&grant_type=client_credentials&client_id={sent['client_id']}"
    assert (await post(PATHS[0], content=twice, headers={
        "content-type": "application/x-www-form-urlencoded"})).status_code == 400
    assert (await post(PATHS[0], data={"grant_type": "client_credentials"},
                       headers={"Authorization": "Basic ???"})).status_code == 401
    answer = await post(PATHS[0], content=b'{"grant_type": "password", "x": 99999, "grant_type": "client_credentials"}',
                        headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error_description"]) == (400, "A parameter is given twice.")
    get = await shared_hub.http.get(PATHS[0])
    assert (get.status_code, get.headers["allow"]) == (405, "POST")


async def test_the_token_is_stored_as_a_hash_only(shared_hub: Hub) -> None:
    token = await shared_hub.token_of(shared_hub["c"].client)
    rows = await shared_hub.database.fetch("SELECT row_to_json(t)::text AS text FROM oauth.access_token t")
    assert rows
    assert not any(token in row["text"] or token.removeprefix("mk_at_") in row["text"] for row in rows)


@pytest.mark.parametrize("authorization", [
    None, "Bearer", "Bearer ", "Bearer x", "Bearer mk_at_x", "Basic eDp4", "bearer mk_at_\u00fc", "Digest x"])
async def test_without_a_valid_token_there_is_a_challenge(shared_hub: Hub, authorization: str | None) -> None:
    headers = [(b"Authorization", authorization.encode("latin-1"))] if authorization is not None else []
    answer = await shared_hub.http.get("/api/v1/organisations", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    is_bearer = authorization is not None and authorization.lower().startswith("bearer")
    assert ("invalid_token" in answer.headers["www-authenticate"]) == is_bearer


async def test_an_expired_token_is_refused_even_if_it_was_just_believed(hub: Hub) -> None:
    token = hub["c"].token
    await hub.database.execute("UPDATE oauth.access_token SET expires_at = $1", now() + timedelta(seconds=1))
    assert (await hub.get("c", "/whoami")).status_code == 200
    await asyncio.sleep(1.05)
    assert (await hub.call(None, "GET", "/whoami", token=token)).status_code == 401


async def test_a_token_may_be_limited_to_a_scope(shared_hub: Hub) -> None:
    answer = await shared_hub.http.post(PATHS[0], data=credentials(shared_hub) | {"scope": "organisation:view"})
    assert answer.json()["scope"] == "organisation:view"
    token = answer.json()["access_token"]
    assert (await shared_hub.call(None, "GET", "/organisations", token=token)).status_code == 200
    refused = await shared_hub.call(None, "GET", "/users", token=token)
    assert (refused.status_code, refused.json()["title"]) == (403, "Permission denied")
    assert (await shared_hub.call(None, "GET", "/whoami", token=token)).json()["permissions"] == [
        {"permission": "organisation:view", "parent": True}]


async def test_nobody_gets_out_of_a_scope(hub: Hub) -> None:
    """What a limited token makes is limited too: no client for oneself, no wider rights, no wider emulation."""
    scope = "client:change emulation:start permission:change user:create user:view role:change"
    answer = await hub.http.post(PATHS[0], data=credentials(hub) | {"scope": scope})
    token = answer.json()["access_token"]
    client = hub["c"].client.application.client_id
    new = {"name": "New", "email": "new@example.com", "organisation": hub["d"].id}
    for method, path, body, status in (
            ("POST", "/api_clients", {"name": "Wider"}, 403),
            ("POST", f"/api_clients/{client}/rotate", {}, 403),
            ("POST", "/users", new | {"rights": {"admin": True}}, 403),
            ("POST", "/users", new | {"rights": {"permissions": [{"permission": "user:view"}]}}, 201),
            ("POST", "/roles", {"name": "R", "permissions": [{"permission": "order:view"}]}, 403),
            ("PUT", f"/users/{hub['d'].user_id}/permissions", {"admin": True}, 403)):
        assert (await hub.call(None, method, path, json=body, token=token)).status_code == status, path
    started = await hub.call(None, "POST", "/emulations", json={"user": hub["d"].user_id, "reason": "To see"},
                             token=token)
    assert started.status_code == 201
    seen = await hub.call(None, "GET", "/whoami", token=started.json()["access_token"])
    assert {each["permission"] for each in seen.json()["permissions"]} == set(scope.split())


async def test_a_private_application_stands_for_no_user_and_is_told_so(hub: Hub) -> None:
    async with hub.database.transaction() as connection:
        private = await create_application(connection, hub["c"].id, name="Messages only")
    answer = await hub.call(None, "GET", "/whoami", token=await hub.token_of(private))
    assert answer.status_code == 403
    assert "stands for a user" in answer.json()["detail"]


async def test_an_organisation_without_credit_is_told_so(hub: Hub) -> None:
    answer = await hub.call("a", "PUT", f"/organisations/{hub['c'].id}/credit_accounts/GBP", json={"credit_limit": 0})
    assert answer.status_code == 200
    refused = await hub.get("c", "/whoami")
    assert refused.status_code == 403
    assert "credit account" in refused.json()["detail"]
    assert (await hub.get("d", "/whoami")).status_code == 200
    await hub.call("b", "PUT", f"/organisations/{hub['c'].id}/credit_accounts/USD", json={"credit_limit": 12.5})
    assert (await hub.get("c", "/whoami")).status_code == 200


async def test_the_secret_is_shown_once_and_rotated_and_revoked(hub: Hub) -> None:
    made = (await hub.call("c", "POST", "/api_clients", json={"name": "Shop"})).json()
    assert set(made) == {"client_id", "client_secret", "name", "user", "organisation"}
    assert made["user"] == hub["c"].user_id
    listed = (await hub.get("c", "/api_clients")).text
    assert made["client_id"] in listed
    assert made["client_secret"] not in listed

    async def token(secret: str) -> httpx.Response:
        return await hub.http.post(PATHS[0], data={
            "grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": secret})

    first = (await token(made["client_secret"])).json()["access_token"]
    assert (await hub.call(None, "GET", "/whoami", token=first)).status_code == 200
    path = f"/api_clients/{made['client_id']}"
    kept = (await hub.call("c", "POST", f"{path}/rotate", json={"overlap_s": 60})).json()
    assert (await token(made["client_secret"])).status_code == 200
    assert (await token(kept["client_secret"])).status_code == 200
    assert (await hub.call(None, "GET", "/whoami", token=first)).status_code == 200
    new = (await hub.call("c", "POST", f"{path}/rotate", json={})).json()
    assert (await token(made["client_secret"])).status_code == 401
    assert (await token(kept["client_secret"])).status_code == 401
    assert (await hub.call(None, "GET", "/whoami", token=first)).status_code == 401
    last = (await token(new["client_secret"])).json()["access_token"]
    assert (await hub.call("c", "DELETE", path)).status_code == 204
    assert (await token(new["client_secret"])).status_code == 401
    assert (await hub.call(None, "GET", "/whoami", token=last)).status_code == 401
    assert (await hub.call("c", "DELETE", path)).status_code == 404
    assert (await hub.get("c", path)).json()["revoked"] is True


async def test_at_most_two_secrets_of_an_api_client_hold(hub: Hub) -> None:
    """However long the overlaps: the new one and the one before."""
    made = (await hub.call("c", "POST", "/api_clients", json={"name": "Shop"})).json()
    given = [made["client_secret"]]
    for overlap_s in (86_400, 600, 7 * 86_400):
        answer = await hub.call("c", "POST", f"/api_clients/{made['client_id']}/rotate", json={"overlap_s": overlap_s})
        given.append(answer.json()["client_secret"])
        holding = [secret for secret in given if (await hub.http.post(PATHS[0], data={
            "grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": secret,
        })).status_code == 200]
        assert holding == given[-2:]


async def test_suspension_at_any_tier_ends_tokens(hub: Hub) -> None:
    assert (await hub.call("a", "POST", f"/organisations/{hub['b'].id}/suspend")).json()["suspended"] is True
    for word in ("b", "c", "e"):
        assert (await hub.get(word, "/whoami")).status_code == 401
    assert (await hub.get("stranger", "/whoami")).status_code == 200
    assert (await hub.call("a", "POST", f"/organisations/{hub['b'].id}/resume")).json()["suspended"] is False
    assert (await hub.get("e", "/whoami")).status_code == 200
    user_id, token = await hub.user_of("c", Permission.USER_VIEW)
    assert (await hub.call(None, "GET", "/users", token=token)).status_code == 200
    await hub.call("b", "POST", f"/users/{user_id}/suspend")
    assert (await hub.call(None, "GET", "/users", token=token)).status_code == 401
