"""The Hub API with products on it: what the tests of its ordering endpoints stand on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from makola.core.catalogue.service.prices import save_rules
from makola.core.catalogue.service.products import save_products
from makola.core.catalogue.types import (
    BillingFrequency,
    Money,
    PriceRule,
    Product,
    ProductPrice,
    RatePlan,
    RuleKind,
    ServiceItem,
)
from makola.core.ordering.catalogue_prices import CataloguePrices
from makola.core.ordering.service import acceptance, changes, settings, warehouse
from makola.core.ordering.types import Origin, OriginKind, Parcel, ShippedItem, ShippingType
from makola.kit.database import Database
from tests.hub.world import Hub, hub_world
from tests.ordering.world import FRANCE, UNIT, UNITED_KINGDOM

WAREHOUSE = Origin(OriginKind.WAREHOUSE, name="tests")
CHAIN = ("platform", "a", "b", "c", "d", "e")
#: What each tier of the chain pays for a PHONE of 100.00: 10 % more than the tier above.
PHONE_PRICES = {"platform": 100.0, "a": 110.0, "b": 121.0, "c": 133.1, "d": 146.41, "e": 161.051}
ADDRESS = {"company_name": "Widgets Ltd", "recipient_name": "Ama Mensah", "addr_line_1": "1 High Street",
           "city": "London", "postal_code": "AB12 3AA", "country_code": UNITED_KINGDOM}


@dataclass
class Shop:
    """The tree of the Hub's tests, with products and shipping types."""

    hub: Hub
    shipping_types: dict[str, int]
    products: dict[str, int]

    def order(self, **changes: Any) -> dict[str, Any]:
        """What a client sends; None leaves a field out."""
        whole = {"purchase_order_number": "PO-1", "shipping_address": ADDRESS,
                 "shipping_type": self.shipping_types["UK Standard Next Day Delivery"],
                 "provisioning_instructions": "Label them", "name": "Phones for London",
                 "line_items": [{"product_code": "PHONE", "quantity": 2}]} | changes
        return {name: value for name, value in whole.items() if value is not None}

    async def post(self, who: str, path: str, json: object = None, **headers: str) -> httpx.Response:
        return await self.hub.call(who, "POST", path, json=json,
                                   headers={name.replace("_", "-"): value for name, value in headers.items()})

    async def placed(self, who: str = "e", **changes: Any) -> int:
        """Order something that must be taken; return the order's id."""
        answer = await self.post(who, "/orders", self.order(**{"purchase_order_number": ""} | changes))
        assert answer.status_code == 201, answer.text
        order_id: int = answer.json()["id"]
        return order_id

    async def accept(self, order_id: int) -> None:
        async with self.hub.database.transaction() as connection:
            await acceptance.accept(
                connection, await changes.lock_order(connection, order_id), CataloguePrices(), WAREHOUSE)

    async def attention(self, order_id: int, reason: str) -> None:
        async with self.hub.database.transaction() as connection:
            await acceptance.require_attention(
                connection, await changes.lock_order(connection, order_id), WAREHOUSE, reason=reason, note="secret")

    async def ship(self, order_id: int, *items: ShippedItem) -> None:
        async with self.hub.database.transaction() as connection:
            await warehouse.ship(connection, await changes.lock_order(connection, order_id),
                                 Parcel(items or None, "Courier", "T-1", "https://courier.example/T-1"), WAREHOUSE)


def _product(code: str, price: int, *, vendor: str = "Vendor", shippable: bool = True) -> Product:
    return Product(code, f"A {code}", vendor, is_shippable=shippable, prices=(ProductPrice("GBP", price),),
                   provisioning=(ServiceItem(f"{code}-PROV", "Provisioning", costs=(Money("GBP", UNIT),)),))


def _subscription() -> Product:
    """What is sold under a rate plan, from 2 to 5 of it; under another there could be more."""
    plans = (RatePlan("Yearly", 12, BillingFrequency.ANNUAL, None, False, 1, 100),
             RatePlan("Monthly", 12, BillingFrequency.MONTHLY, None, True, 2, 5))
    return Product("SEATS", "Some SEATS", "Vendor", is_shippable=False, prices=(ProductPrice("GBP", UNIT),),
                   rate_plans=plans)


@asynccontextmanager
async def hub_shop(database: Database) -> AsyncIterator[Shop]:
    """Make the world in an empty database."""
    async with hub_world(database) as hub:
        products = [_product("PHONE", 100 * UNIT), _product("SECRET", 10 * UNIT), _product("LICENCE", UNIT,
                                                                                           shippable=False),
                    _product("TWIN", UNIT), _product("TWIN", UNIT, vendor="Another"), _subscription()]
        async with database.transaction() as connection:
            ids = await save_products(connection, products)
            await save_rules(connection, [
                *(PriceRule(0, hub[word].id, RuleKind.MARKUP, 1_000) for word in CHAIN[:-1]),
                PriceRule(0, hub["c"].id, RuleKind.WITHHELD, product_id=ids[1])])
            saved = await settings.save_shipping_types(connection, [
                ShippingType(0, "UK Standard Next Day Delivery", (UNITED_KINGDOM,), exclude_countries=False),
                ShippingType(0, "Not France", (FRANCE,), exclude_countries=True)])
        names = ["PHONE", "SECRET", "LICENCE", "TWIN", "ANOTHER TWIN", "SEATS"]
        yield Shop(hub, {one.name: one.shipping_type_id for one in saved}, dict(zip(names, ids, strict=True)))
