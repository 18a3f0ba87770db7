"""Orders of the demonstration world: shipping types, and one order in each state that there is to look at."""

from collections.abc import Sequence

from makola.core.applications.types import Application
from makola.core.ordering.catalogue_prices import CataloguePrices
from makola.core.ordering.service import acceptance, warehouse
from makola.core.ordering.service.changes import lock_order
from makola.core.ordering.service.placing import place_order
from makola.core.ordering.service.reseller import cancel_order
from makola.core.ordering.service.settings import save_shipping_types
from makola.core.ordering.types import (
    Address,
    Content,
    Item,
    Origin,
    OriginKind,
    Parcel,
    ShippedItem,
    ShippingType,
)
from makola.core.organisations.countries import country_by_code
from makola.core.organisations.permissions import ALL_RIGHTS
from makola.core.organisations.types import Actor
from makola.demonstration_hub import CURRENCY
from makola.kit.database import Connection

#: What a published sample client looks for by name.
UK_NEXT_DAY = "UK Standard Next Day Delivery"

_PRICES = CataloguePrices()
_WAREHOUSE = Origin(OriginKind.WAREHOUSE, name="demonstration")


async def create_demonstration_orders(connection: Connection, chain: Sequence[int], reseller: Application,
                                      customer: Application) -> None:
    """Make the shipping types, the reseller's orders, and one of its customer.

    Args:
        connection: the transaction in which the organisations and the catalogue were made.
        chain: the five tiers, the root of the tree first.
        reseller: what the last but one's user orders with.
        customer: what the last one's user orders with.
    """
    actor = _actor(chain[:-1], reseller)
    types = await _make_shipping_types(connection)
    to = Address("Demonstration shop", "Ama Mensah", "1 High Street", "", "London", "", "AB12 3AA", _country("GB"))

    async def place(number: str, *items: Item) -> int:
        content = Content(items, f"Demonstration {number}", number, to, types[UK_NEXT_DAY], "Label each phone")
        return await place_order(connection, actor, content, _PRICES)

    async def accepted(number: str, *items: Item) -> int:
        order_id = await place(number, *items)
        await acceptance.accept(connection, await lock_order(connection, order_id), _PRICES, _WAREHOUSE)
        return order_id

    await place("DEMO-1", Item("ALD-D20", 2, "ALD-D20-PROV"))
    await accepted("DEMO-2", Item("COR-W2", 3), Item("CABLE-2M", 10))
    await _ship(connection, await accepted("DEMO-3", Item("ALD-D10", 4), Item("CABLE-5M", 4)), Parcel(
        (ShippedItem(1, 2, ("D10-0001", "D10-0002"), ("02:00:00:00:10:01", "02:00:00:00:10:02")),), "Speedy Parcels",
        "SP100200300GB"))
    done = await accepted("DEMO-4", Item("BRE-70", 1))
    await _ship(connection, done, Parcel((ShippedItem(1, 1, ("B70-0007",), ("02:00:00:00:70:07",)),), "Speedy Parcels",
                                         "SP100200301GB"))
    await warehouse.complete(connection, await lock_order(connection, done), _WAREHOUSE)
    waiting = await place("DEMO-5", Item("DUN-S8P", 1))
    await acceptance.require_attention(connection, await lock_order(connection, waiting), _WAREHOUSE,
                                       reason="The carrier does not find this address.")
    await cancel_order(connection, actor, await place("DEMO-6", Item("COR-V1", 1)), reason="Ordered twice")
    actor = _actor(chain, customer)
    await accepted("CUSTOMER-1", Item("ALD-D40", 5))


def _actor(chain: Sequence[int], application: Application) -> Actor:
    return Actor(chain[-1], tuple(chain), application.application_id, None, "GB", "Europe/London",
                 user_id=application.user_id, grants=ALL_RIGHTS, currency=CURRENCY, real_user_id=application.user_id,
                 has_credit_account=True)


async def _ship(connection: Connection, order_id: int, parcel: Parcel) -> None:
    await warehouse.ship(connection, await lock_order(connection, order_id), parcel, _WAREHOUSE)


async def _make_shipping_types(connection: Connection) -> dict[str, int]:
    """Make some that ship anywhere, to some countries, and anywhere but there; return their ids by name."""
    kingdom, ireland, islands = _country("GB"), _country("IE"), (_country("IM"), _country("JE"), _country("GG"))
    saved = await save_shipping_types(connection, [
        ShippingType(0, UK_NEXT_DAY, (kingdom,), exclude_countries=False),
        ShippingType(0, "UK Saturday Delivery", (kingdom,), exclude_countries=False),
        ShippingType(0, "Islands and Ireland Economy", (*islands, ireland), exclude_countries=False),
        ShippingType(0, "International Express", (kingdom, *islands), exclude_countries=True),
        ShippingType(0, "Collection", (), exclude_countries=False)])
    return {one.name: one.shipping_type_id for one in saved}


def _country(iso_code: str) -> int:
    country = country_by_code(iso_code)
    if country is None:
        raise LookupError(iso_code)
    return country.country_id
