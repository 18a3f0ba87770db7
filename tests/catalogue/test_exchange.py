"""`makola import` and `makola export`."""

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makola.commands.exchange.commands import _KINDS
from makola.commands.exchange.formats import FileError, Problem, RowWriter
from makola.commands.exchange.importing import Outcome, Wishes, import_file
from makola.core.catalogue import queries
from makola.core.catalogue.service.prices import save_rules
from makola.core.catalogue.service.products import save_products
from makola.core.catalogue.types import (
    BillingFrequency,
    ChargeModel,
    ChargeType,
    Money,
    Product,
    ProductPrice,
    RatePlan,
    RatePlanCharge,
    ServiceItem,
)
from makola.core.ordering.service.settings import save_shipping_types
from makola.core.ordering.types import ShippingType
from makola.core.organisations.queries import whole_tree
from makola.kit.database import Database
from tests.catalogue.shop import Shop, fixed, markup, phone, simple, withheld

_BY_NAME = {kind.name: kind for kind in _KINDS}
_FORMATS = ("csv", "xlsx", "jsonl")


async def _import(database: Database, kind: str, path: Path, **wishes: bool) -> tuple[Outcome, list[str]]:
    problems: list[Problem] = []
    done: list[float] = []
    outcome = await import_file(database, path, _BY_NAME[kind].importer(), Wishes(**wishes), problems.append,
                                done.append)
    assert done == sorted(done)
    assert done[-1] == 1
    return outcome, [str(problem) for problem in problems]


async def _export(database: Database, kind: str, path: Path) -> None:
    async with database.transaction() as connection:
        with RowWriter(path, list(_BY_NAME[kind].columns)) as writer:
            async for row in _BY_NAME[kind].rows(connection):
                writer.write(row)


def _write(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """Write rows as somebody else would."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(rows)
    else:
        book = openpyxl.Workbook()
        sheet = book.worksheets[0]
        sheet.append(names)
        for row in rows:
            cells: list[Any] = [row.get(name) for name in names]
            sheet.append(cells)
        book.save(path)
    return path


async def _products(database: Database) -> list[Product]:
    async with database.transaction() as connection:
        return [product async for batch in queries.all_products(connection) for product in batch]


_text = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs", "Cc")), max_size=30)
_name = _text.map(str.strip).filter(bool)
_units = st.integers(0, 10**15)
_costs = st.dictionaries(st.sampled_from(("GBP", "EUR", "USD")), _units, max_size=3).map(
    lambda costs: tuple(Money(currency, units) for currency, units in sorted(costs.items())))
_services = st.lists(st.builds(ServiceItem, _name, _name, st.booleans(), _costs), max_size=2,
                     unique_by=lambda item: item.sku).map(tuple)
_charges = st.lists(st.builds(
    RatePlanCharge, _name, st.sampled_from(ChargeType), st.sampled_from(ChargeModel), _text, _costs),
    max_size=2, unique_by=lambda charge: charge.name).map(tuple)
_plans = st.lists(st.builds(
    RatePlan, _name, st.integers(0, 99), st.sampled_from(BillingFrequency), st.none() | st.integers(0, 99),
    st.booleans(), st.just(1), st.none() | st.integers(1, 99), _charges),
    max_size=2, unique_by=lambda plan: plan.name).map(tuple)
_some_prices = st.dictionaries(st.sampled_from(("GBP", "EUR")), st.tuples(_units, st.none() | _units, _units),
                               max_size=2).map(lambda prices: tuple(
                                   ProductPrice(currency, *money) for currency, money in sorted(prices.items())))
_url = st.just("") | _name.map(lambda name: f"https://x.example/{name}")
_any_product = st.builds(
    Product, _name, _name, _text.map(str.strip), _text.map(str.strip), _text, st.just("two\nlines\r\nand = one"),
    _text, _url, _url, _url, _url, _url, st.integers(0, 2**63 - 1), _text.map(str.strip), st.booleans(),
    st.booleans(), st.integers(-5, 2**63 - 1), st.booleans(), _some_prices, _services, _services, _plans)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(products=st.lists(_any_product, max_size=5, unique_by=lambda each: (each.product_code, each.vendor)),
       ending=st.sampled_from(_FORMATS))
async def test_what_is_exported_is_imported_again(
        database: Database, tmp_path_factory: pytest.TempPathFactory, products: list[Product], ending: str) -> None:
    path = tmp_path_factory.mktemp("export") / f"products.{ending}"
    if ending == "xlsx":  # where XML makes line feeds of all line ends
        products = [replace(each, detailed_description="two\nlines") for each in products]
    await database.execute("TRUNCATE catalogue.product, catalogue.vendor, catalogue.product_type CASCADE")
    async with database.transaction() as connection:
        await save_products(connection, products)
    before = await _products(database)
    assert sorted(before, key=repr) == sorted(products, key=repr)
    await _export(database, "products", path)
    await database.execute("TRUNCATE catalogue.product, catalogue.vendor, catalogue.product_type CASCADE")
    outcome, problems = await _import(database, "products", path)
    assert problems == []
    assert outcome == Outcome(len(products), 0, is_stored=True)
    assert await _products(database) == before


@pytest.mark.parametrize("ending", _FORMATS)
async def test_every_bad_row_is_named_by_line_and_field(database: Database, tmp_path: Path, ending: str) -> None:
    rows: list[dict[str, object]] = [
        {"product_code": "A", "name": "a", "stock": "5", "currency": "GBP", "cost": "1.5"},
        {"product_code": "B", "name": "b", "stock": "-1", "currency": "GBP", "cost": "1"},
        {"product_code": "C", "name": "c", "stock": "many", "is_shippable": "perhaps", "currency": "GBP", "cost": "1"},
        {"product_code": "", "name": "d"},
        {"product_code": "E", "name": ""},
        {"product_code": "A", "name": "again"},
        {"product_code": "F", "name": "f", "currency": "GBP", "cost": "1.23456"},
        {"product_code": "G", "name": "g", "currency": "GBP"},
        {"product_code": "H", "name": "h", "provisioning": '[{"sku": "x"}]'},
        {"product_code": "I", "name": "i", "provisioning": "not JSON"},
        {"product_code": "J", "name": "j", "thumb_url": "javascript:alert(1)"},
        {"product_code": "K", "name": "k", "currency": "pounds", "cost": "1"},
        {"product_code": "L", "name": "l", "cost": "-1", "currency": "GBP"},
        {"product_code": "M", "name": "m", "maintenance": '[{"sku":"s","name":"n","costs":{"GBP":0.00001}}]'},
        {"product_code": "N", "name": "n", "rate_plans": '[{"name":"p","term_length":1,"billing_frequency":"daily"}]'},
        {"product_code": "Z", "name": "z"},
    ]
    path = _write(tmp_path / f"products.{ending}", rows)
    outcome, problems = await _import(database, "products", path)
    first = 1 if ending == "jsonl" else 2
    found = {tuple(problem.removeprefix("line ").split(": ")[:2]) for problem in problems}
    assert found == {(str(first + index), field) for index, field in (
        (1, "stock"), (2, "stock"), (2, "is_shippable"), (3, "product_code"), (4, "name"), (5, "product_code"),
        (6, "cost"), (7, "cost"), (8, "provisioning"), (9, "provisioning"), (10, "thumb_url"),
        (11, "prices[0].currency"), (12, "cost"), (13, "maintenance[0].costs.GBP"), (14, "rate_plans"))}
    assert outcome == Outcome(2, 14, is_stored=False)
    assert await _products(database) == []
    outcome, again = await _import(database, "products", path, dry_run=True, skip_bad_rows=True)
    assert (outcome.is_stored, again) == (False, problems)
    assert await _products(database) == []
    outcome, _ = await _import(database, "products", path, skip_bad_rows=True)
    assert outcome == Outcome(2, 14, is_stored=True)
    assert [product.product_code for product in await _products(database)] == ["A", "Z"]


@pytest.mark.parametrize("ending", _FORMATS)
async def test_what_a_file_does_not_say_stays(database: Database, tmp_path: Path, ending: str) -> None:
    whole = replace(phone(), prices=(ProductPrice("EUR", 5, 6, 7), ProductPrice("GBP", 1_001_200, 1_101_200, 200_000)))
    async with database.transaction() as connection:
        await save_products(connection, [whole])
    path = _write(tmp_path / f"stock.{ending}", [
        {"product_code": "NEW-PH0N3", "vendor": "Acme", "stock": 3, "currency": "GBP", "cost": 99.5, "rrp": None}])
    outcome, problems = await _import(database, "products", path)
    assert (outcome.good, problems) == (1, [])
    assert await _products(database) == [replace(whole, stock=3, prices=(
        ProductPrice("EUR", 5, 6, 7), ProductPrice("GBP", 995_000, None, 0)))]


@pytest.mark.parametrize("ending", _FORMATS)
async def test_numbers_that_a_spreadsheet_makes_of_codes(database: Database, tmp_path: Path, ending: str) -> None:
    path = _write(tmp_path / f"products.{ending}", [
        {"product_code": 123, "name": 45.0, "stock": 7.0, "currency": "GBP", "cost": 0.1, "is_shippable": True}])
    _, problems = await _import(database, "products", path)
    assert problems == []
    (product,) = await _products(database)
    assert (product.product_code, product.stock, product.prices[0].cost_units) == ("123", 7, 1_000)
    assert product.name in {"45", "45.0"}  # in CSV it is the text that stands there


@pytest.mark.parametrize(("name", "content", "message"), [
    ("a.txt", b"", "must end with"), ("a.csv", b"product_code,nmae\nA,a\n", "'nmae'"),
    ("a.csv", b"name,name\n", "each once"), ("a.csv", b"name,,stock\n", "name every column"),
    ("a.xlsx", b"this is no zip", "zip"), ("missing.csv", None, "No such file")])
async def test_a_file_that_cannot_be_read_is_refused(database: Database, tmp_path: Path, name: str,
                                                     content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=message):
        await _import(database, "products", tmp_path / name)


async def test_lines_that_are_no_rows(database: Database, tmp_path: Path) -> None:
    lines = tmp_path / "products.jsonl"
    lines.write_bytes(b'\xef\xbb\xbf{"product_code":"A","name":"a"}\n\nnonsense\n[1]\n"x"\n{"product_code":"B",'
                      b'"name":"b","surprise":1}\n{"product_code":"C","name":"\xff"}\n' + b"[" * 100_000 + b"\n")
    outcome, problems = await _import(database, "products", lines, skip_bad_rows=True)
    assert [problem.split(":")[0] for problem in problems] == [f"line {line}" for line in (3, 4, 5, 6, 7, 8)]
    assert outcome == Outcome(1, 6, is_stored=True)
    table = tmp_path / "products.csv"
    table.write_bytes(b"\xef\xbb\xbfproduct_code,name\r\n\"A\",\"two\r\nlines\"\r\nB,b,surplus\r\n\r\nC\r\nD,\xff\r\nE,e\r\n")
    outcome, problems = await _import(database, "products", table, skip_bad_rows=True)
    assert [problem.split(":")[0] for problem in problems] == [f"line {line}" for line in (4, 7, 6)]
    assert "the rest was not read" in problems[1]


@pytest.mark.parametrize(("line", "field"), [
    ('{"product_code":"A","name":"a","name":"b"}', "name"),
    ('{"product_code":"A","name":"a: b","stock":1,"stock":1}', "stock"),
    ('{"product_code":"A","name":"a","n\\u0061me":"b"}', "name"),
    ('{"product_code":"A","name":"a","provisioning":[{"sku":"A","name":"a","sku":"B","costs":{"GBP":1}}]}', "sku"),
])
async def test_a_line_that_says_a_field_twice_is_a_bad_row_that_names_it(database: Database, tmp_path: Path, line: str,
                                                                        field: str) -> None:
    path = tmp_path / "products.jsonl"
    path.write_text(f'{{"product_code":"Z","name":"http://z.example/: z"}}\n{line}\n')
    outcome, problems = await _import(database, "products", path, skip_bad_rows=True)
    assert problems == [f"line 2: {field}: this field is there twice"]
    assert outcome == Outcome(1, 1, is_stored=True)
    assert [product.product_code for product in await _products(database)] == ["Z"]


async def test_json_in_a_cell_that_says_a_field_twice_is_refused(database: Database, tmp_path: Path) -> None:
    path = _write(tmp_path / "products.csv", [
        {"product_code": "A", "name": "a", "currency": "GBP", "cost": "1",
         "provisioning": '[{"sku":"A","name":"a","sku":"B","costs":{"GBP":1}}]'}])
    _, problems = await _import(database, "products", path)
    assert problems == ["line 2: provisioning: the field sku is there twice"]
    path = _write(tmp_path / "organisations.csv", [
        {"organisation": "", "parent": "1", "name": "x", "credit_limits": '{"GBP":1,"GBP":2}'}])
    _, problems = await _import(database, "organisations", path)
    assert problems == ["line 2: credit_limits: GBP is there twice"]


async def test_a_row_that_only_the_database_refuses_is_found(database: Database, tmp_path: Path) -> None:
    await database.execute("ALTER TABLE catalogue.product ADD CONSTRAINT unlucky CHECK (product_code <> 'P13')")
    path = _write(tmp_path / "products.csv", [{"product_code": f"P{n}", "name": "n"} for n in range(20)])
    outcome, problems = await _import(database, "products", path, skip_bad_rows=True)
    assert outcome == Outcome(19, 1, is_stored=True)
    assert problems[0].startswith("line 15: ")
    assert "unlucky" in problems[0]
    assert len(await _products(database)) == 19


async def test_prices_go_out_and_come_in_again(shop: Shop, tmp_path: Path) -> None:
    product_id, other_id = await shop.add(phone(), simple("P", "p", 5))
    parts = {row["name"]: row["id"] for row in await shop.database.fetch(
        "SELECT kind AS name, id FROM catalogue.service_item UNION ALL SELECT name, id FROM"
        " catalogue.rate_plan_charge")}
    vendor_id = await shop.database.fetchval("SELECT id FROM catalogue.vendor")
    type_id = await shop.database.fetchval("SELECT id FROM catalogue.product_type")
    root, a, b = (shop.id_of(word) for word in ("platform", "a", "b"))
    moment = datetime(2026, 11, 23, 12, 30, 1, 5, tzinfo=UTC)
    await shop.rule(
        markup(root, 1_234), markup(root, 1, vendor_id=vendor_id, type_id=type_id, rounding_units=100),
        fixed(root, product_id, 999_999, min_quantity=10, valid_from=moment),
        fixed(root, product_id, 1, part_id=parts["maintenance"]),
        markup(root, 1, product_id=product_id, part_id=parts["Monthly maintenance fee"], currency="GBP"),
        withheld(a, product_id=other_id, buyer_id=b, valid_to=moment), markup(a, 0, type_id=type_id))
    columns = ("seller_id, buyer_id, product_id, part_id, type_id, vendor_id, currency, min_quantity, valid_from,"
               " valid_to, kind, amount, rounding_units")
    before = await shop.database.fetch(f"SELECT {columns} FROM catalogue.price_rule ORDER BY id")
    for ending in _FORMATS:
        path = tmp_path / f"prices.{ending}"
        await _export(shop.database, "prices", path)
        await shop.database.execute("DELETE FROM catalogue.price_rule")
        outcome, problems = await _import(shop.database, "prices", path)
        assert (outcome, problems) == (Outcome(7, 0, is_stored=True), [])
        assert await shop.database.fetch(f"SELECT {columns} FROM catalogue.price_rule ORDER BY id") == before
    outcome, _ = await _import(shop.database, "prices", path)  # once more changes nothing
    assert await shop.database.fetchval("SELECT count(*) FROM catalogue.price_rule") == 7


async def test_bad_price_rules_are_named(shop: Shop, tmp_path: Path) -> None:
    await shop.add(phone())
    root, a = shop.id_of("platform"), shop.id_of("a")
    rows: list[dict[str, object]] = [
        {"seller": root, "markup": "12.5%"},
        {"markup": 1}, {"seller": 999_999, "markup": 1}, {"seller": root, "buyer": shop.id_of("b"), "markup": 1},
        {"seller": a, "vendor": "Nobody", "markup": 1}, {"seller": a, "type": "Nothing", "markup": 1},
        {"seller": a, "product_code": "NEW-PH0N3", "markup": 1},  # without its vendor
        {"seller": a, "product_code": "NEW-PH0N3", "vendor": "Acme", "part": "provisioning/none", "markup": 1},
        {"seller": a, "price": 1, "currency": "GBP"}, {"seller": a, "markup": 1, "price": 2}, {"seller": a},
        {"seller": a, "kind": "withheld", "markup": 1}, {"seller": a, "kind": "gift"},
        {"seller": root, "markup": 2}, {"seller": a, "markup": 1.234},
        {"seller": a, "markup": 1, "valid_from": "yesterday"}, {"seller": 2**64, "markup": 1},
        {"seller": a, "kind": "withheld"}]
    outcome, problems = await _import(shop.database, "prices", _write(tmp_path / "prices.jsonl", rows),
                                      skip_bad_rows=True)
    fields = sorted((int(problem.split(":")[0].removeprefix("line ")), problem.split(": ")[1]) for problem in problems)
    assert fields == [
        (2, "seller"), (3, "seller"), (4, "buyer"), (5, "vendor"), (6, "type"), (7, "product_code"), (8, "part"),
        (9, "price"), (10, "price"), (11, "kind"), (12, "kind"), (13, "kind"), (14, "line 1 speaks of the same"),
        (15, "markup"), (16, "valid_from"), (17, "seller")]
    assert outcome == Outcome(2, 16, is_stored=True)


@pytest.mark.parametrize("ending", _FORMATS)
async def test_organisations_go_out_and_come_in_again(shop: Shop, tmp_path: Path, database_url: str,
                                                      ending: str) -> None:
    path = tmp_path / f"organisations.{ending}"
    await _export(shop.database, "organisations", path)
    async with shop.database.connection() as connection:
        before = await whole_tree(connection)
    outcome, problems = await _import(shop.database, "organisations", path)
    assert (outcome, problems) == (Outcome(len(before), 0, is_stored=True), [])
    async with shop.database.connection() as connection:
        assert await whole_tree(connection) == before


async def test_organisations_come_into_an_empty_database(database: Database, tmp_path: Path) -> None:
    path = _write(tmp_path / "organisations.csv", [
        {"organisation": 900, "parent": "", "name": "Root"},
        {"organisation": 5, "parent": 900, "name": "Reseller", "finance_type": "AGENT", "linked_account": "yes",
         "modules": "WEBSTORE", "credit_limits": '{"GBP": 1000.5}'},
        {"organisation": "", "parent": 5, "name": "Customer"}])
    outcome, problems = await _import(database, "organisations", path)
    assert (outcome, problems) == (Outcome(3, 0, is_stored=True), [])
    async with database.connection() as connection:
        tree = await whole_tree(connection)
    assert [(each.name, len(each.chain), str(each.finance_type), each.linked_account) for each in tree] == [
        ("Root", 1, "DIRECT", False), ("Reseller", 2, "AGENT", True), ("Customer", 3, "DIRECT", False)]
    assert await database.fetchval(
        "SELECT credit_limit FROM ledger.account WHERE owner_id = $1", tree[1].organisation_id) == 10_005_000
    bad = _write(tmp_path / "bad.csv", [
        {"organisation": 1, "parent": 777, "name": "Orphan"}, {"organisation": 2, "parent": "", "name": "Second root"},
        {"organisation": 3, "parent": tree[0].organisation_id, "name": ""},
        {"organisation": 3, "parent": tree[0].organisation_id, "name": "Wrong", "finance_type": "BARTER"},
        {"organisation": 3, "parent": tree[0].organisation_id, "name": "Twice"},
        {"organisation": 4, "parent": tree[0].organisation_id, "name": "Good"}])
    outcome, problems = await _import(database, "organisations", bad, skip_bad_rows=True)
    assert {tuple(problem.removeprefix("line ").split(": ")[:2]) for problem in problems} == {
        ("2", "parent"), ("3", "parent"), ("4", "name"), ("5", "finance_type"), ("6", "organisation")}
    assert outcome == Outcome(1, 5, is_stored=True)


@pytest.mark.parametrize("ending", _FORMATS)
async def test_shipping_types_go_out_and_come_in_again(database: Database, tmp_path: Path, ending: str) -> None:
    async with database.transaction() as connection:
        await save_shipping_types(connection, [
            ShippingType(0, "UK Standard Next Day Delivery", (829,), False), ShippingType(0, "Anywhere", (), False),
            ShippingType(0, "Not here", (829, 291), True)])
    select = "SELECT name, countries, exclude_countries FROM ordering.shipping_type ORDER BY name"
    before = await database.fetch(select)
    path = tmp_path / f"shipping.{ending}"
    await _export(database, "shipping-types", path)
    await database.execute("DELETE FROM ordering.shipping_type")
    outcome, problems = await _import(database, "shipping-types", path)
    assert (outcome, problems) == (Outcome(3, 0, is_stored=True), [])
    assert await database.fetch(select) == before
    bad = _write(tmp_path / "bad.csv", [{"name": "X", "countries": "GB,XX"}, {"countries": "GB"}, {"name": "Anywhere"},
                                        {"name": "Anywhere"}, {"name": "n" * 300}])
    outcome, problems = await _import(database, "shipping-types", bad)
    assert [problem.split(":")[0] for problem in problems] == ["line 2", "line 3", "line 5", "line 6"]
    assert not outcome.is_stored


async def test_what_is_imported_is_on_the_list_at_once(shop: Shop, tmp_path: Path) -> None:
    path = _write(tmp_path / "products.csv", [{"product_code": "P", "name": "p", "currency": "GBP", "cost": 2}])
    await _import(shop.database, "products", path)
    rules = _write(tmp_path / "prices.csv", [{"seller": shop.id_of("platform"), "markup": 50}])
    await _import(shop.database, "prices", rules)
    await shop.shelf.refresh()
    assert (await shop.get("a", "/products")).json()[0]["price"] == 3


async def test_a_spreadsheet_that_cannot_hold_a_text_says_so(database: Database, tmp_path: Path) -> None:
    async with database.transaction() as connection:
        await save_products(connection, [simple("P", "p", 1, description="x" * 40_000)])
    path = tmp_path / "products.xlsx"
    with pytest.raises(FileError, match="description"):
        await _export(database, "products", path)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - a look into a directory in memory
    await _export(database, "products", tmp_path / "products.csv")
    assert (await _import(database, "products", tmp_path / "products.csv"))[1] == []


async def test_rules_are_not_stored_with_a_wrong_one_among_them(shop: Shop) -> None:
    with pytest.raises(Exception, match="not a child"):
        async with shop.database.transaction() as connection:
            await save_rules(connection, [markup(shop.id_of("a"), 1),
                                          markup(shop.id_of("a"), 1, buyer_id=shop.id_of("e"))])
    assert await shop.database.fetchval("SELECT count(*) FROM catalogue.price_rule") == 0
