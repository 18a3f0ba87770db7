"""Shipping types."""

from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from makola.api.hub.paging import Paging
from makola.api.hub.reading import from_query
from makola.core.ordering import queries
from makola.core.ordering import types as core
from makola.core.organisations.permissions import Permission
from makola.kit.database import Database

_TAGS = ["Reference"]


class ShippingType(msgspec.Struct):
    """A way of shipping. Without `countries` it ships anywhere; with `exclude_countries`, anywhere but there."""

    id: int
    name: str
    countries: Annotated[list[int], Meta(description="Countries' ids; see `/country_codes`.")]
    exclude_countries: bool


class ShippingTypeQuery(Paging, frozen=True, kw_only=True):
    """Which shipping types are wanted."""


@get("/shipping_types", dependencies={"filters": from_query(ShippingTypeQuery)}, tags=_TAGS,
     opt={"permission": Permission.SHIPPING_TYPE_VIEW})
async def list_shipping_types(database: NamedDependency[Database],
                              filters: NamedDependency[ShippingTypeQuery]) -> Response[list[ShippingType]]:
    """Get the shipping types."""
    async with database.connection() as connection:
        found, total = await queries.list_shipping_types(connection, skip=filters.offset, limit=filters.per_page)
    return Response([_written(each) for each in found], headers=filters.headers(total))


@get("/shipping_types/{shipping_type_id:int}", tags=_TAGS, opt={"permission": Permission.SHIPPING_TYPE_VIEW})
async def get_shipping_type(database: NamedDependency[Database], shipping_type_id: FromPath[int]) -> ShippingType:
    """Get one shipping type (ours)."""
    async with database.connection() as connection:
        return _written(await queries.find_shipping_type(connection, shipping_type_id))


def _written(each: core.ShippingType) -> ShippingType:
    return ShippingType(each.shipping_type_id, each.name, list(each.countries), each.exclude_countries)


route_handlers = [list_shipping_types, get_shipping_type]
