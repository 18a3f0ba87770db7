"""What orders take from stock is added up apart from them."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from makola.commands.exchange.importing import Wishes, import_file
from makola.commands.exchange.products import ProductImporter
from makola.core.catalogue.service.products import save_products
from makola.core.catalogue.service.stock import add_up_stock, note_stock_changes
from makola.kit.database import Database
from tests.catalogue.shop import Shop, phone, simple


async def _note(database: Database, changes: Mapping[int, int]) -> None:
    async with database.transaction() as connection:
        await note_stock_changes(connection, changes)


async def _stock(shop: Shop, product_id: int) -> int:
    while await add_up_stock(shop.database):
        pass
    await shop.shelf.refresh()
    found: int = (await shop.get("platform", f"/products/{product_id}")).json()["stock"]
    return found


async def test_stock_changes_without_a_new_document(shop: Shop) -> None:
    (product_id,) = await shop.add(phone(stock=5))
    for change, left in ((-3, 2), (-2, 0), (7, 7), (0, 7)):
        await _note(shop.database, {product_id: change})
        assert await _stock(shop, product_id) == left


async def test_nobody_is_shown_less_than_nothing_and_what_is_given_back_counts(shop: Shop) -> None:
    (product_id,) = await shop.add(phone(stock=5))
    await _note(shop.database, {product_id: -8})
    assert await _stock(shop, product_id) == 0
    await _note(shop.database, {product_id: 2})
    assert await _stock(shop, product_id) == 0
    await _note(shop.database, {product_id: 2})
    assert await _stock(shop, product_id) == 1


async def test_what_many_take_at_once_is_all_counted(shop: Shop) -> None:
    ids = await shop.add(*(simple(f"P{number}", "p", 1, stock=1_000) for number in range(5)))
    taken: Counter[int] = Counter()

    async def take(number: int) -> None:
        changes = {ids[number % 5]: number, ids[(number + 1) % 5]: 1}
        taken.update(changes)
        await _note(shop.database, {product_id: -change for product_id, change in changes.items()})
        await add_up_stock(shop.database)

    await asyncio.gather(*(take(number) for number in range(1, 40)))
    assert [await _stock(shop, product_id) for product_id in ids] == [1_000 - taken[each] for each in ids]
    assert await shop.database.fetchval("SELECT count(*) FROM catalogue.stock_change") == 0


async def test_neither_orders_nor_imports_wait_for_each_other(shop: Shop) -> None:
    first, second = await shop.add(simple("A", "a", 1, stock=10), simple("B", "b", 1, stock=10))
    async with shop.database.transaction() as connection:
        await save_products(connection, [simple("A", "a", 1, stock=None)])
        async with asyncio.timeout(30):
            await _note(shop.database, {first: -1, second: -2})
            await add_up_stock(shop.database)
            assert await shop.database.fetchval("SELECT stock FROM catalogue.product WHERE id = $1", second) == 8
    assert await _stock(shop, first) == 9


async def test_an_import_that_says_nothing_of_stock_leaves_it_as_it_is(shop: Shop, tmp_path: Path) -> None:
    (product_id,) = await shop.add(phone(stock=5))
    await _note(shop.database, {product_id: -7})
    assert await _stock(shop, product_id) == 0
    file = tmp_path / "products.csv"
    file.write_text("product_code,vendor,name\nNEW-PH0N3,Acme,Renamed\nOTHER,Acme,Other\n")
    problems: list[object] = []
    outcome = await import_file(shop.database, file, ProductImporter(), Wishes(), problems.append, lambda done: None)
    assert (outcome.good, problems) == (2, [])
    await _note(shop.database, {product_id: 3})
    assert await _stock(shop, product_id) == 1
    assert [row["stock"] for row in await shop.database.fetch(
        "SELECT stock FROM catalogue.product ORDER BY product_code")] == [1, 0]


async def test_what_does_not_exist_is_forgotten_and_what_is_too_much_is_bounded(shop: Shop) -> None:
    (product_id,) = await shop.add(replace(phone(), stock=2**63 - 1))
    await _note(shop.database, {product_id: 10, 4_611_686_018_427_387_904: 1})
    assert await _stock(shop, product_id) == 2**63 - 1
    assert await shop.database.fetchval("SELECT count(*) FROM catalogue.stock_change") == 0
