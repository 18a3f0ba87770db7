"""Saved addresses of an organisation."""

from typing import Annotated

import msgspec
from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from makola.api.hub.paging import Paging
from makola.api.hub.reading import from_body, from_query
from makola.core.organisations import addresses
from makola.core.organisations.addresses import AddressParticulars
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Database

_TAGS = ["Organisations"]
_MOST_COUNTRY_ID = 2**31 - 1

Line = Annotated[str, Meta(max_length=200)]
NeededLine = Annotated[str, Meta(min_length=1, max_length=200)]
CountryId = Annotated[int, Meta(ge=1, le=_MOST_COUNTRY_ID, description="A country's id; see `/country_codes`.")]


class Address(msgspec.Struct):
    """A saved address. `id`, `organisation` and `shared` are ours."""

    id: int
    organisation: int
    name: str
    company_name: str
    recipient_name: str
    addr_line_1: str
    addr_line_2: str
    city: str
    region: str
    postal_code: str
    country_code: CountryId
    shared: Annotated[bool, Meta(description="Whether the direct children see it too.")]


class NewAddress(msgspec.Struct, forbid_unknown_fields=True):
    """An address to save."""

    name: NeededLine
    addr_line_1: NeededLine
    city: NeededLine
    country_code: CountryId
    company_name: Line = ""
    recipient_name: Line = ""
    addr_line_2: Line = ""
    region: Line = ""
    postal_code: Line = ""
    shared: bool = False


class AddressQuery(Paging, frozen=True, kw_only=True):
    """Which addresses are wanted."""


@get("/organisations/{organisation_id:int}/addresses", dependencies={"filters": from_query(AddressQuery)},
     tags=_TAGS, opt={"permission": Permission.ADDRESS_VIEW})
async def list_addresses(actor: NamedDependency[Actor], database: NamedDependency[Database],
                         organisation_id: FromPath[int],
                         filters: NamedDependency[AddressQuery]) -> Response[list[Address]]:
    """Get a list of saved addresses for an organisation.

    Whoever holds `address:view` with `parent` also sees, after one's own, what the parent shares with its children.
    """
    found, total = await addresses.list_addresses(
        database, actor, organisation_id, limit=filters.per_page, offset=filters.offset)
    return Response([_written(each) for each in found], headers=filters.headers(total))


@post("/organisations/{organisation_id:int}/addresses", dependencies={"sent": from_body(NewAddress)}, tags=_TAGS,
      opt={"permission": Permission.ADDRESS_CHANGE})
async def create_address(actor: NamedDependency[Actor], database: NamedDependency[Database],
                         organisation_id: FromPath[int], sent: NamedDependency[NewAddress]) -> Address:
    """Save an address (ours)."""
    async with database.transaction() as connection:
        return _written(await addresses.add_address(connection, actor, organisation_id, _read(sent)))


@get("/organisations/{organisation_id:int}/addresses/{address_id:int}", tags=_TAGS,
     opt={"permission": Permission.ADDRESS_VIEW})
async def get_address(actor: NamedDependency[Actor], database: NamedDependency[Database],
                      organisation_id: FromPath[int], address_id: FromPath[int]) -> Address:
    """Get one saved address (ours)."""
    async with database.connection() as connection:
        return _written(await addresses.find_address(connection, actor, organisation_id, address_id))


@put("/organisations/{organisation_id:int}/addresses/{address_id:int}", dependencies={"sent": from_body(NewAddress)},
     tags=_TAGS, opt={"permission": Permission.ADDRESS_CHANGE})
async def change_address(actor: NamedDependency[Actor], database: NamedDependency[Database],
                         organisation_id: FromPath[int], address_id: FromPath[int],
                         sent: NamedDependency[NewAddress]) -> Address:
    """Replace a saved address (ours)."""
    async with database.transaction() as connection:
        return _written(await addresses.change_address(connection, actor, organisation_id, address_id, _read(sent)))


@delete("/organisations/{organisation_id:int}/addresses/{address_id:int}", tags=_TAGS,
        opt={"permission": Permission.ADDRESS_CHANGE})
async def delete_address(actor: NamedDependency[Actor], database: NamedDependency[Database],
                         organisation_id: FromPath[int], address_id: FromPath[int]) -> None:
    """Delete a saved address (ours)."""
    async with database.transaction() as connection:
        await addresses.delete_address(connection, actor, organisation_id, address_id)


def _read(sent: NewAddress) -> AddressParticulars:
    return AddressParticulars(**msgspec.structs.asdict(sent))


def _written(address: addresses.Address) -> Address:
    each = address.particulars
    return Address(
        address.address_id, address.organisation_id, each.name, each.company_name, each.recipient_name,
        each.addr_line_1, each.addr_line_2, each.city, each.region, each.postal_code, each.country_code, each.shared)


route_handlers = [list_addresses, create_address, get_address, change_address, delete_address]
