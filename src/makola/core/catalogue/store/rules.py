"""Price rules: writing them, and reading those that a chain of tiers needs."""

from collections.abc import AsyncIterator, Iterable, Sequence

from makola.core.catalogue.types import PriceRule, RuleKind
from makola.kit.database import Connection, Record

_FIELDS = """seller_id, buyer_id, product_id, part_id, type_id, vendor_id, currency, min_quantity, valid_from, valid_to,
    kind, amount, rounding_units"""

_WRITE = f"""
INSERT INTO catalogue.price_rule ({_FIELDS})
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],
    $8::bigint[], $9::timestamptz[], $10::timestamptz[], $11::text[], $12::bigint[], $13::bigint[])
ON CONFLICT ON CONSTRAINT price_rule_target DO UPDATE SET
    valid_to = excluded.valid_to, kind = excluded.kind, amount = excluded.amount,
    rounding_units = excluded.rounding_units
RETURNING id
"""  # noqa: S608 - made of this module's own text

_TOUCH = """
INSERT INTO catalogue.price_book (seller_id, changed_in)
SELECT seller_id, pg_current_xact_id()::text::bigint FROM unnest($1::bigint[]) AS seller_id
ON CONFLICT (seller_id) DO UPDATE SET changed_in = excluded.changed_in
"""

_OF_CHAIN = f"""
SELECT id, {_FIELDS} FROM catalogue.price_rule
WHERE seller_id = ANY($1::bigint[]) AND (product_id IS NULL OR product_id = ANY($2::bigint[]))
"""  # noqa: S608 - made of this module's own text

# A seller's rules for all children, or (with $2) for one too; product by product, the general ones first.
_OF_SELLER = f"""
SELECT id, {_FIELDS} FROM catalogue.price_rule
WHERE seller_id = $1 AND (buyer_id IS NULL OR buyer_id = $2) AND (currency IS NULL OR currency = $3)
  AND min_quantity = 1 AND (valid_to IS NULL OR valid_to > $4)
ORDER BY product_id NULLS FIRST
"""  # noqa: S608 - made of this module's own text

_PAGE_WHERE = """
FROM catalogue.price_rule WHERE seller_id = $1
  AND (cardinality($2::bigint[]) = 0 OR buyer_id = ANY($2::bigint[]))
  AND (cardinality($3::bigint[]) = 0 OR product_id = ANY($3::bigint[]))
"""


def _values(rule: PriceRule) -> tuple[object, ...]:
    return (rule.seller_id, rule.buyer_id, rule.product_id, rule.part_id, rule.type_id, rule.vendor_id, rule.currency,
            rule.min_quantity, rule.valid_from, rule.valid_to, rule.kind.value, rule.amount, rule.rounding_units)


def _rule(row: Record) -> PriceRule:
    return PriceRule(
        row["id"], row["seller_id"], RuleKind(row["kind"]), row["amount"], row["buyer_id"], row["product_id"],
        row["part_id"], row["type_id"], row["vendor_id"], row["currency"], row["min_quantity"], row["valid_from"],
        row["valid_to"], row["rounding_units"])


async def write_rules(connection: Connection, rules: Sequence[PriceRule]) -> list[int]:
    """Store rules, each in the place of one with the same target; return their ids, in order."""
    rows = await connection.fetch(_WRITE, *zip(*(_values(rule) for rule in rules), strict=True))
    await touch_sellers(connection, {rule.seller_id for rule in rules})
    return [row["id"] for row in rows]


async def touch_sellers(connection: Connection, seller_ids: Iterable[int]) -> None:
    """Note that the rules of these sellers have changed."""
    await connection.execute(_TOUCH, sorted(seller_ids))


async def delete_rule(connection: Connection, seller_id: int, rule_id: int) -> bool:
    """Delete one rule of a seller; False when there is none."""
    tag = await connection.execute(
        "DELETE FROM catalogue.price_rule WHERE id = $1 AND seller_id = $2", rule_id, seller_id)
    if tag != "DELETE 1":
        return False
    await touch_sellers(connection, [seller_id])
    return True


async def find_rule(connection: Connection, seller_id: int, rule_id: int) -> PriceRule | None:
    """Return one rule of a seller."""
    row = await connection.fetchrow(
        f"SELECT id, {_FIELDS} FROM catalogue.price_rule WHERE id = $1 AND seller_id = $2",  # noqa: S608 - own text
        rule_id, seller_id)
    return _rule(row) if row is not None else None


async def rules_of_chain(connection: Connection, seller_ids: Sequence[int],
                         product_ids: Sequence[int]) -> list[PriceRule]:
    """Return the rules of sellers that can speak of these products."""
    return [_rule(row) for row in await connection.fetch(_OF_CHAIN, list(seller_ids), list(product_ids))]


async def has_rules_for(connection: Connection, seller_id: int, buyer_id: int) -> bool:
    """Say whether a seller has a rule for one child alone."""
    return bool(await connection.fetchval(
        "SELECT EXISTS (SELECT FROM catalogue.price_rule WHERE seller_id = $1 AND buyer_id = $2)",
        seller_id, buyer_id))


async def stream_rules(connection: Connection, seller_id: int, buyer_id: int, currency: str,
                       at: object) -> AsyncIterator[PriceRule]:
    """Yield the rules that decide the price of one piece, the general ones first, then product by product.

    Args:
        connection: an open transaction.
        seller_id: whose rules.
        buyer_id: also those for this child alone; 0 for no child's.
        currency: also those for this currency alone.
        at: rules that ended before this moment are left out; those that begin later are not.
    """
    async for row in connection.cursor(_OF_SELLER, seller_id, buyer_id, currency, at, prefetch=1000):
        yield _rule(row)


async def page_of_rules(connection: Connection, seller_id: int, buyer_ids: Sequence[int], product_ids: Sequence[int], *,
                        limit: int, offset: int) -> tuple[list[PriceRule], int]:
    """Return some of a seller's rules, oldest first, and how many there are."""
    arguments = (seller_id, list(buyer_ids), list(product_ids))
    total = await connection.fetchval(f"SELECT count(*) {_PAGE_WHERE}", *arguments)
    rows = await connection.fetch(
        f"SELECT id, {_FIELDS} {_PAGE_WHERE} ORDER BY id LIMIT $4 OFFSET $5",
        *arguments, limit, offset)
    return [_rule(row) for row in rows], total


async def next_rules(connection: Connection, after: int, limit: int) -> list[PriceRule]:
    """Return the rules that follow `after` in the order of the ids."""
    return [_rule(row) for row in await connection.fetch(
        f"SELECT id, {_FIELDS} FROM catalogue.price_rule WHERE id > $1 ORDER BY id LIMIT $2",  # noqa: S608 - own text
        after, limit)]
