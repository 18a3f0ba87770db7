"""Signing in over HTTP: one answer for whatever is wrong, delays that grow, cookies, and where one goes next."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from ipaddress import IPv6Address
from urllib.parse import quote

import argon2
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from makola.core.identity import throttle
from makola.core.identity.passwords import Passwords
from makola.core.organisations.tree import suspend_organisation
from makola.kit.database import Database, Record
from makola.web.people.own_path import own_path
from tests.people.world import OTHER_PASSWORD, PASSWORD, Place, make_place

WRONG = "The e-mail address or the password is wrong."


class Hashes(Counter[str]):
    """Counts what argon2 is asked to do."""


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> Hashes:
    counted = Hashes()
    for name in ("hash", "verify"):
        original = getattr(argon2.PasswordHasher, name)

        def counting(*arguments: object, _name: str = name, _original: object = original, **keywords: object) -> object:
            counted[_name] += 1
            return _original(*arguments, **keywords)  # type: ignore[operator]

        monkeypatch.setattr(argon2.PasswordHasher, name, counting)
    return counted


async def test_the_right_password_opens_a_session_whose_token_is_stored_as_a_hash_only(place: Place) -> None:
    user, browser = await place.person(), place.browser()
    answer = await browser.sign_in(f"  {user.email.upper()} ", query="?next=/people")
    assert (answer.status_code, answer.headers["location"]) == (303, "/people")
    cookie = next(each for each in answer.headers.get_list("set-cookie") if "makola_session" in each)
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert len(browser.session) >= 43
    rows = await place.database.fetch("SELECT * FROM identity.session WHERE user_id = $1", user.user_id)
    assert len(rows) == 1
    assert browser.session not in str(dict(rows[0]))
    page = await browser.get("/account/security")
    assert user.name in page.text
    assert "Firefox on Linux" in browser.words
    assert browser.address in browser.words
    assert page.headers["cache-control"] == "no-store"


async def test_over_https_cookies_are_of_this_host_only(place: Place) -> None:
    """The scheme is what the proxy says (uvicorn takes it from trusted ones) or what public_url says."""
    user, browser = await place.person(), place.browser("https://makola.example")
    answer = await browser.sign_in(user.email)
    for cookie in answer.headers.get_list("set-cookie"):
        assert cookie.startswith("__Host-makola_")
        assert "Secure" in cookie.split("; ")
        assert "Domain" not in cookie
    assert await browser.is_signed_in()
    assert not await place.browser("https://makola.example", Cookie=f"makola_session={browser.session}").is_signed_in()


async def test_under_an_https_address_cookies_are_secure_behind_any_proxy(database: Database) -> None:
    async with make_place(database, url="https://makola.example") as other:
        answer = await other.browser("http://127.0.0.1:8080").get("/sign-in")
    assert answer.headers["set-cookie"].startswith("__Host-makola_browser=")


async def test_whatever_is_wrong_the_answer_and_the_work_are_the_same(place: Place, hashes: Hashes) -> None:
    known, without, suspended = await place.person(), await place.person(password=None), await place.person()
    of_suspended = await place.person("rival")
    await place.database.execute('UPDATE identity."user" SET suspended_at = now() WHERE id = $1', suspended.user_id)
    async with place.database.transaction() as connection:
        await suspend_organisation(connection, place.platform, place.organisations["rival"], suspended=True)
    hashes.clear()
    seen = set()
    for email, password in ((known.email, "wrong wrong wrong"), ("nobody@example.com", PASSWORD),
                            (without.email, PASSWORD), (suspended.email, PASSWORD), (of_suspended.email, PASSWORD),
                            ("\0", PASSWORD), ("x" * 5000, PASSWORD), ("", ""), ("\ud800@x", "p" * 20_000)):
        browser = place.browser()
        await browser.get("/sign-in")
        before = Counter(hashes)
        answer = await browser.submit("/sign-in", email=email.encode("utf-8", "replace").decode(), password=password)
        assert hashes - before == Counter(verify=1)
        assert browser.session == ""
        text = re.sub(r'(name="(?:csrf_token|email)"[^>]*?) value="[^"]*"', r"\1", answer.text)
        seen.add((answer.status_code, re.sub(r" autofocus|\s+(?=>)", "", text)))
        assert browser.problem == WRONG
    assert len(seen) == 1
    assert seen.pop()[0] == 422


async def test_after_five_wrong_attempts_each_waits_twice_as_long_for_accounts_that_exist_and_others(
        place: Place) -> None:
    user = await place.person()
    for email in (user.email, "nobody.at.all@example.com"):
        waits = []
        for number in range(9):
            assert (await place.browser().sign_in(email, "wrong wrong wrong")).status_code == 422
            if number >= 5:
                blocked = await place.browser().sign_in(email)
                assert blocked.status_code == 429
                waits.append(int(blocked.headers["retry-after"]))
                await place.fresh_throttle()
        assert waits == [1, 2, 4, 8]


@pytest.mark.parametrize("change", [str.upper, lambda text: f" {text}\t", lambda text: text.replace("i", "\u0130")])
async def test_another_spelling_of_an_address_has_no_attempts_of_its_own(place: Place,
                                                                         change: Callable[[str], str]) -> None:
    """PostgreSQL takes the dotted capital I for an i, and Python does not."""
    user = await place.person()
    email = f"victim.{user.user_id}@example.com"
    await place.database.execute('UPDATE identity."user" SET email = $2 WHERE id = $1', user.user_id, email)
    for _ in range(6):
        assert (await place.browser().sign_in(email, "wrong wrong wrong")).status_code == 422
    browser = place.browser()
    assert (await browser.sign_in(change(email))).status_code in {422, 429}
    assert not await browser.is_signed_in()


async def test_while_an_account_waits_another_person_at_the_same_address_signs_in(place: Place) -> None:
    victim, other = await place.person(), await place.person()
    attacker = place.browser()
    for _ in range(6):
        await attacker.sign_in(victim.email, "wrong wrong wrong")
    assert (await attacker.sign_in(victim.email)).status_code == 429
    assert "Try again in" in attacker.words
    assert (await place.browser(address=attacker.address).sign_in(other.email)).status_code == 303
    await place.fresh_throttle()
    assert (await place.browser().sign_in(victim.email)).status_code == 303
    assert (await place.browser().sign_in(victim.email, "wrong wrong wrong")).status_code == 422


async def test_an_address_that_guesses_many_accounts_waits_and_its_own_account_does_not_help(place: Place) -> None:
    own, attacker = await place.person(), place.browser()
    for number in range(20):
        assert (await attacker.sign_in(f"guess.{number}@example.com", "wrong wrong wrong")).status_code == 422
        if number % 5 == 0:
            assert (await attacker.sign_in(own.email)).status_code == 303
            attacker.http.cookies.clear()
    assert (await attacker.sign_in("guess.21@example.com", "wrong wrong wrong")).status_code == 422
    assert (await attacker.sign_in("guess.22@example.com", "wrong wrong wrong")).status_code == 429
    assert (await attacker.sign_in(own.email)).status_code == 429


async def test_many_guesses_at_the_same_moment_are_no_way_around_the_delay(place: Place, hashes: Hashes) -> None:
    user = await place.person()
    browsers = [place.browser() for _ in range(16)]
    hashes.clear()
    answers = await asyncio.gather(*(each.sign_in(user.email, "wrong wrong wrong") for each in browsers))
    assert Counter(answer.status_code for answer in answers) == Counter({422: 6, 429: 10})
    assert hashes == Counter(verify=6)


@given(st.integers(0, 10_000), st.integers(0, 50))
def test_a_wait_never_shrinks_and_is_at_most_a_quarter_of_an_hour(failures: int, free: int) -> None:
    counted = throttle.Counted(b"", free)
    assert 0 <= counted.wait_s(failures) <= counted.wait_s(failures + 1) <= 900
    assert (counted.wait_s(failures) == 0) == (failures <= free)


@given(st.integers(1 << 120, (1 << 128) - 1), st.integers(0, (1 << 64) - 1))
def test_an_ipv6_address_counts_as_its_64(number: int, neighbour: int) -> None:
    own = throttle.of_address(str(IPv6Address(number)))
    assert throttle.of_address(str(IPv6Address(number >> 64 << 64 | neighbour))) == own
    assert throttle.of_address(str(IPv6Address(number ^ 1 << 64))) != own
    assert throttle.of_address("::ffff:10.1.2.3") == throttle.of_address("10.1.2.3") != throttle.of_address("10.1.2.4")


async def test_a_hash_of_other_parameters_is_made_anew_at_the_next_sign_in(place: Place) -> None:
    user = await place.person()
    older = Passwords(memory_kib=32, passes=2, at_once=1)
    await place.database.execute('UPDATE identity."user" SET password_hash = $2 WHERE id = $1', user.user_id,
                                 await older.hash(PASSWORD))
    for _ in range(2):
        await place.signed_in(user)
        stored: str = await place.database.fetchval('SELECT password_hash FROM identity."user" WHERE id = $1',
                                                    user.user_id)
        assert stored.startswith("$argon2id$v=19$m=64,t=1,p=4$")


async def test_when_too_many_wait_for_a_hash_the_next_is_told_when_to_come(place: Place) -> None:
    browsers = [place.browser() for _ in range(80)]
    for browser in browsers:
        await browser.get("/sign-in")
    answers = await asyncio.gather(*(
        browser.submit("/sign-in", email=f"crowd.{number}@example.com", password="x" * 12)
        for number, browser in enumerate(browsers)))
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {422, 503}
    assert statuses[422] >= 66
    assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 503)


async def test_a_form_that_another_site_made_is_refused(place: Place) -> None:
    user, browser = await place.person(), place.browser()
    await browser.get("/sign-in")
    other = place.browser()
    await other.get("/sign-in")
    foreign = re.search(r'name="csrf_token" value="([^"]*)"', other.page.text)
    assert foreign is not None
    values = {"email": user.email, "password": PASSWORD}
    for token in ("", foreign[1], "\ud800".encode("utf-8", "replace").decode()):
        assert (await browser.submit("/sign-in", values, token=token)).status_code == 403
        assert "too old" in browser.words
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://["},
                    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        await browser.get("/sign-in")
        assert (await browser.submit("/sign-in", values, headers=headers)).status_code == 403
    await browser.get("/sign-in")
    ours = {"Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-origin"}
    assert (await browser.submit("/sign-in", values, headers=ours)).status_code == 303


ELSEWHERE = ["//evil.example", "https://evil.example", "http:evil.example", "\\evil.example", "/\\evil.example",
             "/%2fevil.example", "/%5Cevil.example", "/%252f/evil.example", "/%2525252fevil.example",
             "javascript:alert(1)",
             "/\t/evil.example", "/\n/evil.example", " //evil.example", "evil.example", "", "/x//evil.example",
             "/.%2f/evil.example", "///evil.example", "/\u2028/evil.example", "/a/%00", "/" + "a" * 9000, "/sign-out",
             "data:text/html,x", "/\u00b5", "@evil.example", "https:/evil.example", "//[::1", "/%09/evil.example"]


@pytest.mark.parametrize("target", ELSEWHERE)
async def test_nobody_is_sent_to_another_site_after_signing_in(place: Place, target: str) -> None:
    user = await place.person()
    browser = place.browser()
    answer = await browser.sign_in(user.email, query=f"?next={quote(target, safe='')}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    answer = await browser.get(f"/sign-in?next={quote(target, safe='')}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@given(st.one_of(st.text(max_size=40), st.text(alphabet="/\\%2f5c.:@?#evil\t", max_size=25)))
def test_a_target_is_always_a_path_of_ours(given_text: str) -> None:
    kept = own_path(given_text)
    joined = httpx.URL("https://makola.example/sign-in").join(kept)
    assert (joined.scheme, joined.host) == ("https", "makola.example")
    assert kept.startswith("/")
    assert not kept.startswith(("//", "/\\"))


OURS = ["/", "/people?page=2", "/oauth?redirect_uri=https%3A%2F%2Fclient.example%2Fcb&state=a%2F%2Fb&x=//y",
        "/applications/12#secrets"]


@pytest.mark.parametrize("path", OURS)
def test_a_path_of_ours_is_kept_as_it_is(path: str) -> None:
    assert own_path(path) == path


async def test_where_oauth_goes_on_a_page_stands_between_so_that_it_may_lead_elsewhere(place: Place) -> None:
    user, browser = await place.person(), place.browser()
    answer = await browser.sign_in(user.email, query="?next=" + quote("/oauth?client_id=a&redirect_uri=https://b.example"))
    assert answer.status_code == 200
    assert 'content="0;url=/oauth?client_id=a&amp;redirect_uri=https://b.example"' in answer.text
    assert "refresh" not in (await browser.get("/sign-in?next=//evil.example")).text


async def test_again_asks_whoever_is_signed_in_and_keeps_the_session_under_a_new_token(place: Place) -> None:
    user = await place.person()
    browser = await place.signed_in(user)
    before, token = await _session(place, user.user_id), browser.session
    assert (await browser.get("/sign-in?next=/people")).status_code == 303
    page = await browser.get("/sign-in?next=/people&again=1")
    assert page.status_code == 200
    assert user.email in page.text
    assert (await browser.sign_in(user.email, "wrong wrong wrong", query="?next=/people&again=1")).status_code == 422
    assert "Show that it is you" in browser.words
    answer = await browser.sign_in(user.email, query="?next=/people&again=1")
    assert answer.headers["location"] == "/people"
    after = await _session(place, user.user_id)
    assert after["id"] == before["id"]
    assert after["auth_time"] > before["auth_time"]
    assert browser.session != token
    browser.http.cookies.clear()
    assert not await place.browser(Cookie=f"makola_session={token}").is_signed_in()


async def _session(place: Place, user_id: int) -> Record:
    rows = await place.database.fetch("SELECT * FROM identity.session WHERE user_id = $1", user_id)
    assert len(rows) == 1
    return rows[0]


async def test_another_person_in_the_same_browser_ends_the_first_ones_session(place: Place) -> None:
    first, second = await place.person(), await place.person()
    browser = await place.signed_in(first)
    await browser.sign_in(second.email, query="?again=1")
    assert second.name in (await browser.get("/account/security")).text
    assert await place.count("SELECT count(*) FROM identity.session WHERE user_id = $1", first.user_id) == 0
    assert await place.count("SELECT count(*) FROM identity.session_event WHERE user_id = $1", first.user_id) == 1


async def test_every_page_of_people_has_strict_headers_and_nothing_inline(place: Place) -> None:
    user = await place.person(admin=True)
    outside, inside = place.browser(), await place.signed_in(user)
    pages = [await outside.get(path) for path in ("/sign-in", "/invitation/x", "/reset/x")]
    pages += [await inside.get(path) for path in ("/account/security", "/account/password", "/account/organisation",
                                                  "/people", "/sign-out", "/docs", "/")]
    for page in pages:
        assert page.status_code == 200 or page.request.url.path.startswith(("/invitation", "/reset"))
        policy = page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["referrer-policy"] == "same-origin"
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", page.text)


async def test_a_page_asks_to_sign_in_and_comes_back(place: Place) -> None:
    user, browser = await place.person(), place.browser()
    answer = await browser.get("/people?page=2")
    assert answer.headers["location"] == "/sign-in?next=/people%3Fpage%3D2"
    assert (await browser.sign_in(user.email, query="?next=/people%3Fpage%3D2")).headers["location"] == "/people?page=2"


async def test_changing_the_password_needs_the_present_one_and_ends_other_sessions(place: Place) -> None:
    user = await place.person()
    here, elsewhere = await place.signed_in(user), await place.signed_in(user)
    token = here.session
    values = {"present": PASSWORD, "password": OTHER_PASSWORD, "repeated": OTHER_PASSWORD}
    for wrong, words in (({"present": "not it at all"}, "This is not your present password."),
                         ({"repeated": "another one here"}, "The two passwords are not the same."),
                         ({"password": "short", "repeated": "short"}, "at least 12 characters"),
                         ({"password": "qwertyuiop123", "repeated": "qwertyuiop123"}, "Everybody tries"),
                         ({"password": "x" * 1025, "repeated": "x" * 1025}, "at most 1024")):
        answer = await here.submit("/account/password", values | wrong, at="/account/password")
        assert answer.status_code == 422
        assert words in here.problem
    answer = await here.submit("/account/password", values, at="/account/password")
    assert answer.headers["location"] == "/account/security?done=password"
    assert here.session != token
    assert await here.is_signed_in()
    assert not await elsewhere.is_signed_in()
    assert (await place.browser().sign_in(user.email)).status_code == 422
    assert (await place.browser().sign_in(user.email, OTHER_PASSWORD)).status_code == 303


async def test_whoever_took_over_a_session_cannot_guess_the_present_password_for_long(place: Place) -> None:
    browser = await place.signed_in(await place.person())
    statuses = [(await browser.submit("/account/password", at="/account/password", present=f"guess number {number}",
                                      password=OTHER_PASSWORD, repeated=OTHER_PASSWORD)).status_code
                for number in range(7)]
    assert statuses == [422] * 6 + [429]


def test_the_fixture_counts_what_it_says(hashes: Hashes) -> None:
    assert argon2.PasswordHasher(time_cost=1, memory_cost=64).verify(
        argon2.PasswordHasher(time_cost=1, memory_cost=64).hash("x"), "x")
    assert hashes == Counter(hash=1, verify=1)
