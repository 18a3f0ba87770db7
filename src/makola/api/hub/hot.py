"""Routes that are served before Litestar is asked: those whose speed counts (the catalogue).

They keep every convention of this family: the same door, the same problems, the same paging.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec

from makola.api.common.asgi import Answer, Scope
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor


@dataclass(frozen=True, slots=True)
class HotRequest:
    """A request that the door has let in. `path_id` is the id at the end of the path; 0 where the route has none."""

    scope: Scope
    actor: Actor
    path_id: int


@dataclass(frozen=True, slots=True)
class HotRoute:
    """A GET route.

    Attributes:
        path: below `/api/v1`, such as `/products` or `/products/{id}`; a part in braces comes last and is an id.
        answer: makes the answer; errors are raised as in any other handler.
        permission: what the actor must hold.
        returns: the type of the answer's body, for the document.
        query: the struct that `read_query` reads the query as, for the document.
        errors: further statuses that can be answered.
    """

    path: str
    answer: Callable[[HotRequest], Awaitable[Answer]]
    permission: Permission
    summary: str
    tag: str
    returns: object
    query: type[msgspec.Struct] | None = None
    description: str = ""
    errors: tuple[int, ...] = field(default=())

    @property
    def is_list(self) -> bool:
        """Whether the answer is a page of a list."""
        return "{" not in self.path
