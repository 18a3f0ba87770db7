"""Merchants' logos and pictures of items: copies that we fetched and made safe, never linked to from the page."""

import asyncio
import io
import time
from collections import OrderedDict

from PIL import Image

from makola.core.pictures.service import find_pictures, key_of, read_copy, want
from makola.core.pictures.types import PictureState
from makola.kit.database import Database

_SIDE_PX = 160
_KEPT = 256
_KEPT_S = 3_600.0
_REFUSED_S = 300.0
_TIMEOUT_S = 4.0
_LOOK_S = 0.1


class Pictures:
    """Square pictures by the address of the original, remembered for an hour; what cannot be had, for minutes.

    Args:
        database: where the copies are; the fetcher, in whichever process it runs, makes one that nobody has asked for.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[str, tuple[float, bytes | None]] = OrderedDict()
        self._underway: dict[str, asyncio.Task[bytes | None]] = {}

    async def get(self, url: str) -> bytes | None:
        """Return a picture as a square PNG; None when there is none that can be shown."""
        kept = self._kept.get(url)
        if kept is not None and kept[0] > time.monotonic():
            self._kept.move_to_end(url)
            return kept[1]
        task = self._underway.get(url)
        if task is None:
            task = self._underway[url] = asyncio.create_task(self._make(url))
            task.add_done_callback(lambda _: self._underway.pop(url, None))
        return await asyncio.shield(task)

    async def _make(self, url: str) -> bytes | None:
        copy = await self._copy(url)
        picture = None if copy is None else await asyncio.to_thread(_square, copy)
        self._kept[url] = (time.monotonic() + (_REFUSED_S if picture is None else _KEPT_S), picture)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return picture

    async def _copy(self, url: str) -> bytes | None:
        """Return the copy of a picture; the first time, wait a moment for it to be fetched."""
        ending = time.monotonic() + _TIMEOUT_S
        is_asked_for = False
        while True:
            found = (await find_pictures(self._database, [url])).get(url)
            if found is not None and found.state is PictureState.READY:
                return await read_copy(self._database, key_of(url))
            if is_asked_for and found is not None and found.state is PictureState.FAILED:
                return None
            if not is_asked_for:
                is_asked_for = True
                async with self._database.transaction() as connection:
                    await want(connection, [url])
            if time.monotonic() > ending:
                return None
            await asyncio.sleep(_LOOK_S)


def _square(content: bytes) -> bytes:
    """Return a copy in the middle of a transparent square, made smaller where it is too large."""
    with Image.open(io.BytesIO(content), formats=["PNG"]) as pixels:
        pixels.thumbnail((_SIDE_PX, _SIDE_PX))
        side_px = max(pixels.size)
        square = Image.new("RGBA", (side_px, side_px))
        square.paste(pixels, ((side_px - pixels.width) // 2, (side_px - pixels.height) // 2))
    written = io.BytesIO()
    square.save(written, "PNG", optimize=True)
    return written.getvalue()
