"""The rule for chains, as properties (docs/reference/prices.md)."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from makola.core.catalogue.pricing import Target, apply, choose, exactness, fits, is_valid, marked_up, prices_of_chain
from makola.core.catalogue.types import MOST_PRICE_UNITS, PriceRule, RuleKind

_NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
_CHAIN = (1, 2, 3, 4, 5)
_PRODUCT, _VENDOR, _TYPE, _PART = 70, 80, 90, 100

_amounts = st.integers(0, 10**9)
_markups = st.integers(0, 20_000)
_moments = st.none() | st.integers(-3, 3).map(lambda days: _NOW + timedelta(days=days))


@st.composite
def _rules(draw: st.DrawFn) -> PriceRule:
    kind = draw(st.sampled_from(RuleKind))
    is_of_product = kind is RuleKind.FIXED or draw(st.booleans())
    seller = draw(st.integers(1, 4))
    return PriceRule(
        draw(st.integers(1, 10**6)), seller, kind,
        draw(_amounts if kind is RuleKind.FIXED else _markups),
        draw(st.sampled_from((None, seller + 1, 99))),
        draw(st.sampled_from((_PRODUCT, 71))) if is_of_product else None,
        draw(st.sampled_from((None, _PART, 101))) if is_of_product else None,
        None if is_of_product else draw(st.sampled_from((None, _TYPE, 91))),
        None if is_of_product else draw(st.sampled_from((None, _VENDOR, 81))),
        draw(st.sampled_from(("GBP", "EUR"))) if kind is RuleKind.FIXED else draw(st.sampled_from((None, "GBP"))),
        draw(st.sampled_from((1, 1, 10, 100))), draw(_moments), draw(_moments), draw(st.sampled_from((1, 100, 10_000))))


_rule_lists = st.lists(_rules(), max_size=30)
_targets = st.builds(Target, st.just(_PRODUCT), st.sampled_from((None, _VENDOR)), st.sampled_from((None, _TYPE)),
                     st.just("GBP"), st.sampled_from((1, 9, 10, 500)), st.sampled_from((None, _PART)))


@given(_rule_lists, _targets, _amounts)
def test_no_tier_pays_less_than_its_seller_unless_a_fixed_price_says_so(
        rules: list[PriceRule], target: Target, cost: int) -> None:
    prices = prices_of_chain(cost, _CHAIN, rules, target, _NOW)
    if prices is None:
        return
    assert prices[0] == cost
    for (seller, buyer), (sellers, buyers) in zip(pairwise(_CHAIN), pairwise(prices), strict=True):
        rule = choose([each for each in rules if each.seller_id == seller], buyer, target, _NOW)
        assert rule is not None
        assert buyers >= sellers or rule.kind is RuleKind.FIXED


@given(_rule_lists, _targets, _amounts)
def test_the_margins_of_all_tiers_make_up_the_end_price(rules: list[PriceRule], target: Target, cost: int) -> None:
    prices = prices_of_chain(cost, _CHAIN, rules, target, _NOW)
    if prices is not None:
        margins = [buyers - sellers for sellers, buyers in pairwise(prices)]
        assert sum(margins) == prices[-1] - cost


@given(_rule_lists, _targets, _amounts)
def test_a_tier_pays_the_same_whatever_is_below_it(rules: list[PriceRule], target: Target, cost: int) -> None:
    prices = prices_of_chain(cost, _CHAIN, rules, target, _NOW)
    if prices is not None:
        for depth in range(1, len(_CHAIN)):
            assert prices_of_chain(cost, _CHAIN[:depth], rules, target, _NOW) == prices[:depth]


@given(_rule_lists, _targets, _amounts)
def test_the_rules_of_others_change_nothing(rules: list[PriceRule], target: Target, cost: int) -> None:
    of_chain = [rule for rule in rules if fits(rule, rule.seller_id + 1, target) and is_valid(rule, _NOW)]
    assert (prices_of_chain(cost, _CHAIN, rules, target, _NOW)
            == prices_of_chain(cost, _CHAIN, of_chain, target, _NOW))


@given(_rule_lists, _targets)
def test_the_most_exact_rule_counts(rules: list[PriceRule], target: Target) -> None:
    chosen = choose(rules, 2, target, _NOW)
    fitting = [rule for rule in rules if fits(rule, 2, target) and is_valid(rule, _NOW)]
    assert (chosen is None) == (not fitting)
    for rule in fitting:
        assert chosen is not None
        assert exactness(chosen) >= exactness(rule)


@given(st.integers(0, MOST_PRICE_UNITS), _markups, st.sampled_from((1, 7, 100, 10_000)))
def test_a_markup_is_rounded_as_stated(price: int, markup: int, rounding: int) -> None:
    exact_times_10000 = price * (10_000 + markup)
    plain = marked_up(price, markup)
    assert abs(plain * 10_000 - exact_times_10000) <= 5_000
    assert plain * 10_000 - exact_times_10000 != -5_000  # half goes up
    rounded = marked_up(price, markup, rounding)
    assert rounded % rounding == 0
    assert plain <= rounded < plain + rounding


@given(_amounts, _markups)
def test_no_markup_leaves_a_price_alone(price: int, markup: int) -> None:
    assert marked_up(price, 0) == price
    assert marked_up(0, markup) == 0


def _rule(**changes: object) -> PriceRule:
    fields: dict[str, object] = {"rule_id": 1, "seller_id": 1, "kind": RuleKind.MARKUP, "amount": 1}
    return PriceRule(**(fields | changes))  # type: ignore[arg-type]


def test_what_is_exact() -> None:
    ordered = [
        _rule(), _rule(currency="GBP"), _rule(vendor_id=_VENDOR), _rule(type_id=_TYPE),
        _rule(type_id=_TYPE, vendor_id=_VENDOR), _rule(product_id=_PRODUCT),
        _rule(product_id=_PRODUCT, currency="GBP"), _rule(product_id=_PRODUCT, currency="GBP", min_quantity=10),
        _rule(product_id=_PRODUCT, part_id=_PART), _rule(buyer_id=2), _rule(buyer_id=2, product_id=_PRODUCT)]
    assert [exactness(rule) for rule in ordered] == sorted(exactness(rule) for rule in ordered)


def test_a_quantity_break_counts_from_its_quantity_on() -> None:
    rules = [_rule(product_id=_PRODUCT), _rule(rule_id=2, product_id=_PRODUCT, min_quantity=10)]
    for quantity, rule_id in ((1, 1), (9, 1), (10, 2), (11, 2)):
        chosen = choose(rules, 2, Target(_PRODUCT, None, None, "GBP", quantity), _NOW)
        assert chosen is not None
        assert chosen.rule_id == rule_id


def test_a_rule_counts_from_its_first_moment_until_before_its_last() -> None:
    rule = _rule(valid_from=_NOW, valid_to=_NOW + timedelta(seconds=1))
    assert [is_valid(rule, _NOW + timedelta(microseconds=shift)) for shift in (-1, 0, 999_999, 1_000_000)] \
        == [False, True, True, False]


def test_a_fixed_price_is_not_one_of_the_parts() -> None:
    rules = [_rule(kind=RuleKind.FIXED, product_id=_PRODUCT, currency="GBP", amount=5), _rule(rule_id=2, amount=100)]
    whole = choose(rules, 2, Target(_PRODUCT, None, None, "GBP"), _NOW)
    part = choose(rules, 2, Target(_PRODUCT, None, None, "GBP", part_id=_PART), _NOW)
    assert whole is not None
    assert part is not None
    assert (whole.rule_id, part.rule_id) == (1, 2)


def test_a_price_beyond_all_bounds_is_not_offered() -> None:
    assert apply(_rule(amount=10_000), MOST_PRICE_UNITS // 2) == MOST_PRICE_UNITS // 2 * 2
    assert apply(_rule(amount=10_000), MOST_PRICE_UNITS // 2 + 1) is None


def test_nothing_is_offered_without_a_rule() -> None:
    assert prices_of_chain(5, (1, 2), [], Target(_PRODUCT, None, None, "GBP"), _NOW) is None
    assert prices_of_chain(5, (1,), [], Target(_PRODUCT, None, None, "GBP"), _NOW) == (5,)
