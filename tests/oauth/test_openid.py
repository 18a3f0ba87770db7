"""OpenID Connect: discovery, ID tokens, keys, user info, signing out."""

import asyncio
import base64
import hashlib
import json
from datetime import timedelta
from re import findall
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import httpx
import pytest
from aiohttp import web
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from makola.api.oauth.app import OAuthApp
from makola.api.oauth.context import OAuthContext
from makola.core.applications.types import ApplicationKind
from makola.core.identity.workers import tell_observers
from makola.core.oauth.keys import ALGORITHMS, Rotation, SigningKeys, list_keys, rotate_keys
from makola.core.oauth.openid.logout import LogoutNotices, LogoutPolicy, note_session_event
from makola.kit.clock import now
from makola.kit.sealing import Sealer, SealingError
from tests.oauth.world import ISSUER, World, code_request, form_of

BYE = "https://app.example.com/bye"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


async def key_set(world: World) -> KeySet:
    return KeySet.import_key_set((await world.http.get("/oauth/jwks")).json())


async def claims_of(world: World, token: str) -> dict[str, object]:
    return dict(jwt.decode(token, await key_set(world), algorithms=list(ALGORITHMS)).claims)


async def test_both_documents_are_valid_and_alike(world: World) -> None:
    oauth = (await world.http.get("/.well-known/oauth-authorization-server")).json()
    openid = (await world.http.get("/.well-known/openid-configuration")).json()
    assert oauth == openid
    AuthorizationServerMetadata(oauth | {"issuer": "https://makola.test"} | {
        name: value.replace("http:", "https:") for name, value in oauth.items()
        if isinstance(value, str)}).validate()
    OpenIDProviderMetadata({name: value.replace("http:", "https:") if isinstance(value, str) else value
                            for name, value in openid.items()}).validate()
    assert oauth["issuer"] == ISSUER
    for name, value in oauth.items():
        if name.endswith(("_endpoint", "_uri")):
            path = value.removeprefix(ISSUER)
            assert (await world.http.get(path)).status_code != 404, name
    assert (await world.http.get("/.well-known/openid-configuration")).headers["access-control-allow-origin"] == "*"


async def test_the_metadata_of_an_issuer_with_a_path_is_where_rfc_8414_puts_it() -> None:
    nothing: Any = None
    issuer = "https://example.com/makola"
    context = OAuthContext(nothing, nothing, nothing, nothing, nothing, nothing, issuer, "RS256")
    programs: Any = OAuthApp(context, nothing)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=programs), base_url="https://example.com") as http:
        for path in ("/.well-known/oauth-authorization-server/makola", "/.well-known/oauth-authorization-server",
                     "/.well-known/openid-configuration"):
            assert programs.serves(path)
            assert (await http.get(path)).json()["issuer"] == issuer
        assert (await http.post("/.well-known/oauth-authorization-server/makola")).status_code == 405
    assert not programs.serves("/.well-known/oauth-authorization-server/other")


async def test_an_id_token_says_who_and_how_and_for_which_session(world: World) -> None:
    made, visitor = await world.application(), await world.visitor("ama", amr=("pwd", "otp", "mfa"))
    nonce = uuid4().hex
    tokens = await world.tokens(made, visitor, "openid profile email", nonce=nonce)
    claims = await claims_of(world, tokens["id_token"])
    assert visitor.session is not None
    assert claims["iss"] == ISSUER
    assert claims["aud"] == claims["azp"] == made.application.client_id
    assert claims["sub"] == str(visitor.user_id)
    assert (claims["nonce"], claims["sid"]) == (nonce, str(visitor.session.session_id))
    digest = hashlib.sha256(tokens["access_token"].encode()).digest()  # OpenID Connect Core, section 3.1.3.6
    assert claims["at_hash"] == base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
    assert (claims["amr"], claims["acr"]) == (["pwd", "otp", "mfa"], "urn:makola:acr:2")
    at = now().timestamp()
    assert at - 60 < int(str(claims["auth_time"])) <= int(str(claims["iat"])) <= at
    assert int(str(claims["exp"])) - int(str(claims["iat"])) == 3600
    assert (claims["name"], claims["email"], claims["zoneinfo"]) == ("Ama", "ama@example.com", "Africa/Accra")
    assert claims["organisation"] == {"id": world.organisations["shop"], "name": "The shop"}
    assert claims["roles"] == []
    info = (await world.userinfo(tokens["access_token"])).json()
    assert info == {name: claims[name] for name in info}
    assert {"sub", "name", "email", "organisation", "roles"} <= set(info)


async def test_without_the_scope_openid_there_is_neither_an_id_token_nor_user_info(world: World) -> None:
    made, ama = await world.application(), await world.visitor()
    tokens = await world.tokens(made, ama, "account.balance")
    assert "id_token" not in tokens
    refused = await world.userinfo(tokens["access_token"])
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    assert (await world.userinfo("mk_at_no")).status_code == 401
    nothing = await world.http.get("/oauth/userinfo")
    assert (nothing.status_code, "error" in nothing.headers["www-authenticate"]) == (401, False)


async def test_a_refreshed_id_token_is_about_the_same_sign_in(world: World) -> None:
    made, ama = await world.application(ApplicationKind.PARTNER, offline_access=True), await world.visitor()
    await world.database.execute("UPDATE identity.session SET auth_time = $1", now() - timedelta(minutes=9))
    first = await world.tokens(made, ama, "openid offline_access", nonce="n")
    again = (await world.token(made, grant_type="refresh_token", refresh_token=first["refresh_token"])).json()
    before, after = await claims_of(world, first["id_token"]), await claims_of(world, again["id_token"])
    assert {each: after[each] for each in ("iss", "sub", "aud", "auth_time", "sid")} == {
        each: before[each] for each in ("iss", "sub", "aud", "auth_time", "sid")}
    assert "nonce" not in after


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_each_algorithm_signs_and_its_key_is_published(world: World, algorithm: str) -> None:
    token = await world.keys.sign({"sub": "x"}, algorithm=algorithm)
    header = jws.extract_compact(token.encode()).headers()
    assert header["alg"] == algorithm
    published = {key["kid"]: key for key in (await world.http.get("/oauth/jwks")).json()["keys"]}
    assert published[header["kid"]]["alg"] == algorithm
    assert not {"d", "p", "q", "dp", "dq", "qi"} & {name for key in published.values() for name in key}
    assert await claims_of(world, token) == {"sub": "x"}


async def test_keys_are_rotated_with_overlap(world: World) -> None:
    old = await world.keys.sign({"n": 1}, algorithm="ES256")
    from_then = await rotate_keys(world.database, world.sealer, Rotation(overlap_s=600, keep_s=600))
    assert from_then > now() + timedelta(seconds=500)
    fresh = SigningKeys(world.database, world.sealer)
    assert len((await fresh.key_set())["keys"]) == 4
    kid = jws.extract_compact(old.encode()).headers()["kid"]
    assert jws.extract_compact((await fresh.sign({}, algorithm="ES256")).encode()).headers()["kid"] == kid
    await world.database.execute(
        "UPDATE oauth.signing_key SET signs_from = signs_from - interval '600 s',"
        " signs_until = signs_until - interval '600 s'")
    fresh = SigningKeys(world.database, world.sealer)
    assert jws.extract_compact((await fresh.sign({}, algorithm="ES256")).encode()).headers()["kid"] != kid
    assert await fresh.verify(old) == {"n": 1}
    await world.database.execute("UPDATE oauth.signing_key SET published_until = now() WHERE signs_until IS NOT NULL")
    assert len(await list_keys(world.database)) == 2
    with pytest.raises(JoseError):
        await SigningKeys(world.database, world.sealer).verify(old)


async def test_processes_that_start_at_once_make_one_pair_of_keys(world: World) -> None:
    await world.database.execute("DELETE FROM oauth.signing_key")
    await asyncio.gather(*(SigningKeys(world.database, world.sealer).key_set() for _ in range(3)))
    assert await world.database.fetchval("SELECT count(*) FROM oauth.signing_key") == 2


async def test_private_keys_are_useless_without_the_key_of_the_installation(world: World) -> None:
    await world.keys.key_set()
    rows = await world.database.fetch("SELECT private_jwk FROM oauth.signing_key")
    assert rows
    assert not any('"d"' in row["private_jwk"] for row in rows)
    with pytest.raises(SealingError):
        await SigningKeys(world.database, Sealer(b"x" * 32)).sign({}, algorithm="RS256")


async def test_an_application_signs_a_person_out_with_the_id_token_of_the_session(world: World) -> None:
    made, ama = await world.application(post_logout_redirect_uris=(BYE,)), await world.visitor()
    hint = (await world.tokens(made, ama, "openid"))["id_token"]
    answer = await ama.http.get("/oauth/logout", params={
        "id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": "s & t"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{BYE}?state=s+%26+t")
    assert "/sign-in" in (await ama.ask(**code_request(made)[1])).headers["location"]
    again = await ama.http.get("/oauth/logout", params={"id_token_hint": hint})
    assert "You are signed out" in again.text


async def test_without_a_hint_of_this_session_the_person_is_asked(world: World) -> None:
    made, ama = await world.application(post_logout_redirect_uris=(BYE,)), await world.visitor()
    other = await world.visitor("ama")
    hint = (await world.tokens(made, other, "openid"))["id_token"]
    for parameters in ({"id_token_hint": hint}, {"client_id": made.application.client_id}, {}):
        page = await ama.http.get("/oauth/logout", params=parameters | (
            {"post_logout_redirect_uri": BYE} if parameters else {}))
        assert (page.status_code, "Sign out?" in page.text) == (200, True)
        assert (await ama.ask(**code_request(made)[1])).status_code in {200, 303}
    posted = await ama.http.post("/oauth/logout", data={"client_id": made.application.client_id,
                                                        "post_logout_redirect_uri": BYE})
    page = await ama.http.get(posted.headers["location"])
    form = form_of(page)
    assert (await ama.http.post("/oauth/logout/confirm", data=form | {"csrf_token": "x"})).status_code == 403
    answer = await ama.http.post("/oauth/logout/confirm", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, BYE)
    assert "/sign-in" in (await ama.ask(**code_request(made)[1])).headers["location"]


@pytest.mark.parametrize("change", [
    {"post_logout_redirect_uri": "https://evil.example/"}, {"post_logout_redirect_uri": f"{BYE}/x"},
    {"id_token_hint": "x.y.z"}, {"client_id": "another"}])
async def test_signing_out_leads_nowhere_else(world: World, change: dict[str, str]) -> None:
    made, ama = await world.application(post_logout_redirect_uris=(BYE,)), await world.visitor()
    hint = (await world.tokens(made, ama, "openid"))["id_token"]
    answer = await ama.http.get("/oauth/logout", params={
        "id_token_hint": hint, "post_logout_redirect_uri": BYE, "client_id": made.application.client_id} | change)
    assert (answer.status_code, "location" in answer.headers) == (400, False)


async def test_applications_of_a_session_are_told_that_it_ended_until_they_have_heard(world: World) -> None:
    heard: list[str] = []
    statuses = iter([500, 200])

    async def receive(request: web.Request) -> web.Response:
        heard.append(parse_qs(await request.text())["logout_token"][0])
        return web.Response(status=next(statuses))

    application = web.Application()
    application.router.add_post("/logout", receive)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        made = await world.application(ApplicationKind.TRUSTED, name="Single sign-on",
                                       backchannel_logout_uri=f"http://127.0.0.1:{port}/logout")
        ama = await world.visitor()
        tokens = await world.tokens(made, ama, "openid")
        assert await world.is_alive(tokens["access_token"])
        await ama.http.get("/oauth/logout", params={"id_token_hint": tokens["id_token"]})
        await tell_observers(world.database, [note_session_event])
        notices = LogoutNotices(world.database, world.keys, world.outgoing, LogoutPolicy((0.0, 60.0)), issuer=ISSUER,
                                algorithm="ES256")
        await notices.send_due()
        await notices.send_due()
        assert await notices.send_due() is False
    finally:
        await runner.cleanup()
    assert len(heard) == 2
    headers = jws.extract_compact(heard[1].encode()).headers()
    claims = await claims_of(world, heard[1])
    assert ama.session is not None
    assert headers["typ"] == "logout+jwt"
    assert claims | {"iat": 0, "exp": 0, "jti": ""} == {
        "iss": ISSUER, "sub": str(ama.user_id), "aud": made.application.client_id, "sid": str(ama.session.session_id),
        "events": {EVENT: {}}, "iat": 0, "exp": 0, "jti": ""}
    assert claims["jti"] != (await claims_of(world, heard[0]))["jti"]
    assert "nonce" not in claims
    world.credentials.forget()
    assert not await world.is_alive(tokens["access_token"])  # single sign-out: a trusted application's tokens end
    state = await world.database.fetchval("SELECT state FROM oauth.logout_notice WHERE application_id = $1",
                                          made.application.application_id)
    assert state == "delivered"


async def test_the_roles_that_a_person_has_in_an_application_are_claims(world: World) -> None:
    made, kofi = await world.application(ApplicationKind.TRUSTED, name="Till"), await world.visitor("kofi")
    role_id = await world.database.fetchval(
        "INSERT INTO applications.published_role (application_id, name) VALUES ($1, 'cashier') RETURNING id",
        made.application.application_id)
    await world.database.execute(
        "INSERT INTO applications.role_holder (organisation_id, role_id, user_id) VALUES ($1, $2, $3)",
        world.organisations["shop"], role_id, kofi.user_id)
    tokens = await world.tokens(made, kofi, "openid profile")
    assert (await claims_of(world, tokens["id_token"]))["roles"] == ["cashier"]
    assert json.loads((await world.userinfo(tokens["access_token"])).text)["roles"] == ["cashier"]


async def test_whoever_switches_the_organisation_goes_on_in_the_application(world: World) -> None:
    url = "https://portal.example.com/switched?from=makola"
    made = await world.application(ApplicationKind.TRUSTED, switch_session_uri=url)
    silent, public = await world.application(ApplicationKind.TRUSTED), await world.application()
    for client, target in ((made, url), (silent, "/"), (public, "/")):
        ama = await world.visitor()
        page = await ama.http.get("/account/organisation", params={"client_id": client.application.client_id})
        assert ("form-action 'self' https://portal.example.com;" in page.headers["content-security-policy"]) \
            is (client is made)
        sent = dict(findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        answer = await ama.http.post("/account/organisation",
                                     data=sent | {"organisation": str(world.organisations["branch"])})
        assert (answer.status_code, answer.headers["location"]) == (303, target)
        assert "makola_session=" in answer.headers["set-cookie"]
