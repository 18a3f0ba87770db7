"""The pages of applications: what people do with them, and what they cannot."""

import re

from tests.applications.world import Desk, main_of, shown_secret

FORM = {
    "kind": "public", "name": "Ledger & Sons", "redirect_uris": "https://app.example.com/cb\r\nhttp://127.0.0.1/cb",
    "requested_scopes": ["messages.send", "contacts.edit"], "answer_casing": "pascal",
    "token_endpoint_auth_method": "client_secret", "access_url": "https://ledger.example.com/",
    "category": "Accounting", "short_description": "Books for **shops**.", "long_description": "## Why\n\n- simple",
    "terms_url": "https://ledger.example.com/terms", "privacy_url": "https://ledger.example.com/privacy",
    "publisher_name": "Ledger & Sons", "publisher_email": "books@ledger.example.com",
    "deauthorization_uri": "https://app.example.com/gone"}


async def test_somebody_who_is_not_signed_in_is_sent_to_sign_in(desk: Desk) -> None:
    nobody = await desk.browser(None)
    for path in ("/applications", "/applications/new", "/installed", "/review"):
        answer = await nobody.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={path}")
    assert (await nobody.get("/directory")).status_code == 200


async def test_a_private_application_is_made_and_its_secret_shown_once(desk: Desk) -> None:
    esi = await desk.browser("esi")
    assert "For your own account" in main_of(await esi.get("/applications/new"))
    assert "Trusted" not in main_of(await esi.get("/applications/new"))
    form = await esi.get("/applications/new?kind=private")
    assert "redirect_uris" not in form.text
    made = await esi.post("/applications/new", kind="private", name="My <b>shop</b>", answer_casing="camel",
                          token_endpoint_auth_method="client_secret")
    assert made.status_code == 201, main_of(made)
    assert made.headers["cache-control"] == "no-store"
    client_id, secret = shown_secret(made)
    caller = await desk.world.credentials.caller({"headers": []}, {"clientid": client_id, "clientsecret": secret})
    assert (caller.actor.organisation_id, caller.application.answer_casing) == (
        desk.world.organisations["maker"], "camel")
    for path in (f"/applications/{client_id}", "/applications"):
        page = await esi.get(path)
        assert secret not in page.text
        assert "My &lt;b&gt;shop&lt;/b&gt;" in page.text


async def test_a_public_application_is_made_changed_and_closed(desk: Desk) -> None:
    esi = await desk.browser("esi")
    client_id, _ = shown_secret(await esi.post("/applications/new", **FORM))
    at = f"/applications/{client_id}"
    page = main_of(await esi.get(at))
    for words in ("https://app.example.com/cb", "http://127.0.0.1/cb", "contacts.read", "groups.read"):
        assert words in page
    form = await esi.get(f"{at}/edit")
    assert form.text.count("checked") == 2
    assert "Why" in form.text
    back = await esi.post(f"{at}/edit", **FORM | {"name": "Ledger 2", "requested_scopes": "messages.read"})
    page = main_of(await esi.follow(back))
    assert "Ledger 2" in page
    assert "contacts.read" not in page
    wrong = await esi.post(f"{at}/edit", **FORM | {"name": "Never", "redirect_uris": "https://*.example.com/"})
    assert wrong.status_code == 422
    assert 'aria-invalid="true"' in wrong.text
    assert "Wildcards" in wrong.text
    assert "https://*.example.com/" in wrong.text  # what was typed is not lost
    assert "Ledger 2" in main_of(await esi.get(at))
    assert (await esi.follow(await esi.post(f"{at}/close"))).url.path == "/applications"
    assert "for good" in main_of(await esi.get(at))
    assert (await esi.post(f"{at}/edit", **FORM)).status_code == 404
    assert client_id not in (await esi.get("/applications")).text


async def test_secrets_are_rotated_and_revoked_on_the_page(desk: Desk) -> None:
    esi = await desk.browser("esi")
    client_id, first = shown_secret(await esi.post("/applications/new", kind="private", name="Rotating"))
    at = f"/applications/{client_id}"
    rotated = await esi.post(f"{at}/rotate", overlap_s="3600")
    _, second = shown_secret(rotated)
    assert "goes on for 1 hour" in main_of(rotated)

    async def holds(secret: str) -> bool:
        answer = await desk.world.http.post("/oauth/token", data={
            "grant_type": "client_credentials", "client_id": client_id, "client_secret": secret})
        return answer.status_code == 200

    assert [await holds(each) for each in (first, second)] == [True, True]
    page = (await esi.get(at)).text
    ids = re.findall(rf"{at}/secrets/(\d+)/revoke", page)
    assert len(ids) == 2
    await esi.follow(await esi.post(f"{at}/secrets/{max(ids, key=int)}/revoke"))
    assert [await holds(each) for each in (first, second)] == [True, False]
    again = await esi.post(f"{at}/secrets/{max(ids, key=int)}/revoke")
    assert (again.status_code, "has ended already" in again.text) == (422, True)
    _, third = shown_secret(await esi.post(f"{at}/rotate", overlap_s="0"))
    assert [await holds(each) for each in (first, second, third)] == [False, False, True]


async def test_no_form_works_without_the_token_of_its_session(desk: Desk) -> None:
    esi, ama = await desk.browser("esi"), await desk.browser("ama")
    client_id, _ = shown_secret(await esi.post("/applications/new", kind="private", name="Guarded"))
    at = f"/applications/{client_id}"
    for path in ("/applications/new", f"{at}/edit", f"{at}/rotate", f"{at}/secrets/1/revoke", f"{at}/submit",
                 f"{at}/withdraw", f"{at}/unpublish", f"{at}/roles", f"{at}/close", "/review/1/approve",
                 f"/installed/{client_id}/deauthorise", f"/installed/{client_id}/roles/1"):
        for token in ("", ama.visitor.csrf_token):
            answer = await esi.http.post(path, data={"csrf_token": token, "kind": "private", "name": "x"})
            assert answer.status_code == 403, path
    assert "Guarded" in main_of(await esi.get(at))


async def test_what_belongs_to_others_does_not_exist(desk: Desk) -> None:
    esi, ama, kofi = await desk.browser("esi"), await desk.browser("ama"), await desk.browser("kofi")
    client_id, _ = shown_secret(await esi.post("/applications/new", **FORM))
    at = f"/applications/{client_id}"
    for path in (at, f"{at}/edit"):
        assert (await ama.get(path)).status_code == 404
        assert (await kofi.get(path)).status_code == 403
    for path in (f"{at}/edit", f"{at}/rotate", f"{at}/close", f"{at}/submit"):
        assert (await ama.post(path, **FORM)).status_code == 404
        assert (await kofi.post(path, **FORM)).status_code == 403
    assert (await kofi.post("/applications/new", **FORM)).status_code == 403
    for path in ("/review", "/review/1"):
        assert (await esi.get(path)).status_code == 403
    trusted = await esi.post("/applications/new", **FORM | {"kind": "trusted"})
    assert trusted.status_code == 403
    assert (await esi.get("/applications/nothing")).status_code == 404


async def test_the_implicit_flow_is_off_and_warned_of(desk: Desk) -> None:
    esi = await desk.browser("esi")
    client_id, _ = shown_secret(await esi.post("/applications/new", **FORM))
    at = f"/applications/{client_id}"
    assert "The implicit flow is allowed" not in (await esi.get(at)).text
    assert "RFC 9700 advises against it" in (await esi.get(f"{at}/edit")).text
    await esi.follow(await esi.post(f"{at}/edit", **FORM | {"implicit_enabled": "yes"}))
    assert "The implicit flow is allowed" in (await esi.get(at)).text


async def test_pages_say_what_a_browser_may_load(desk: Desk) -> None:
    esi = await desk.browser("esi")
    for path in ("/applications", "/applications/new?kind=public", "/installed", "/directory"):
        policy = (await esi.get(path)).headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


async def test_a_form_that_cannot_be_read_is_answered_with_a_page(desk: Desk) -> None:
    esi = await desk.browser("esi")
    answer = await esi.http.post("/applications/new", files={
        "csrf_token": (None, esi.visitor.csrf_token), "name": (None, "x", "text/plain; charset=none")})
    assert answer.status_code == 400
    assert "This form could not be read" in main_of(answer)
