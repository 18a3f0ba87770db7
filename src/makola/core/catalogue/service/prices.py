"""What a seller asks of its children."""

import re
from collections.abc import Sequence
from dataclasses import asdict, replace

from makola.core.catalogue.errors import InvalidPriceRuleError, UnknownPriceRuleError
from makola.core.catalogue.store import products as product_store
from makola.core.catalogue.store import rules as store
from makola.core.catalogue.types import MOST_PRICE_UNITS, PriceRule, RuleKind
from makola.core.organisations import audit
from makola.core.organisations.permissions import Permission
from makola.core.organisations.queries import find_chains
from makola.core.organisations.types import Actor
from makola.kit.database import Connection

#: 10,000 %: more than that is a mistake.
MOST_MARKUP = 1_000_000
_MOST_QUANTITY = 2**63 - 1
_MOST_ROUNDING_UNITS = 100_000_000
_CURRENCY = re.compile(r"[A-Z]{3,8}\Z")

_EXISTING = """
SELECT array(SELECT id FROM catalogue.vendor WHERE id = ANY($1::bigint[])) AS vendor,
       array(SELECT id FROM catalogue.product_type WHERE id = ANY($2::bigint[])) AS type,
       array(SELECT id FROM catalogue.product WHERE id = ANY($3::bigint[])) AS product
"""
_PARTS = """
SELECT id, product_id FROM catalogue.service_item WHERE id = ANY($1::bigint[])
UNION ALL
SELECT c.id, p.product_id FROM catalogue.rate_plan_charge c JOIN catalogue.rate_plan p ON p.id = c.rate_plan_id
WHERE c.id = ANY($1::bigint[])
"""


async def save_rules(connection: Connection, rules: Sequence[PriceRule]) -> list[int]:
    """Store price rules, each in the place of one that speaks of the same; return their ids, in order.

    Args:
        connection: an open transaction.
        rules: no two that speak of the same buyer, target, currency, quantity and start.

    Raises:
        InvalidPriceRuleError: a rule cannot be; `field` names what is wrong with it.
    """
    for rule in rules:
        check_rule(rule)
    if not rules:
        return []
    for problem in await find_problems(connection, rules):
        if problem is not None:
            raise problem
    rule_ids = await store.write_rules(connection, rules)
    await product_store.notify(connection)
    return rule_ids


async def save_own_rule(connection: Connection, actor: Actor, rule: PriceRule) -> PriceRule:
    """Store a price rule of the actor's own organisation; return it with its id.

    Raises:
        InvalidPriceRuleError: the rule cannot be.
        PermissionDeniedError: the actor may not set prices.
    """
    actor.require(Permission.PRICE_CHANGE)
    own = replace(rule, seller_id=actor.organisation_id)
    stored = replace(own, rule_id=(await save_rules(connection, [own]))[0])
    await audit.record(connection, actor, "price:change", f"price_rule:{stored.rule_id}", asdict(stored))
    return stored


async def remove_own_rule(connection: Connection, actor: Actor, rule_id: int) -> None:
    """Delete a price rule of the actor's own organisation.

    Raises:
        PermissionDeniedError: the actor may not set prices.
        UnknownPriceRuleError: the organisation has no such rule.
    """
    actor.require(Permission.PRICE_CHANGE)
    if not await store.delete_rule(connection, actor.organisation_id, rule_id):
        raise UnknownPriceRuleError("There is no such price rule.", field="id")
    await audit.record(connection, actor, "price:remove", f"price_rule:{rule_id}")
    await product_store.notify(connection)


def check_rule(rule: PriceRule) -> None:
    """Refuse what no rule can be, whatever the database holds.

    Raises:
        InvalidPriceRuleError: `field` names what is wrong.
    """
    problems = (
        (rule.product_id is not None and (rule.vendor_id is not None or rule.type_id is not None),
         "product", "A rule for one product names no vendor and no type."),
        (rule.part_id is not None and rule.product_id is None, "part", "A part belongs to a product: name that too."),
        (rule.kind is RuleKind.FIXED and rule.product_id is None, "price", "A fixed price needs a product."),
        (rule.kind is RuleKind.FIXED and rule.currency is None, "currency", "A fixed price needs a currency."),
        (rule.kind is RuleKind.FIXED and not 0 <= rule.amount <= MOST_PRICE_UNITS, "price", "This is out of range."),
        (rule.kind is RuleKind.MARKUP and not 0 <= rule.amount <= MOST_MARKUP,
         "markup", "A markup is from 0 to 10000 per cent."),
        (not 1 <= rule.rounding_units <= _MOST_ROUNDING_UNITS, "rounding", "This must be above 0, and sensible."),
        (not 1 <= rule.min_quantity <= _MOST_QUANTITY, "min_quantity", "This must be at least 1."),
        (rule.currency is not None and not _CURRENCY.match(rule.currency),
         "currency", "A currency is a code in capitals, such as GBP."),
        (rule.valid_from is not None and rule.valid_to is not None and rule.valid_from >= rule.valid_to,
         "valid_to", "A rule ends after it has begun."),
    )
    for is_wrong, field, message in problems:
        if is_wrong:
            raise InvalidPriceRuleError(message, field=field)


async def find_problems(connection: Connection, rules: Sequence[PriceRule]) -> list[InvalidPriceRuleError | None]:
    """Return for each rule why it cannot be in this database; None where it can."""
    ids = [{rule.vendor_id for rule in rules}, {rule.type_id for rule in rules}, {rule.product_id for rule in rules}]
    row = await connection.fetchrow(_EXISTING, *(list(each - {None}) for each in ids))
    existing: dict[str, set[int]] = {field: set(row[field]) if row is not None else set()
                                     for field in ("vendor", "type", "product")}
    parts = {(each["id"], each["product_id"]) for each in await connection.fetch(
        _PARTS, [rule.part_id for rule in rules if rule.part_id is not None])}
    chains = await find_chains(connection, {
        each for rule in rules for each in (rule.seller_id, rule.buyer_id) if each is not None})

    def problem(rule: PriceRule) -> InvalidPriceRuleError | None:
        if rule.seller_id not in chains:
            return InvalidPriceRuleError(f"There is no organisation {rule.seller_id}.", field="seller")
        if rule.buyer_id is not None and chains.get(rule.buyer_id, ())[-2:-1] != (rule.seller_id,):
            return InvalidPriceRuleError(f"Organisation {rule.buyer_id} is not a child of the seller.", field="buyer")
        for field, number in (("vendor", rule.vendor_id), ("type", rule.type_id), ("product", rule.product_id)):
            if number is not None and number not in existing[field]:
                return InvalidPriceRuleError(f"There is no {field} {number}.", field=field)
        if rule.part_id is not None and (rule.part_id, rule.product_id) not in parts:
            return InvalidPriceRuleError(f"Product {rule.product_id} has no part {rule.part_id}.", field="part")
        return None

    return [problem(rule) for rule in rules]
