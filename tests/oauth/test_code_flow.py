"""The code flow from the consent page to the token, and what the token endpoint refuses."""

import asyncio
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest

from makola.core.applications.types import ApplicationKind, TokenEndpointAuthMethod
from tests.oauth.world import CALLBACK, ISSUER, LOOPBACK, World, answer_of, code_request, pkce

PUBLIC_CLIENT = TokenEndpointAuthMethod.NONE


async def test_the_whole_way(world: World) -> None:
    made, ama = await world.application(), await world.visitor()
    verifier, request = code_request(made, scope="messages.send openid")
    page = await ama.ask(**request)
    assert "Ledger &amp; Sons" in page.text
    assert "by The maker" in page.text
    assert "app.example.com" in page.text
    got = answer_of(await ama.decide(page))
    assert got["state"] == request["state"]
    assert got["iss"] == ISSUER
    answer = await world.token(made, grant_type="authorization_code", code=got["code"], redirect_uri=CALLBACK,
                               code_verifier=verifier)
    body = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 10_800)
    assert set(body["scope"].split()) == {"messages.send", "openid"}
    assert "refresh_token" not in body
    assert (await world.userinfo(body["access_token"])).json() == {"sub": str(ama.user_id)}
    caller = await world.credentials.bearer({"headers": [
        (b"authorization", b"Bearer " + body["access_token"].encode())]})
    assert caller.actor.organisation_id == world.organisations["shop"]
    assert caller.actor.user_id == ama.user_id
    assert caller.actor.scopes == frozenset({"messages.send", "openid"})


async def test_the_answer_is_a_form_unless_json_or_xml_is_asked_for(world: World) -> None:
    made, ama = await world.application(ApplicationKind.PARTNER), await world.visitor()
    seen = {}
    for accept in ("*/*", "application/json", "application/xml", "text/html, application/xml;q=0.9, */*;q=0.1", ""):
        verifier, request = code_request(made)
        got = await ama.allow(**request)
        answer = await world.http.post("/oauth/token", headers={"Accept": accept} if accept else {}, data={
            "grant_type": "authorization_code", "code": got["code"], "redirect_uri": CALLBACK,
            "code_verifier": verifier, "client_id": made.application.client_id, "client_secret": made.client_secret})
        assert answer.status_code == 200
        kind = answer.headers["content-type"].partition(";")[0]
        seen[accept] = kind
        if kind == "application/json":
            body = answer.json()
        elif kind == "application/xml":
            body = {each.tag: each.text for each in ElementTree.fromstring(answer.text)}
        else:
            body = dict(parse_qsl(answer.text, strict_parsing=True))
        assert int(body["expires_in"]) == 2_592_000
        assert await world.is_alive(body["access_token"])
    assert list(seen.values()) == ["application/x-www-form-urlencoded", "application/json", "application/xml",
                                   "application/xml", "application/x-www-form-urlencoded"]


async def test_a_refusal_is_written_in_the_same_format(world: World) -> None:
    made = await world.application()
    sent = {"grant_type": "authorization_code", "code": "mk_ac_no", "client_id": made.application.client_id,
            "client_secret": made.client_secret}
    answer = await world.http.post("/oauth/token", data=sent)
    assert answer.status_code == 400
    assert dict(parse_qsl(answer.text)) == {"error": "invalid_grant", "error_description": "The code is not valid."}


@pytest.mark.parametrize(("change", "error"), [
    ({"code": "mk_ac_wrong"}, "invalid_grant"),
    ({"code": ""}, "invalid_request"),
    ({"redirect_uri": "https://app.example.com/other"}, "invalid_grant"),
    ({"redirect_uri": ""}, "invalid_grant"),
    ({"code_verifier": pkce()[0]}, "invalid_grant"),
    ({"code_verifier": "short"}, "invalid_grant"),
    ({"code_verifier": ""}, "invalid_request"),
    ({"client_secret": "wrong"}, "invalid_client"),
    ({"resource": "https://elsewhere.example"}, "invalid_target"),
    ({"grant_type": "password"}, "unsupported_grant_type"),
    ({"grant_type": ""}, "invalid_request"),
])
async def test_a_wrong_exchange_is_refused_and_costs_the_code_nothing(world: World, change: dict[str, str],
                                                                      error: str) -> None:
    made, ama = await world.application(name=f"Refused {error} {sorted(change)}"), await world.visitor()
    verifier, request = code_request(made)
    got = await ama.allow(**request)
    right = {"grant_type": "authorization_code", "code": got["code"], "redirect_uri": CALLBACK,
             "code_verifier": verifier, "client_id": made.application.client_id, "client_secret": made.client_secret}
    refused = await world.http.post("/oauth/token", data=right | change, headers={"Accept": "application/json"})
    if change != {"grant_type": ""}:
        assert refused.json()["error"] == error
    assert refused.status_code == (401 if error == "invalid_client" else 400)
    assert (await world.http.post("/oauth/token", data=right)).status_code == 200


async def test_a_code_expires(world: World) -> None:
    made, ama = await world.application(), await world.visitor()
    verifier, request = code_request(made)
    got = await ama.allow(**request)
    await world.database.execute("UPDATE oauth.authorization_code SET expires_at = now()")
    answer = await world.token(made, grant_type="authorization_code", code=got["code"], redirect_uri=CALLBACK,
                               code_verifier=verifier)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_a_code_that_is_used_twice_ends_what_it_gave_out(world: World) -> None:
    made, ama = await world.application(), await world.visitor()
    verifier, request = code_request(made)
    got = await ama.allow(**request)
    sent = {"grant_type": "authorization_code", "code": got["code"], "redirect_uri": CALLBACK,
            "code_verifier": verifier}
    token = (await world.token(made, **sent)).json()["access_token"]
    assert await world.is_alive(token)
    again = await world.token(made, **sent)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert not await world.is_alive(token)


async def test_of_two_that_redeem_a_code_at_once_one_wins_and_the_family_ends(world: World) -> None:
    made, ama = await world.application(), await world.visitor()
    verifier, request = code_request(made)
    got = await ama.allow(**request)
    answers = await asyncio.gather(*(
        world.token(made, grant_type="authorization_code", code=got["code"], redirect_uri=CALLBACK,
                    code_verifier=verifier) for _ in range(6)))
    won = [answer for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    assert all(answer.json()["error"] == "invalid_grant" for answer in answers if answer not in won)
    assert not await world.is_alive(won[0].json()["access_token"])


async def test_a_program_without_a_secret_uses_pkce_and_any_port_of_its_loopback_address(world: World) -> None:
    made, ama = await world.application(token_endpoint_auth_method=PUBLIC_CLIENT,
                                        redirect_uris=(LOOPBACK,)), await world.visitor()
    callback = "http://127.0.0.1:49152/callback"
    verifier, request = code_request(made, redirect_uri=callback)
    for _ in range(2):  # any program can take that port: the person is asked each time
        page = await ama.ask(**request)
        assert "a program on this computer" in page.text
    got = answer_of(await ama.decide(page))
    answer = await world.http.post("/oauth/token", data={
        "grant_type": "authorization_code", "code": got["code"], "redirect_uri": callback, "code_verifier": verifier,
        "client_id": made.application.client_id})
    assert answer.status_code == 200
    assert not made.client_secret


async def test_a_client_with_a_secret_may_do_without_pkce_and_name_no_redirect_uri(world: World) -> None:
    """As the documents' clients do."""
    made, ama = await world.application(), await world.visitor()
    got = await ama.allow(client_id=made.application.client_id, response_type="code", scope="openid", state="s")
    answer = await world.token(made, grant_type="authorization_code", code=got["code"])
    assert answer.status_code == 200, answer.text


async def test_the_name_that_one_table_of_the_document_prints_is_read_too(world: World) -> None:
    made, ama = await world.application(), await world.visitor()
    got = await ama.allow(Client_is=made.application.client_id, response_type="code", scope="openid", state="s")
    assert got["code"].startswith("mk_ac_")


async def test_an_access_token_of_ones_own_lifetime(world: World) -> None:
    made, ama = await world.application(access_token_lifetime_s=900), await world.visitor()
    assert (await world.tokens(made, ama, "openid"))["expires_in"] == 900


async def test_codes_and_tokens_are_stored_as_hashes_only(world: World) -> None:
    made = await world.application(ApplicationKind.PARTNER, offline_access=True,
                                   deauthorization_uri="https://app.example.com/gone")
    ama = await world.visitor()
    verifier, request = code_request(made, scope="openid offline_access")
    got = await ama.allow(**request)
    body = (await world.token(made, grant_type="authorization_code", code=got["code"], redirect_uri=CALLBACK,
                              code_verifier=verifier)).json()
    secrets = [got["code"], body["access_token"], body["refresh_token"]]
    tables = await world.database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'oauth'")
    assert len(tables) >= 8
    for table in tables:
        rows = await world.database.fetch(f"SELECT row_to_json(t)::text AS text FROM oauth.{table['tablename']} t")
        assert not [row for row in rows for secret in secrets if secret[6:] in row["text"]]
    found = [row["name"] for row in await world.database.fetch(
        "SELECT encode(sha256, 'hex') AS name FROM oauth.access_token")]
    assert found
