"""Secrets: shown once, two at most, ended at once; whatever happens at the same time."""

import asyncio
from dataclasses import replace

import pytest

from makola.core.applications import clients, live_secrets, registration
from makola.core.applications.errors import InvalidApplicationError
from makola.core.applications.service import authenticate
from makola.core.applications.types import ApplicationKind, Draft, TokenEndpointAuthMethod
from makola.core.oauth.administration import close_application, rotate_secret
from makola.core.organisations.errors import PermissionDeniedError
from tests.applications.world import Desk
from tests.oauth.world import PRIVATE_ALLOWED


async def rotate(desk: Desk, client_id: str, overlap_s: int) -> str:
    async with desk.world.database.transaction() as connection:
        return await rotate_secret(connection, desk.world.platform, client_id, overlap_s=overlap_s)


async def holding(desk: Desk, client_id: str, secrets: list[str]) -> list[str]:
    client = await clients.find_client(desk.world.database, client_id)
    assert client is not None
    return [each for each in secrets if clients.check_secret(client, each)]


async def test_many_rotations_at_once_leave_two_secrets(desk: Desk) -> None:
    made = await desk.world.application(ApplicationKind.PRIVATE, redirect_uris=(), requested_scopes=frozenset())
    client_id = made.application.client_id
    given = [made.client_secret, *await asyncio.gather(*(rotate(desk, client_id, 3600) for _ in range(6)))]
    assert len(set(given)) == 7
    left = await holding(desk, client_id, given)
    assert len(left) == 2
    assert made.client_secret not in left
    live = await live_secrets.list_secrets(desk.world.database, made.application)
    assert [each.expires_at is None for each in live] == [True, False]
    last = await rotate(desk, client_id, 0)
    assert await holding(desk, client_id, [*given, last]) == [last]


async def test_the_overlap_ends(desk: Desk) -> None:
    made = await desk.world.application(ApplicationKind.PRIVATE, redirect_uris=(), requested_scopes=frozenset())
    client_id = made.application.client_id
    second = await rotate(desk, client_id, 3600)
    assert len(await holding(desk, client_id, [made.client_secret, second])) == 2
    await desk.world.database.execute(
        "UPDATE applications.secret SET expires_at = expires_at - interval '1 hour'"
        " WHERE application_id = $1 AND expires_at IS NOT NULL", made.application.application_id)
    assert await holding(desk, client_id, [made.client_secret, second]) == [second]
    for wrong in (-1, live_secrets.MOST_OVERLAP_S + 1):
        with pytest.raises(InvalidApplicationError):
            await rotate(desk, client_id, wrong)


async def test_a_rotation_without_overlap_and_a_close_end_the_tokens(desk: Desk) -> None:
    made = await desk.world.application(ApplicationKind.PRIVATE, redirect_uris=(), requested_scopes=frozenset())
    client_id = made.application.client_id

    async def token(secret: str) -> str:
        answer = await desk.world.http.post("/oauth/token", data={
            "grant_type": "client_credentials", "client_id": client_id, "client_secret": secret},
            headers={"Accept": "application/json"})
        assert answer.status_code == 200
        return str(answer.json()["access_token"])

    async def lives(access_token: str) -> bool:
        row = await desk.world.database.fetchrow(
            "SELECT revoked_at FROM oauth.access_token WHERE sha256 = sha256($1::bytea)", access_token.encode())
        assert row is not None
        return row["revoked_at"] is None

    first = await token(made.client_secret)
    kept = await rotate(desk, client_id, 60)
    assert await lives(first)
    second = await rotate(desk, client_id, 0)
    assert not await lives(first)
    assert await holding(desk, client_id, [kept, second]) == [second]
    last = await token(second)
    async with desk.world.database.transaction() as connection:
        await close_application(connection, desk.world.platform, client_id)
    assert not await lives(last)
    refused = await desk.world.http.post("/oauth/token", data={
        "grant_type": "client_credentials", "client_id": client_id, "client_secret": second})
    assert refused.status_code == 401


async def test_an_application_that_can_keep_no_secret_has_none(desk: Desk) -> None:
    made = await desk.world.application(token_endpoint_auth_method=TokenEndpointAuthMethod.NONE)
    assert made.client_secret == ""
    client = await clients.find_client(desk.world.database, made.application.client_id)
    assert client is not None
    assert not client.is_confidential
    with pytest.raises(InvalidApplicationError):
        await rotate(desk, made.application.client_id, 0)


async def test_a_secret_of_a_public_application_stands_for_nobody(desk: Desk) -> None:
    """It acts for others by OAuth alone: never, by its own credentials, for its owner."""
    made = await desk.world.application()
    assert await authenticate(desk.world.database, made.application.client_id, made.client_secret) is None
    private = await desk.world.application(ApplicationKind.PRIVATE, redirect_uris=(), requested_scopes=frozenset())
    assert await authenticate(desk.world.database, private.application.client_id, private.client_secret) is not None


async def test_who_does_not_hold_all_rights_makes_nothing_that_does(desk: Desk) -> None:
    kofi = await desk.actor("kofi")
    esi = await desk.actor("esi")
    for actor, kind in ((kofi, ApplicationKind.PRIVATE), (kofi, ApplicationKind.PUBLIC),
                        (esi, ApplicationKind.TRUSTED)):
        async with desk.world.database.transaction() as connection:
            with pytest.raises(PermissionDeniedError):
                await registration.register(connection, actor, kind, Draft("Wider"), PRIVATE_ALLOWED)


async def test_a_token_with_scopes_makes_nothing_that_has_more(desk: Desk) -> None:
    """Whoever may change clients by a token's scope alone makes none that stands for a whole organisation."""
    scoped = frozenset({"client:change", "client:view"})
    for name, kind in (("esi", ApplicationKind.PRIVATE), ("root", ApplicationKind.PRIVATE),
                       ("root", ApplicationKind.TRUSTED)):
        actor = replace(await desk.actor(name), scopes=scoped)
        async with desk.world.database.transaction() as connection:
            with pytest.raises(PermissionDeniedError):
                await registration.register(connection, actor, kind, Draft("Wider"), PRIVATE_ALLOWED)
    esi = replace(await desk.actor("esi"), scopes=scoped)
    made = await desk.world.application(ApplicationKind.PRIVATE, redirect_uris=(), requested_scopes=frozenset())
    async with desk.world.database.transaction() as connection:
        with pytest.raises(PermissionDeniedError):
            await rotate_secret(connection, esi, made.application.client_id)
        await registration.register(connection, esi, ApplicationKind.PUBLIC, Draft("No wider"), PRIVATE_ALLOWED)
