"""The pages of USSD: the log of sessions, and the bank of the demonstration world."""

from litestar import Router

from makola.connectors.sandbox.bank import create_bank_router
from makola.core.organisations.actors import find_platform_actor
from makola.core.organisations.types import Actor
from makola.core.ussd.asking import Applications
from makola.core.ussd.errors import InvalidServiceError
from makola.core.ussd.service.mapping import find_code, map_code
from makola.demonstration_ussd import CODE
from makola.web.pages import Pages
from makola.web.ussd import create_ussd_router
from makola.wiring.parts import Parts


def pages(parts: Parts, pages_of: Pages) -> Router:
    """Return `/ussd`; it is one of what `create_web_router` takes as `more`."""
    settings = parts.settings

    async def map_to(viewer: Actor | None, code: str, url: str) -> None:
        """Send a code to an application: as who is signed in, or in the demonstration world as its merchant."""
        async with parts.database.transaction() as connection:
            actor = viewer or await find_platform_actor(connection)
            if actor is None:
                raise InvalidServiceError("There is no organisation yet that could own a code.", field="code")
            demonstration = None if viewer else await find_code(connection, CODE)
            owner_id = demonstration.organisation_id if demonstration else actor.organisation_id
            await map_code(connection, actor, code, url, owner_id=owner_id,
                           allow_private=settings.callback_allow_private)

    return create_ussd_router(pages_of, parts.database, Applications(parts.outgoing), map_to,
                              parts.background.stopping, demo=settings.demo)


def bank() -> Router:
    """Return the application behind the demonstration world's code."""
    return create_bank_router()
