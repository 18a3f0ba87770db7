"""Documents with the caller's figures in them."""

from collections.abc import Sequence

from makola.core.catalogue.documents import GAP, AmountTexts, part_numbers, without_unpriced
from makola.core.catalogue.shelf.columns import NONE, Columns
from makola.core.catalogue.shelf.documents import DocumentShelf, Shelved
from makola.core.catalogue.shelf.offer_book import OfferBook
from makola.core.catalogue.shelf.offers import Figures, Offer
from makola.core.catalogue.store import shelf as store
from makola.kit.database import Database

#: Products whose figures are kept, in all offers together.
MOST_FIGURES = 60_000
MOST_CHANGES = 10_000
_UNPRICED = b"null"


class Filling:
    """Keeps documents and figures, and joins them.

    Args:
        database: where the documents are.
        columns: the products.
        offers: the prices.
        document_limit_bytes: what documents may take, in all currencies together.
    """

    def __init__(self, database: Database, columns: Columns, offers: OfferBook, document_limit_bytes: int) -> None:
        self._database = database
        self._columns = columns
        self._offers = offers
        self._limit_bytes = document_limit_bytes
        self._documents: dict[str, DocumentShelf] = {}
        self._texts = AmountTexts()
        self._stock_texts: dict[int, bytes] = {}
        self._readings = 0
        self._changed_in: dict[int, int] = {}
        self._forgotten_before = 0

    # -- following changes --------------------------------------------------------------------------------------

    def begin_reading(self) -> None:
        """Note that whatever is read from the database from now on has seen what `forget` was told of before."""
        self._readings += 1

    def forget(self, position: int) -> None:
        """Forget everything that was made of a product's former state."""
        self._changed_in[position] = self._readings
        if len(self._changed_in) > MOST_CHANGES:
            self._changed_in.clear()
            self._forgotten_before = self._readings + 1
        for documents in self._documents.values():
            documents.drop(position)
        self._forget_figures(position)

    def _forget_figures(self, position: int) -> None:
        for offer in self._offers:
            offer.figures.pop(position, None)

    def _has_changed(self, position: int, reading: int) -> bool:
        """Say whether a product may have changed after a reading of the database."""
        return reading < self._forgotten_before or self._changed_in.get(position, 0) > reading

    # -- filling in ---------------------------------------------------------------------------------------------

    async def filled_in(self, offer: Offer, chain: tuple[int, ...], positions: Sequence[int]) -> list[bytes]:
        """Return the documents at `positions` with what `offer` says of them; those that are gone are left out."""
        documents = self._documents.get(offer.currency) or self._add_currency(offer.currency)
        documents.make_room_for(len(self._columns))
        ready = _joined(documents.templates, offer, positions)
        if ready is not None:
            return ready
        templates, known = documents.templates, offer.figures
        held = await self._prepare(offer, chain, documents, [
            position for position in positions if templates[position] is None or position not in known])
        filled: list[bytes] = []
        for position in positions:
            if position in held:
                template, figures = held[position]
            elif (kept := templates[position]) is not None and position in known:
                template, figures = kept, known[position]
            else:
                continue
            for figure in figures:
                template = template.replace(GAP, figure, 1)
            filled.append(template if _UNPRICED not in figures else without_unpriced(template))
        return filled

    def _add_currency(self, currency: str) -> DocumentShelf:
        """Make a shelf for the documents of one more currency."""
        added = self._documents[currency] = DocumentShelf(self._limit_bytes)
        self._share_room()
        return added

    def _share_room(self) -> None:
        """Let each currency have what the others leave, and its equal share in any case."""
        share = self._limit_bytes // len(self._documents)
        for documents in self._documents.values():
            others = sum(other.size_bytes for other in self._documents.values() if other is not documents)
            documents.limit(max(share, self._limit_bytes - others))

    async def _prepare(self, offer: Offer, chain: tuple[int, ...], documents: DocumentShelf,
                       missing: Sequence[int]) -> dict[int, tuple[bytes, Figures]]:
        """Return what is missing, and keep what has not changed meanwhile. Nothing is awaited after the last read."""
        reading = self._readings
        found = {position: shelved for position in missing if (shelved := documents.get(position)) is not None}
        absent = [position for position in missing if position not in found]
        if absent:
            found |= await self._read(documents, offer.currency, absent)
        for currency in {each for shelved in found.values() for each in shelved.currencies} - {offer.currency}:
            other = offer.others[currency] = await self._offers.offer(chain, currency)
            if other.expires_at is not None:
                offer.expires_at = min(other.expires_at, offer.expires_at or other.expires_at)
        self._offers.bring_up_to_date(offer)
        return self._keep(offer, documents, found, frozenset(absent), reading)

    def _keep(self, offer: Offer, documents: DocumentShelf, found: dict[int, Shelved], absent: frozenset[int],
              reading: int) -> dict[int, tuple[bytes, Figures]]:
        held: dict[int, tuple[bytes, Figures]] = {}
        for position, shelved in found.items():
            if offer.prices[position] == NONE:
                continue
            figures = self._figures(offer, position, shelved)
            held[position] = (shelved.template, figures)
            if self._has_changed(position, reading):
                continue
            if position in absent:
                self._forget_figures(position)  # they may belong to another state of the document
                documents.put(position, shelved)
            offer.figures[position] = figures
        if absent:
            self._share_room()
        if sum(len(each.figures) for each in self._offers) > MOST_FIGURES:
            for each in self._offers:
                if each is not offer:
                    each.figures.clear()
            if len(offer.figures) > MOST_FIGURES:
                offer.figures.clear()
        return held

    async def _read(self, documents: DocumentShelf, currency: str, positions: Sequence[int]) -> dict[int, Shelved]:
        ids, by_id = self._columns.ids, self._columns.positions
        async with self._database.connection() as connection:
            stored = await store.read_documents(connection, currency, [ids[position] for position in positions])
        return {by_id[each.product_id]: documents.opened(each) for each in stored}

    def _figures(self, offer: Offer, position: int, shelved: Shelved) -> Figures:
        """Return what belongs into a document's gaps, in their order."""
        texts, columns = self._texts, self._columns
        figures = [texts[offer.prices[position]], self._stock_text(columns.stock[position])]
        if shelved.parts:
            numbers = part_numbers(shelved.parts)
            if shelved.currencies.count(offer.currency) == len(shelved.currencies):
                prices = offer.part_prices(position, numbers, columns)
            else:
                prices = [price for index, currency in enumerate(shelved.currencies)
                          for price in (offer if currency == offer.currency else offer.others[currency]).part_prices(
                              position, numbers[2 * index:2 * index + 2], columns)]
            if NONE in prices:
                offer.has_unpriced_parts = True
            figures += [texts[price] if price != NONE else _UNPRICED for price in prices]
        return tuple(figures)

    def _stock_text(self, stock: int) -> bytes:
        text = self._stock_texts.get(stock)
        if text is None:
            if len(self._stock_texts) > MOST_CHANGES:
                self._stock_texts.clear()
            text = self._stock_texts[stock] = b"%d" % max(0, stock)
        return text


def _joined(templates: Sequence[bytes | None], offer: Offer, positions: Sequence[int]) -> list[bytes] | None:
    """Return the documents at `positions` if everything is there already: the common case, and the fast one."""
    if offer.has_unpriced_parts:
        return None
    filled: list[bytes] = []
    known = offer.figures
    for position in positions:
        template, figures = templates[position], known.get(position)
        if template is None or figures is None:
            return None
        for figure in figures:
            template = template.replace(GAP, figure, 1)
        filled.append(template)
    return filled
