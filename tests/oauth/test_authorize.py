"""The authorization endpoint: what is said on a page, what to the application, and when a person is asked."""

from datetime import timedelta

import pytest

from makola.core.applications.types import ApplicationKind, TokenEndpointAuthMethod
from makola.kit.clock import now
from tests.oauth.world import CALLBACK, ISSUER, World, answer_of, code_request, form_of, pkce

WRONG_REDIRECTS = [
    "https://app.example.com/oauth_callback/", "https://app.example.com/oauth_callback?x=1",
    "https://app.example.com/oauth_callback#x", "https://APP.example.com/oauth_callback",
    "http://app.example.com/oauth_callback", "https://app.example.com:443/oauth_callback",
    "https://app.example.com/../oauth_callback", "https://app.example.com/oauth_callback%2f..",
    "https://app.example.com@evil.example/oauth_callback", "https://app.example.com.evil.example/oauth_callback",
    "https://evil.example/?https://app.example.com/oauth_callback", "//app.example.com/oauth_callback",
    "https://app.example.com/oauth_callback\r\nX: y", "javascript:alert(1)", "data:text/html,x",
    "https://app.example.com\\@evil.example/oauth_callback", "https://evil.example", "https://app.example.com"]


@pytest.mark.parametrize("redirect_uri", WRONG_REDIRECTS)
async def test_a_redirect_uri_that_is_not_registered_is_never_redirected_to(world: World, redirect_uri: str) -> None:
    made, ama = await world.application(name="Redirects"), await world.visitor()
    _, request = code_request(made, redirect_uri=redirect_uri)
    for answer in (await ama.ask(**request), await ama.http.post("/oauth", data=request),
                   await ama.ask(**request | {"scope": "no.such"}), await ama.ask(**request | {"prompt": "none"})):
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "does not match" in answer.text


async def test_an_unknown_or_suspended_application_is_said_on_a_page(world: World) -> None:
    made, ama = await world.application(name="Suspended"), await world.visitor()
    _, request = code_request(made)
    for client_id in ("", "nobody", "nobody\0"):
        answer = await ama.ask(**request | {"client_id": client_id})
        assert (answer.status_code, "location" in answer.headers) == (400, False)
    await world.database.execute("UPDATE applications.application SET suspended_at = now() WHERE client_id = $1",
                                 made.application.client_id)
    answer = await ama.ask(**request)
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert "invalid_client" in answer.text


@pytest.mark.parametrize(("change", "error"), [
    ({"response_type": ""}, "invalid_request"),
    ({"response_type": "id_token"}, "unsupported_response_type"),
    ({"response_type": "code token"}, "unsupported_response_type"),
    ({"response_type": "token"}, "unauthorized_client"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"response_mode": "form_post"}, "invalid_request"),
    ({"scope": "no.such"}, "invalid_scope"),
    ({"scope": "contacts.delete"}, "invalid_scope"),
    ({"scope": "offline_access"}, "invalid_scope"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": ""}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"code_challenge": ""}, "invalid_request"),
    ({"request": "x.y.z"}, "request_not_supported"),
    ({"request_uri": "https://evil.example/r"}, "request_uri_not_supported"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "sing"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"resource": "https://elsewhere.example/"}, "invalid_target"),
])
async def test_what_is_wrong_is_said_to_the_application(world: World, change: dict[str, str], error: str) -> None:
    made, ama = await world.application(name="Wrong"), await world.visitor()
    _, request = code_request(made)
    answer = await ama.ask(**request | change)
    assert answer.headers["location"].startswith(f"{CALLBACK}{'#' if change.get('response_type') == 'token' else '?'}")
    got = answer_of(answer)
    assert (got["error"], got["state"], got["iss"]) == (error, request["state"], ISSUER)
    assert got["error_description"]
    assert "code" not in got


async def test_a_parameter_that_is_there_twice_is_refused(world: World) -> None:
    made, ama = await world.application(name="Twice"), await world.visitor()
    _, request = code_request(made)
    for name in ("scope", "state", "response_type", "code_challenge", "nonce"):
        answer = await ama.http.get("/oauth", params=[*request.items(), ("nonce", "n"), (name, "x")])
        assert answer_of(answer)["error"] == "invalid_request"
    for name in ("client_id", "redirect_uri"):
        answer = await ama.http.get("/oauth", params=[*request.items(), (name, request[name])])
        assert (answer.status_code, "location" in answer.headers) == (400, False)


async def test_whoever_declines_is_asked_again_the_next_time(world: World) -> None:
    made, ama = await world.application(name="Declined"), await world.visitor()
    _, request = code_request(made)
    for _ in range(2):
        got = answer_of(await ama.decide(await ama.ask(**request), "deny"))
        assert (got["error"], got["state"]) == ("access_denied", request["state"])


async def test_what_was_agreed_to_is_not_asked_again_and_more_is(world: World) -> None:
    made, ama = await world.application(name="Again"), await world.visitor()
    _, request = code_request(made, scope="account.balance")
    page = await ama.ask(**request)
    assert "know your balance" in page.text
    await ama.decide(page)
    assert "code" in answer_of(await ama.ask(**request))
    grown = request | {"scope": "account.balance messages.send"}
    page = await ama.ask(**grown)
    assert page.status_code == 200
    assert "You let this application in before" in page.text
    assert page.text.count(">New<") == 1
    assert (await ama.ask(**request | {"prompt": "consent"})).status_code == 200
    assert (await ama.ask(**request | {"prompt": "select_account"})).status_code == 200
    other = await world.visitor("esi")
    assert (await other.ask(**request)).status_code == 200


async def test_terms_and_privacy_policy_are_shown_before_anybody_agrees(world: World) -> None:
    """As the document says of a partner application's properties."""
    made, ama = await world.application(ApplicationKind.PARTNER, name="Terms"), await world.visitor()
    await world.database.execute(
        "UPDATE applications.listing SET draft = (draft::jsonb || $2::jsonb)::text WHERE application_id = $1",
        made.application.application_id,
        '{"terms_url": "https://app.example.com/terms", "privacy_url": "https://app.example.com/privacy"}')
    page = await ama.ask(**code_request(made)[1])
    for address in ("https://app.example.com/terms", "https://app.example.com/privacy"):
        assert f'<a href="{address}"' in page.text


async def test_implied_scopes_are_added_and_shown(world: World) -> None:
    made, ama = await world.application(name="Implied"), await world.visitor()
    page = await ama.ask(**code_request(made, scope="contacts.create")[1])
    assert "needed to " in page.text
    tokens = await world.tokens(made, ama, "contacts.create")
    assert {"contacts.create", "contacts.read"} <= set(tokens["scope"].split())


async def test_an_empty_scope_is_what_it_was_the_last_time_while_a_token_is_valid(world: World) -> None:
    made, ama = await world.application(name="Empty"), await world.visitor()
    _, request = code_request(made, scope="")
    page = await ama.ask(**request)
    assert "asks for no permission" in page.text
    await world.tokens(made, ama, "messages.send openid")
    again = await world.tokens(made, ama, "")
    assert set(again["scope"].split()) == {"messages.send", "openid"}
    await world.database.execute("UPDATE oauth.access_token SET expires_at = now()")
    assert "asks for no permission" in (await ama.ask(**request)).text


async def test_a_person_chooses_among_the_organisations_that_they_administer(world: World) -> None:
    made, ama = await world.application(name="Chooses"), await world.visitor()
    verifier, request = code_request(made, scope="messages.send")
    page = await ama.ask(**request)
    assert "The branch" in page.text
    assert "The maker" not in page.text.replace("by The maker", "")
    got = answer_of(await ama.decide(page, organisation=str(world.organisations["branch"])))
    body = (await world.token(made, grant_type="authorization_code", code=got["code"], redirect_uri=CALLBACK,
                              code_verifier=verifier)).json()
    caller = await world.credentials.bearer({"headers": [
        (b"authorization", b"Bearer " + body["access_token"].encode())]})
    assert caller.actor.organisation_id == world.organisations["branch"]


@pytest.mark.parametrize("where", ["maker", "platform"])
async def test_nobody_lets_an_application_act_for_an_organisation_elsewhere(world: World, where: str) -> None:
    made, ama = await world.application(name="Elsewhere"), await world.visitor()
    page = await ama.ask(**code_request(made, scope="messages.send")[1])
    for organisation in (str(world.organisations[where]), "0", "x", ""):
        got = answer_of(await ama.decide(page, organisation=organisation))
        assert got["error"] == "access_denied"
        page = await ama.ask(**code_request(made, scope="messages.send")[1])


async def test_whoever_administers_nothing_may_only_say_who_they_are(world: World) -> None:
    made, kofi = await world.application(name="Kofi's"), await world.visitor("kofi")
    page = await kofi.ask(**code_request(made, scope="messages.send")[1])
    assert "You may not give this away" in page.text
    assert 'value="allow"' not in page.text
    forced = await kofi.decide(page, organisation=str(world.organisations["shop"]))
    assert answer_of(forced)["error"] == "access_denied"
    tokens = await world.tokens(made, kofi, "openid profile")
    assert (await world.userinfo(tokens["access_token"])).json()["name"] == "Kofi"


async def test_prompt_none_asks_nobody_anything(world: World) -> None:
    made, ama, nobody = await world.application(name="None"), await world.visitor(), await world.visitor(None)
    _, request = code_request(made, prompt="none")
    assert answer_of(await nobody.ask(**request))["error"] == "login_required"
    assert answer_of(await ama.ask(**request))["error"] == "consent_required"
    await ama.allow(**request | {"prompt": ""})
    assert "code" in answer_of(await ama.ask(**request))
    await world.database.execute("UPDATE identity.session SET auth_time = now() - interval '2 minutes'")
    assert answer_of(await ama.ask(**request | {"max_age": "60"}))["error"] == "login_required"
    assert "code" in answer_of(await ama.ask(**request | {"max_age": "600"}))


async def test_whoever_is_not_signed_in_signs_in_first_and_goes_on(world: World) -> None:
    made, visitor = await world.application(name="Signs in"), await world.visitor(None)
    _, request = code_request(made)
    for answer in (await visitor.ask(**request), ):
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=/oauth/continue")
    onward = answer_of(answer)["next"]
    await world.sign_in(visitor, "ama")
    page = await visitor.http.get(onward)
    assert "code" in answer_of(await visitor.decide(page))
    assert (await visitor.http.get(onward)).status_code == 400


@pytest.mark.parametrize("wish", [{"prompt": "login"}, {"max_age": "0"}, {"max_age": "60"}])
async def test_signing_in_again_is_asked_for_once(world: World, wish: dict[str, str]) -> None:
    made, ama = await world.application(name=f"Login {wish}"), await world.visitor()
    await world.database.execute("UPDATE identity.session SET auth_time = $1", now() - timedelta(minutes=5))
    answer = await ama.ask(**code_request(made)[1], **wish)
    assert answer.headers["location"].startswith("/sign-in?")
    assert answer.headers["location"].endswith("&again=1")
    onward = answer_of(answer)["next"]
    assert (await ama.http.get(onward)).headers["location"].startswith("/sign-in?")
    await world.sign_in(ama, "ama")
    assert "code" in answer_of(await ama.decide(await ama.http.get(onward)))


async def test_a_request_in_a_form_goes_the_same_way(world: World) -> None:
    made, ama = await world.application(name="Posted"), await world.visitor()
    answer = await ama.http.post("/oauth", data=code_request(made)[1])
    assert "code" in answer_of(await ama.decide(await ama.http.get(answer.headers["location"])))


async def test_the_implicit_flow_where_it_is_switched_on(world: World) -> None:
    made, ama = await world.application(name="Implicit", implicit_enabled=True), await world.visitor()
    request = {"client_id": made.application.client_id, "redirect_uri": CALLBACK, "response_type": "token",
               "scope": "openid", "state": "s"}
    answer = await ama.decide(await ama.ask(**request))
    assert answer.headers["location"].startswith(f"{CALLBACK}#")
    got = answer_of(answer)
    assert (got["expires_in"], got["expires-in"], got["state"]) == ("10800", "10800", "s")
    assert (got["token_type"], got["scope"]) == ("Bearer", "openid")
    assert await world.is_alive(got["access_token"])
    assert "refresh_token" not in got


async def test_a_trusted_application_is_let_in_without_a_question(world: World) -> None:
    made, kofi = await world.application(ApplicationKind.TRUSTED, name="Trusted"), await world.visitor("kofi")
    tokens = await world.tokens(made, kofi, "openid profile")
    assert (await world.userinfo(tokens["access_token"])).json()["organisation"] == {
        "id": world.organisations["shop"], "name": "The shop"}


async def test_whoever_is_let_in_without_a_question_may_still_choose_the_account(world: World) -> None:
    made, kofi = await world.application(ApplicationKind.TRUSTED, name="Chooser"), await world.visitor("kofi")
    answer = await kofi.ask(**code_request(made, prompt="select_account")[1])
    assert answer.headers["location"].endswith("&again=1")
    await world.sign_in(kofi, "kofi")
    assert "code" in answer_of(await kofi.http.get(answer_of(answer)["next"]))


async def test_a_redirect_uri_keeps_its_own_query(world: World) -> None:
    callback = "https://app.example.com/cb?tenant=a%20b&x="
    made = await world.application(name="Query", redirect_uris=(callback,))
    ama = await world.visitor()
    answer = await ama.decide(await ama.ask(**code_request(made, redirect_uri=callback)[1]))
    assert answer.headers["location"].startswith(f"{callback}&code=mk_ac_")


async def test_a_page_that_is_too_old_says_so(world: World) -> None:
    made, ama = await world.application(name="Old"), await world.visitor()
    page = await ama.ask(**code_request(made)[1])
    await world.database.execute("UPDATE oauth.authorization_request SET expires_at = now()")
    answer = await ama.decide(page)
    assert (answer.status_code, "too old" in answer.text) == (400, True)
    assert (await ama.http.post("/oauth/consent", data=form_of(page) | {"request": ""})).status_code == 400


async def test_a_client_without_a_secret_must_send_a_challenge(world: World) -> None:
    made = await world.application(name="No secret", token_endpoint_auth_method=TokenEndpointAuthMethod.NONE)
    ama = await world.visitor()
    _, request = code_request(made)
    for name in ("code_challenge", "code_challenge_method"):
        del request[name]
    assert answer_of(await ama.ask(**request))["error"] == "invalid_request"
    request |= {"code_challenge": pkce()[1], "code_challenge_method": "S256"}
    assert (await ama.ask(**request)).status_code == 200


async def test_only_a_reviewed_application_names_its_publisher_itself(world: World) -> None:
    ama = await world.visitor()
    for kind, named in ((ApplicationKind.PUBLIC, "The maker"), (ApplicationKind.PARTNER, "Bank of Everywhere")):
        made = await world.application(kind)
        await world.database.execute(
            "UPDATE applications.listing SET draft = jsonb_set(draft::jsonb, '{publisher}', $2::jsonb)::text"
            " WHERE application_id = $1", made.application.application_id, '{"name": "Bank of Everywhere"}')
        page = await ama.ask(**code_request(made)[1])
        assert f"by {named}" in page.text
        assert ("Bank of Everywhere" in page.text) is (kind is ApplicationKind.PARTNER)
