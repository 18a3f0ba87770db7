"""Vendors and product types: what the numbers in a product stand for (ours)."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import Meta

from makola.api.hub.paging import Paging
from makola.api.hub.reading import SearchText, from_query
from makola.core.catalogue import queries
from makola.core.catalogue.types import Named
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Database

_TAGS = ["Catalogue"]
_OPTIONS = {"permission": Permission.PRODUCT_VIEW}


class NamedNumber(msgspec.Struct):
    """A vendor, or a product type."""

    id: int
    name: str


class NameQuery(Paging, frozen=True, kw_only=True):
    """Which of them are wanted."""

    text: Annotated[SearchText, Meta(description="A part of the name, in any case.")] = ""


@get("/vendors", dependencies={"filters": from_query(NameQuery)}, tags=_TAGS, opt=_OPTIONS)
async def list_vendors(actor: NamedDependency[Actor], database: NamedDependency[Database],
                       filters: NamedDependency[NameQuery]) -> Response[list[NamedNumber]]:
    """Get the vendors, by name (ours)."""
    return _page(await queries.list_vendors(database, actor), filters)


@get("/product_types", dependencies={"filters": from_query(NameQuery)}, tags=_TAGS, opt=_OPTIONS)
async def list_product_types(actor: NamedDependency[Actor], database: NamedDependency[Database],
                             filters: NamedDependency[NameQuery]) -> Response[list[NamedNumber]]:
    """Get the product types, by name (ours)."""
    return _page(await queries.list_types(database, actor), filters)


def _page(names: Sequence[Named], filters: NameQuery) -> Response[list[NamedNumber]]:
    text = filters.text.casefold()
    found = [NamedNumber(each.number, each.name) for each in names if text in each.name.casefold()]
    return Response(found[filters.offset:filters.offset + filters.per_page], headers=filters.headers(len(found)))


route_handlers = [list_vendors, list_product_types]
