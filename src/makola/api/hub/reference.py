"""Lists that are the same for everybody."""

from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import Meta

from makola.api.hub.paging import Paging
from makola.api.hub.reading import SearchText, from_query
from makola.core.organisations.countries import countries
from makola.core.organisations.permissions import Permission, module_of

_TAGS = ["Reference"]


class CountryCode(msgspec.Struct):
    """A country. `id` is what `country_code` holds elsewhere; it is no ISO number."""

    id: int
    iso_code: Annotated[str, Meta(description="ISO 3166-1 alpha-2.")]
    name: str


class CountryQuery(Paging, frozen=True, kw_only=True):
    """Which countries are wanted."""

    iso_code: Annotated[tuple[Annotated[str, Meta(max_length=2)], ...], Meta(
        description="Only these ISO 3166-1 alpha-2 codes (ours).")] = ()
    name: Annotated[tuple[Annotated[str, Meta(max_length=200)], ...], Meta(
        description="Only these names, in any case (ours).")] = ()
    text: Annotated[SearchText, Meta(description="A part of the name, in any case (ours).")] = ""


class PermissionQuery(Paging, frozen=True, kw_only=True):
    """Which permissions are wanted."""


class KnownPermission(msgspec.Struct):
    """A permission that can be given, and the module without which it has no effect."""

    permission: str
    module: str | None


@get("/country_codes", dependencies={"filters": from_query(CountryQuery)}, tags=_TAGS)
async def list_country_codes(filters: NamedDependency[CountryQuery]) -> Response[list[CountryCode]]:
    """Get the countries and their ids, by name."""
    codes = {code.upper() for code in filters.iso_code}
    names = {name.casefold() for name in filters.name}
    text = filters.text.casefold()
    found = [CountryCode(each.country_id, each.iso_code, each.name) for each in countries()
             if (not codes or each.iso_code in codes) and (not names or each.name.casefold() in names)
             and text in each.name.casefold()]
    return Response(found[filters.offset:filters.offset + filters.per_page], headers=filters.headers(len(found)))


@get("/permissions", dependencies={"filters": from_query(PermissionQuery)}, tags=_TAGS)
async def list_permissions(filters: NamedDependency[PermissionQuery]) -> Response[list[KnownPermission]]:
    """Get the permissions that there are (ours)."""
    found = [KnownPermission(str(each), str(module) if (module := module_of(each)) is not None else None)
             for each in sorted(Permission)]
    return Response(found[filters.offset:filters.offset + filters.per_page], headers=filters.headers(len(found)))


route_handlers = [list_country_codes, list_permissions]
