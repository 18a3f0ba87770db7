"""Reads of the catalogue that are not hot: vendors, types, a seller's own price rules, whole products."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass

from makola.core.catalogue.errors import UnknownPriceRuleError
from makola.core.catalogue.store import names, reading
from makola.core.catalogue.store import rules as rule_store
from makola.core.catalogue.types import Named, PriceRule, Product
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database


@dataclass(frozen=True, slots=True)
class Numbers:
    """The ids behind names: of products by code and vendor's name, of parts by product id and what a file calls them.

    A file calls a part `provisioning/SKU`, `maintenance/SKU` or `charge/RATE PLAN/CHARGE`.
    """

    vendors: Mapping[str, int]
    types: Mapping[str, int]
    products: Mapping[tuple[str, str], int]
    parts: Mapping[tuple[int, str], int]


@dataclass(frozen=True, slots=True)
class NamedRule:
    """A price rule and the names behind its numbers. `vendor` is the product's where it names one."""

    rule: PriceRule
    product_code: str
    vendor: str
    type: str
    part: str


async def list_vendors(database: Database, actor: Actor) -> list[Named]:
    """Return every vendor, in alphabetical order.

    Raises:
        PermissionDeniedError: the actor may not look at products.
    """
    actor.require(Permission.PRODUCT_VIEW)
    async with database.connection() as connection:
        return await names.list_names(connection, names.NameTable.VENDOR)


async def list_types(database: Database, actor: Actor) -> list[Named]:
    """Return every product type, in alphabetical order.

    Raises:
        PermissionDeniedError: the actor may not look at products.
    """
    actor.require(Permission.PRODUCT_VIEW)
    async with database.connection() as connection:
        return await names.list_names(connection, names.NameTable.TYPE)


async def own_rules(database: Database, actor: Actor, *, buyer_ids: Sequence[int] = (),
                    product_ids: Sequence[int] = (), limit: int, offset: int) -> tuple[list[PriceRule], int]:
    """Return a page of the price rules of the actor's organisation, oldest first, and how many there are.

    Raises:
        PermissionDeniedError: the actor may not look at price rules.
    """
    actor.require(Permission.PRICE_VIEW)
    async with database.connection() as connection:
        return await rule_store.page_of_rules(connection, actor.organisation_id, buyer_ids, product_ids, limit=limit,
                                              offset=offset)


async def unknown_products_among(database: Database, product_ids: Collection[int]) -> list[int]:
    """Return those of the ids that no product has."""
    if not product_ids:
        return []
    async with database.connection() as connection:
        return sorted(set(product_ids) - set(await reading.keys_of(connection, list(product_ids))))


async def own_rule(database: Database, actor: Actor, rule_id: int) -> PriceRule:
    """Return one price rule of the actor's organisation.

    Raises:
        PermissionDeniedError: the actor may not look at price rules.
        UnknownPriceRuleError: the organisation has no such rule.
    """
    actor.require(Permission.PRICE_VIEW)
    async with database.connection() as connection:
        rule = await rule_store.find_rule(connection, actor.organisation_id, rule_id)
    if rule is None:
        raise UnknownPriceRuleError("There is no such price rule.", field="id")
    return rule


async def find_products(connection: Connection,
                        keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[int, Product]]:
    """Return products by (product code, vendor's name), of those that exist: for the platform's own commands."""
    ids = await reading.find_ids(connection, keys)
    products = await reading.load_products(connection, list(ids.values())) if ids else {}
    return {key: (product_id, products[product_id]) for key, product_id in ids.items()}


async def all_products(connection: Connection, *, batch: int = 1_000) -> AsyncIterator[list[Product]]:
    """Yield every product in the order of the ids, some at a time: for the platform's own commands."""
    after = 0
    while ids := await reading.next_ids(connection, after, batch):
        products = await reading.load_products(connection, ids)
        yield [products[product_id] for product_id in ids]
        after = ids[-1]


async def find_numbers(connection: Connection, *, vendors: Collection[str], types: Collection[str],
                       products: Sequence[tuple[str, str]]) -> Numbers:
    """Return the ids behind names, of those that exist: for the platform's own commands.

    Args:
        connection: where to read.
        vendors: their names.
        types: their names.
        products: code and vendor's name of each.
    """
    product_ids = await reading.find_ids(connection, products)
    parts = await reading.find_parts(connection, list(product_ids.values())) if product_ids else []
    return Numbers(await names.find_names(connection, names.NameTable.VENDOR, vendors),
                   await names.find_names(connection, names.NameTable.TYPE, types), product_ids,
                   {(product_id, label): part_id for product_id, part_id, label in parts})


async def all_rules(connection: Connection, *, batch: int = 1_000) -> AsyncIterator[list[NamedRule]]:
    """Yield every price rule in the order of the ids, with the names behind its numbers, some at a time."""
    vendors = {each.number: each.name for each in await names.list_names(connection, names.NameTable.VENDOR)}
    types = {each.number: each.name for each in await names.list_names(connection, names.NameTable.TYPE)}
    after = 0
    while rules := await rule_store.next_rules(connection, after, batch):
        product_ids = list({rule.product_id for rule in rules if rule.product_id is not None})
        keys = await reading.keys_of(connection, product_ids)
        labels = {part_id: label for _, part_id, label in await reading.find_parts(connection, product_ids)}
        yield [NamedRule(rule, *_names(rule, keys, vendors), types.get(rule.type_id or 0, ""),
                         labels.get(rule.part_id or 0, "")) for rule in rules]
        after = rules[-1].rule_id


def _names(rule: PriceRule, keys: Mapping[int, tuple[str, str]], vendors: Mapping[int, str]) -> tuple[str, str]:
    return keys[rule.product_id] if rule.product_id is not None else ("", vendors.get(rule.vendor_id or 0, ""))
