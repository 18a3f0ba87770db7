"""`GET /api/v1/products` and `GET /api/v1/products/{id}`."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from makola.core.catalogue.types import Money, ProductPrice, ServiceItem
from makola.core.organisations.permissions import Permission
from makola.kit.database import Database
from tests.catalogue.shop import Shop, fixed, markup, open_shop, phone, simple, withheld
from tests.hub.test_document import Checker
from tests.statements import logged

#: The Hub API's document, with ids of our own.
_SAMPLE = {
    "name": "A New Phone", "product_code": "NEW-PH0N3", "description": "100 Lines, Full Colour, Makes Toast Too",
    "detailed_description": "This phone is everything you need in a new device. It makes toast, orders lunch, and even"
                            " has been known to save lives*\n*T&Cs apply",
    "featured_description": "100 lines\nFull colour screen\nIn-built toaster", "rrp": 110.12, "price": 100.12,
    "thumb_url": "https://x.example/t", "main_image_url": "https://x.example/m",
    "datasheet_url": "https://x.example/d", "guide_url": "https://x.example/g",
    "quickstart_url": "https://x.example/q", "stock": 9001,
    "provisioning": [{"sku": "123-4567-1200", "name": "Phone maintenance", "price": 12.34, "dovetail": False}],
    "maintenance": [{"sku": "123-4567-1200", "name": "Phone maintenance", "price": 12.34, "dovetail": False}],
    "shipping_cost": 20, "subscription_type": "DROPBOX",
    "rate_plans": [{
        "name": "Monthly Gold", "term_length": 24, "billing_frequency": "monthly", "renewal_term_length": 12,
        "default": True, "min_quantity": 1, "max_quantity": 100,
        "rate_plan_charges": [{
            "name": "Monthly maintenance fee", "charge_type": "recurring", "charge_model": "per_unit",
            "rate_plan_charge_costs": [{"currency": "GBP", "charge_cost_price": 4.99}],
            "unit_of_measure": "User"}]}],
    "is_shippable": False, "is_financeable": False}
_FIELDS = ["id", "name", "product_code", "description", "detailed_description", "featured_description", "vendor",
           "type", "rrp", "price", "thumb_url", "main_image_url", "datasheet_url", "guide_url", "quickstart_url",
           "stock", "provisioning", "maintenance", "shipping_cost", "subscription_type", "rate_plans", "is_shippable",
           "is_financeable"]


def _without_ids(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_ids(entry) for name, entry in value.items() if name not in {"id", "vendor", "type"}}
    return [_without_ids(entry) for entry in value] if isinstance(value, list) else value


@pytest_asyncio.fixture(scope="module")
async def store(shared_database: Database) -> AsyncIterator[Shop]:
    """Products that no test changes: two vendors, two types, and some without."""
    async with open_shop(shared_database) as shop:
        await shop.add(
            simple("P-1", "beta", 30_000, vendor="Acme", type="Phones", popularity=5),
            simple("P-2", "Alpha", 10_000, vendor="Acme", type="Cables", popularity=9),
            simple("P-3", "gamma", 20_000, vendor="Bell", type="Phones", popularity=1),
            simple("Q/é-4", "Straße 50% off", 20_000, popularity=7),
            simple("P-5", "alpha", 40_000, vendor="Bell", popularity=5),
            simple("P-6", "withdrawn", 1, withdrawn=True, popularity=99),
            simple("P-7", "not in pounds", 1, popularity=98), phone(product_code="PHONE", popularity=3))
        await shop.database.execute("UPDATE catalogue.product SET name = name")  # other transactions come and go
        async with shop.database.transaction() as connection:
            await connection.execute("UPDATE catalogue.product_price SET currency = 'EUR' WHERE product_id ="
                                     " (SELECT id FROM catalogue.product WHERE product_code = 'P-7')")
            await connection.execute("UPDATE catalogue.product SET changed_in = pg_current_xact_id()::text::bigint"
                                     " WHERE product_code = 'P-7'")
        await shop.offer_everything(1000, 500)
        yield shop


async def test_every_field_of_the_document(shop: Shop) -> None:
    (product_id,) = await shop.add(phone())
    one = await shop.get("platform", f"/products/{product_id}")
    assert one.status_code == 200
    assert one.headers["content-type"].startswith("application/json")
    assert list(one.json()) == _FIELDS
    assert _without_ids(one.json()) == _SAMPLE
    vendors = (await shop.get("platform", "/vendors")).json()
    types = (await shop.get("platform", "/product_types")).json()
    assert vendors == [{"id": one.json()["vendor"], "name": "Acme"}]
    assert types == [{"id": one.json()["type"], "name": "Phones"}]
    many = await shop.get("platform", "/products")
    assert many.json() == [one.json()]
    assert many.headers["X-Total-Count"] == many.headers["X-Total-Pages"] == "1"


async def test_ids_inside_a_product_are_all_different_and_stay(shop: Shop) -> None:
    def part_ids(product: dict[str, object]) -> list[object]:
        found: list[object] = []

        def collect(value: object) -> None:
            for entry in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
                collect(entry)
            if isinstance(value, dict) and {"sku", "charge_type"} & value.keys():
                found.append(value["id"])

        collect(product)
        return found

    (product_id,) = await shop.add(phone())
    before = (await shop.get("platform", f"/products/{product_id}")).json()
    await shop.add(phone(name="Another name", maintenance=()))
    after = (await shop.get("platform", f"/products/{product_id}")).json()
    assert len(set(part_ids(before))) == 3
    assert part_ids(after) == [each for each in part_ids(before) if each != before["maintenance"][0]["id"]]
    assert after["rate_plans"] == before["rate_plans"]
    assert after["name"] == "Another name"


async def test_what_is_not_there_is_null_or_empty(shop: Shop) -> None:
    (product_id,) = await shop.add(simple("X", "x", 5))
    product = (await shop.get("platform", f"/products/{product_id}")).json()
    assert {name for name, value in product.items() if value is None} == {
        "vendor", "type", "rrp", "thumb_url", "main_image_url", "datasheet_url", "guide_url", "quickstart_url",
        "subscription_type"}
    assert product["price"] == 0.0005
    assert (product["provisioning"], product["rate_plans"], product["description"]) == ([], [], "")


@pytest.mark.parametrize(("query", "codes"), [
    ("", ["P-2", "Q/é-4", "P-1", "P-5", "PHONE", "P-3"]),
    ("?sort_by=-popularity", ["P-2", "Q/é-4", "P-1", "P-5", "PHONE", "P-3"]),
    ("?sort_by=%2Bname", ["PHONE", "P-2", "P-5", "P-1", "P-3", "Q/é-4"]),
    ("?sort_by=+name", ["PHONE", "P-2", "P-5", "P-1", "P-3", "Q/é-4"]),
    ("?sort_by=-name", ["Q/é-4", "P-3", "P-1", "P-2", "P-5", "PHONE"]),
    ("?sort_by=+price", ["P-2", "P-3", "Q/é-4", "P-1", "P-5", "PHONE"]),
    ("?sort_by=-price", ["PHONE", "P-5", "P-1", "P-3", "Q/é-4", "P-2"]),
    ("?sort_by=+name&sort_by=-price", ["PHONE", "P-5", "P-2", "P-1", "P-3", "Q/é-4"]),
    ("?sort_by=-price&sort_by=-name", ["PHONE", "P-5", "P-1", "Q/é-4", "P-3", "P-2"]),
    ("?vendor={Acme}", ["P-2", "P-1", "PHONE"]),
    ("?vendor={Acme}&vendor={Bell}", ["P-2", "P-1", "P-5", "PHONE", "P-3"]),
    ("?vendor[]={Acme}&vendor[]=-1", ["P-2", "Q/é-4", "P-1", "PHONE"]),
    ("?vendor=-1", ["Q/é-4"]),
    ("?type=-1", ["Q/é-4", "P-5"]),
    ("?vendor={Bell}&type=-1", ["P-5"]),
    ("?vendor=-1&type={Phones}", []),
    ("?text=ALPHA", ["P-2", "P-5"]),
    ("?text=p-", ["P-2", "P-1", "P-5", "P-3"]),
    ("?text=strasse", ["Q/é-4"]),
    ("?text=50%25", ["Q/é-4"]),
    ("?text=_", []),
    ("?text=e%0AP", []),
    ("?text=/%C3%89", ["Q/é-4"]),
    ("?text=a&vendor={Bell}&sort_by=+price", ["P-3", "P-5"]),
    ("?text=", ["P-2", "Q/é-4", "P-1", "P-5", "PHONE", "P-3"]),
    ("?per_page=2&page=2", ["P-1", "P-5"]),
    ("?per_page=4&page=2", ["PHONE", "P-3"]),
    ("?per_page=2&page=9", []),
    ("?unknown=1", ["P-2", "Q/é-4", "P-1", "P-5", "PHONE", "P-3"]),
])
async def test_filters_and_order(store: Shop, query: str, codes: list[str]) -> None:
    ids = {each["name"]: each["id"] for path in ("/vendors", "/product_types")
           for each in (await store.get("platform", path)).json()}
    assert await store.codes("b", query.format(**ids)) == codes


@pytest.mark.parametrize(("query", "count", "pages"), [
    ("?per_page=4", "6", "2"), ("?per_page=3", "6", "2"), ("?per_page=1000", "6", "1"), ("?text=nothing", "0", "0"),
    ("?page=7&per_page=5", "6", "2"), ("", "6", "1")])
async def test_the_totals_are_in_the_headers(store: Shop, query: str, count: str, pages: str) -> None:
    answer = await store.get("b", f"/products{query}")
    assert (answer.headers["X-Total-Count"], answer.headers["X-Total-Pages"]) == (count, pages)


async def test_pages_together_are_the_list(store: Shop) -> None:
    pages = [await store.codes("b", f"?per_page=1&page={page}&sort_by=-name") for page in range(1, 7)]
    assert [code for page in pages for code in page] == await store.codes("b", "?sort_by=-name")


@pytest.mark.parametrize(("query", "field"), [
    ("per_page=0", "per_page"), ("per_page=-5", "per_page"), ("per_page=1001", "per_page"),
    ("per_page=x", "per_page"), ("per_page=", "per_page"), ("per_page=1.5", "per_page"), ("page=0", "page"),
    ("page=-1", "page"), (f"page={2**64}", "page"), ("vendor=999", "vendor"), ("vendor=0", "vendor"),
    ("vendor=-2", "vendor"), ("vendor=Acme", "vendor"), (f"vendor={2**63}", "vendor"),
    (f"vendor={10**400}", "vendor"), ("vendor=-1&vendor=999", "vendor"), ("type=999", "type"),
    (f"type={2**70}", "type"), ("sort_by=name", "sort_by"), ("sort_by=%2Bpopularity", "sort_by"),
    ("sort_by=", "sort_by"), ("sort_by=-stock", "sort_by"), ("sort_by=-name" + "&sort_by=-name" * 9, "sort_by"),
    (f"text={'x' * 10_000}", "text"), ("text=%00", "text"), ("text=%ff", "text")])
async def test_bad_input_is_named(store: Shop, query: str, field: str) -> None:
    answer = await store.get("b", f"/products?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["errors"][0]["field"].partition("[")[0] == field
    assert len(answer.content) < 1_000


@pytest.mark.parametrize("product_id", [
    "0", "-1", "999999", str(2**63 - 1), str(2**63), str(10**30), "x", "1.0", "%00"])
async def test_what_is_not_there_is_404(store: Shop, product_id: str) -> None:
    answer = await store.get("b", f"/products/{product_id}")
    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_what_is_not_offered_looks_like_what_does_not_exist(shop: Shop) -> None:
    seen, unseen = await shop.add(simple("S", "s", 10), simple("U", "u", 10))
    await shop.offer_everything()
    await shop.rule(withheld(shop.id_of("b"), product_id=unseen))
    assert (await shop.get("b", f"/products/{unseen}")).status_code == 200
    answers = [await shop.get("c", f"/products/{product_id}") for product_id in (unseen, 424_242)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    assert await shop.codes("c", "?text=u") == []
    assert await shop.codes("c") == ["S"]
    assert await shop.price("c", seen) == 0.001


async def test_nothing_is_offered_until_the_seller_says_so(shop: Shop) -> None:
    (product_id,) = await shop.add(phone())
    assert await shop.codes("platform") == ["NEW-PH0N3"]
    assert await shop.codes("a") == []
    assert await shop.price("a", product_id) is None


async def test_without_permission_403_and_without_token_401(shop: Shop) -> None:
    (product_id,) = await shop.add(phone())
    _, token = await shop.hub.user_of("a", Permission.ORDER_VIEW)
    _, other = await shop.hub.user_of("a", Permission.PRODUCT_VIEW, email="may@x.example")
    for path in ("/products", f"/products/{product_id}", "/vendors", "/product_types"):
        for bearer, status in ((token, 403), (other, 404 if path.endswith(str(product_id)) else 200)):
            answer = await shop.http.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {bearer}"})
            assert answer.status_code == status, path
        answer = await shop.http.get(f"/api/v1{path}")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_each_tier_sees_its_own_price_and_no_other(shop: Shop) -> None:
    (product_id,) = await shop.add(phone())
    await shop.offer_everything(1_000, 2_000, 500, 0, 3_333)
    costs = [100.12, 110.132, 132.1584, 138.7663, 138.7663, 185.0171]
    for word, price in zip(("platform", "a", "b", "c", "d", "e"), costs, strict=True):
        answer = await shop.get(word, f"/products/{product_id}")
        assert answer.json()["price"] == price
        for other in set(costs) - {price}:
            assert str(other) not in answer.text
    e = (await shop.get("e", f"/products/{product_id}")).json()
    assert e["provisioning"][0]["price"] == e["maintenance"][0]["price"] == 22.8037
    assert e["rate_plans"][0]["rate_plan_charges"][0]["rate_plan_charge_costs"][0]["charge_cost_price"] == 9.2212


async def test_parts_have_prices_of_their_own(shop: Shop) -> None:
    (product_id,) = await shop.add(phone(maintenance=(
        ServiceItem("M1", "One year", costs=(Money("GBP", 10_000),)),
        ServiceItem("M2", "Two years", costs=(Money("GBP", 20_000),)),
        ServiceItem("M3", "In euro", costs=(Money("EUR", 20_000),)))))
    at_root = (await shop.get("platform", f"/products/{product_id}")).json()
    assert [item["sku"] for item in at_root["maintenance"]] == ["M1", "M2"]
    first, second = (item["id"] for item in at_root["maintenance"])
    root, a = shop.id_of("platform"), shop.id_of("a")
    await shop.rule(fixed(root, product_id, 990_000), markup(root, 1_000), fixed(root, product_id, 7, part_id=first),
                    markup(a, 10_000), withheld(a, product_id=product_id, part_id=second))
    at_a = (await shop.get("a", f"/products/{product_id}")).json()
    assert at_a["price"] == 99  # fixed, below the seller's own price: the rule says so
    assert [item["price"] for item in at_a["maintenance"]] == [0.0007, 2.2]
    at_b = (await shop.get("b", f"/products/{product_id}")).json()
    assert at_b["price"] == 198
    assert [(item["sku"], item["price"]) for item in at_b["maintenance"]] == [("M1", 0.0014)]


async def test_a_part_that_has_no_rule_is_left_out(shop: Shop) -> None:
    (product_id,) = await shop.add(phone())
    await shop.rule(fixed(shop.id_of("platform"), product_id, 5_000_000))
    answer = (await shop.get("a", f"/products/{product_id}")).json()
    assert answer["price"] == 500
    assert answer["provisioning"] == answer["maintenance"] == []
    assert answer["rate_plans"][0]["rate_plan_charges"][0]["rate_plan_charge_costs"] == []
    assert list(answer) == _FIELDS
    assert (await shop.get("a", "/products")).json() == [answer]


async def test_each_currency_has_its_own_prices(shop: Shop) -> None:
    both = replace(phone(), prices=(ProductPrice("GBP", 10_000, 20_000, 5), ProductPrice("EUR", 12_000, None, 0)))
    (product_id,) = await shop.add(both, )
    root = shop.id_of("platform")
    await shop.rule(markup(root, 1_000), markup(root, 5_000, currency="EUR"))
    user_id, token = await shop.hub.user_of("a", admin=True, email="euro@x.example")
    await shop.database.execute('UPDATE identity."user" SET currency = $2 WHERE id = $1', user_id, "EUR")
    answer = await shop.http.get(f"/api/v1/products/{product_id}", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["price"] == 1.8
    assert answer.json()["rrp"] is None
    assert answer.json()["provisioning"] == []  # it has no price in euro
    costs = answer.json()["rate_plans"][0]["rate_plan_charges"][0]["rate_plan_charge_costs"]
    assert [(cost["currency"], cost["charge_cost_price"]) for cost in costs] == [("GBP", 5.489)]
    assert await shop.price("a", product_id) == 1.1


async def test_a_page_takes_one_statement_however_long_it_is(shop: Shop) -> None:
    await shop.add(*(phone(product_code=f"P-{number}", popularity=number) for number in range(300)))
    await shop.offer_everything(100)
    counted: list[str] = []
    async def count(path: str) -> int:
        counted.clear()
        async with logged(shop.database, lambda query: counted.append(query.query)):
            answer = await shop.get("e", path)
        assert answer.status_code == 200
        return len([query for query in counted if "catalogue." in query])

    await shop.get("e", "/products?per_page=1")  # who asks is known, and so are the rules
    cold = await count("/products?per_page=100")
    assert cold == 1
    assert await count("/products?per_page=100") == 0
    assert await count("/products?per_page=300&sort_by=%2Bprice") == 1
    assert await count("/products?per_page=300&text=p-1") == 0


async def test_vendors_and_types_can_be_searched_and_paged(store: Shop) -> None:
    answer = await store.get("b", "/vendors?text=ACM")
    assert [each["name"] for each in answer.json()] == ["Acme"]
    answer = await store.get("b", "/product_types?per_page=1&page=2")
    assert [each["name"] for each in answer.json()] == ["Phones"]
    assert answer.headers["X-Total-Count"] == "2"
    assert (await store.get("b", "/vendors?per_page=0")).status_code == 400


async def test_text_that_needs_care_comes_through(shop: Shop) -> None:
    name = 'Quote " back\\slash %s %% {} null é 🦆 </script>'
    (product_id,) = await shop.add(simple("C%d", name, 10, description="tab\tline\nend\x1f\x7f"))
    product = (await shop.get("platform", f"/products/{product_id}")).json()
    assert (product["name"], product["product_code"]) == (name, "C%d")
    assert product["description"] == "tab\tline\nend\x1f\x7f"
    assert await shop.codes("platform", f"?text={quote('🦆 </SCRIPT>')}") == ["C%d"]


async def test_answers_agree_with_the_document(shop: Shop) -> None:
    product_id, _ = await shop.add(phone(), simple("X", "x", 5))
    await shop.offer_everything()
    checker = Checker(shop.hub_app.document)
    for path in ("/products", f"/products/{product_id}", "/products?text=x&sort_by=-name", "/products?vendor=-1",
                 "/products?per_page=0", "/products/99999", "/vendors", "/product_types", "/price_rules"):
        checker.check(await shop.get("platform", path))
    checker.check(await shop.http.get("/api/v1/products"))
    document: Any = shop.hub_app.document
    parameters = {each["name"]: each for each in document["paths"]["/api/v1/products"]["get"]["parameters"]}
    assert set(parameters) == {"page", "per_page", "vendor", "type", "text", "sort_by"}
    assert parameters["sort_by"]["schema"]["items"]["enum"] == ["-popularity", "+name", "-name", "+price", "-price"]
