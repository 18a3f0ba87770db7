"""Tokens are stored many at once; an answer means that they are on disk."""

import asyncio
from datetime import timedelta

import pytest

from makola.core.oauth.service import writer as module
from makola.core.oauth.service.writer import NewAccessToken, TokenWriter, new_access_token_text
from makola.kit.clock import now
from makola.kit.database import Database
from makola.kit.secret_texts import sha256_of


def token(scopes: frozenset[str] | None = None, user_id: int | None = None) -> NewAccessToken:
    at = now()
    return NewAccessToken(new_access_token_text(), 1, user_id, None, scopes, at, at + timedelta(hours=1),
                          2 if user_id else None, 3 if user_id else None)


async def test_many_at_once_are_few_statements_and_all_are_there(database: Database,
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    insert = module.insert_access_tokens

    async def counted(where: Database, tokens: list[NewAccessToken]) -> None:
        sizes.append(len(tokens))
        await insert(where, tokens)

    monkeypatch.setattr(module, "insert_access_tokens", counted)
    writer = TokenWriter(database)
    tokens = [token(frozenset({"a.b", "c.d"}) if number % 3 else None, number % 2 or None) for number in range(700)]
    await asyncio.gather(*(writer.store(each) for each in tokens))
    assert sum(sizes) == 700
    assert len(sizes) <= 3
    stored = {row["sha256"]: row for row in await database.fetch("SELECT * FROM oauth.access_token")}
    for each in tokens:
        row = stored[sha256_of(each.text)]
        assert (row["scopes"] and frozenset(row["scopes"])) == each.scopes
        assert (row["user_id"], row["organisation_id"], row["grant_id"]) == (
            each.user_id, each.organisation_id, each.grant_id)
        assert (row["created_at"], row["expires_at"]) == (each.created_at, each.expires_at)


async def test_an_empty_set_of_scopes_is_not_all_scopes(database: Database) -> None:
    writer = TokenWriter(database)
    await writer.store(token(frozenset(), user_id=1))
    await writer.store(token(None))
    assert [row["scopes"] for row in await database.fetch(
        "SELECT scopes FROM oauth.access_token ORDER BY user_id NULLS LAST")] == [[], None]


async def test_who_waits_is_told_when_the_database_fails_and_the_next_one_is_stored(
        database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        await asyncio.sleep(0)
        raise ConnectionResetError

    writer = TokenWriter(database)
    with monkeypatch.context() as patched:
        patched.setattr(module, "insert_access_tokens", fails)
        results = await asyncio.gather(*(writer.store(token()) for _ in range(5)), return_exceptions=True)
    assert [type(each) for each in results] == [ConnectionResetError] * 5
    await writer.store(token())
    assert await database.fetchval("SELECT count(*) FROM oauth.access_token") == 1


async def test_a_client_that_goes_away_takes_nobody_with_it(database: Database) -> None:
    writer = TokenWriter(database)
    gone = asyncio.create_task(writer.store(token()))
    others = [asyncio.create_task(writer.store(token())) for _ in range(3)]
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(*others)
    assert await database.fetchval("SELECT count(*) FROM oauth.access_token") == 4
