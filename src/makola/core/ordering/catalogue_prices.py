"""Prices from the catalogue."""

from collections.abc import Sequence

from makola.core.catalogue.errors import AmbiguousProductError, UnknownPartError
from makola.core.catalogue.service.quote import quote
from makola.core.catalogue.types import Quote, Wanted
from makola.core.ordering.ports import Offer, Refusal
from makola.core.ordering.types import Item, TierPrice
from makola.kit.database import Connection
from makola.kit.errors import DomainError


class CataloguePrices:
    """The catalogue as a source of prices: those of the moment, read in the caller's transaction."""

    async def offers(self, connection: Connection, chain: Sequence[int], currency: str,
                     items: Sequence[Item]) -> list[Offer | Refusal]:
        """Return what each item is offered at to the last organisation of `chain` (root first), in order."""
        wanted = [Wanted(item.product_code if item.product_id is None else item.product_id, item.quantity,
                         item.prov_product_code) for item in items]
        return [_offer(each) for each in await quote(connection, chain, currency, wanted)]


def _offer(found: Quote | DomainError) -> Offer | Refusal:
    match found:
        case Quote():
            tiers = map(TierPrice, found.organisation_ids, (found.currency,) * len(found.organisation_ids),
                        found.price_units)
            return Offer(found.product_id, found.product_code, found.vendor_id, found.name, found.is_shippable,
                         found.min_quantity, found.max_quantity, tuple(tiers),
                         found.shipping_cost_units if found.is_shippable else 0)
        case AmbiguousProductError():
            return Refusal.AMBIGUOUS_PRODUCT
        case UnknownPartError():
            return Refusal.UNKNOWN_PROVISIONING
        case _:
            return Refusal.UNKNOWN_PRODUCT
