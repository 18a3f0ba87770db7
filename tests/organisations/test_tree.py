"""The tree: who stands below whom, who sees whom, and what suspension at a tier does to those below."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makola.core.applications.service import authenticate, create_application
from makola.core.organisations.errors import UnknownOrganisationError
from makola.core.organisations.queries import find_active_chains, find_chains, find_place, is_in_subtree
from makola.core.organisations.service import create_organisation
from makola.core.organisations.types import Actor, Organisation
from makola.kit.database import Database

_SUSPEND = "UPDATE organisations.organisation SET suspended_at = now() WHERE id = $1"


@pytest_asyncio.fixture(scope="module")
async def tree(module_database_url: str) -> AsyncIterator[Database]:
    """A database whose tree has a root."""
    opened = await Database.connect(module_database_url, min_size=1, max_size=6)
    async with opened.transaction() as connection:
        await create_organisation(connection, None, name="Root")
    yield opened
    await opened.close()


async def _add(database: Database, parent_id: int | None) -> Organisation:
    async with database.transaction() as connection:
        return await create_organisation(connection, parent_id, name="Organisation")


async def _root(database: Database) -> int:
    return int(await database.fetchval("SELECT id FROM organisations.organisation WHERE parent_id IS NULL"))


def _actor(chain: tuple[int, ...]) -> Actor:
    return Actor(chain[-1], chain, 1, None, "GH", "GMT")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parents=st.lists(st.integers(0, 7), min_size=1, max_size=8), suspended=st.sets(st.integers(0, 8), max_size=2))
async def test_chains_sight_and_suspension_in_any_tree(tree: Database, parents: list[int],
                                                       suspended: set[int]) -> None:
    """The n-th organisation is added below one of those before it."""
    chains = [(await _add(tree, await _root(tree))).chain]
    for number, parent in enumerate(parents):
        above = chains[parent % (number + 1)]
        made = await _add(tree, above[-1])
        assert made.chain == (*above, made.organisation_id)
        assert made.parent_id == above[-1]
        chains.append(made.chain)
    for place in suspended:
        if place < len(chains):
            await tree.execute(_SUSPEND, chains[place][-1])
    gone = {chains[place][-1] for place in suspended if place < len(chains)}
    ids = [chain[-1] for chain in chains]
    async with tree.connection() as connection:
        assert await find_chains(connection, ids) == {chain[-1]: chain for chain in chains}
        active = await find_active_chains(connection, [*ids, 2**40])
    assert active == {chain[-1]: chain for chain in chains if gone.isdisjoint(chain)}
    for chain in chains:
        place_of = await find_place(tree, chain[-1])
        assert (place_of is None) == (not gone.isdisjoint(chain))
        assert place_of is None or place_of.chain == chain
        for other in chains:
            assert await is_in_subtree(tree, _actor(chain), other[-1]) == (chain[-1] in other)


async def test_there_is_one_root_however_many_try(database: Database) -> None:
    results = await asyncio.gather(*(_add(database, None) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(result, Organisation) for result in results) == 1
    assert all(isinstance(result, Organisation | asyncpg.UniqueViolationError) for result in results)


async def test_below_nobody_there_is_nobody(tree: Database) -> None:
    with pytest.raises(UnknownOrganisationError):
        await _add(tree, 2**40)


async def test_a_chain_that_contradicts_the_parent_is_refused_by_the_database(tree: Database) -> None:
    made = await _add(tree, await _root(tree))
    for chain in ([made.organisation_id, await _root(tree)], [2**40, made.organisation_id]):
        with pytest.raises(asyncpg.CheckViolationError):
            await tree.execute("UPDATE organisations.organisation SET chain = $2 WHERE id = $1",
                               made.organisation_id, chain)


async def test_credentials_stand_for_an_organisation_until_it_or_one_above_is_suspended(tree: Database) -> None:
    above = await _add(tree, await _root(tree))
    below = await _add(tree, above.organisation_id)
    async with tree.transaction() as connection:
        new = await create_application(connection, below.organisation_id, name="Program")
    client_id, secret = new.application.client_id, new.client_secret
    caller = await authenticate(tree, client_id, secret)
    assert caller is not None
    assert (caller.actor.organisation_id, caller.actor.chain) == (below.organisation_id, below.chain)
    assert caller.actor.scopes is None
    for wrong_id, wrong_secret in ((client_id, secret + "x"), (client_id, ""), (client_id, "é\udc80"),
                                   (client_id.upper() + "x", secret), ("", secret)):
        assert await authenticate(tree, wrong_id, wrong_secret) is None
    stored = await tree.fetch("SELECT sha256 FROM applications.secret")
    assert all(secret.encode() not in row["sha256"] and len(row["sha256"]) == 32 for row in stored)
    await tree.execute(_SUSPEND, above.organisation_id)
    assert await authenticate(tree, client_id, secret) is None
