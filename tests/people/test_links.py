"""Invitations and resets: links that work once, for one address, and say nothing of who exists."""

import asyncio
import re
from collections import Counter

from makola.core.identity.links import LinkPurpose, make_link
from makola.core.identity.service import change_user
from makola.core.identity.types import User, UserChange
from tests.people.world import OTHER_PASSWORD, PASSWORD, Browser, Place

CHOSEN = {"password": OTHER_PASSWORD, "repeated": OTHER_PASSWORD}


async def _link(place: Place, user: User, purpose: LinkPurpose) -> str:
    async with place.database.transaction() as connection:
        return (await make_link(connection, user, purpose, lifetime_s=600)).path(purpose)


async def _invite(browser: Browser, email: str, *, name: str = "", role: str = "") -> str:
    await browser.submit("/people", at="/people", email=email, name=name, role=role)
    found = re.search(r"http://localhost:8080(/invitation/[\w-]+)", browser.page.text)
    return found[1] if found else ""


async def test_somebody_invited_chooses_a_password_and_is_in(place: Place) -> None:
    administrator = await place.signed_in(await place.person(admin=True))
    path = await _invite(administrator, "Kofi.New@example.com", name="Kofi", role="admin")
    assert "Invited" in await administrator.read("/people")
    assert path not in administrator.page.text
    guest = place.browser()
    await guest.get(path)
    assert "Shop" in guest.words
    address = "kofi.new@example.com"
    for wrong in ({"repeated": "something else"}, {"password": address, "repeated": address},
                  {"password": "short", "repeated": "short"}, {"name": "x" * 201}):
        assert (await guest.submit(path, {"name": "Kofi Mensah"} | CHOSEN | wrong)).status_code == 422
    answer = await guest.submit(path, CHOSEN, name="Kofi Mensah", email="other@example.com")
    assert answer.headers["location"] == "/account/security?done=welcome"
    page = await guest.get("/account/security")
    assert "Kofi Mensah" in page.text
    assert "Kofi.New@example.com" in page.text
    assert (await guest.get("/people")).status_code == 200
    assert "Invite somebody" in guest.words
    late = place.browser()
    assert (await late.get(path)).status_code == 422
    assert "This link has ended" in late.words
    assert (await place.browser().sign_in("kofi.new@example.com", OTHER_PASSWORD)).status_code == 303


async def test_looking_at_a_link_does_not_use_it_and_of_many_at_once_one_wins(place: Place) -> None:
    for purpose in LinkPurpose:
        user = await place.person(password=None if purpose is LinkPurpose.INVITATION else PASSWORD)
        path = await _link(place, user, purpose)
        browsers = [place.browser() for _ in range(4)]
        for browser in browsers:
            assert (await browser.get(path)).status_code == 200
        answers = await asyncio.gather(*(each.submit(path, CHOSEN, name="Ama") for each in browsers))
        assert Counter(answer.status_code for answer in answers) == Counter({303: 1, 422: 3})


async def test_a_link_ends_when_it_is_old_replaced_withdrawn_or_for_an_address_that_changed(place: Place) -> None:
    administrator = await place.signed_in(await place.person(admin=True))
    user = await place.person(password=None)
    first = await _link(place, user, LinkPurpose.INVITATION)
    page = await administrator.submit(f"/people/{user.user_id}/invite-again", at="/people")
    second = re.search(r"http://localhost:8080(/invitation/[\w-]+)", page.text)
    assert second is not None
    browser = place.browser()
    assert (await browser.get(first)).status_code == 422
    assert (await browser.get(second[1])).status_code == 200
    assert (await browser.get(second[1].replace("invitation", "reset"))).status_code == 422
    async with place.database.transaction() as connection:
        changed = await change_user(connection, user, UserChange(email="moved@example.com"))
    assert (await browser.get(second[1])).status_code == 422
    third = await _link(place, changed, LinkPurpose.INVITATION)
    await place.database.execute("UPDATE identity.link SET expires_at = now() WHERE user_id = $1", user.user_id)
    assert (await browser.get(third)).status_code == 422
    fourth = await _link(place, changed, LinkPurpose.INVITATION)
    assert (await browser.get(fourth)).status_code == 200
    await administrator.submit(f"/people/{user.user_id}/withdraw", at="/people")
    assert (await browser.get(fourth)).status_code == 422
    fifth = await _link(place, changed, LinkPurpose.INVITATION)
    await place.database.execute('UPDATE identity."user" SET suspended_at = now() WHERE id = $1', user.user_id)
    assert (await browser.get(fifth)).status_code == 422


async def test_an_invitation_gives_no_more_than_whoever_makes_it_has(place: Place) -> None:
    clerk = await place.signed_in(await place.person(permissions=("user:view", "user:create")))
    assert await _invite(clerk, "no.rights@example.com") != ""
    assert await _invite(clerk, "all.rights@example.com", role="admin") == ""
    assert "rights that you do not hold" in clerk.problem
    assert await _invite(clerk, "role@example.com", role="999999") == ""
    assert await place.count('SELECT count(*) FROM identity."user" WHERE email LIKE $1', "all.rights@%") == 0
    boss = await place.person(password=None, admin=True)
    await clerk.submit(f"/people/{boss.user_id}/invite-again", at="/people")
    assert clerk.page.status_code == 422
    outside = await place.person("rival", password=None)
    await clerk.submit(f"/people/{outside.user_id}/invite-again", at="/people")
    assert "no such user" in clerk.problem
    nobody = await place.signed_in(await place.person())
    assert (await nobody.get("/people")).status_code == 200
    assert "You may not look" in nobody.words
    assert await _invite(nobody, "x@example.com") == ""
    assert nobody.page.status_code == 422


async def test_a_role_that_is_none_is_refused_and_no_other_is_given(place: Place) -> None:
    """A number is taken whole: the first digits of a longer one are the number of another role."""
    await place.database.execute(
        "INSERT INTO organisations.role (id, organisation_id, name) OVERRIDING SYSTEM VALUE VALUES ($1, $2, 'Clerk')",
        10**17, place.organisations["shop"])
    administrator = await place.signed_in(await place.person(admin=True))
    for wrong in (f"{10**17}5", "9" * 19, "1" * 5_000, "clerk", "-1", "0", "\N{SUPERSCRIPT TWO}"):
        assert await _invite(administrator, "role@example.com", role=wrong) == "", wrong
        assert administrator.page.status_code == 422
    assert await place.count('SELECT count(*) FROM identity."user" WHERE email = $1', "role@example.com") == 0
    assert await _invite(administrator, "role@example.com", role=str(10**17)) != ""


async def test_somebody_who_has_a_password_is_not_invited_again(place: Place) -> None:
    user = await place.person()
    administrator = await place.signed_in(await place.person(admin=True))
    assert await _invite(administrator, user.email.upper()) == ""
    assert "taken" in administrator.problem
    await administrator.submit(f"/people/{user.user_id}/invite-again", at="/people")
    assert "signed up already" in administrator.problem


async def test_a_reset_ends_every_session_and_opens_none(place: Place) -> None:
    user = await place.person()
    inside, app, _ = await place.with_totp(user)
    path = await _link(place, user, LinkPurpose.RESET)
    browser = place.browser()
    await browser.get(path)
    assert (await browser.submit(path, CHOSEN, token="0")).status_code == 403
    await browser.get(path)
    answer = await browser.submit(path, CHOSEN)
    assert answer.headers["location"] == "/sign-in?reset=1"
    assert "Your new password is set" in await browser.read("/sign-in?reset=1")
    assert browser.session == ""
    assert not await inside.is_signed_in()
    assert (await browser.sign_in(user.email)).status_code == 422
    answer = await browser.sign_in(user.email, OTHER_PASSWORD)
    assert answer.headers["location"].startswith("/sign-in/code")
    assert (await browser.submit("/sign-in/code", at="/sign-in/code", code=place.code(app))).status_code == 303


async def test_changing_the_password_ends_a_reset_that_was_under_way(place: Place) -> None:
    user = await place.person()
    path = await _link(place, user, LinkPurpose.RESET)
    browser = await place.signed_in(user)
    await browser.submit("/account/password", CHOSEN, at="/account/password", present=PASSWORD)
    assert (await place.browser().get(path)).status_code == 422
