"""What the database says of values that it cannot hold."""

import asyncpg
import pytest

from makola.kit.database import Database, is_unstorable


@pytest.mark.parametrize(("query", "value"), [
    ("SELECT $1::bigint", 1 << 63), ("SELECT $1::text", "\0"), ("SELECT $1::text", "\ud800"),
    ("SELECT $1::text::numeric::bigint", "9" * 30)])
async def test_a_value_that_fits_nowhere_is_the_fault_of_whoever_sent_it(
        database: Database, query: str, value: object) -> None:
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)) as refused:
        await database.fetchval(query, value)
    assert is_unstorable(refused.value)


async def test_everything_else_is_not(database: Database) -> None:
    with pytest.raises(asyncpg.PostgresError) as refused:
        await database.fetchval("SELECT 1 / 0")
    assert not is_unstorable(refused.value)
    assert not is_unstorable(asyncpg.InterfaceError("the connection is closed"))
    assert not is_unstorable(ValueError("some other"))
