"""Sending a code to an application in one step, whether it is assigned already or not."""

from dataclasses import replace

from makola.core.organisations.types import Actor
from makola.core.ussd import codes
from makola.core.ussd.service.services import add_service, change_service
from makola.core.ussd.store import services as store
from makola.core.ussd.types import Service
from makola.kit.database import Connection


async def find_code(connection: Connection, code: str) -> Service | None:
    """Return the service that has exactly this code, whoever's it is; None when there is none."""
    code = codes.normalised(code)
    found = await store.fetch_by_codes(connection, [code]) if codes.is_code(code) else []
    return found[0] if found else None


async def map_code(connection: Connection, actor: Actor, code: str, url: str, *, owner_id: int, allow_private: bool,
                   name: str = "", only_where_url: str | None = None) -> Service:
    """Let a code reach an application from now on.

    Args:
        connection: an open transaction.
        actor: who asks.
        code: as it is dialled or assigned: `*714#` or `714`.
        url: of the application.
        owner_id: whose code it becomes where it is not assigned yet.
        allow_private: whether the application may be at a private address.
        name: of a service that is new.
        only_where_url: leave a code that goes anywhere else as it is.

    Returns:
        The service as it is now.

    Raises:
        InvalidServiceError: the code cannot be.
        InvalidUrlError: the URL cannot be called.
        CodeNotOwnedError: the code is new, and not below one of the actor's.
        UnknownServiceError: the code is somebody's who is not in the actor's sight.
    """
    found = await find_code(connection, code)
    if found is None:
        new = Service(0, code, owner_id, name, url)
        return await add_service(connection, actor, new, allow_private=allow_private)
    if only_where_url is not None and found.url != only_where_url:
        return found
    return await change_service(connection, actor, replace(found, url=url, enabled=True),
                                allow_private=allow_private)
