"""The shelf: lists, searches and single products, each with the prices of whoever asks, from memory.

Every web process has one. It follows the database by snapshots: woken by a notification, and once a second whatever
happens, it reads what the last snapshot could not see. Nothing here is ever behind the database by more than that.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from makola.core.catalogue.documents import AmountTexts, without_unpriced
from makola.core.catalogue.errors import UnknownFilterError
from makola.core.catalogue.shelf.columns import NONE, Columns
from makola.core.catalogue.shelf.documents import DocumentShelf, Shelved
from makola.core.catalogue.shelf.links import Link
from makola.core.catalogue.shelf.lists import ListShelf
from makola.core.catalogue.shelf.offers import Offer
from makola.core.catalogue.store import rules as rule_store
from makola.core.catalogue.store import shelf as store
from makola.core.catalogue.types import Selection
from makola.kit.clock import now
from makola.kit.database import Database

DOCUMENT_LIMIT_BYTES = 96 * 2**20
_MOST_FILLED = 60_000
_MOST_PRICES = 3_000_000
_MOST_CHANGES = 10_000
_FEWEST_OFFERS = 16
_MOST_CHAINS = 20_000
_COMMA = b","

_Filled = dict[int, tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, as JSON in pieces, and how many products there are on all pages."""

    pieces: list[bytes]
    total: int


class Shelf:
    """The catalogue in memory.

    Args:
        database: where it comes from.
        document_limit_bytes: what documents may take, for each currency; what is not here is read when asked for.
    """

    def __init__(self, database: Database, *, document_limit_bytes: int = DOCUMENT_LIMIT_BYTES) -> None:
        self._database = database
        self._document_limit_bytes = document_limit_bytes
        self._snapshot: str | None = None
        self._columns = Columns()
        self._lists = ListShelf(self._columns)
        self._vendor_ids: frozenset[int] = frozenset()
        self._type_ids: frozenset[int] = frozenset()
        self._documents: dict[str, DocumentShelf] = {}
        self._texts = AmountTexts()
        self._offers: OrderedDict[tuple[str, tuple[tuple[int, int], ...]], Offer] = OrderedDict()
        self._by_chain: dict[tuple[tuple[int, ...], str], Offer] = {}
        self._made = 0
        self._filled = 0
        self._rules_version = 0
        self._readings = 0
        self._changed_in: dict[int, int] = {}
        self._forgotten_before = 0
        self._making = asyncio.Lock()

    # -- following the database ---------------------------------------------------------------------------------

    async def refresh(self) -> bool:
        """Read what has changed; always False, so that a background loop sleeps until the next time."""
        async with self._database.connection() as connection, \
                connection.transaction(isolation="repeatable_read", readonly=True):
            present = await store.read_present(connection)
            if present.snapshot == self._snapshot:
                return False
            regroupings = self._columns.regroupings
            async for outlines in store.stream_outlines(connection, self._snapshot):
                self._readings += 1
                for outline in outlines:
                    position = self._columns.put(outline)
                    if self._snapshot is not None:
                        self._drop(position)
                await asyncio.sleep(0)
            sellers = await store.changed_sellers(connection, self._snapshot) if self._snapshot is not None else []
        self._columns.name_ranks()  # the first time it takes long, and nobody waits yet
        self._vendor_ids, self._type_ids = present.vendor_ids, present.type_ids
        self._snapshot = present.snapshot
        if regroupings != self._columns.regroupings:
            self._forget_offers(None)
        elif sellers:
            self._forget_offers(frozenset(sellers))
        return False

    def _drop(self, position: int) -> None:
        """Forget everything that was made of a product's former state."""
        self._changed_in[position] = self._readings
        if len(self._changed_in) > _MOST_CHANGES:
            self._changed_in.clear()
            self._forgotten_before = self._readings + 1
        for documents in self._documents.values():
            documents.drop(position)
        self._unfill(position)

    def _has_changed(self, position: int, reading: int) -> bool:
        """Say whether a product may have changed after a reading of the database."""
        return reading < self._forgotten_before or self._changed_in.get(position, 0) > reading

    def _unfill(self, position: int) -> None:
        for offer in self._offers.values():
            if offer.filled.pop(position, None) is not None:
                self._filled -= 1

    def _forget_offers(self, sellers: frozenset[int] | None) -> None:
        """Forget the offers that rules of `sellers` are part of; all of them for None."""
        self._rules_version += 1
        self._by_chain.clear()
        for key, offer in list(self._offers.items()):
            if sellers is None or any(seller_id in sellers for seller_id, _ in key[1]):
                del self._offers[key]
                self._retire(offer)

    def _retire(self, offer: Offer) -> None:
        offer.alive = False
        self._filled -= len(offer.filled)
        offer.filled.clear()

    # -- offers -------------------------------------------------------------------------------------------------

    async def _offer(self, chain: tuple[int, ...], currency: str) -> Offer:
        """Return what the last organisation of `chain` is offered."""
        offer = self._by_chain.get((chain, currency))
        if offer is not None and offer.alive and (offer.expires_at is None or offer.expires_at > now()):
            return offer
        made = None
        while made is None:
            async with self._making:
                made = await self._make_offer(chain, currency, self._rules_version)
        if len(self._by_chain) >= _MOST_CHAINS:
            self._by_chain.clear()
        self._by_chain[chain, currency] = made
        return made

    async def _make_offer(self, chain: tuple[int, ...], currency: str, version: int) -> Offer | None:
        """Return an offer, tier by tier from the root; None when rules have changed meanwhile."""
        key: tuple[tuple[int, int], ...] = ()
        offer = self._known(currency, key) or self._keep(currency, key, None, None)
        for seller_id, buyer_id in pairwise(chain):
            async with self._database.transaction() as connection:
                own = await rule_store.has_rules_for(connection, seller_id, buyer_id)
                named_id = buyer_id if own else 0
                key = (*key, (seller_id, named_id))
                known = self._known(currency, key)
                if known is not None and known.seller is offer:
                    offer = known
                    continue
                link, at = Link(seller_id), now()
                await link.load(rule_store.stream_rules(connection, seller_id, named_id, currency, at),
                                self._columns, at)
            if version != self._rules_version:
                return None
            offer = self._keep(currency, key, offer, link)
        return offer if version == self._rules_version else None

    def _known(self, currency: str, key: tuple[tuple[int, int], ...]) -> Offer | None:
        offer = self._offers.get((currency, key))
        if offer is None:
            return None
        if offer.expires_at is not None and offer.expires_at <= now():
            del self._offers[currency, key]
            self._retire(offer)
            return None
        self._offers.move_to_end((currency, key))
        return offer

    def _keep(self, currency: str, key: tuple[tuple[int, int], ...], seller: Offer | None, link: Link | None) -> Offer:
        self._made += 1
        offer = self._offers[currency, key] = Offer(self._made, currency, seller, link)
        while len(self._offers) > max(_FEWEST_OFFERS, _MOST_PRICES // max(1, len(self._columns))):
            _, oldest = self._offers.popitem(last=False)
            self._retire(oldest)
        return offer

    async def _priced(self, chain: tuple[int, ...], currency: str) -> Offer:
        """Return an offer with its prices up to date."""
        offer = await self._offer(chain, currency)
        while not offer.is_current(self._columns):
            for each in offer.lineage():
                self._bring_up_to_date(each)
                if each is not offer:
                    await asyncio.sleep(0)
        return offer

    def _bring_up_to_date(self, offer: Offer) -> None:
        if not offer.is_current(self._columns):
            before = len(offer.filled)
            offer.refresh(self._columns)
            if offer.alive:
                self._filled += len(offer.filled) - before

    # -- asking -------------------------------------------------------------------------------------------------

    async def page(self, chain: tuple[int, ...], currency: str, selection: Selection, *, limit: int,
                   offset: int) -> Page:
        """Return a page of the products that the last organisation of `chain` is offered.

        Args:
            chain: organisation ids, the root first.
            currency: of the prices.
            selection: which products, in which order.
            limit: products on the page at most.
            offset: products before the page.

        Raises:
            UnknownFilterError: there is no such vendor or type.
        """
        self._check(selection)
        offer = await self._priced(chain, currency)
        positions = self._lists.positions(offer, selection)
        wanted = positions[offset:offset + limit]
        pieces = [b"["]
        if wanted:
            volatile = await self._fill(offer, chain, wanted)
            filled = offer.filled
            for position in wanted:
                pieces += filled.get(position) or volatile.get(position, ())
            if len(pieces) > 1:
                pieces.pop()  # the last comma
        pieces.append(b"]")
        return Page(pieces, len(positions))

    async def product(self, chain: tuple[int, ...], currency: str, product_id: int) -> list[bytes] | None:
        """Return one product as JSON in pieces; None when the organisation is not offered it."""
        position = self._columns.positions.get(product_id)
        if position is None:
            return None
        offer = await self._priced(chain, currency)
        if not self._columns.live[position] or offer.prices[position] == NONE:
            return None
        volatile = await self._fill(offer, chain, (position,))
        filled = offer.filled.get(position) or volatile.get(position)
        return list(filled[:-1]) if filled else None

    def _check(self, selection: Selection) -> None:
        for field, wanted, known in (("vendor", selection.vendor_ids, self._vendor_ids),
                                     ("type", selection.type_ids, self._type_ids)):
            for number in wanted:
                if number != NONE and number not in known:
                    raise UnknownFilterError(f"There is no {field} {number}.", field=field)

    # -- documents ----------------------------------------------------------------------------------------------

    async def _fill(self, offer: Offer, chain: tuple[int, ...], positions: Sequence[int]) -> _Filled:
        """Make sure that the documents at `positions` are filled in; nothing is awaited after the last of them.

        Returns:
            Those that changed while they were read, to be used once and not kept.
        """
        missing = [position for position in positions if position not in offer.filled]
        if not missing:
            return {}
        reading = self._readings
        documents = self._documents.get(offer.currency)
        if documents is None:
            documents = self._documents[offer.currency] = DocumentShelf(self._document_limit_bytes)
        found = {position: shelved for position in missing if (shelved := documents.get(position)) is not None}
        absent = [position for position in missing if position not in found]
        if absent:
            found |= await self._read_documents(documents, offer.currency, absent)
        for currency in {each for shelved in found.values() for each in shelved.currencies} - {offer.currency}:
            other = offer.others[currency] = await self._offer(chain, currency)
            if other.expires_at is not None:
                offer.expires_at = min(other.expires_at, offer.expires_at or other.expires_at)
        for each in offer.lineage():
            self._bring_up_to_date(each)
        return self._fill_in(offer, found, positions, reading)

    def _fill_in(self, offer: Offer, found: Mapping[int, Shelved], positions: Sequence[int], reading: int) -> _Filled:
        volatile: _Filled = {}
        before = len(offer.filled)
        for position, shelved in found.items():
            if offer.prices[position] == NONE:
                continue
            target = volatile if self._has_changed(position, reading) else offer.filled
            target[position] = self._filled_in(offer, position, shelved)
        if offer.alive:
            self._filled += len(offer.filled) - before
            if self._filled > _MOST_FILLED:
                self._make_room(offer, positions)
        return volatile

    def _filled_in(self, offer: Offer, position: int, shelved: Shelved) -> tuple[bytes, ...]:
        """Return a document's pieces with the caller's figures between them, and a comma at the end."""
        texts = self._texts
        figures = [texts[offer.prices[position]], b"%d" % self._columns.stock[position]]
        complete = True
        if shelved.parts is not None:
            for index, currency in enumerate(shelved.currencies):
                its = offer if currency == offer.currency else offer.others[currency]
                units = its.part_price(position, shelved.parts[2 * index], shelved.parts[2 * index + 1], self._columns)
                complete = complete and units != NONE
                figures.append(texts[units] if units != NONE else b"null")
        figures.append(_COMMA)
        pieces = tuple(piece for pair in zip(shelved.pieces, figures, strict=True) for piece in pair)
        return pieces if complete else (without_unpriced(b"".join(pieces[:-1])), _COMMA)

    def _make_room(self, offer: Offer, positions: Sequence[int]) -> None:
        """Forget what was filled in, except what is needed now."""
        for other in self._offers.values():
            if other is not offer:
                self._filled -= len(other.filled)
                other.filled.clear()
        if self._filled > _MOST_FILLED:
            needed = {position: offer.filled[position] for position in positions if position in offer.filled}
            self._filled += len(needed) - len(offer.filled)
            offer.filled.clear()
            offer.filled.update(needed)

    async def _read_documents(self, documents: DocumentShelf, currency: str,
                              positions: Sequence[int]) -> dict[int, Shelved]:
        """Read documents; one that has changed meanwhile is not kept."""
        reading, ids = self._readings, self._columns.ids
        async with self._database.connection() as connection:
            stored = await store.read_documents(connection, currency, [ids[position] for position in positions])
        found: dict[int, Shelved] = {}
        gone: list[int] = []
        for each in stored:
            position = self._columns.positions[each.product_id]
            found[position], evicted = documents.put(position, each)
            gone += evicted
            if self._has_changed(position, reading):
                documents.drop(position)
        for position in gone:
            self._unfill(position)
        return found
