"""Which pages there are."""

from collections.abc import Callable, Sequence

from litestar import Router
from litestar.di import Provide

from makola.kit.database import Database
from makola.web.api_document import ApiDocument
from makola.web.callbacks_page import create_callbacks_router
from makola.web.pages import Pages, documentation, handset_page, landing, reference, static_file


def create_web_router(documents: Sequence[ApiDocument] = (), *, handset: bool = True,
                      callbacks: Database | None = None, sign_in: bool = False,
                      more: Sequence[Callable[[Pages], Router]] = ()) -> Router:
    """Return every page: `/`, `/docs`, `/docs/{slug}`, `/static/...`, and what belongs to the demonstration world.

    Args:
        documents: the APIs that are documented here.
        handset: True where the virtual operator (`/sandbox`) runs.
        callbacks: where the callbacks are that `/callbacks` shows; None for no such page.
        sign_in: True where people can sign in: the header says who did.
        more: each makes the pages of a further part of the product.
    """
    pages = Pages(documents, handset=handset, callbacks=callbacks is not None, sign_in=sign_in)
    common = Router(path="/", route_handlers=[landing, documentation, reference, static_file],
                    dependencies={"pages": Provide(lambda: pages, sync_to_thread=False)}, include_in_schema=False)
    if handset:
        common.register(handset_page)
    if callbacks is not None:
        common.register(create_callbacks_router(pages, callbacks))
    for make in more:
        common.register(make(pages))
    return common
