"""Pictures from strangers, made safe: decoded within limits and written anew as PNG, so that only pixels are left.

What a file claims to be does not count: only what the decoder of a short list of formats makes of it. Metadata, further
frames, colour profiles and whatever hides behind the picture are gone afterwards.
"""

import io
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

#: No SVG: it can hold scripts and references.
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
MOST_BYTES = 1_048_576
MOST_SIDE_PX = 4096
_KEPT_SIDE_PX = 512


class UnusablePictureError(Exception):
    """The bytes are no picture that we show. The text is one sentence for whoever named it."""


@dataclass(frozen=True, slots=True)
class SafePicture:
    """A picture made anew.

    Attributes:
        png: fit to be served as `image/png`.
        width_px, height_px: of the original, before it was made smaller.
    """

    png: bytes
    width_px: int
    height_px: int


def make_safe(content: bytes, *, most_side_px: int = _KEPT_SIDE_PX) -> SafePicture:
    """Return a picture as PNG, made smaller where a side is too long. It takes CPU time: run it in a thread.

    Args:
        content: a file in one of `FORMATS`.
        most_side_px: the longest side of what is returned.

    Raises:
        UnusablePictureError: it is too large, broken, or in no format that we read.
    """
    if len(content) > MOST_BYTES:
        raise UnusablePictureError(f"The picture has more than {MOST_BYTES // 1024} KiB.")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            width_px, height_px = opened.size
            if max(width_px, height_px) > MOST_SIDE_PX:  # known from the header, before anything is decoded
                raise UnusablePictureError(f"A side of the picture is longer than {MOST_SIDE_PX} pixels.")
            opened.draft("RGB", (most_side_px, most_side_px))
            pixels = opened.convert("RGBA")
            pixels.thumbnail((most_side_px, most_side_px))
            return SafePicture(_written(pixels), width_px, height_px)
    except UnidentifiedImageError as error:
        raise UnusablePictureError(f"This is no picture in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.") from error
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, OverflowError, MemoryError,
            Image.DecompressionBombError) as error:  # what Pillow's decoders raise
        raise UnusablePictureError("The picture is broken, or too large to be read.") from error


def _written(pixels: Image.Image) -> bytes:
    clean = Image.new("RGBA", pixels.size)
    clean.paste(pixels)  # without the metadata that `convert` keeps
    written = io.BytesIO()
    clean.save(written, "PNG", optimize=True)
    return written.getvalue()
