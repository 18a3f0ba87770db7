"""Catalogue: the shelf in memory that lists are answered from."""

from makola.core.catalogue.shelf.shelf import Shelf
from makola.core.catalogue.types import CHANNEL
from makola.wiring.parts import Parts

#: A price is never older than this, even where a notification was lost.
_TICK_S = 1.0


async def start_shelf(parts: Parts) -> Shelf:
    """Fill the shelf, and follow the changes of the catalogue."""
    shelf = Shelf(parts.database)
    await shelf.refresh()
    parts.background.every("catalogue", shelf.refresh, idle_s=_TICK_S, wake=parts.wake_ups.on(CHANNEL))
    return shelf
