"""The offers that were asked for last: made tier by tier from the root, forgotten when a rule changes."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from itertools import pairwise

from makola.core.catalogue.shelf.columns import Columns
from makola.core.catalogue.shelf.links import Link
from makola.core.catalogue.shelf.offers import Offer
from makola.core.catalogue.store import rules as store
from makola.kit.clock import now
from makola.kit.database import Database

#: Prices in all offers together; each offer has one for every product.
MOST_PRICES = 3_000_000
FEWEST_OFFERS = 16
MOST_CHAINS = 20_000

#: The sellers from the root down, each with the child that it has rules for alone, or 0.
_Key = tuple[tuple[int, int], ...]


class OfferBook:
    """Offers by chain and currency.

    Args:
        database: where the rules are.
        columns: the products.
    """

    def __init__(self, database: Database, columns: Columns) -> None:
        self._database = database
        self._columns = columns
        self._offers: OrderedDict[tuple[str, _Key], Offer] = OrderedDict()
        self._by_chain: dict[tuple[tuple[int, ...], str], Offer] = {}
        self._made = 0
        self._version = 0
        self._making = asyncio.Lock()

    def __iter__(self) -> Iterator[Offer]:
        return iter(self._offers.values())

    def __len__(self) -> int:
        return len(self._offers)

    def forget(self, sellers: frozenset[int] | None) -> None:
        """Forget the offers that rules of `sellers` are part of; all of them for None."""
        self._version += 1
        self._by_chain.clear()
        for key, offer in list(self._offers.items()):
            if sellers is None or any(seller_id in sellers for seller_id, _ in key[1]):
                del self._offers[key]
                offer.alive = False

    async def offer(self, chain: tuple[int, ...], currency: str) -> Offer:
        """Return what the last organisation of `chain` is offered; its prices may not be up to date."""
        offer = self._by_chain.get((chain, currency))
        if offer is not None and offer.alive and (offer.expires_at is None or offer.expires_at > now()):
            return offer
        made = None
        while made is None:
            async with self._making:
                made = await self._make(chain, currency, self._version)
        if len(self._by_chain) >= MOST_CHAINS:
            self._by_chain.clear()
        self._by_chain[chain, currency] = made
        return made

    async def priced(self, chain: tuple[int, ...], currency: str) -> Offer:
        """Return the same with its prices up to date; tier by tier, so that others run in between."""
        offer = await self.offer(chain, currency)
        while not offer.is_current(self._columns):
            for each in offer.lineage():
                if not each.is_current(self._columns):
                    each.refresh(self._columns)
                    await asyncio.sleep(0)
        return offer

    def bring_up_to_date(self, offer: Offer) -> None:
        """Bring an offer's prices up to date at once, for what must not be interrupted."""
        if not offer.is_current(self._columns):
            for each in offer.lineage():
                if not each.is_current(self._columns):
                    each.refresh(self._columns)

    async def _make(self, chain: tuple[int, ...], currency: str, version: int) -> Offer | None:
        """Return an offer, tier by tier from the root; None when rules have changed meanwhile."""
        key: _Key = ()
        offer = self._known(currency, key) or self._keep(currency, key, None, None)
        for seller_id, buyer_id in pairwise(chain):
            async with self._database.transaction() as connection:
                own = await store.has_rules_for(connection, seller_id, buyer_id)
                named_id = buyer_id if own else 0
                key = (*key, (seller_id, named_id))
                known = self._known(currency, key)
                if known is not None and known.seller is offer:
                    offer = known
                    continue
                link, at = Link(seller_id), now()
                await link.load(store.stream_rules(connection, seller_id, named_id, currency, at), self._columns, at)
            if version != self._version:
                return None
            offer = self._keep(currency, key, offer, link)
        return offer if version == self._version else None

    def _known(self, currency: str, key: _Key) -> Offer | None:
        offer = self._offers.get((currency, key))
        if offer is None:
            return None
        if offer.expires_at is not None and offer.expires_at <= now():
            del self._offers[currency, key]
            offer.alive = False
            return None
        self._offers.move_to_end((currency, key))
        return offer

    def _keep(self, currency: str, key: _Key, seller: Offer | None, link: Link | None) -> Offer:
        self._made += 1
        offer = self._offers[currency, key] = Offer(self._made, currency, seller, link)
        while len(self._offers) > max(FEWEST_OFFERS, MOST_PRICES // max(1, len(self._columns))):
            self._offers.popitem(last=False)[1].alive = False
        return offer
