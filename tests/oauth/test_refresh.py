"""Refresh tokens: who gets one, and what happens to one that is used."""

import asyncio

from makola.core.applications.types import ApplicationKind, NewlyRegistered
from tests.oauth.world import World

SCOPE = "openid offline_access account.balance messages.send"


async def partner(world: World) -> NewlyRegistered:
    return await world.application(ApplicationKind.PARTNER, offline_access=True)


async def refresh(world: World, made: NewlyRegistered, token: str, **more: str) -> tuple[int, dict[str, str]]:
    answer = await world.token(made, grant_type="refresh_token", refresh_token=token, **more)
    return answer.status_code, answer.json()


async def age(world: World, seconds: float) -> None:
    """Let every use of a refresh token be so long ago."""
    await world.database.execute(
        "UPDATE oauth.refresh_token SET used_at = used_at - make_interval(secs => $1)", seconds)


async def test_only_with_offline_access_and_only_to_partners(world: World) -> None:
    made, ama = await partner(world), await world.visitor()
    assert "refresh_token" not in await world.tokens(made, ama, "openid")
    tokens = await world.tokens(made, ama, SCOPE)
    assert tokens["refresh_token"].startswith("mk_rt_")


async def test_each_refresh_gives_the_next_token(world: World) -> None:
    made, ama = await partner(world), await world.visitor()
    first = await world.tokens(made, ama, SCOPE)
    token, seen = first["refresh_token"], {first["refresh_token"]}
    for _ in range(3):
        status, body = await refresh(world, made, token)
        assert status == 200
        assert set(body["scope"].split()) == set(SCOPE.split())
        assert await world.is_alive(body["access_token"])
        token = body["refresh_token"]
        assert token not in seen
        seen.add(token)


async def test_less_may_be_asked_for_and_more_not(world: World) -> None:
    made, ama = await partner(world), await world.visitor()
    token = (await world.tokens(made, ama, SCOPE))["refresh_token"]
    status, body = await refresh(world, made, token, scope="account.balance contacts.create")
    assert (status, body["error"]) == (400, "invalid_scope")
    status, body = await refresh(world, made, token, scope="account.balance")
    assert (status, body["scope"]) == (200, "account.balance")
    status, body = await refresh(world, made, body["refresh_token"])
    assert set(body["scope"].split()) == set(SCOPE.split())


async def test_a_stolen_refresh_token_that_is_used_after_its_owner_ends_the_family(world: World) -> None:
    made, ama = await partner(world), await world.visitor()
    first = await world.tokens(made, ama, SCOPE)
    _, second = await refresh(world, made, first["refresh_token"])
    await age(world, 31)
    status, body = await refresh(world, made, first["refresh_token"])
    assert (status, body["error"]) == (400, "invalid_grant")
    assert not await world.is_alive(second["access_token"])
    assert not await world.is_alive(first["access_token"])
    assert (await refresh(world, made, second["refresh_token"]))[0] == 400


async def test_a_stolen_refresh_token_that_is_used_before_its_owner_ends_the_family_too(world: World) -> None:
    made, ama = await partner(world), await world.visitor()
    first = await world.tokens(made, ama, SCOPE)
    _, thief = await refresh(world, made, first["refresh_token"])
    _, thief = await refresh(world, made, thief["refresh_token"])
    status, _ = await refresh(world, made, first["refresh_token"])  # within the grace, but a successor was used
    assert status == 400
    assert not await world.is_alive(thief["access_token"])


async def test_an_answer_that_was_lost_is_given_again_within_the_grace(world: World) -> None:
    made, ama = await partner(world), await world.visitor()
    token = (await world.tokens(made, ama, SCOPE))["refresh_token"]
    _, lost = await refresh(world, made, token)
    status, body = await refresh(world, made, token)
    assert status == 200
    assert await world.is_alive(body["access_token"])
    status, last = await refresh(world, made, body["refresh_token"])
    assert status == 200
    await age(world, 31)
    assert (await refresh(world, made, lost["refresh_token"]))[0] == 400
    assert not await world.is_alive(last["access_token"])


async def test_processes_that_refresh_at_the_same_time_all_get_a_usable_answer(world: World) -> None:
    made, ama = await partner(world), await world.visitor()
    token = (await world.tokens(made, ama, SCOPE))["refresh_token"]
    answers = await asyncio.gather(*(refresh(world, made, token) for _ in range(6)))
    assert [status for status, _ in answers] == [200] * 6
    assert len({body["refresh_token"] for _, body in answers}) == 6
    for _, body in answers:
        assert await world.is_alive(body["access_token"])


async def test_siblings_that_are_used_at_the_same_time_do_not_wait_for_each_other_for_ever(world: World) -> None:
    made, ama = await partner(world), await world.visitor()
    token = (await world.tokens(made, ama, SCOPE))["refresh_token"]
    siblings = [(await refresh(world, made, token))[1]["refresh_token"] for _ in range(4)]
    statuses = [status for status, _ in await asyncio.gather(*(refresh(world, made, each) for each in siblings))]
    assert set(statuses) <= {200, 400}
    assert 200 in statuses


async def test_another_client_cannot_use_it(world: World) -> None:
    made, thief, ama = await partner(world), await partner(world), await world.visitor()
    first = await world.tokens(made, ama, SCOPE)
    assert (await refresh(world, thief, first["refresh_token"]))[0] == 400
    assert (await refresh(world, made, first["refresh_token"]))[0] == 200


async def test_it_expires_and_wrong_ones_are_refused(world: World) -> None:
    made, ama = await partner(world), await world.visitor()
    token = (await world.tokens(made, ama, SCOPE))["refresh_token"]
    await world.database.execute("UPDATE oauth.refresh_token SET expires_at = now()")
    for wrong in (token, "mk_rt_wrong", "x"):
        status, body = await refresh(world, made, wrong)
        assert (status, body["error"]) == (400, "invalid_grant")
    status, body = await refresh(world, made, "")
    assert (status, body["error"]) == (400, "invalid_request")


async def test_a_person_who_is_suspended_refreshes_nothing(world: World) -> None:
    made, esi = await partner(world), await world.visitor("esi")
    token = (await world.tokens(made, esi, SCOPE))["refresh_token"]
    await world.database.execute('UPDATE identity."user" SET suspended_at = now() WHERE id = $1', esi.user_id)
    assert (await refresh(world, made, token))[1]["error"] == "invalid_grant"
    await world.database.execute('UPDATE identity."user" SET suspended_at = NULL WHERE id = $1', esi.user_id)
    assert (await refresh(world, made, token))[0] == 200


async def test_two_who_refresh_at_the_same_time_never_get_two_lasting_branches(world: World) -> None:
    """A thief who refreshes within the grace of the client's own refresh does not keep a branch of his own."""
    made, ama = await partner(world), await world.visitor()
    token = (await world.tokens(made, ama, SCOPE))["refresh_token"]
    (_, client), (_, thief) = [await refresh(world, made, token) for _ in range(2)]
    for _ in range(3):  # as long as both are quick
        status, client = await refresh(world, made, client["refresh_token"])
        assert status == 200
        status, thief = await refresh(world, made, thief["refresh_token"])
        assert status == 200
    await age(world, 31)
    status, client = await refresh(world, made, client["refresh_token"])
    assert status == 200
    await age(world, 31)
    assert (await refresh(world, made, thief["refresh_token"]))[0] == 400
    assert not await world.is_alive(client["access_token"])
