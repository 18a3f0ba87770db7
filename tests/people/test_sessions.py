"""Sessions: who has which, how they end, who is told, and for which organisation they act."""

import asyncio
from datetime import UTC, datetime

import pytest

from makola.core.identity.service import set_suspended
from makola.core.identity.sessions import end_lapsed, find_session
from makola.core.identity.types import SessionEvent
from makola.core.identity.workers import tell_observers
from makola.core.organisations.acting import list_administrable, load_acting
from makola.core.organisations.audit import AuditFilter, read_audit_log
from makola.core.organisations.permissions import Permission
from makola.core.organisations.tree import suspend_organisation
from makola.kit.database import Connection
from tests.people.world import POLICY, Place
from tests.statements import logged


async def test_each_is_listed_and_ended_alone_or_with_all_others(place: Place) -> None:
    user, stranger = await place.person(), await place.person()
    first = await place.signed_in(user, **{"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/150 Edg/150"})
    second = await place.signed_in(user, **{"User-Agent": "curl/8.5"})
    third = await place.signed_in(user, **{"User-Agent": "Mozilla/5.0 (iPhone) Version/18 Safari/600"})
    outside = await place.signed_in(stranger)
    await third.get("/account/security")
    for words in ("Edge on Windows", "curl", "Safari on iPhone", first.address, second.address, "This one"):
        assert words in third.words
    ids = [row["id"] for row in await place.database.fetch(
        "SELECT id FROM identity.session WHERE user_id = $1 ORDER BY created_at", user.user_id)]
    await outside.submit("/account/sessions/revoke", at="/account/security", session=ids[0].hex)
    assert await first.is_signed_in()
    await third.submit("/account/sessions/revoke", at="/account/security", session=ids[0].hex)
    assert [await each.is_signed_in() for each in (first, second, third)] == [False, True, True]
    await third.submit("/account/sessions/revoke", at="/account/security", session="others")
    assert [await each.is_signed_in() for each in (second, third, outside)] == [False, True, True]
    await third.submit("/account/sessions/revoke", at="/account/security", session="no such")
    assert await third.is_signed_in()


async def test_a_session_ends_when_it_is_idle_or_old(place: Place) -> None:
    user = await place.person()
    for column, ago in (("last_used_at", POLICY.idle_s), ("expires_at", 0)):
        browser = await place.signed_in(user)
        assert await browser.is_signed_in()
        await place.database.execute(f"UPDATE identity.session SET {column} = now() - $2 * interval '1 second'"
                                     " WHERE user_id = $1", user.user_id, ago + 1)
        assert not await browser.is_signed_in()
    while await end_lapsed(place.database, POLICY):
        pass
    assert await place.count("SELECT count(*) FROM identity.session WHERE user_id = $1", user.user_id) == 0
    assert await place.count("SELECT count(*) FROM identity.session_event WHERE user_id = $1", user.user_id) == 2


async def test_use_is_written_down_once_a_minute(place: Place) -> None:
    user = await place.person()
    browser = await place.signed_in(user)
    sql = "SELECT last_used_at FROM identity.session WHERE user_id = $1"
    before: datetime = await place.database.fetchval(sql, user.user_id)
    await browser.get("/account/security")
    assert await place.database.fetchval(sql, user.user_id) == before
    await place.database.execute("UPDATE identity.session SET last_used_at = now() - interval '2 minutes'"
                                 " WHERE user_id = $1", user.user_id)
    await browser.get("/account/security")
    assert await place.database.fetchval(sql, user.user_id) > before


async def test_to_know_whose_a_session_is_takes_one_statement_that_uses_the_index(place: Place) -> None:
    browser = await place.signed_in(await place.person())
    asked: list[str] = []
    async with logged(place.database, lambda record: asked.append(record.query)):
        assert await find_session(place.database, browser.session, POLICY) is not None
    assert len(asked) == 1
    async with place.database.connection() as connection:
        await connection.execute("SET enable_seqscan = off")
        plan = await connection.fetch("EXPLAIN " + asked[0].replace("$1", "''::bytea").replace("$2", "1::int8").replace(
            "$3", "1::int8"))
        await connection.execute("RESET enable_seqscan")
    text = "\n".join(row[0] for row in plan)
    assert "session_sha256" in text
    assert "Seq Scan" not in text


async def test_a_link_signs_nobody_out_and_a_form_does(place: Place) -> None:
    browser = await place.signed_in(await place.person())
    assert (await browser.get("/sign-out")).status_code == 200
    assert await browser.is_signed_in()
    token = browser.session
    answer = await browser.submit("/sign-out", next="//evil.example")
    assert answer.headers["location"] == "/"
    assert browser.session == ""
    assert not await place.browser(Cookie=f"makola_session={token}").is_signed_in()
    assert (await browser.get("/sign-out")).headers["location"] == "/"
    assert (await browser.submit("/sign-out", token="")).status_code == 303


async def test_a_suspended_person_is_signed_out_at_once_and_stays_so(place: Place) -> None:
    user = await place.person()
    browser = await place.signed_in(user)
    async with place.database.transaction() as connection:
        await set_suspended(connection, user.user_id, suspended=True)
    assert not await browser.is_signed_in()
    async with place.database.transaction() as connection:
        await set_suspended(connection, user.user_id, suspended=False)
    assert not await browser.is_signed_in()
    assert await place.count("SELECT count(*) FROM identity.session_event WHERE user_id = $1", user.user_id) == 1


async def test_nobody_acts_for_a_suspended_organisation(place: Place) -> None:
    user = await place.person("rival")
    browser = await place.signed_in(user)
    async with place.database.transaction() as connection:
        await suspend_organisation(connection, place.platform, place.organisations["rival"], suspended=True)
    assert not await browser.is_signed_in()
    async with place.database.transaction() as connection:
        await suspend_organisation(connection, place.platform, place.organisations["rival"], suspended=False)
    assert await browser.is_signed_in()


async def test_observers_hear_of_every_end_once_and_again_where_that_was_not_committed(place: Place) -> None:
    await place.database.execute("DELETE FROM identity.session_event")
    user = await place.person()
    browser = await place.signed_in(user)
    session_id = await place.database.fetchval("SELECT id FROM identity.session WHERE user_id = $1", user.user_id)
    await browser.submit("/sign-out", at="/sign-out")
    heard: list[SessionEvent] = []

    async def hear(_connection: Connection, event: SessionEvent) -> None:
        heard.append(event)

    async def fail(_connection: Connection, _event: SessionEvent) -> None:
        raise RuntimeError("the process dies")

    with pytest.raises(RuntimeError):
        await tell_observers(place.database, [hear, fail])
    heard.clear()
    await asyncio.gather(*(tell_observers(place.database, [hear]) for _ in range(3)))
    assert [(each.session_id, each.user_id, each.organisation_id) for each in heard] == [
        (session_id, user.user_id, place.organisations["shop"])]
    assert (datetime.now(UTC) - heard[0].at).total_seconds() < 60


async def test_who_administers_organisations_below_switches_to_them_and_to_no_other(place: Place) -> None:
    user = await place.person(admin=True)
    browser = await place.signed_in(user)
    token = browser.session
    assert "Branch" in await browser.read("/account/organisation")
    assert "Rival" not in browser.words
    for wrong in (place.organisations["rival"], place.organisations["platform"], 0, 10**30):
        await browser.submit("/account/organisation", at="/account/organisation", organisation=str(wrong))
        assert browser.page.headers["location"] == "/account/organisation"
    answer = await browser.submit("/account/organisation", at="/account/organisation",
                                  organisation=str(place.organisations["branch"]), next="/people")
    assert answer.headers["location"] == "/people"
    assert browser.session != token
    await browser.get("/people")
    assert "Who may act for Branch" in browser.words
    # The session goes on, and so does what it was used for: nobody is told of an end.
    assert await place.count("SELECT count(*) FROM identity.session_event WHERE user_id = $1", user.user_id) == 0
    await browser.sign_in(user.email, query="?again=1")
    assert "for Branch" in (await browser.get("/account/security")).text


async def test_who_may_change_no_organisation_acts_for_the_own_one_only(place: Place) -> None:
    user = await place.person(permissions=("user:view", "organisation:view"))
    browser = await place.signed_in(user)
    await browser.get("/account/organisation")
    assert "Shop" in browser.words
    assert "Branch" not in browser.words
    await browser.submit("/account/organisation", organisation=str(place.organisations["branch"]))
    assert await load_acting(place.database, user.user_id, place.organisations["branch"]) is None


async def test_acting_for_an_organisation_below_never_gives_more_than_one_has(place: Place) -> None:
    user = await place.person(permissions=("organisation:change", "user:view"))
    own = await load_acting(place.database, user.user_id, place.organisations["shop"])
    below = await load_acting(place.database, user.user_id, place.organisations["branch"])
    assert own is not None
    assert below is not None
    assert below.organisation_id == below.chain[-1] == place.organisations["branch"]
    assert (below.user_id, below.real_organisation_id) == (user.user_id, place.organisations["shop"])
    assert own.rights.covers(below.rights)
    assert below.may(Permission.USER_VIEW)
    assert not below.may(Permission.USER_CREATE)
    assert await load_acting(place.database, user.user_id, place.organisations["platform"]) is None
    async with place.database.connection() as connection:
        assert [each.name for each in await list_administrable(connection, below)] == ["Shop", "Branch"]
        assert [each.name for each in await list_administrable(connection, below, text="ranc")] == ["Branch"]
        assert await list_administrable(connection, place.platform) == []


async def test_what_somebody_above_does_for_an_organisation_does_not_say_who_it_was(place: Place) -> None:
    above = await place.person("shop", admin=True)
    below = await place.person("branch", admin=True)
    browser = await place.signed_in(above)
    await browser.submit("/account/organisation", at="/account/organisation",
                         organisation=str(place.organisations["branch"]))
    await browser.submit("/people", at="/people", email="written.down@example.com")
    wanted = AuditFilter(actions=["user:invite"], organisation_ids=[place.organisations["branch"]])
    for reader, seen in ((below, None), (above, above.user_id)):
        actor = await load_acting(place.database, reader.user_id, reader.organisation_id)
        assert actor is not None
        entries, _ = await read_audit_log(place.database, actor, wanted, limit=1, offset=0)
        assert [(each.user_id, each.real_user_id) for each in entries] == [(seen, seen)]
