from makola import migrations
from makola.kit.database import Database


async def test_empty_database_is_brought_to_the_head(database: Database) -> None:
    assert await database.fetchval("SELECT version_num FROM alembic_version") == migrations.head()
