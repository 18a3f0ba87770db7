"""A database with products in it is brought from one release to the next, and back."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from makola import migrations
from makola.core.catalogue.documents import Document, PartIds, documents_of, part_numbers
from makola.core.catalogue.types import Money, Product, ProductPrice, ServiceItem
from makola.kit.database import Database, Record
from tests.catalogue.shop import phone

_BEFORE = "0013"
_IDS = PartIds(7, 3, 4, (2**62,), (), (13,), (((14, (15, 16)),),))
_PLAIN_IDS = PartIds(8, None, None, (), (), (), ())


def _documents() -> list[Document]:
    """Documents of two products: one with parts in two currencies, and one without any."""
    money = (Money("EUR", 1), Money("GBP", 2**40))
    rich = phone()
    plan = rich.rate_plans[0]
    charge = plan.charges[0]
    rich = phone(
        prices=(ProductPrice("EUR", 5), ProductPrice("GBP", 6)), maintenance=(),
        provisioning=(ServiceItem("s", "a service", False, money),),
        rate_plans=(type(plan)(plan.name, 24, plan.billing_frequency, None, True, 1, None, (
            type(charge)(charge.name, charge.charge_type, charge.charge_model, "User", money),)),))
    plain = Product("P", "plain", prices=(ProductPrice("GBP", 9),))
    return documents_of(rich, _IDS) + documents_of(plain, _PLAIN_IDS)


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = await Database.connect(url, min_size=1, max_size=1)
    try:
        yield database
    finally:
        await database.close()


async def _downgrade(url: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))

    def run(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)

    engine = create_async_engine(migrations.driver_url(url))
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


async def _rows(url: str) -> Sequence[Record]:
    async with _opened(url) as database:
        return await database.fetch("SELECT * FROM catalogue.document ORDER BY product_id, currency")


async def test_documents_of_an_older_release_are_kept(bare_database_url: str) -> None:
    documents = _documents()
    await migrations.upgrade(bare_database_url, _BEFORE)
    async with _opened(bare_database_url) as database:
        for product_id in (7, 8):
            await database.execute(
                "INSERT INTO catalogue.product (id, product_code, name, changed_in) VALUES ($1, $2, 'name', 1)",
                product_id, f"P-{product_id}")
        for each in documents:
            numbers = part_numbers(each.parts)
            await database.execute(
                "INSERT INTO catalogue.document"
                " (product_id, currency, template, part_ids, part_currencies, part_costs_units)"
                " VALUES ($1, $2, $3, $4, $5, $6)", each.product_id, each.currency, each.template,
                numbers[::2], [name for name in each.part_currencies.split(",") if name], numbers[1::2])
    before = await _rows(bare_database_url)
    assert [len(row["part_ids"]) for row in before] == [3, 3, 0]
    await migrations.upgrade(bare_database_url, "0014")
    assert [Document(row["product_id"], row["currency"], row["template"], row["parts"], row["part_currencies"])
            for row in await _rows(bare_database_url)] == documents
    await _downgrade(bare_database_url, _BEFORE)
    assert [dict(row) for row in await _rows(bare_database_url)] == [dict(row) for row in before]
