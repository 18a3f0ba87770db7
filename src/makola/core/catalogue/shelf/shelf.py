"""The shelf: lists, searches and single products, each with the prices of whoever asks, from memory.

Every web process has one. It follows the database by snapshots: woken by a notification, and once a second whatever
happens, it reads what the last snapshot could not see. Nothing here is ever behind the database by more than that.
"""

import asyncio
from dataclasses import dataclass

from makola.core.catalogue.errors import UnknownFilterError
from makola.core.catalogue.shelf.columns import NONE, Columns
from makola.core.catalogue.shelf.filling import Filling
from makola.core.catalogue.shelf.lists import ListShelf
from makola.core.catalogue.shelf.offer_book import OfferBook
from makola.core.catalogue.store import shelf as store
from makola.core.catalogue.types import Selection
from makola.kit.database import Database

DOCUMENT_LIMIT_BYTES = 96 * 2**20


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list: each product as JSON, and how many products there are on all pages."""

    documents: list[bytes]
    total: int


class Shelf:
    """The catalogue in memory.

    Args:
        database: where it comes from.
        document_limit_bytes: what documents may take together; what is not here is read when asked for.
    """

    def __init__(self, database: Database, *, document_limit_bytes: int = DOCUMENT_LIMIT_BYTES) -> None:
        self._database = database
        self._snapshot: str | None = None
        self._vendor_ids: frozenset[int] = frozenset()
        self._type_ids: frozenset[int] = frozenset()
        self._columns = Columns()
        self._lists = ListShelf(self._columns)
        self._offers = OfferBook(database, self._columns)
        self._filling = Filling(database, self._columns, self._offers, document_limit_bytes)

    async def refresh(self) -> bool:
        """Read what has changed; always False, so that a background loop sleeps until the next time."""
        async with self._database.connection() as connection, \
                connection.transaction(isolation="repeatable_read", readonly=True):
            present = await store.read_present(connection)
            if present.snapshot == self._snapshot:
                return False
            regroupings = self._columns.regroupings
            async for outlines in store.stream_outlines(connection, self._snapshot):
                self._filling.begin_reading()
                for outline in outlines:
                    position = self._columns.put(outline)
                    if self._snapshot is not None:
                        self._filling.forget(position)
                await asyncio.sleep(0)
            sellers = await store.changed_sellers(connection, self._snapshot) if self._snapshot is not None else []
        self._filling.begin_reading()  # what is read from here on has seen all this
        self._columns.name_ranks()  # the first time it takes long, and nobody waits yet
        self._vendor_ids, self._type_ids = present.vendor_ids, present.type_ids
        self._snapshot = present.snapshot
        if regroupings != self._columns.regroupings:
            self._offers.forget(None)
        elif sellers:
            self._offers.forget(frozenset(sellers))
        return False

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
        offer = await self._offers.priced(chain, currency)
        listed = self._lists.positions(offer, selection, until=offset + limit)
        return Page(await self._filling.filled_in(offer, chain, listed.positions[offset:offset + limit]), listed.total)

    async def product(self, chain: tuple[int, ...], currency: str, product_id: int) -> bytes | None:
        """Return one product as JSON; None when the last organisation of `chain` is not offered it."""
        position = self._columns.positions.get(product_id)
        if position is None:
            return None
        offer = await self._offers.priced(chain, currency)
        if not self._columns.live[position] or offer.prices[position] == NONE:
            return None
        documents = await self._filling.filled_in(offer, chain, (position,))
        return documents[0] if documents else None

    def _check(self, selection: Selection) -> None:
        for field, wanted, known in (("vendor", selection.vendor_ids, self._vendor_ids),
                                     ("type", selection.type_ids, self._type_ids)):
            for number in wanted:
                if number != NONE and number not in known:
                    raise UnknownFilterError(f"There is no {field} {number}.", field=field)
