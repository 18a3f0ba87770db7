"""What the pages of applications work with."""

from collections.abc import Callable, Iterable, Mapping

from litestar import Request
from litestar.datastructures import State

from makola.core.applications.listings import picture_urls
from makola.core.applications.types import Listing
from makola.core.pictures.service import find_pictures, read_copy
from makola.core.pictures.types import Picture, PictureState
from makola.kit.database import Database
from makola.kit.outgoing import AddressPolicy
from makola.kit.sealing import Sealer

PageRequest = Request[object, object, State]


class ApplicationServices:
    """Services and settings, made once.

    Args:
        database: where applications are.
        policy: where callbacks and pictures may be.
        sealer: opens what applications are told when an authorization ends; without one they are not told.
        forget: makes this process ask the database about everybody's credentials again.
    """

    # No dataclass: Litestar would look into its fields, and cannot read those of the policy.
    def __init__(self, database: Database, policy: AddressPolicy, sealer: Sealer | None,
                 forget: Callable[[], None]) -> None:
        self.database = database
        self.policy = policy
        self.sealer = sealer
        self.forget = forget

    async def pictures_of(self, listings: Iterable[Listing]) -> Mapping[str, Picture]:
        """Return what is known of the pictures of some listings, by their URLs."""
        return await find_pictures(self.database, [url for each in listings for url in picture_urls(each)])

    async def copy_of_picture(self, key: str) -> bytes | None:
        """Return our copy of a picture as PNG; None where there is none."""
        return await read_copy(self.database, key)


def picture_address(pictures: Mapping[str, Picture], url: str) -> str:
    """Return where a page finds our copy of a picture; empty where there is none (yet)."""
    found = pictures.get(url)
    return f"/pictures/{found.key}" if found is not None and found.state is PictureState.READY else ""
