"""The catalogue in memory: it follows the database, and keeps within its bounds."""

import asyncio
import itertools
from datetime import timedelta

import pytest

from makola.core.catalogue.service.prices import save_rules
from makola.core.catalogue.service.products import save_products
from makola.core.catalogue.shelf import filling, offer_book
from makola.core.catalogue.shelf.documents import DocumentShelf, Shelved
from makola.core.catalogue.shelf.shelf import Shelf
from makola.core.catalogue.types import CHANNEL, ProductPrice, Selection
from makola.kit.background import Background
from makola.kit.clock import now
from makola.kit.database import Database, WakeUps
from tests.catalogue.shop import CHAIN, Shop, fixed, markup, open_shop, phone, simple, withheld

_ENOUGH_S = 1.0


async def _price_becomes(shop: Shop, who: str, product_id: int, price: float | None) -> float:
    """Return the seconds until a tier sees a price."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while await shop.price(who, product_id) != price:
        assert loop.time() - began < 10, await shop.price(who, product_id)
        await asyncio.sleep(0.01)
    return loop.time() - began


async def _following(shop: Shop, database_url: str) -> tuple[Background, WakeUps]:
    """Let the shelf follow the database as in a web process."""
    wake_ups, background = WakeUps(database_url), Background()
    background.every("catalogue", shop.shelf.refresh, idle_s=1.0, wake=wake_ups.on(CHANNEL))
    wake_ups.start((CHANNEL,))
    return background, wake_ups


async def test_a_change_at_the_top_is_seen_at_the_bottom_at_once(shop: Shop, database_url: str) -> None:
    (product_id,) = await shop.add(simple("P", "p", 10_000))
    await shop.offer_everything()
    background, wake_ups = await _following(shop, database_url)
    try:
        assert await shop.price("e", product_id) == 1
        for amount, price in ((5_000, 1.5), (10_000, 2), (0, 1)):
            async with shop.database.transaction() as connection:
                await save_rules(connection, [markup(shop.id_of("platform"), amount)])
            assert await _price_becomes(shop, "e", product_id, price) < _ENOUGH_S
        async with shop.database.transaction() as connection:
            await save_products(connection, [simple("P", "p", 30_000)])
        assert await _price_becomes(shop, "e", product_id, 3) < _ENOUGH_S
        async with shop.database.transaction() as connection:
            await save_rules(connection, [withheld(shop.id_of("c"))])
        assert await _price_becomes(shop, "e", product_id, None) < _ENOUGH_S
        assert await shop.price("c", product_id) == 3
    finally:
        await background.stop()
        await wake_ups.stop()


async def test_a_lost_notification_delays_a_price_by_a_second_at_most(shop: Shop) -> None:
    (product_id,) = await shop.add(simple("P", "p", 10_000))
    await shop.offer_everything()
    background = Background()
    background.every("catalogue", shop.shelf.refresh, idle_s=1.0)
    try:
        async with shop.database.transaction() as connection:
            await save_rules(connection, [markup(shop.id_of("platform"), 5_000)])
        assert await _price_becomes(shop, "e", product_id, 1.5) < _ENOUGH_S + 0.5
    finally:
        await background.stop()


async def test_a_rule_begins_and_ends_by_itself(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    (product_id,) = await shop.add(simple("P", "p", 10_000))
    await shop.offer_everything()
    begin, end = now() + timedelta(hours=1), now() + timedelta(hours=2)
    await shop.rule(markup(shop.id_of("b"), 5_000, product_id=product_id, valid_from=begin, valid_to=end))
    moment = timedelta(microseconds=1)
    for at, price in ((now(), 1), (begin - moment, 1), (begin, 1.5), (end - moment, 1.5), (end, 1)):
        monkeypatch.setattr(offer_book, "now", lambda at=at: at)
        assert await shop.price("d", product_id) == price


async def test_a_transaction_that_commits_late_is_not_missed(shop: Shop) -> None:
    """The late one's number is lower than those that the shelf has seen."""
    first, second = await shop.add(simple("P", "p", 10_000), simple("Q", "q", 10_000))
    async with shop.database.connection() as late:
        transaction = late.transaction()
        await transaction.start()
        await save_products(late, [simple("P", "p", 20_000)])
        await shop.add(simple("Q", "q", 30_000))
        assert [await shop.price("platform", each) for each in (first, second)] == [1, 3]
        await transaction.commit()
    await shop.shelf.refresh()
    assert [await shop.price("platform", each) for each in (first, second)] == [2, 3]


async def test_numbers_of_a_former_server_do_no_harm(shop: Shop) -> None:
    """A restored database holds numbers of transactions that this server has not come to yet."""
    (product_id,) = await shop.add(simple("P", "p", 10_000))
    await shop.database.execute("UPDATE catalogue.product SET changed_in = 9223372036854775807")
    assert await shop.shelf.refresh() is False
    await shop.add(simple("P", "p", 20_000))
    assert await shop.price("platform", product_id) == 2


async def test_every_change_of_a_product_is_followed(shop: Shop) -> None:
    first, second = await shop.add(simple("P", "pear", 10_000, vendor="Acme", stock=5), simple("Q", "quince", 20_000))
    await shop.offer_everything(1_000)
    assert await shop.codes("a", "?sort_by=+name") == ["P", "Q"]
    await shop.add(simple("P", "zebra", 90_000, vendor="Acme", popularity=3, stock=7, description="new"))
    product = (await shop.get("a", f"/products/{first}")).json()
    assert (product["name"], product["price"], product["stock"], product["description"]) == ("zebra", 9.9, 7, "new")
    assert await shop.codes("a", "?sort_by=+name") == ["Q", "P"]
    assert await shop.codes("a", "?text=pear") == []
    assert await shop.codes("a", "?text=ZEB") == ["P"]
    assert await shop.codes("a") == ["P", "Q"]
    await shop.add(simple("Q", "quince", 20_000, popularity=4, type="Fruit"))
    assert await shop.codes("a") == ["Q", "P"]
    types = {each["name"]: each["id"] for each in (await shop.get("a", "/product_types")).json()}
    assert await shop.codes("a", f"?type={types['Fruit']}") == ["Q"]
    await shop.add(simple("Q", "quince", 20_000, withdrawn=True))
    assert await shop.codes("a") == ["P"]
    assert await shop.price("a", second) is None
    await shop.add(simple("Q", "quince", 20_000))
    assert await shop.price("a", second) == 2.2
    await shop.add(simple("R", "raisin", 1))
    assert await shop.codes("a", "?sort_by=+price") == ["R", "Q", "P"]


async def test_children_that_are_treated_alike_share_their_prices(shop: Shop) -> None:
    (product_id,) = await shop.add(simple("P", "p", 10_000))
    await shop.offer_everything()
    chains = {word: (*shop.chain("b"), shop.id_of(word)) for word in ("c", "c2")}
    offers = {word: await shop.shelf._offers.offer(chain, "GBP") for word, chain in chains.items()}
    assert offers["c"] is offers["c2"]
    await shop.rule(markup(shop.id_of("b"), 9_000, buyer_id=shop.id_of("c2")))
    offers = {word: await shop.shelf._offers.offer(chain, "GBP") for word, chain in chains.items()}
    assert offers["c"] is not offers["c2"]
    assert (await shop.price("c", product_id), await shop.price("c2", product_id)) == (1, 1.9)


async def test_a_product_that_moves_to_another_vendor_follows_that_vendors_rules(shop: Shop) -> None:
    (product_id, _) = await shop.add(simple("P", "p", 10_000, type="One"), simple("Q", "q", 10_000, type="Two"))
    types = {each["name"]: each["id"] for each in (await shop.get("platform", "/product_types")).json()}
    root = shop.id_of("platform")
    await shop.rule(markup(root, 1_000, type_id=types["One"]), markup(root, 2_000, type_id=types["Two"]),
                    fixed(root, product_id, 77, min_quantity=2))
    assert await shop.price("a", product_id) == 1.1
    await shop.add(simple("P", "p", 10_000, type="Two"))
    assert await shop.price("a", product_id) == 1.2


async def test_it_keeps_within_its_bounds(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "MOST_FIGURES", 20)
    monkeypatch.setattr(offer_book, "FEWEST_OFFERS", 3)
    monkeypatch.setattr(offer_book, "MOST_PRICES", 1)
    monkeypatch.setattr(filling, "MOST_CHANGES", 10)
    monkeypatch.setattr(offer_book, "MOST_CHAINS", 2)
    async with open_shop(database, document_limit_bytes=40_000) as shop:
        await shop.add(*(phone(product_code=f"P-{number:03d}") for number in range(60)))
        await shop.offer_everything(1_000)
        everything = await shop.codes("a", "?sort_by=+name&per_page=60")
        assert len(everything) == 60
        for page in (1, 6, 3, 1, 6):
            for word in CHAIN[1:]:
                codes = await shop.codes(word, f"?sort_by=+name&per_page=10&page={page}")
                assert codes == everything[(page - 1) * 10:page * 10]
        assert len(shop.shelf._offers) == 3
        assert sum(len(offer.figures) for offer in shop.shelf._offers) <= 20
        documents = shop.shelf._filling._documents["GBP"]
        kept = [position for position, template in enumerate(documents.templates) if template is not None]
        assert 0 < len(kept) < 60
        assert documents.size_bytes == sum(documents._size_bytes(position) for position in kept) <= 40_000
        await shop.add(*(phone(product_code=f"P-{number:03d}", name="Changed") for number in range(60)))
        answer = await shop.get("e", "/products")
        assert {product["name"] for product in answer.json()} == {"Changed"}
        assert {product["price"] for product in answer.json()} == {110.132}


async def test_readers_see_no_mixture_while_products_change(shop: Shop) -> None:
    """Each document is one state of its product, and the last state is what stays."""
    def state(number: int) -> list[object]:
        return [simple(f"P{each}", f"state {number}", number * 10_000, description=f"state {number}")
                for each in range(30)]

    await shop.add(*state(1))  # type: ignore[arg-type] # products
    stop = asyncio.Event()

    async def write() -> None:
        for number in range(2, 12):
            async with shop.database.transaction() as connection:
                await save_products(connection, state(number))  # type: ignore[arg-type] # products
            await shop.shelf.refresh()
        stop.set()

    async def read() -> None:
        while not stop.is_set():
            for product in (await shop.get("platform", "/products")).json():
                assert product["name"] == product["description"]
            await asyncio.sleep(0)

    await asyncio.gather(write(), read(), read())
    last = (await shop.get("platform", "/products")).json()
    assert {(product["name"], product["price"]) for product in last} == {("state 11", 11)}


async def test_a_shelf_begins_with_everything_there_is(shop: Shop) -> None:
    await shop.add(*(simple(f"P{number}", f"Product {number}", number) for number in range(1_200)))
    another = Shelf(shop.database)
    await another.refresh()
    page = await another.page(shop.chain("platform"), "GBP", Selection(), limit=5, offset=1_198)
    assert page.total == 1_200
    assert len(page.documents) == 2


async def test_currencies_share_the_room_for_documents(database: Database) -> None:
    limit_bytes = 100_000
    async with open_shop(database, document_limit_bytes=limit_bytes) as shop:
        await shop.add(*(phone(product_code=f"P-{number:03d}", prices=(
            ProductPrice("EUR", 1), ProductPrice("GBP", 1)), detailed_description="x" * 1_000) for number in range(60)))
        await shop.offer_everything()
        sizes: list[dict[str, int]] = []
        for currency in ("GBP", "EUR", "GBP"):
            page = await shop.shelf.page(shop.chain("c"), currency, Selection(), limit=60, offset=0)
            assert len(page.documents) == 60
            sizes.append({each: shelf.size_bytes for each, shelf in shop.shelf._filling._documents.items()})
        assert sizes[0]["GBP"] > 0.9 * limit_bytes
        for both in sizes[1:]:
            assert 0.4 * limit_bytes < min(both.values()) <= sum(both.values()) <= limit_bytes


def test_documents_that_change_again_and_again_leave_nothing_behind() -> None:
    documents = DocumentShelf(10_000)
    documents.make_room_for(3)
    for _ in range(100):
        for position in range(3):
            documents.put(position, Shelved(b"template", b"", ()))
            documents.drop(position)
    assert documents.size_bytes == 0
    assert len(documents._queue) <= 6


async def test_the_orders_that_are_kept_are_few(shop: Shop) -> None:
    await shop.add(simple("A", "b", 1), simple("B", "a", 2))
    await shop.offer_everything()
    for keys in itertools.product(("+name", "-name", "-popularity"), repeat=4):
        codes = await shop.codes("e", "?" + "&".join(f"sort_by={key}" for key in keys))
        by_name = [key for key in keys if key != "-popularity"]
        assert codes == (["B", "A"] if by_name[:1] == ["+name"] else ["A", "B"])
    assert len(shop.shelf._lists._orders) <= 7
