"""Pictures and the copies that we keep of them."""

import enum
from dataclasses import dataclass


class PictureState(enum.StrEnum):
    """Whether there is a copy: not yet, yes, or not any more after several tries."""

    WANTED = "wanted"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of a picture.

    Attributes:
        key: names the copy; pages show it at `/pictures/{key}`.
        width_px, height_px: of the original; 0 while there is no copy.
        detail: why there is none, for whoever named the URL.
    """

    key: str
    url: str
    state: PictureState
    width_px: int
    height_px: int
    detail: str


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """How pictures are fetched, in seconds and bytes.

    Attributes:
        retry_delays_s: waits before each further attempt; after the last the picture has failed.
        refresh_s: after which a copy is made anew; the old one is shown until then.
    """

    timeout_s: float = 10.0
    connect_timeout_s: float = 5.0
    lease_s: float = 60.0
    retry_delays_s: tuple[float, ...] = (10.0, 60.0, 600.0, 3_600.0)
    refresh_s: float = 7 * 86_400.0
