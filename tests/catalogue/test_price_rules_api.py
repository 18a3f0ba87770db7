"""`/api/v1/price_rules`: what an organisation asks of its children."""

import pytest

from makola.core.organisations.permissions import Permission
from tests.catalogue.shop import Shop, simple


async def test_a_reseller_sets_its_own_prices(shop: Shop) -> None:
    (product_id,) = await shop.add(simple("P", "p", 10_000))
    await shop.offer_everything()
    made = await shop.call("b", "POST", "/price_rules", {"kind": "markup", "markup": 12.5, "product": product_id})
    assert made.status_code == 201, made.text
    assert made.json() == {
        "id": made.json()["id"], "kind": "markup", "markup": 12.5, "price": None, "buyer": None,
        "product": product_id, "part": None, "type": None, "vendor": None, "currency": None, "min_quantity": 1,
        "valid_from": None, "valid_to": None, "rounding": 0.0001}
    await shop.shelf.refresh()
    assert (await shop.price("b", product_id), await shop.price("c", product_id)) == (1, 1.125)
    again = await shop.call("b", "POST", "/price_rules", {
        "kind": "withheld", "product": product_id})
    assert again.json()["id"] == made.json()["id"]  # it speaks of the same, and so takes its place
    await shop.shelf.refresh()
    assert await shop.price("c", product_id) is None
    assert (await shop.call("b", "DELETE", f"/price_rules/{made.json()['id']}")).status_code == 204
    await shop.shelf.refresh()
    assert await shop.price("c", product_id) == 1
    assert (await shop.call("b", "DELETE", f"/price_rules/{made.json()['id']}")).status_code == 404


async def test_a_fixed_price_for_one_child(shop: Shop) -> None:
    (product_id,) = await shop.add(simple("P", "p", 10_000))
    await shop.offer_everything()
    made = await shop.call("b", "POST", "/price_rules", {
        "kind": "fixed", "price": 0.9, "currency": "GBP", "product": product_id, "buyer": shop.id_of("c2"),
        "min_quantity": 1, "valid_from": "2020-01-01T00:00:00+02:00"})
    assert made.status_code == 201, made.text
    assert made.json()["valid_from"] == "2019-12-31T22:00:00Z"
    await shop.shelf.refresh()
    assert (await shop.price("c", product_id), await shop.price("c2", product_id)) == (1, 0.9)
    listed = await shop.get("b", f"/price_rules?buyer={shop.id_of('c2')}")
    assert [rule["id"] for rule in listed.json()] == [made.json()["id"]]
    assert listed.headers["X-Total-Count"] == "1"
    assert (await shop.get("b", f"/price_rules/{made.json()['id']}")).json() == made.json()


async def test_nobody_sees_or_changes_the_rules_of_others(shop: Shop) -> None:
    await shop.offer_everything(1_000)
    (own,) = (await shop.get("a", "/price_rules")).json()
    for word in ("platform", "b", "c", "stranger"):
        assert own["id"] not in [rule["id"] for rule in (await shop.get(word, "/price_rules")).json()]
        for method in ("GET", "DELETE"):
            assert (await shop.call(word, method, f"/price_rules/{own['id']}")).status_code == 404
    assert [rule["id"] for rule in (await shop.get("a", "/price_rules")).json()] == [own["id"]]


async def test_setting_prices_needs_a_permission(shop: Shop) -> None:
    _, token = await shop.hub.user_of("a", Permission.PRODUCT_VIEW, Permission.PRICE_VIEW)
    headers = {"Authorization": f"Bearer {token}"}
    assert (await shop.http.get("/api/v1/price_rules", headers=headers)).status_code == 200
    sent = await shop.http.post("/api/v1/price_rules", headers=headers, json={"kind": "markup", "markup": 1})
    assert sent.status_code == 403


async def test_changes_are_audited(shop: Shop) -> None:
    made = await shop.call("b", "POST", "/price_rules", {"kind": "markup", "markup": 5})
    await shop.call("b", "DELETE", f"/price_rules/{made.json()['id']}")
    rows = await shop.database.fetch(
        "SELECT action, subject, user_id, organisation_id FROM organisations.audit_entry WHERE action LIKE 'price:%'"
        " ORDER BY id")
    assert [tuple(row) for row in rows] == [
        (action, f"price_rule:{made.json()['id']}", shop.hub["b"].user_id, shop.id_of("b"))
        for action in ("price:change", "price:remove")]
    own = (await shop.get("b", "/audit_log?action=price:change")).json()
    above = (await shop.get("a", "/audit_log?action=price:change")).json()
    assert [entry["details"]["amount"] for entry in own] == [500]
    assert [(entry["subject"], entry["details"]) for entry in above] == [(f"price_rule:{made.json()['id']}", {})]


@pytest.mark.parametrize(("sent", "field"), [
    ({}, "kind"), ({"kind": "gift"}, "kind"), ({"kind": "markup"}, "markup"), ({"kind": "fixed"}, "price"),
    ({"kind": "withheld", "markup": 1}, "markup"), ({"kind": "markup", "markup": -1}, "markup"),
    ({"kind": "markup", "markup": 0.001}, "markup"), ({"kind": "markup", "markup": 10_001}, "markup"),
    ({"kind": "markup", "markup": 1e300}, "markup"), ({"kind": "markup", "markup": "NaN"}, "markup"),
    ({"kind": "fixed", "price": 1}, "price"), ({"kind": "fixed", "price": 1, "product": "P"}, "product"),
    ({"kind": "fixed", "price": 1, "product": 1, "currency": "pounds"}, "currency"),
    ({"kind": "fixed", "price": 0.00001, "product": 1, "currency": "GBP"}, "price"),
    ({"kind": "fixed", "price": -1, "product": 1, "currency": "GBP"}, "price"),
    ({"kind": "fixed", "price": 1, "product": 999_999, "currency": "GBP"}, "product"),
    ({"kind": "fixed", "price": 1, "product": 2**63, "currency": "GBP"}, "product"),
    ({"kind": "markup", "markup": 1, "vendor": 999_999}, "vendor"),
    ({"kind": "markup", "markup": 1, "type": 999_999}, "type"),
    ({"kind": "markup", "markup": 1, "part": 5}, "part"),
    ({"kind": "markup", "markup": 1, "min_quantity": 0}, "min_quantity"),
    ({"kind": "markup", "markup": 1, "rounding": 0}, "rounding"),
    ({"kind": "markup", "markup": 1, "valid_from": "tomorrow"}, "valid_from"),
    ({"kind": "markup", "markup": 1, "valid_from": "2026-01-01T00:00:00"}, "valid_from"),
    ({"kind": "markup", "markup": 1, "valid_from": "0001-01-01T00:00:00+14:00"}, "valid_from"),
    ({"kind": "markup", "markup": 1, "valid_from": "2026-01-02T00:00:00Z", "valid_to": "2026-01-02T00:00:00Z"},
     "valid_to"),
    ({"kind": "markup", "markup": 1, "surprise": 1}, "surprise")])
async def test_a_rule_that_cannot_be_is_refused(rule_shop: Shop, sent: dict[str, object], field: str) -> None:
    answer = await rule_shop.call("b", "POST", "/price_rules", sent)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"] == field
    assert (await rule_shop.get("b", "/price_rules")).json() == []


@pytest.mark.parametrize("word", ["a", "b", "d", "platform", "stranger"])
async def test_only_a_child_can_be_named_as_buyer(rule_shop: Shop, word: str) -> None:
    answer = await rule_shop.call("b", "POST", "/price_rules", {
        "kind": "markup", "markup": 1, "buyer": rule_shop.id_of(word)})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "buyer"


async def test_a_filter_by_what_is_not_in_sight_names_the_field(shop: Shop) -> None:
    await shop.offer_everything()
    for field, number in (("buyer", shop.id_of("a")), ("buyer", 999_999), ("product", 999_999)):
        answer = await shop.get("b", f"/price_rules?{field}={number}")
        assert answer.status_code == 400, answer.text
        assert [each["field"] for each in answer.json()["errors"]] == [field]
        assert answer.json()["detail"].endswith(f"{number}.")
