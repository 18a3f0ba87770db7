"""A chain of tiers with products and prices, the shelf over it, and a client that asks as one of the tiers."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from makola.api.hub.app import HubApp
from makola.api.hub.products import product_routes
from makola.core.catalogue.service.prices import save_rules
from makola.core.catalogue.service.products import save_products
from makola.core.catalogue.shelf.shelf import Shelf
from makola.core.catalogue.types import (
    BillingFrequency,
    ChargeModel,
    ChargeType,
    Money,
    PriceRule,
    Product,
    ProductPrice,
    RatePlan,
    RatePlanCharge,
    RuleKind,
    ServiceItem,
)
from makola.kit.database import Database
from tests.hub.world import Hub, hub_world

#: Those of the tree in tests/hub/world.py that stand one below the other.
CHAIN = ("platform", "a", "b", "c", "d", "e")


def phone(**changes: object) -> Product:
    """The product of the Hub API's document, with the caller's price as the root's cost."""
    fields: dict[str, object] = {
        "product_code": "NEW-PH0N3", "name": "A New Phone", "vendor": "Acme", "type": "Phones",
        "description": "100 Lines, Full Colour, Makes Toast Too",
        "detailed_description": "This phone is everything you need in a new device. It makes toast, orders lunch, and"
                                " even has been known to save lives*\n*T&Cs apply",
        "featured_description": "100 lines\nFull colour screen\nIn-built toaster",
        "thumb_url": "https://x.example/t", "main_image_url": "https://x.example/m",
        "datasheet_url": "https://x.example/d", "guide_url": "https://x.example/g",
        "quickstart_url": "https://x.example/q", "stock": 9001, "subscription_type": "DROPBOX", "is_shippable": False,
        "is_financeable": False, "prices": (ProductPrice("GBP", 1_001_200, 1_101_200, 200_000),),
        "provisioning": (ServiceItem("123-4567-1200", "Phone maintenance", False, (Money("GBP", 123_400),)),),
        "maintenance": (ServiceItem("123-4567-1200", "Phone maintenance", False, (Money("GBP", 123_400),)),),
        "rate_plans": (RatePlan(
            "Monthly Gold", 24, BillingFrequency.MONTHLY, 12, True, 1, 100, (RatePlanCharge(
                "Monthly maintenance fee", ChargeType.RECURRING, ChargeModel.PER_UNIT, "User",
                (Money("GBP", 49_900),)),)),)}
    return Product(**(fields | changes))  # type: ignore[arg-type] # the fields of Product, by name


def simple(code: str, name: str, cost_units: int, **changes: object) -> Product:
    """A product without parts."""
    return Product(code, name, prices=(ProductPrice("GBP", cost_units),), **changes)  # type: ignore[arg-type]


def markup(seller_id: int, amount: int, **changes: object) -> PriceRule:
    """A rule that adds `amount` 1/10,000."""
    return PriceRule(0, seller_id, RuleKind.MARKUP, amount, **changes)  # type: ignore[arg-type]


def fixed(seller_id: int, product_id: int, units: int, **changes: object) -> PriceRule:
    """A rule that names a price."""
    return PriceRule(0, seller_id, RuleKind.FIXED, units, product_id=product_id,
                     **{"currency": "GBP", **changes})  # type: ignore[arg-type]


def withheld(seller_id: int, **changes: object) -> PriceRule:
    """A rule that leaves something out."""
    return PriceRule(0, seller_id, RuleKind.WITHHELD, **changes)  # type: ignore[arg-type]


@dataclass(slots=True)
class Shop:
    """The tree with a catalogue."""

    hub: Hub
    shelf: Shelf
    http: httpx.AsyncClient
    hub_app: HubApp

    @property
    def database(self) -> Database:
        return self.hub.database

    def id_of(self, word: str) -> int:
        return self.hub[word].id

    def chain(self, word: str) -> tuple[int, ...]:
        """The ids from the root down to a tier of the chain."""
        return tuple(self.hub[each].id for each in CHAIN[:CHAIN.index(word) + 1])

    async def add(self, *products: Product) -> list[int]:
        """Store products, and let the shelf see them."""
        async with self.database.transaction() as connection:
            product_ids = await save_products(connection, products)
        await self.shelf.refresh()
        return product_ids

    async def rule(self, *rules: PriceRule) -> list[int]:
        """Store rules, and let the shelf see them."""
        async with self.database.transaction() as connection:
            rule_ids = await save_rules(connection, rules)
        await self.shelf.refresh()
        return rule_ids

    async def offer_everything(self, *markups: int) -> None:
        """Let every seller of the chain offer everything; the markups are those of the tiers from the root down."""
        given = (*markups, *(0,) * len(CHAIN))
        await self.rule(*(markup(self.id_of(word), amount) for word, amount in zip(CHAIN, given, strict=False)))

    async def get(self, who: str, path: str) -> httpx.Response:
        """Send a GET below `/api/v1` as the administrator of a tier."""
        return await self.call(who, "GET", path)

    async def call(self, who: str, method: str, path: str, json: object = None) -> httpx.Response:
        """Send a request below `/api/v1` as the administrator of a tier."""
        return await self.http.request(method, f"/api/v1{path}", json=json,
                                       headers={"Authorization": f"Bearer {self.hub[who].token}"})

    async def codes(self, who: str, query: str = "") -> list[str]:
        """Return the product codes of a list."""
        answer = await self.get(who, f"/products{query}")
        assert answer.status_code == 200, answer.text
        return [product["product_code"] for product in answer.json()]

    async def price(self, who: str, product_id: int) -> float | None:
        """Return a tier's price of a product; None when it is not offered."""
        answer = await self.get(who, f"/products/{product_id}")
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, answer.text
        price: float = answer.json()["price"]
        return price


@asynccontextmanager
async def open_shop(database: Database, **options: int) -> AsyncIterator[Shop]:
    """Make the tree in an empty database, and serve the Hub API with a shelf over it."""
    shelf = Shelf(database, **options)
    async with hub_world(database, product_routes(shelf)) as hub:
        await shelf.refresh()
        yield Shop(hub, shelf, hub.http, hub.app)


def by_code(products: Sequence[dict[str, object]], code: str) -> dict[str, object]:
    """Return the product of a code."""
    return next(product for product in products if product["product_code"] == code)
