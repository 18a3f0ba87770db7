"""Pages of a list: `page` and `per_page` in, the totals in headers."""

from typing import Annotated

import msgspec
from msgspec import Meta

MOST_PER_PAGE = 1000
_MOST_PAGE = 1_000_000_000


class Paging(msgspec.Struct, frozen=True, kw_only=True):
    """What every list takes. The query of a list is a struct that inherits from this one."""

    page: Annotated[int, Meta(ge=1, le=_MOST_PAGE, description="The page of results, from 1.")] = 1
    per_page: Annotated[int, Meta(ge=1, le=MOST_PER_PAGE, description="Results on a page.")] = MOST_PER_PAGE

    @property
    def offset(self) -> int:
        """How many rows stand before the page."""
        return (self.page - 1) * self.per_page

    def headers(self, total: int) -> dict[str, str]:
        """Return the headers that tell how much there is.

        Args:
            total: rows on all pages together.
        """
        return {"X-Total-Count": str(total), "X-Total-Pages": str(-(-total // self.per_page))}
