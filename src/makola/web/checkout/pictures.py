"""Merchants' logos and pictures of items: fetched by us, made safe, and never linked to from the page."""

import asyncio
import io
import time
from collections import OrderedDict

import structlog
from PIL import Image

from makola.kit.errors import DomainError
from makola.kit.outgoing import OutgoingError, OutgoingHttp
from makola.kit.pictures import MOST_BYTES, UnusablePictureError, make_safe

_SIDE_PX = 160
_KEPT = 256
_KEPT_S = 3_600.0
_REFUSED_S = 300.0
_TIMEOUT_S = 4.0
_AT_ONCE = 4
_OK = 200

_log = structlog.get_logger(__name__)


class Pictures:
    """Pictures by their address, kept in memory for an hour; what could not be had is asked for again after minutes.

    Args:
        outgoing: the client that refuses addresses inside our own network.
    """

    def __init__(self, outgoing: OutgoingHttp) -> None:
        self._outgoing = outgoing
        self._kept: OrderedDict[str, tuple[float, bytes | None]] = OrderedDict()
        self._underway: dict[str, asyncio.Task[bytes | None]] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def get(self, url: str) -> bytes | None:
        """Return a picture as a square PNG; None when there is none that can be shown."""
        kept = self._kept.get(url)
        if kept is not None and kept[0] > time.monotonic():
            self._kept.move_to_end(url)
            return kept[1]
        task = self._underway.get(url)
        if task is None:
            task = self._underway[url] = asyncio.create_task(self._fetch(url))
            task.add_done_callback(lambda _: self._underway.pop(url, None))
        return await asyncio.shield(task)

    async def _fetch(self, url: str) -> bytes | None:
        picture: bytes | None = None
        async with self._places:
            try:
                answer = await self._outgoing.request(
                    "GET", url, headers={"Accept": "image/*"}, timeout_s=_TIMEOUT_S, max_answer_bytes=MOST_BYTES)
                if answer.status == _OK and not answer.cut:
                    picture = await asyncio.to_thread(_square, answer.body)
            except (OutgoingError, DomainError, UnusablePictureError) as error:
                _log.info("picture_not_shown", reason=str(error))
        self._kept[url] = (time.monotonic() + (_REFUSED_S if picture is None else _KEPT_S), picture)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return picture


def _square(content: bytes) -> bytes:
    """Return a picture made anew, in the middle of a transparent square."""
    safe = make_safe(content, most_side_px=_SIDE_PX)
    with Image.open(io.BytesIO(safe.png)) as pixels:
        side_px = max(pixels.size)
        square = Image.new("RGBA", (side_px, side_px))
        square.paste(pixels, ((side_px - pixels.width) // 2, (side_px - pixels.height) // 2))
    written = io.BytesIO()
    square.save(written, "PNG", optimize=True)
    return written.getvalue()
