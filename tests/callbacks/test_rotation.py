"""The secret that signs is replaced while callbacks go on."""

import asyncio
from dataclasses import replace

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from makola.core.callbacks.errors import InvalidOverlapError
from makola.core.callbacks.signing_secrets import (
    MOST_OVERLAP_S,
    load_signing_secret,
    rotate_signing_secret,
    signing_secret,
)
from makola.core.callbacks.types import SigningSecret
from makola.core.organisations.actors import find_platform_actor
from makola.core.organisations.errors import PermissionDeniedError, UnknownOrganisationError
from makola.core.organisations.permissions import Grants
from makola.core.organisations.service import create_organisation
from makola.core.organisations.types import Actor
from makola.kit.database import Database
from tests.callbacks.receivers import Seen, callback, receiver, send, settled, working


async def _owner(database: Database) -> Actor:
    async with database.transaction() as connection:
        await create_organisation(connection, None, name="Platform")
        actor = await find_platform_actor(connection)
    assert actor is not None
    return actor


async def _rotate(database: Database, actor: Actor, overlap_s: int,
                  organisation_id: int | None = None) -> SigningSecret:
    async with database.transaction() as connection:
        return await rotate_signing_secret(connection, actor, overlap_s, organisation_id=organisation_id)


async def _next(database: Database, actor: Actor) -> Seen:
    """Send a callback and return it as its receiver sees it."""
    async with receiver() as server, working(database):
        await send(database, callback(server.url, organisation_id=actor.organisation_id))
        await settled(database)
    [seen] = server.seen
    return seen


def _verifying(seen: Seen, *secrets: str) -> list[str]:
    """Return those of the secrets with which the reference library takes a callback for ours."""
    good = []
    for secret in secrets:
        try:
            Webhook(secret).verify(seen.body, seen.headers)
        except WebhookVerificationError:
            continue
        good.append(secret)
    return good


async def test_during_the_overlap_either_secret_verifies(database: Database) -> None:
    owner = await _owner(database)
    first = await signing_secret(database, owner.organisation_id)
    second = await _rotate(database, owner, 3600)
    assert second.secret != first
    assert await signing_secret(database, owner.organisation_id) == second.secret
    seen = await _next(database, owner)
    assert [each[:3] for each in seen.headers["webhook-signature"].split(" ")] == ["v1,", "v1,"]
    assert _verifying(seen, first, second.secret) == [first, second.secret]

    third = await _rotate(database, owner, 3600)
    seen = await _next(database, owner)
    assert len(seen.headers["webhook-signature"].split(" ")) == 2
    assert _verifying(seen, first, second.secret, third.secret) == [second.secret, third.secret]

    await database.execute("UPDATE callbacks.secret SET previous_until = now()")  # an hour later
    seen = await _next(database, owner)
    assert " " not in seen.headers["webhook-signature"]
    assert _verifying(seen, first, second.secret, third.secret) == [third.secret]
    async with database.transaction() as connection:
        assert await load_signing_secret(connection, owner) == SigningSecret(third.secret, third.created_at, None)


async def test_without_an_overlap_the_secret_before_signs_nothing_any_more(database: Database) -> None:
    owner = await _owner(database)
    first = await signing_secret(database, owner.organisation_id)
    second = await _rotate(database, owner, 600)
    third = await _rotate(database, owner, 0)
    assert third.previous_until is None
    seen = await _next(database, owner)
    assert _verifying(seen, first, second.secret, third.secret) == [third.secret]
    row = await database.fetchrow("SELECT previous_secret, previous_until FROM callbacks.secret")
    assert row is not None
    assert set(row) == {None}  # what may be known to somebody else is not kept


async def test_many_rotations_at_once_leave_two_secrets_that_sign(database: Database) -> None:
    owner = await _owner(database)
    first = await signing_secret(database, owner.organisation_id)
    made = await asyncio.gather(*(_rotate(database, owner, 600) for _ in range(6)))
    given = [first, *(each.secret for each in made)]
    assert len(set(given)) == 7
    good = _verifying(await _next(database, owner), *given)
    assert len(good) == 2
    assert await signing_secret(database, owner.organisation_id) in good
    assert first not in good


async def test_who_may_rotate_and_how(database: Database) -> None:
    owner = await _owner(database)
    async with database.transaction() as connection:
        child_id = (await create_organisation(connection, owner.organisation_id, name="Child")).organisation_id
    other = replace(owner, organisation_id=child_id, chain=(*owner.chain, child_id))
    assert (await _rotate(database, owner, 60, child_id)).secret == await signing_secret(database, child_id)
    with pytest.raises(UnknownOrganisationError):
        await _rotate(database, other, 60, owner.organisation_id)
    for overlap_s in (-1, MOST_OVERLAP_S + 1):
        with pytest.raises(InvalidOverlapError):
            await _rotate(database, owner, overlap_s)
    for refused in (replace(owner, grants=Grants()), replace(owner, emulation_id=1)):
        with pytest.raises(PermissionDeniedError):
            await _rotate(database, refused, 60)
    entries = await database.fetch("SELECT organisation_id, action, details FROM organisations.audit_entry")
    assert [tuple(each) for each in entries if each["action"] == "callback_secret:rotate"] == [
        (child_id, "callback_secret:rotate", '{"overlap_s": 60}')]
