"""Tokens after they were given out: revoked, introspected, deauthorised; and clients that show who they are."""

import asyncio
import json
import time
from dataclasses import replace
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from makola.api.common.credentials import Credentials, NotAuthenticatedError
from makola.core.applications.service import create_application
from makola.core.applications.types import ApplicationKind, NewlyRegistered, TokenEndpointAuthMethod
from makola.core.oauth import store
from makola.core.oauth.deauthorisation import deauthorise
from makola.core.oauth.service import list_grants, purge_expired
from makola.core.oauth.types import Lifetimes
from makola.core.organisations.members import NewGrants, set_member_grants
from makola.settings import Settings
from makola.wiring.oauth import lifetimes
from tests.oauth.world import CALLBACK, ISSUER, World, answer_of, code_request

OFFLINE = "openid offline_access"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


async def test_a_revoked_access_token_is_refused_at_once(world: World) -> None:
    made, ama = await world.application(), await world.visitor()
    token = (await world.tokens(made, ama, "openid"))["access_token"]
    assert await world.is_alive(token)
    answer = await world.http.post("/oauth/revoke", data={"token": token, **credentials(made)})
    assert (answer.status_code, answer.content) == (200, b"")
    assert not await world.is_alive(token)
    assert (await world.http.post("/oauth/revoke", data={"token": token, **credentials(made)})).status_code == 200


async def test_another_process_refuses_a_revoked_token_within_the_time_that_it_remembers(world: World) -> None:
    assert Settings().actor_cache_s == 5
    made, ama = await world.application(), await world.visitor()
    token = (await world.tokens(made, ama, "openid"))["access_token"]
    scope = {"headers": [(b"authorization", b"Bearer " + token.encode())]}
    elsewhere = Credentials(world.database, remember_s=0.3)
    assert (await elsewhere.bearer(scope)).actor.user_id == ama.user_id
    await world.http.post("/oauth/revoke", data={"token": token, **credentials(made)})
    assert not await world.is_alive(token)
    await asyncio.sleep(0.31)
    with pytest.raises(NotAuthenticatedError):
        await elsewhere.bearer(scope)


def test_how_long_things_hold_is_as_documented_and_a_setting() -> None:
    assert lifetimes(Settings()) == Lifetimes(60, 10_800, 2_592_000, 31_536_000, 30, 3_600, 900)
    changed = replace(Settings(), oauth_code_lifetime_s=10, oauth_public_token_lifetime_s=61,
                      oauth_partner_token_lifetime_s=62, oauth_refresh_token_lifetime_s=63, oauth_refresh_grace_s=4,
                      id_token_lifetime_s=65, oauth_request_lifetime_s=66)
    assert lifetimes(changed) == Lifetimes(10, 61, 62, 63, 4, 65, 66)


async def test_revoking_a_refresh_token_ends_the_authorization(world: World) -> None:
    made, ama = await world.application(ApplicationKind.PARTNER, offline_access=True), await world.visitor()
    tokens = await world.tokens(made, ama, OFFLINE)
    sent = {"token": tokens["refresh_token"], "token_type_hint": "access_token", **credentials(made)}
    assert (await world.http.post("/oauth/revoke", data=sent)).status_code == 200
    assert not await world.is_alive(tokens["access_token"])
    refused = await world.token(made, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert refused.json()["error"] == "invalid_grant"


async def test_nobody_revokes_or_looks_at_another_clients_token(world: World) -> None:
    made = await world.application(ApplicationKind.PARTNER, offline_access=True)
    other, ama = await world.application(), await world.visitor()
    tokens = await world.tokens(made, ama, OFFLINE)
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert (await world.http.post("/oauth/revoke", data={"token": token, **credentials(other)})).status_code == 200
        seen = await world.http.post("/oauth/introspect", data={"token": token, **credentials(other)})
        assert seen.json() == {"active": False}
    assert await world.is_alive(tokens["access_token"])
    assert (await world.http.post("/oauth/revoke", data={"token": tokens["access_token"]})).status_code == 400
    wrong = credentials(made) | {"client_secret": "wrong"}
    assert (await world.http.post("/oauth/revoke", data={"token": "x", **wrong})).status_code == 401


async def test_introspection_says_what_a_token_is(world: World) -> None:
    made = await world.application(ApplicationKind.PARTNER, offline_access=True)
    trusted, ama = await world.application(ApplicationKind.TRUSTED), await world.visitor()
    tokens = await world.tokens(made, ama, OFFLINE)
    for asker in (made, trusted):
        body = (await world.http.post("/oauth/introspect", data={
            "token": tokens["access_token"], **credentials(asker)})).json()
        assert body | {"exp": 0, "iat": 0} == {
            "active": True, "iss": ISSUER, "client_id": made.application.client_id, "token_type": "Bearer",
            "sub": str(ama.user_id), "scope": OFFLINE.replace("openid offline_access", "offline_access openid"),
            "organisation": world.organisations["shop"], "exp": 0, "iat": 0}
        assert body["exp"] - body["iat"] == 2_592_000
    body = (await world.http.post("/oauth/introspect", data={
        "token": tokens["refresh_token"], **credentials(made)})).json()
    assert (body["active"], body["token_type"]) == (True, "refresh_token")
    await world.token(made, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    for token in (tokens["refresh_token"], "mk_at_x", "mk_rt_x", "x"):
        answer = await world.http.post("/oauth/introspect", data={"token": token, **credentials(made)})
        assert answer.json() == {"active": False}


async def test_introspection_is_not_for_clients_without_a_secret(world: World) -> None:
    made = await world.application(token_endpoint_auth_method=TokenEndpointAuthMethod.NONE)
    answer = await world.http.post("/oauth/introspect", data={"token": "x", "client_id": made.application.client_id})
    assert answer.status_code == 401


async def test_deauthorising_kills_the_tokens_at_once_and_tells_the_application(world: World) -> None:
    made = await world.application(ApplicationKind.PARTNER, offline_access=True,
                                   deauthorization_uri="https://app.example.com/gone?x=1")
    ama, shop = await world.visitor(), world.organisations["shop"]
    tokens = await world.tokens(made, ama, OFFLINE)
    application_id = made.application.application_id
    assert [each.user_id for each in await list_grants(world.database, shop, application_id=application_id)] == [
        ama.user_id]
    assert await world.is_alive(tokens["access_token"])
    async with world.database.transaction() as connection:
        assert await deauthorise(connection, shop, application_id, ama.user_id, world.sealer)
    world.credentials.forget_application(application_id)
    assert not await world.is_alive(tokens["access_token"])
    refused = await world.token(made, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert refused.json()["error"] == "invalid_grant"
    sent = await world.database.fetchrow(
        "SELECT method, url, query FROM callbacks.delivery WHERE application_id = $1", application_id)
    assert sent is not None
    assert (sent["method"], sent["url"]) == ("GET", "https://app.example.com/gone?x=1")
    assert sent["query"] == f"access_token={tokens['access_token']}"
    assert await list_grants(world.database, shop, application_id=application_id) == []
    assert (await ama.ask(**code_request(made, scope=OFFLINE)[1])).status_code == 200  # asked anew
    async with world.database.transaction() as connection:
        assert not await deauthorise(connection, shop, application_id, ama.user_id, world.sealer)


async def test_the_last_use_of_an_authorization_is_kept(world: World) -> None:
    made, ama = await world.application(), await world.visitor()
    token = (await world.tokens(made, ama, "openid"))["access_token"]
    await world.database.execute("UPDATE oauth.grant SET last_used_at = NULL")
    await world.is_alive(token)
    grants = await list_grants(world.database, world.organisations["shop"],
                               application_id=made.application.application_id)
    assert grants[0].last_used_at is not None


async def test_what_somebody_granted_holds_as_long_as_they_may_grant_it(world: World) -> None:
    made, esi = await world.application(), await world.visitor("esi")
    account = (await world.tokens(made, esi, "openid account.balance"))["access_token"]
    herself = (await world.tokens(made, esi, "openid"))["access_token"]
    assert await world.is_alive(account)
    for admin in (False, True):
        async with world.database.transaction() as connection:
            await set_member_grants(connection, world.platform, esi.user_id, NewGrants(admin=admin))
        world.credentials.forget()
        assert await world.is_alive(herself)
        assert await world.is_alive(account) == admin


async def test_a_private_application_has_no_flow_with_a_person(world: World) -> None:
    made, ama = await world.application(), await world.visitor()
    await world.database.execute("UPDATE applications.application SET kind = 'private' WHERE client_id = $1",
                                 made.application.client_id)
    assert answer_of(await ama.ask(**code_request(made)[1]))["error"] == "unauthorized_client"


async def test_a_process_that_dies_before_the_commit_costs_nothing(world: World,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    made = await world.application(ApplicationKind.PARTNER, offline_access=True)
    ama = await world.visitor()
    verifier, request = code_request(made, scope=OFFLINE)
    code = (await ama.allow(**request))["code"]
    exchange = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}

    async def dies(*_: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(store, "prolong", dies)  # the last statement before the commit
        assert (await world.token(made, **exchange)).status_code == 503
    first = (await world.token(made, **exchange)).json()
    assert await world.is_alive(first["access_token"])
    with monkeypatch.context() as patched:
        patched.setattr(store, "prolong", dies)
        assert (await world.token(made, grant_type="refresh_token",
                                  refresh_token=first["refresh_token"])).status_code == 503
    again = await world.token(made, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert again.status_code == 200


async def test_client_credentials_are_for_applications_that_act_for_themselves(world: World) -> None:
    for kind in (ApplicationKind.PUBLIC, ApplicationKind.TRUSTED):
        answer = await world.token(await world.application(kind), grant_type="client_credentials")
        assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    async with world.database.transaction() as connection:
        private = await create_application(connection, world.organisations["shop"], name="Own")
    sent = {"grant_type": "client_credentials", "client_id": private.application.client_id,
            "client_secret": private.client_secret, "scope": "messages.send"}
    body = (await world.http.post("/oauth/token", data=sent)).json()
    assert (body["expires_in"], body["scope"]) == (3600, "messages.send")
    form = await world.http.post("/oauth/token", data=sent, headers={"Accept": "application/x-www-form-urlencoded"})
    assert form.text.startswith("access_token=mk_at_")
    assert (await world.userinfo(body["access_token"])).status_code == 403


async def test_a_client_that_fails_again_and_again_has_to_wait_and_others_have_not(world: World) -> None:
    made, other = await world.application(), await world.application()
    sent = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": made.application.client_id}
    statuses = [(await world.http.post("/oauth/token", data=sent | {"client_secret": "wrong"})).status_code
                for _ in range(7)]
    assert statuses == [401] * 6 + [429]
    waiting = await world.http.post("/oauth/token", data=sent | {"client_secret": made.client_secret})
    assert (waiting.status_code, int(waiting.headers["retry-after"]) >= 1) == (429, True)
    assert (await world.token(other, grant_type="refresh_token", refresh_token="x")).status_code == 400


@pytest.mark.parametrize("key", [RSAKey.generate_key(2048), ECKey.generate_key("P-256")], ids=["RS256", "ES256"])
async def test_a_client_shows_itself_with_a_signed_assertion_which_is_good_once(world: World,
                                                                               key: RSAKey | ECKey) -> None:
    algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
    public = {**key.as_dict(private=False), "kid": "one", "use": "sig", "alg": algorithm}
    made = await world.application(token_endpoint_auth_method=TokenEndpointAuthMethod.PRIVATE_KEY_JWT,
                                   jwks=json.dumps({"keys": [public]}))
    client_id, at = made.application.client_id, int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "exp": at + 60, "iat": at, "jti": uuid4().hex}

    async def show(signed: str) -> int:
        answer = await world.http.post("/oauth/introspect", data={
            "token": "x", "client_assertion_type": ASSERTION, "client_assertion": signed})
        return answer.status_code

    def sign(**change: object) -> str:
        changed = {name: value for name, value in (claims | {"jti": uuid4().hex} | change).items() if value is not None}
        return jwt.encode({"alg": algorithm, "kid": "one"}, changed, key)

    good = jwt.encode({"alg": algorithm, "kid": "one"}, claims, key)
    assert await show(good) == 200
    assert await show(good) == 401
    assert await show(sign(aud=[f"{ISSUER}/oauth/token", "x"])) == 200
    for wrong in (sign(aud="https://elsewhere.example"), sign(iss="x"), sign(sub="x"), sign(exp=at - 60),
                  sign(exp=None), sign(exp=at + 86_400), sign(jti=None), sign(jti=""), sign(nbf=at + 600),
                  sign(exp=True), sign(iss=uuid4().hex), sign(aud=[{}]), sign(aud=[[ISSUER]]),
                  "x", "e30.eyJpc3MiOiJcdWQ4MDAifQ.e30", "x.y.z", "e30.e30.e30", good[:-4] + "AAAA"):
        assert await show(wrong) == 401
        world.authentication.forget_failures()
    confusion = jwt.encode({"alg": "HS256"}, claims | {"jti": uuid4().hex},
                           OctKey.import_key(json.dumps(public).encode()), algorithms=["HS256"])
    assert await show(confusion) == 401
    secret = await world.http.post("/oauth/introspect", data={
        "token": "x", "client_id": client_id, "client_secret": ""})
    assert secret.status_code == 401


async def test_what_expired_long_ago_is_forgotten(world: World) -> None:
    made, ama = await world.application(ApplicationKind.PARTNER, offline_access=True), await world.visitor()
    await world.tokens(made, ama, OFFLINE)
    tables = ("access_token", "refresh_token", "authorization_code", "grant")
    for table in tables:
        await world.database.execute(f"UPDATE oauth.{table} SET expires_at = now() - interval '2 days'")
    await purge_expired(world.database)
    for table in tables:
        assert await world.database.fetchval(f"SELECT count(*) FROM oauth.{table}") == 0


def credentials(made: NewlyRegistered) -> dict[str, str]:
    return {"client_id": made.application.client_id, "client_secret": made.client_secret or ""}
