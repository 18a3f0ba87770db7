"""Applications: their pages, their pictures, and trusted ones wherever they are missing."""

from collections.abc import Callable

from litestar import Router

from makola.core.applications.registration import CHANNEL as APPLICATIONS_CHANNEL
from makola.core.oauth.default_installs import install_where_missing
from makola.core.organisations.queries import TREE_CHANNEL
from makola.core.pictures.service import CHANNEL as PICTURES_CHANNEL
from makola.core.pictures.workers import PictureFetcher
from makola.kit.outgoing import AddressPolicy
from makola.web.applications.router import application_pages
from makola.web.applications.services import ApplicationServices
from makola.web.pages import Pages
from makola.wiring.parts import Parts
from makola.wiring.sealing import sealer

#: How late a new organisation gets its applications where a notification was lost.
_NEWEST_TICK_S = 60.0
_EVERYBODY_TICK_S = 600.0
#: Organisations may appear in another order than that of their ids, when several are made at once.
_OVERLAP_IDS = 1000


def start_worker(parts: Parts) -> None:
    """Fetch pictures that are due, and install trusted applications for whoever does not have them."""
    PictureFetcher(parts.database, parts.outgoing).run_in(parts.background, parts.wake_ups.on(PICTURES_CHANNEL))

    reached = 0

    async def install_everywhere() -> bool:
        await install_where_missing(parts.database)
        return False

    async def install_for_the_newest() -> bool:
        nonlocal reached
        reached = await install_where_missing(parts.database, max(0, reached - _OVERLAP_IDS))
        return False

    parts.background.every("default-installs", install_everywhere, idle_s=_EVERYBODY_TICK_S,
                           wake=parts.wake_ups.on(APPLICATIONS_CHANNEL))
    parts.background.every("default-installs-newest", install_for_the_newest, idle_s=_NEWEST_TICK_S,
                           wake=parts.wake_ups.on(TREE_CHANNEL))


def pages(parts: Parts) -> Callable[[Pages], Router]:
    """Return what makes the pages."""
    settings = parts.settings
    return application_pages(ApplicationServices(
        parts.database, AddressPolicy(allow_private=settings.callback_allow_private), sealer(settings),
        parts.credentials.forget))
