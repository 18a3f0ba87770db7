"""The door for MTN MoMo's callbacks. What they say is not read: they make us ask."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from litestar import Response, Router, route
from litestar.di import NamedDependency, Provide
from litestar.enums import HttpMethod
from litestar.params import FromPath

from makola.kit.ids import parse_id

NOTICE_PATH = "/payments/mtn-momo"

#: Makes the core ask how a transaction stands.
Hint = Callable[[UUID], Awaitable[None]]


class _Door:
    def __init__(self, hint: Hint) -> None:
        self.hint = hint


def create_mtn_momo_router(hint: Hint) -> Router:
    """Return the route for callbacks: `/payments/mtn-momo/{X-Reference-Id}`."""
    door = _Door(hint)
    return Router(path=NOTICE_PATH, route_handlers=[notice], include_in_schema=False, request_max_body_size=65_536,
                  dependencies={"door": Provide(lambda: door, sync_to_thread=False)})


@route("/{reference:str}", http_method=[HttpMethod.POST, HttpMethod.PUT], status_code=200)
async def notice(door: NamedDependency[_Door], reference: FromPath[str]) -> Response[bytes]:
    """Take a callback."""
    transaction_id = parse_id(reference)
    if transaction_id is not None:
        await door.hint(transaction_id)
    return Response(b"", media_type="text/plain")
