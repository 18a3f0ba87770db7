"""Catalogue: the shelf in memory that lists are answered from, and the stock."""

from functools import partial

from makola.core.catalogue.service.stock import STOCK_CHANNEL, add_up_stock
from makola.core.catalogue.shelf.shelf import Shelf
from makola.core.catalogue.types import CHANNEL
from makola.wiring.parts import Parts

#: A price is never older than this, even where a notification was lost.
_TICK_S = 1.0


def start_worker(parts: Parts) -> None:
    """Add up what orders take from stock."""
    parts.background.every("stock", partial(add_up_stock, parts.database), idle_s=_TICK_S,
                           wake=parts.wake_ups.on(STOCK_CHANNEL))


async def start_shelf(parts: Parts) -> Shelf:
    """Fill the shelf, and follow the changes of the catalogue."""
    shelf = Shelf(parts.database)
    await shelf.refresh()
    parts.background.every("catalogue", shelf.refresh, idle_s=_TICK_S, wake=parts.wake_ups.on(CHANNEL))
    return shelf
