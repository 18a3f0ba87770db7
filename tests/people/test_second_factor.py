"""The second step: set up, asked for, each code once, recovery codes, and what only a fresh sign-in may change."""

import asyncio
import re
from collections import Counter

import pyotp
import pytest

from makola.core.identity.errors import WrongCodeError
from makola.core.identity.second_factor import Authenticators
from makola.kit.sealing import Sealer
from tests.people.world import PASSWORD, Browser, Place


async def _at_the_code(place: Place, email: str) -> Browser:
    browser = place.browser()
    answer = await browser.sign_in(email, query="?next=/people")
    assert answer.headers["location"] == "/sign-in/code?next=/people"
    assert browser.session == ""
    await browser.get("/sign-in/code?next=/people")
    return browser


async def test_it_is_set_up_with_a_code_and_asked_for_from_then_on(place: Place) -> None:
    user = await place.person()
    elsewhere = await place.signed_in(user)
    here = await place.signed_in(user)
    token = here.session
    await here.submit("/account/authenticator", at="/account/security")
    page = await here.get("/account/authenticator")
    assert "<svg" in page.text
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page.text)
    assert secret is not None
    app = pyotp.TOTP(secret[1].replace(" ", ""))
    assert (await here.submit("/account/authenticator/confirm", code="000000")).status_code == 422
    assert place.services is not None
    assert (await place.browser().sign_in(user.email)).headers["location"] == "/"  # nothing is asked for yet
    page = await here.submit("/account/authenticator/confirm", at="/account/authenticator", code=place.code(app))
    assert len(re.findall(r"\b[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}\b", page.text)) == 10
    assert page.headers["cache-control"] == "no-store"
    assert here.session != token
    assert await here.is_signed_in()
    assert not await elsewhere.is_signed_in()
    stored = str(await place.database.fetch("SELECT * FROM identity.totp"))
    assert secret[1].replace(" ", "") not in stored
    browser = await _at_the_code(place, user.email)
    answer = await browser.submit("/sign-in/code", code=place.code(app, steps=1), next="/people")
    assert answer.headers["location"] == "/people"
    assert await place.database.fetchval(
        "SELECT amr FROM identity.session WHERE user_id = $1 ORDER BY created_at DESC LIMIT 1",
        user.user_id) == ["pwd", "otp", "mfa"]


async def test_a_code_is_taken_once_also_after_another_was(place: Place) -> None:
    user = await place.person()
    _, app, _ = await place.with_totp(user)
    used = place.code(app)
    browser = await _at_the_code(place, user.email)
    assert (await browser.submit("/sign-in/code", code=used)).status_code == 303
    browser = await _at_the_code(place, user.email)
    for code in (used, place.code(app, steps=-1), place.code(app, steps=2), place.code(app, steps=-2), "", "1234567",
                 "abcdef", "٠١٢٣٤٥"):
        assert (await browser.submit("/sign-in/code", code=code)).status_code in {422, 429}
        await place.fresh_throttle()
    later = place.code(app, steps=1)
    assert (await browser.submit("/sign-in/code", code=f" {later[:3]} {later[3:]} ")).status_code == 303


async def test_of_two_uses_of_one_code_at_the_same_time_one_wins(place: Place) -> None:
    user = await place.person()
    _, app, codes = await place.with_totp(user)
    for code in (place.code(app), codes[3]):
        browsers = [await _at_the_code(place, user.email) for _ in range(4)]
        answers = await asyncio.gather(*(each.submit("/sign-in/code", code=code) for each in browsers))
        assert Counter(answer.status_code for answer in answers) == Counter({303: 1, 422: 3})
        await place.database.execute("DELETE FROM identity.throttle")


async def test_a_recovery_code_signs_in_once_and_new_ones_end_the_old(place: Place) -> None:
    user = await place.person()
    browser, _, codes = await place.with_totp(user)
    assert len(set(codes)) == 10
    for code, status in ((codes[0].lower(), 303), (codes[0], 422), (codes[1].replace("-", " "), 303)):
        other = await _at_the_code(place, user.email)
        assert (await other.submit("/sign-in/code", code=code)).status_code == status
    assert "8 left" in await browser.read("/account/security")
    page = await browser.submit("/account/recovery-codes", at="/account/security")
    fresh = re.findall(r"\b[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}\b", page.text)
    assert not set(fresh) & set(codes)
    for code, status in ((codes[5], 422), (fresh[5], 303)):
        other = await _at_the_code(place, user.email)
        assert (await other.submit("/sign-in/code", code=code)).status_code == status


async def test_guessing_codes_is_delayed_and_the_password_alone_does_not_reset_it(place: Place) -> None:
    user = await place.person()
    _, app, _ = await place.with_totp(user)
    for number in range(6):
        browser = await _at_the_code(place, user.email)
        assert (await browser.submit("/sign-in/code", code=f"00000{number}")).status_code == 422
        await place.database.execute("UPDATE identity.throttle SET blocked_until = now() - interval '1 second'"
                                     " WHERE key = $1", _account_key(user.email))
    browser = await _at_the_code(place, user.email)
    answer = await browser.submit("/sign-in/code", code=place.code(app))
    assert (answer.status_code, int(answer.headers["retry-after"])) == (429, 1)


def _account_key(email: str) -> bytes:
    from makola.core.identity.throttle import of_account

    return of_account(email).key


async def test_another_browser_cannot_give_the_code(place: Place) -> None:
    user = await place.person()
    _, app, _ = await place.with_totp(user)
    browser = await _at_the_code(place, user.email)
    waiting = browser.http.cookies["makola_waiting"]
    thief = place.browser()
    await thief.get("/sign-in")
    thief.http.cookies.set("makola_waiting", waiting)
    answer = await thief.submit("/sign-in/code", code=place.code(app))
    assert answer.status_code == 422
    assert thief.session == ""
    await place.database.execute("UPDATE identity.challenge SET expires_at = now()")
    answer = await browser.submit("/sign-in/code", code=place.code(app))
    assert "took too long" in browser.problem
    assert browser.session == ""


async def test_a_person_suspended_between_the_steps_does_not_get_in(place: Place) -> None:
    user = await place.person()
    _, app, _ = await place.with_totp(user)
    browser = await _at_the_code(place, user.email)
    await place.database.execute('UPDATE identity."user" SET suspended_at = now() WHERE id = $1', user.user_id)
    assert (await browser.submit("/sign-in/code", code=place.code(app))).status_code == 422
    assert browser.session == ""


SENSITIVE = ["/account/authenticator", "/account/authenticator/remove", "/account/recovery-codes",
             "/account/authenticator/confirm", "/account/passkeys", "/account/passkeys/1/remove"]


@pytest.mark.parametrize("path", SENSITIVE)
async def test_what_matters_most_asks_again_after_a_while(place: Place, path: str) -> None:
    user = await place.person()
    browser, _, _ = await place.with_totp(user)
    await place.database.execute(
        "UPDATE identity.session SET auth_time = now() - interval '700 seconds' WHERE user_id = $1", user.user_id)
    answer = await browser.submit(path, at="/account/security", code="000000")
    assert (answer.status_code, answer.headers["location"].endswith("&again=1")) == (303, True)
    assert await place.count("SELECT count(*) FROM identity.recovery_code WHERE user_id = $1", user.user_id) == 10
    assert await place.count("SELECT count(*) FROM identity.totp WHERE user_id = $1", user.user_id) == 1
    options = await browser.submit("/account/passkeys/options", at="/account/security")
    assert options.status_code == 422


@pytest.mark.parametrize("path", [*SENSITIVE, "/account/password", "/account/sessions/revoke",
                                  "/account/organisation", "/people", "/sign-out"])
async def test_every_form_of_the_account_needs_its_token(place: Place, path: str) -> None:
    browser = await place.signed_in(await place.person(admin=True))
    assert (await browser.submit(path, token="0" * 64)).status_code == 403
    assert await browser.is_signed_in()
    if path != "/sign-out":
        answer = await browser.submit(path, at="/account/security", headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403


async def test_it_is_removed_and_the_password_is_enough_again(place: Place) -> None:
    user = await place.person()
    browser, _, _ = await place.with_totp(user)
    answer = await browser.submit("/account/authenticator/remove", at="/account/security")
    assert answer.headers["location"] == "/account/security?done=authenticator-removed"
    assert await place.count("SELECT count(*) FROM identity.recovery_code WHERE user_id = $1", user.user_id) == 0
    assert (await place.browser().sign_in(user.email, PASSWORD)).headers["location"] == "/"


async def test_the_steps_that_are_taken_only_grow_and_are_next_to_the_present_one(place: Place) -> None:
    """Over ten minutes, whatever is given when: each accepted step is later than all before, at most one off."""
    user = await place.person()
    times = [0.0]
    authenticators = Authenticators(Sealer(b"p" * 32), lambda: times[0])
    async with place.database.transaction() as connection:
        secret = (await authenticators.begin(connection, user)).secret.replace(" ", "")
        times[0] = 1_800_000_000.0
        await authenticators.confirm(connection, user.user_id, pyotp.TOTP(secret).at(1_800_000_000))
    last = 1_800_000_000 // 30
    for turn in range(40):
        times[0] += (turn * 7) % 45
        present = int(times[0]) // 30
        for offset in ((turn * 5) % 7 - 3, 0, 1):
            step = present + offset
            accepted = True
            try:
                async with place.database.transaction() as connection:
                    await authenticators.use(connection, user.user_id, pyotp.TOTP(secret).generate_otp(step))
            except WrongCodeError:
                accepted = False
            assert accepted == (abs(offset) <= 1 and step > last)
            last = step if accepted else last
