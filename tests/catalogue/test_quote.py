"""What a line of an order costs at every tier, next to what the tiers see."""

import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makola.core.catalogue.errors import AmbiguousProductError, UnknownPartError, UnknownProductError
from makola.core.catalogue.service.quote import quote
from makola.core.catalogue.types import (
    BillingFrequency,
    Money,
    PriceRule,
    Product,
    Quote,
    RatePlan,
    RuleKind,
    ServiceItem,
    Wanted,
)
from makola.kit.clock import now
from makola.kit.errors import DomainError
from tests.catalogue.shop import CHAIN, Shop, fixed, markup, phone, simple, withheld


async def _quote(shop: Shop, who: str, *wanted: Wanted, currency: str = "GBP") -> list[Quote | DomainError]:
    async with shop.database.transaction() as connection:
        return await quote(connection, shop.chain(who), currency, wanted)


async def test_every_tier_pays_its_own_price(shop: Shop) -> None:
    (product_id,) = await shop.add(phone())
    await shop.offer_everything(1_000, 2_000)
    for wanted in (Wanted("NEW-PH0N3", 3, "123-4567-1200"), Wanted(product_id, 3, "123-4567-1200")):
        (found,) = await _quote(shop, "c", wanted)
        assert isinstance(found, Quote)
        assert found.organisation_ids == shop.chain("c")
        assert found.product_units == (1_001_200, 1_101_320, 1_321_584, 1_321_584)
        assert found.provisioning_units == (123_400, 135_740, 162_888, 162_888)
        assert found.price_units == (1_124_600, 1_237_060, 1_484_472, 1_484_472)
        assert (found.product_id, found.name, found.quantity, found.currency) == (product_id, "A New Phone", 3, "GBP")
        assert (found.shipping_cost_units, found.is_shippable) == (200_000, False)
        assert (found.min_quantity, found.max_quantity) == (1, 100)
    (at_root,) = await _quote(shop, "platform", Wanted(product_id))
    assert isinstance(at_root, Quote)
    assert at_root.price_units == (1_001_200,)
    assert at_root.provisioning_id is None


async def test_the_default_rate_plan_says_how_many_can_be_had(shop: Shop) -> None:
    def plan(name: str, least: int, most: int | None, *, default: bool = False) -> RatePlan:
        return RatePlan(name, 12, BillingFrequency.MONTHLY, None, default, least, most)

    await shop.add(
        simple("NONE", "no plans", 1), simple("FIRST", "p", 1, rate_plans=(plan("a", 2, 3), plan("b", 5, 9))),
        simple("MARKED", "p", 1, rate_plans=(plan("a", 2, 3), plan("b", 5, None, default=True))))
    await shop.offer_everything()
    limits = {}
    for found in await _quote(shop, "c", Wanted("NONE"), Wanted("FIRST"), Wanted("MARKED")):
        assert isinstance(found, Quote)
        limits[found.product_code] = (found.min_quantity, found.max_quantity)
    assert limits == {"NONE": (1, None), "FIRST": (2, 3), "MARKED": (5, None)}


async def test_a_quantity_decides_at_every_tier(shop: Shop) -> None:
    (product_id,) = await shop.add(simple("P", "p", 10_000))
    root, a = shop.id_of("platform"), shop.id_of("a")
    await shop.rule(markup(root, 5_000), markup(root, 1_000, min_quantity=10),
                    fixed(a, product_id, 20_000), fixed(a, product_id, 15_000, min_quantity=100))
    found = await _quote(shop, "b", Wanted("P", 1), Wanted("P", 10), Wanted("P", 100))
    assert [each.price_units for each in found if isinstance(each, Quote)] == [
        (10_000, 15_000, 20_000), (10_000, 11_000, 20_000), (10_000, 11_000, 15_000)]
    assert await shop.price("b", product_id) == 2  # a list shows the price of one


async def test_what_cannot_be_had_is_told_apart(shop: Shop) -> None:
    a_id, b_id, _ = await shop.add(
        simple("SAME", "one", 10, vendor="Acme"), simple("SAME", "other", 20, vendor="Bell"),
        simple("HIDDEN", "hidden", 10))
    await shop.add(simple("GONE", "gone", 10, withdrawn=True))
    await shop.offer_everything()
    hidden_id = (await shop.database.fetchval("SELECT id FROM catalogue.product WHERE product_code = 'HIDDEN'"))
    await shop.rule(withheld(shop.id_of("a"), product_id=hidden_id))
    vendor_id = await shop.database.fetchval("SELECT id FROM catalogue.vendor WHERE name = 'Bell'")
    found = await _quote(
        shop, "b", Wanted("SAME"), Wanted("SAME", vendor_id=vendor_id), Wanted(a_id), Wanted("HIDDEN"), Wanted("GONE"),
        Wanted("x\0"), Wanted(2**70), Wanted(-1), Wanted(a_id, 1, "nothing"))
    assert [type(each) for each in found] == [
        AmbiguousProductError, Quote, Quote, UnknownProductError, UnknownProductError, UnknownProductError,
        UnknownProductError, UnknownProductError, UnknownPartError]
    assert isinstance(found[1], Quote)
    assert found[1].product_id == b_id
    assert await _quote(shop, "b") == []
    (euro,) = await _quote(shop, "b", Wanted(a_id), currency="EUR")
    assert isinstance(euro, UnknownProductError)


async def test_a_code_that_only_one_offered_vendor_has_is_not_ambiguous(shop: Shop) -> None:
    _, other = await shop.add(simple("SAME", "one", 10, vendor="Acme"), simple("SAME", "other", 20, vendor="Bell"))
    await shop.offer_everything()
    await shop.rule(withheld(shop.id_of("platform"), product_id=other))
    (found,) = await _quote(shop, "b", Wanted("SAME"))
    assert isinstance(found, Quote)
    assert found.name == "one"


def _products() -> list[Product]:
    chance = random.Random(4711)
    return [simple(
        f"P{number}", f"Product {number}", chance.randrange(10**7), vendor=chance.choice(("", "Acme", "Bell")),
        type=chance.choice(("", "Phones", "Cables")), provisioning=(
            ServiceItem(f"S{number}", "Service", costs=(Money("GBP", chance.randrange(10**6)),)),))
        for number in range(25)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_lists_show_what_orders_pay(shop: Shop, data: st.DataObject) -> None:
    product_ids = await shop.add(*_products())
    vendor_ids = [row["id"] for row in await shop.database.fetch("SELECT id FROM catalogue.vendor")]
    type_ids = [row["id"] for row in await shop.database.fetch("SELECT id FROM catalogue.product_type")]
    parts = {row["product_id"]: row["id"] for row in await shop.database.fetch(
        "SELECT product_id, id FROM catalogue.service_item")}
    chain, moment = shop.chain("d"), now()

    @st.composite
    def rules(draw: st.DrawFn) -> PriceRule:
        seller = draw(st.integers(0, len(chain) - 2))
        kind = draw(st.sampled_from((RuleKind.MARKUP, RuleKind.MARKUP, RuleKind.FIXED, RuleKind.WITHHELD)))
        product_id = draw(st.sampled_from(product_ids)) if kind is RuleKind.FIXED or draw(st.booleans()) else None
        return PriceRule(
            0, chain[seller], kind, draw(st.integers(0, 20_000)), draw(st.sampled_from((None, chain[seller + 1]))),
            product_id, draw(st.sampled_from((None, parts[product_id]))) if product_id is not None else None,
            draw(st.sampled_from((None, *type_ids))) if product_id is None else None,
            draw(st.sampled_from((None, *vendor_ids))) if product_id is None else None,
            "GBP" if kind is RuleKind.FIXED else draw(st.sampled_from((None, "GBP", "EUR"))),
            draw(st.sampled_from((1, 1, 5))),
            draw(st.sampled_from((None, moment - timedelta(days=1), moment + timedelta(days=1)))), None,
            draw(st.sampled_from((1, 100))))

    def target(rule: PriceRule) -> tuple[object, ...]:
        return (rule.seller_id, rule.buyer_id, rule.product_id, rule.part_id, rule.type_id, rule.vendor_id,
                rule.currency, rule.min_quantity, rule.valid_from)

    drawn = data.draw(st.lists(rules(), max_size=25, unique_by=target))
    given_rules = [markup(seller, 100) for seller in chain[:-1] if data.draw(st.booleans(), label="offers all")]
    taken = {target(rule) for rule in drawn}
    async with shop.database.transaction() as connection:
        await connection.execute("DELETE FROM catalogue.price_rule")
    await shop.rule(*drawn, *(rule for rule in given_rules if target(rule) not in taken), markup(chain[-1], 0))
    async with shop.database.transaction() as connection:  # the sellers that have no rule now must be noticed too
        await connection.execute("UPDATE catalogue.price_book SET changed_in = pg_current_xact_id()::text::bigint")
    await shop.shelf.refresh()
    for depth in range(1, len(chain) + 1):
        who = CHAIN[depth - 1]
        listed = {product["id"]: product for product in (await shop.get(who, "/products")).json()}
        for product_id, found in zip(product_ids, await _quote(shop, who, *map(Wanted, product_ids)), strict=True):
            assert (product_id in listed) == isinstance(found, Quote)
            if not isinstance(found, Quote):
                continue
            assert listed[product_id]["price"] == found.price_units[-1] / 10_000
            for item in listed[product_id]["provisioning"]:
                (with_part,) = await _quote(shop, who, Wanted(product_id, 1, item["sku"]))
                assert isinstance(with_part, Quote)
                assert item["price"] == with_part.provisioning_units[-1] / 10_000
            if not listed[product_id]["provisioning"]:
                (without,) = await _quote(shop, who, Wanted(product_id, 1, f"S{product_ids.index(product_id)}"))
                assert isinstance(without, UnknownPartError)


@pytest.mark.parametrize("depth", [1, 2, 6])
async def test_a_quote_takes_three_statements(shop: Shop, depth: int) -> None:
    await shop.add(*_products())
    await shop.offer_everything()
    counted: list[str] = []
    async with shop.database.transaction() as connection:
        connection.add_query_logger(lambda query: counted.append(query.query))
        await quote(connection, shop.chain("e")[:depth], "GBP", [Wanted(f"P{number}") for number in range(25)])
    assert len([query for query in counted if "catalogue." in query]) == 3
