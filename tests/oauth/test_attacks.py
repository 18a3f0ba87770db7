"""Attacks of RFC 9700 (the OAuth 2.0 Security Best Current Practice), each by its name there."""

import pytest

from makola.core.applications.types import ApplicationKind, TokenEndpointAuthMethod
from makola.core.oauth.deauthorisation import deauthorise
from makola.core.oauth.service import find_token, issue_emulation_token
from makola.core.organisations.emulation import start_emulation
from makola.core.organisations.members import NewGrants, NewUser, add_member
from makola.core.organisations.permissions import Permission
from tests.oauth.world import CALLBACK, ISSUER, World, answer_of, code_request, form_of, pkce


async def test_mix_up_every_answer_names_its_issuer(world: World) -> None:
    """Section 4.4: a client that knows several servers compares `iss` with the one it went to (RFC 9207)."""
    made, ama = await world.application(implicit_enabled=True), await world.visitor()
    _, request = code_request(made)
    page = await ama.ask(**request)
    for answer in (await ama.decide(page), await ama.decide(await ama.ask(**request, prompt="consent"), "deny"),
                   await ama.ask(**request | {"scope": "no.such"}),
                   await ama.decide(await ama.ask(**request | {"response_type": "token", "prompt": "consent"}))):
        assert answer_of(answer)["iss"] == ISSUER
    document = (await world.http.get("/.well-known/oauth-authorization-server")).json()
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["issuer"] == ISSUER


async def test_code_injection_a_code_of_another_flow_does_not_fit_the_verifier(world: World) -> None:
    """Section 4.5: the attacker puts the victim's code into a flow of their own."""
    made, victim = await world.application(), await world.visitor()
    verifier, request = code_request(made)
    stolen = (await victim.allow(**request))["code"]
    attackers_verifier, _ = pkce()
    refused = await world.token(made, grant_type="authorization_code", code=stolen, redirect_uri=CALLBACK,
                                code_verifier=attackers_verifier)
    assert refused.json()["error"] == "invalid_grant"
    assert (await world.token(made, grant_type="authorization_code", code=stolen, redirect_uri=CALLBACK,
                              code_verifier=verifier)).status_code == 200


async def test_code_injection_a_code_is_bound_to_its_client(world: World) -> None:
    """Section 4.5.1, and RFC 6749 section 4.1.3; the code goes on working for its own client."""
    made, attacker, victim = await world.application(), await world.application(), await world.visitor()
    verifier, request = code_request(made)
    stolen = (await victim.allow(**request))["code"]
    sent = {"grant_type": "authorization_code", "code": stolen, "redirect_uri": CALLBACK, "code_verifier": verifier}
    assert (await world.token(attacker, **sent)).json()["error"] == "invalid_grant"
    assert (await world.token(made, **sent)).status_code == 200


async def test_pkce_downgrade_a_verifier_without_a_challenge_is_refused(world: World) -> None:
    """Section 4.8.2: the attacker strips the challenge from the request; the client sends its verifier."""
    made, victim = await world.application(), await world.visitor()
    verifier, request = code_request(made)
    for name in ("code_challenge", "code_challenge_method"):
        del request[name]
    code = (await victim.allow(**request))["code"]
    refused = await world.token(made, grant_type="authorization_code", code=code, redirect_uri=CALLBACK,
                                code_verifier=verifier)
    assert refused.json()["error"] == "invalid_grant"


async def test_pkce_downgrade_a_challenge_without_a_verifier_is_refused(world: World) -> None:
    """Section 4.8.2: a code of a flow with a challenge is put into one without."""
    made, victim = await world.application(), await world.visitor()
    code = (await victim.allow(**code_request(made)[1]))["code"]
    refused = await world.token(made, grant_type="authorization_code", code=code, redirect_uri=CALLBACK)
    assert refused.json()["error"] == "invalid_request"


async def test_pkce_downgrade_plain_is_refused(world: World) -> None:
    """Section 2.1.1: S256 alone does not show the verifier to whoever sees the request."""
    made, ama = await world.application(), await world.visitor()
    for method in ("plain", "", "s256"):
        got = answer_of(await ama.ask(**code_request(made, code_challenge_method=method)[1]))
        assert got["error"] == "invalid_request"


async def test_pkce_is_required_of_clients_without_a_secret(world: World) -> None:
    """Section 2.1.1."""
    made = await world.application(token_endpoint_auth_method=TokenEndpointAuthMethod.NONE)
    ama = await world.visitor()
    request = {"client_id": made.application.client_id, "redirect_uri": CALLBACK, "response_type": "code", "state": "s"}
    assert answer_of(await ama.ask(**request))["error"] == "invalid_request"


async def test_redirects_use_303_so_that_no_form_is_repeated_elsewhere(world: World) -> None:
    """Section 4.12: after 307 the browser would post what the person typed to the application."""
    made, ama = await world.application(), await world.visitor()
    _, request = code_request(made)
    assert (await ama.decide(await ama.ask(**request))).status_code == 303
    assert (await ama.ask(**request)).status_code == 303
    assert (await ama.ask(**request | {"scope": "no.such"})).status_code == 303


async def test_open_redirector_nothing_is_redirected_before_client_and_uri_are_known(world: World) -> None:
    """Section 4.11.2."""
    made, nobody = await world.application(), await world.visitor(None)
    _, request = code_request(made)
    for change in ({"client_id": "nobody"}, {"redirect_uri": "https://evil.example"},
                   {"redirect_uri": "https://evil.example", "prompt": "none"},
                   {"redirect_uri": "https://evil.example", "response_type": "x"}):
        answer = await nobody.ask(**request | change)
        assert (answer.status_code, "location" in answer.headers) == (400, False)


async def test_open_redirector_the_way_back_from_signing_in_is_our_own(world: World) -> None:
    """Section 4.11: the page after signing in is a path here, whatever the request said."""
    made, nobody = await world.application(), await world.visitor(None)
    answer = await nobody.ask(**code_request(made, state="//evil.example")[1])
    assert answer.headers["location"].startswith("/sign-in?next=/oauth/continue%3Fhandle%3Dmk_ar_")


async def test_clickjacking_no_page_lets_itself_be_framed(world: World) -> None:
    """Section 4.16."""
    made, ama, nobody = await world.application(), await world.visitor(), await world.visitor(None)
    pages = [await ama.ask(**code_request(made)[1]), await ama.ask(client_id="nobody"),
             await ama.http.get("/oauth/logout"), await nobody.http.get("/sign-in")]
    for page in pages:
        assert page.headers["content-type"].startswith("text/html")
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-frame-options"] == "DENY"


async def test_csrf_on_consent_a_form_of_another_site_is_refused(world: World) -> None:
    """Section 4.7: the decision needs the token of the person's own session."""
    made, ama = await world.application(), await world.visitor()
    page = await ama.ask(**code_request(made)[1])
    for token in ("", "x", (await world.visitor("ama")).csrf_token):
        forged = await ama.decide(page, csrf_token=token)
        assert (forged.status_code, "location" in forged.headers) == (403, False)
    assert "code" in answer_of(await ama.decide(page))


async def test_consent_cannot_be_given_for_another_request(world: World) -> None:
    """The page is bound to its request: parameters in the form or in the address change nothing."""
    made, greedy, ama = await world.application(), await world.application(), await world.visitor()
    page = await ama.ask(**code_request(made, scope="openid")[1])
    _, other = code_request(greedy, scope="messages.send account.balance")
    answer = await ama.http.post("/oauth/consent", params=other, data=other | form_of(page) | {"decision": "allow"})
    got = answer_of(answer)
    scopes = await world.database.fetchval(
        "SELECT g.scopes FROM oauth.grant g WHERE g.application_id = $1 ORDER BY g.id DESC LIMIT 1",
        made.application.application_id)
    assert ("code" in got, scopes) == (True, ["openid"])
    assert await world.database.fetchval("SELECT count(*) FROM oauth.grant WHERE application_id = $1",
                                         greedy.application.application_id) == 0


async def test_consent_belongs_to_the_session_in_which_it_was_shown(world: World) -> None:
    """An attacker's page, with the attacker's handle, is no consent of the victim's, nor the other way round."""
    made, attacker, victim = await world.application(), await world.visitor("esi"), await world.visitor("ama")
    shown = form_of(await attacker.ask(**code_request(made)[1]))
    for data in (shown, shown | {"csrf_token": victim.csrf_token}):
        answer = await victim.http.post("/oauth/consent", data=data | {"decision": "allow"})
        assert answer.status_code in {400, 403}
        assert "location" not in answer.headers
    assert (await victim.http.get(f"/oauth/continue?handle={shown['request']}")).status_code == 400


async def test_consent_is_answered_once(world: World) -> None:
    """A page that is sent twice gives one code."""
    made, ama = await world.application(), await world.visitor()
    page = await ama.ask(**code_request(made)[1])
    assert "code" in answer_of(await ama.decide(page))
    again = await ama.decide(page)
    assert (again.status_code, "location" in again.headers) == (400, False)


async def test_login_csrf_signing_in_as_somebody_else_does_not_give_their_consent(world: World) -> None:
    """The victim, signed in by the attacker as the attacker, is asked as the attacker: the page says who."""
    made, victim = await world.application(), await world.visitor("ama")
    page = await victim.ask(**code_request(made)[1])
    assert "ama@example.com" in page.text
    await world.sign_in(victim, "esi")
    answer = await victim.decide(page)
    assert answer.status_code in {400, 403}
    assert "esi@example.com" in (await victim.ask(**code_request(made)[1])).text


async def test_token_replay_what_was_revoked_or_has_expired_opens_nothing(world: World) -> None:
    """Section 4.10."""
    made, ama = await world.application(), await world.visitor()
    token = (await world.tokens(made, ama, "openid"))["access_token"]
    await world.database.execute("UPDATE oauth.access_token SET expires_at = now()")
    assert not await world.is_alive(token)


async def test_tokens_do_not_travel_in_addresses(world: World) -> None:
    """Section 4.3.2: a Bearer token in the query is not read."""
    made, ama = await world.application(), await world.visitor()
    token = (await world.tokens(made, ama, "openid"))["access_token"]
    assert (await world.http.get("/oauth/userinfo", params={"access_token": token})).status_code == 401


async def test_secrets_do_not_leak_by_the_referer_or_a_cache(world: World) -> None:
    """Section 4.2.4."""
    made, ama = await world.application(), await world.visitor()
    page = await ama.ask(**code_request(made)[1])
    assert page.headers["referrer-policy"] in {"same-origin", "no-referrer"}
    assert page.headers["cache-control"] == "no-store"
    answer = await ama.decide(page)
    assert (answer.headers["referrer-policy"], answer.headers["cache-control"]) == ("no-referrer", "no-store")


async def test_a_confidential_clients_code_needs_its_secret(world: World) -> None:
    """Section 2.5: a stolen code and verifier are useless without the client's own credentials."""
    made, ama = await world.application(), await world.visitor()
    verifier, request = code_request(made)
    got = await ama.allow(**request)
    answer = await world.http.post("/oauth/token", data={
        "grant_type": "authorization_code", "code": got["code"], "redirect_uri": CALLBACK, "code_verifier": verifier,
        "client_id": made.application.client_id})
    assert answer.status_code == 401


async def test_privileges_of_a_token_are_what_was_granted_and_no_more(world: World) -> None:
    """Section 2.3."""
    made, ama = await world.application(), await world.visitor()
    tokens = await world.tokens(made, ama, "account.balance")
    caller = await world.credentials.bearer({"headers": [
        (b"authorization", b"Bearer " + tokens["access_token"].encode())]})
    assert caller.actor.scopes == frozenset({"account.balance"})
    assert not caller.actor.may(Permission.ORGANISATION_VIEW)


@pytest.mark.parametrize("kind", [ApplicationKind.PUBLIC, ApplicationKind.PARTNER])
async def test_the_resource_owner_password_grant_does_not_exist(world: World, kind: ApplicationKind) -> None:
    """Section 2.4."""
    made = await world.application(kind)
    answer = await world.token(made, grant_type="password", username="ama@example.com", password="x")
    assert answer.json()["error"] == "unsupported_grant_type"


@pytest.mark.parametrize("organisation", ["9" * 19, "9" * 5000, "-1", "\u0661", "\0", ""])
async def test_consent_for_an_organisation_that_cannot_be_is_refused(world: World, organisation: str) -> None:
    made, ama = await world.application(), await world.visitor()
    _, request = code_request(made)
    answer = await ama.decide(await ama.ask(**request), organisation=organisation)
    assert answer_of(answer)["error"] == "access_denied"


async def test_a_request_that_is_kept_is_not_longer_than_an_address(world: World) -> None:
    """Requests wait in the database for people who are not signed in: strangers fill it with little only."""
    made, nobody = await world.application(), await world.visitor(None)
    _, request = code_request(made)
    kept = "SELECT count(*) FROM oauth.authorization_request"
    before = await world.database.fetchval(kept)
    assert (await nobody.http.post("/oauth", data=request | {"login_hint": "x" * 20_000})).status_code == 400
    assert await world.database.fetchval(kept) == before


async def test_an_emulation_ends_with_the_authorization_that_it_was_begun_by(world: World) -> None:
    made = await world.application(requested_scopes=frozenset({"emulation:start", "openid"}))
    ama = await world.visitor()
    async with world.database.transaction() as connection:
        branch = await add_member(connection, world.platform, world.organisations["branch"],
                                  NewUser("Abena", f"{made.application.client_id}@example.com"), NewGrants())
    tokens = await world.tokens(made, ama, "emulation:start openid")
    found = await find_token(world.database, tokens["access_token"])
    assert found is not None
    actor = found.caller.actor
    started = await start_emulation(world.database, actor, branch.user_id, "to help")
    async with world.database.connection() as connection:
        begun = [await issue_emulation_token(connection, actor, started)]
        assert await find_token(world.database, begun[0].access_token) is not None
        await deauthorise(connection, actor.organisation_id, made.application.application_id, None, None)
        begun.append(await issue_emulation_token(connection, actor, started))  # by a process that has not heard of it
    for token in begun:
        assert await find_token(world.database, token.access_token) is None
