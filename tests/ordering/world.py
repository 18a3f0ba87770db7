"""A chain of five tiers, a price list, and money: what the tests of ordering stand on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from makola.core.ledger import service as ledger
from makola.core.ordering import queries
from makola.core.ordering.ports import Offer, Refusal
from makola.core.ordering.service import acceptance, changes, placing, settings, warehouse
from makola.core.ordering.types import (
    Address,
    Content,
    Item,
    Order,
    OrderState,
    Origin,
    OriginKind,
    Parcel,
    ShippedItem,
    ShippingType,
    TierPrice,
)
from makola.core.organisations.countries import country_by_code
from makola.core.organisations.credit import TRADE_ACCOUNT
from makola.core.organisations.permissions import ALL_RIGHTS, Grants
from makola.core.organisations.service import create_organisation
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database

CURRENCY = "GBP"
UNIT = 10_000
PLENTY = 1_000_000 * UNIT
WAREHOUSE = Origin(OriginKind.WAREHOUSE, name="tests")


def country(iso_code: str) -> int:
    found = country_by_code(iso_code)
    assert found is not None
    return found.country_id


UNITED_KINGDOM, FRANCE, GHANA = country("GB"), country("FR"), country("GH")
ADDRESS = Address("Widgets Ltd", "Ama Mensah", "1 High Street", "", "London", "", "AB12 3AA", UNITED_KINGDOM)


@dataclass
class Product:
    """A product and what each depth of the tree pays for one: the root first."""

    product_id: int
    code: str
    prices: list[int]
    is_shippable: bool = True
    minimum_quantity: int = 1
    maximum_quantity: int | None = None
    provisioning: dict[str, list[int]] = field(default_factory=dict)
    hidden_from: set[int] = field(default_factory=set)
    shipping_units: int = 0


@dataclass
class PriceList:
    """A price source whose prices a test may change."""

    products: list[Product]

    def named(self, code: str) -> Product:
        return next(product for product in self.products if product.code == code)

    async def offers(self, connection: Connection, chain: Sequence[int], currency: str,
                     items: Sequence[Item]) -> list[Offer | Refusal]:
        del connection
        assert currency == CURRENCY
        return [self._offer(chain, item) for item in items]

    def _offer(self, chain: Sequence[int], item: Item) -> Offer | Refusal:
        found = [product for product in self.products
                 if (product.code == item.product_code if item.product_id is None
                     else product.product_id == item.product_id)
                 and not product.hidden_from.intersection(chain)]
        if not found:
            return Refusal.UNKNOWN_PRODUCT
        if len(found) > 1:
            return Refusal.AMBIGUOUS_PRODUCT
        product = found[0]
        extra = [0] * len(product.prices)
        if item.prov_product_code:
            if item.prov_product_code not in product.provisioning:
                return Refusal.UNKNOWN_PROVISIONING
            extra = product.provisioning[item.prov_product_code]
        tiers = tuple(TierPrice(organisation_id, CURRENCY, product.prices[depth] + extra[depth])
                      for depth, organisation_id in enumerate(chain))
        return Offer(product.product_id, product.code, 7, f"A {product.code}", product.is_shippable,
                     product.minimum_quantity, product.maximum_quantity, tiers, product.shipping_units)


def price_list() -> PriceList:
    return PriceList([
        Product(1, "PHONE", [60 * UNIT, 70 * UNIT, 80 * UNIT, 90 * UNIT, 100 * UNIT],
                provisioning={"PROV": [1 * UNIT, 2 * UNIT, 3 * UNIT, 4 * UNIT, 5 * UNIT]}),
        Product(2, "CABLE", [10_000, 12_345, 15_001, 20_003, 30_007]),
        Product(3, "LICENCE", [5 * UNIT] * 5, is_shippable=False, minimum_quantity=5, maximum_quantity=50),
        Product(4, "FREE", [0] * 5, is_shippable=False),
        Product(5, "TWIN", [UNIT] * 5),
        Product(6, "TWIN", [UNIT] * 5),
    ])


def actor_of(chain: Sequence[int], *, grants: Grants = ALL_RIGHTS, application_id: int = 1) -> Actor:
    return Actor(chain[-1], tuple(chain), application_id, None, "GB", "Europe/London", user_id=100 + chain[-1],
                 grants=grants, currency=CURRENCY, has_credit_account=True)


@dataclass
class World:
    """A > B > C > D > E, a sibling of D and one of E, and a stranger below A."""

    database: Database
    prices: PriceList
    actors: dict[str, Actor]
    shipping_types: dict[str, int]

    async def place(self, name: str = "E", *items: Item, number: str = "", **others: object) -> int:
        content = self.content(*items, number=number, **others)
        async with self.database.transaction() as connection:
            return await placing.place_order(connection, self.actors[name], content, self.prices)

    def content(self, *items: Item, number: str = "", **others: object) -> Content:
        values: dict[str, object] = {
            "shipping_address": ADDRESS, "shipping_type_id": self.shipping_types["UK"]} | others
        return Content(items or (Item("PHONE", 2),), purchase_order_number=number,
                       **values)  # type: ignore[arg-type] # each test gives what the field takes

    async def accept(self, order_id: int) -> OrderState:
        async with self.database.transaction() as connection:
            return await acceptance.accept(
                connection, await changes.lock_order(connection, order_id), self.prices, WAREHOUSE)

    async def attention(self, order_id: int, reason: str = "look") -> None:
        async with self.database.transaction() as connection:
            await acceptance.require_attention(
                connection, await changes.lock_order(connection, order_id), WAREHOUSE, reason=reason)

    async def ship(self, order_id: int, *items: ShippedItem, external_id: str | None = None) -> OrderState:
        parcel = Parcel(items or None, "Courier", "T-1", "", external_id)
        async with self.database.transaction() as connection:
            return await warehouse.ship(connection, await changes.lock_order(connection, order_id), parcel, WAREHOUSE)

    async def complete(self, order_id: int) -> None:
        async with self.database.transaction() as connection:
            await warehouse.complete(connection, await changes.lock_order(connection, order_id), WAREHOUSE)

    async def fail(self, order_id: int) -> None:
        async with self.database.transaction() as connection:
            await warehouse.fail(connection, await changes.lock_order(connection, order_id), WAREHOUSE, reason="broken")

    async def order(self, order_id: int, name: str = "A") -> Order:
        async with self.database.connection() as connection:
            return await queries.find_order(connection, self.actors[name], order_id)

    async def state(self, order_id: int) -> OrderState:
        return (await self.order(order_id)).state

    async def figures(self) -> dict[str, tuple[int, int]]:
        """Return the balance and what is held of each tier's account, by name."""
        async with self.database.connection() as connection:
            accounts = {account.owner_id: account for account in await ledger.accounts_of(
                connection, [actor.organisation_id for actor in self.actors.values()], TRADE_ACCOUNT)}
        return {name: (accounts[actor.organisation_id].balance_units, accounts[actor.organisation_id].held_units)
                for name, actor in self.actors.items() if actor.organisation_id in accounts}

    async def set_credit(self, name: str, credit_limit_units: int) -> None:
        async with self.database.transaction() as connection:
            account_id = await ledger.open_account(connection, self.actors[name].organisation_id, TRADE_ACCOUNT,
                                                   CURRENCY)
            await ledger.set_credit_limit(connection, account_id, credit_limit_units)


async def check_ledger(database: Database) -> None:
    """No money is made or lost, and what is held is what the open holds say."""
    sums = await database.fetch("SELECT currency, sum(balance) AS total FROM ledger.account GROUP BY currency")
    assert all(row["total"] == 0 for row in sums)
    wrong = await database.fetch("""
        SELECT a.id, a.held, coalesce(open.amount, 0) AS amount FROM ledger.account a LEFT JOIN (
            SELECT leg.debit_id, sum(leg.amount) AS amount FROM ledger.hold h
            CROSS JOIN LATERAL unnest(h.debit_ids, h.amounts) AS leg (debit_id, amount)
            WHERE h.state = 0 GROUP BY leg.debit_id) open ON open.debit_id = a.id
        WHERE a.held <> coalesce(open.amount, 0)""")
    assert wrong == []
    moved = await database.fetch("""
        SELECT a.id FROM ledger.account a
        WHERE a.balance <> coalesce((SELECT sum(amount) FROM ledger.transfer WHERE credit_id = a.id), 0)
                         - coalesce((SELECT sum(amount) FROM ledger.transfer WHERE debit_id = a.id), 0)""")
    assert moved == []


async def make_world(database: Database) -> World:
    """Make the tree, the accounts and the shipping types."""
    actors: dict[str, Actor] = {}
    async with database.transaction() as connection:
        for name, parent in (("A", None), ("B", "A"), ("C", "B"), ("D", "C"), ("E", "D"), ("D2", "C"), ("E2", "D"),
                             ("X", "A")):
            above = actors[parent].organisation_id if parent is not None else None
            organisation = await create_organisation(connection, above, name=f"Organisation {name}")
            actors[name] = actor_of(organisation.chain)
            await ledger.open_account(connection, organisation.organisation_id, TRADE_ACCOUNT, CURRENCY,
                                      credit_limit_units=PLENTY if parent is not None else 0)
        saved = await settings.save_shipping_types(connection, [
            ShippingType(0, "UK", (UNITED_KINGDOM,), exclude_countries=False),
            ShippingType(0, "Anywhere", (), exclude_countries=False),
            ShippingType(0, "Not France", (FRANCE,), exclude_countries=True)])
    return World(database, price_list(), actors, {one.name: one.shipping_type_id for one in saved})


def subject_of(order: Order) -> UUID:
    return order.reference
