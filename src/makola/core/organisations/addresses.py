"""Saved addresses of an organisation."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from makola.core.organisations.audit import record
from makola.core.organisations.countries import country_by_id
from makola.core.organisations.errors import InvalidOrganisationError, UnknownAddressError
from makola.core.organisations.permissions import Permission
from makola.core.organisations.queries import find_visible_organisation
from makola.core.organisations.texts import holds_control_character
from makola.core.organisations.types import Actor, Organisation
from makola.kit.database import Connection, Database, Record

_MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class AddressParticulars:
    """What an address says. `country_code` is a country's id; `shared` lets the direct children see it too."""

    name: str
    company_name: str = ""
    recipient_name: str = ""
    addr_line_1: str = ""
    addr_line_2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country_code: int = 0
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """A saved address of `organisation_id`."""

    address_id: int
    organisation_id: int
    particulars: AddressParticulars


_NAMES = tuple(field.name for field in fields(AddressParticulars))
_COLUMNS = ", ".join(("id", "organisation_id", *_NAMES))
_INSERT = f"""
INSERT INTO organisations.address (organisation_id, {", ".join(_NAMES)})
VALUES ($1, {", ".join(f"${number}" for number in range(2, len(_NAMES) + 2))}) RETURNING id
"""  # noqa: S608 - own text
_UPDATE = f"""
UPDATE organisations.address SET {", ".join(f"{name} = ${number}" for number, name in enumerate(_NAMES, 3))}
WHERE id = $1 AND organisation_id = $2
"""  # noqa: S608 - own text
# The organisation's own, then what its parent shares ($2; NULL where that is not wanted).
_WHERE = "FROM organisations.address WHERE organisation_id = $1 OR (organisation_id = $2 AND shared)"


async def list_addresses(database: Database, actor: Actor, organisation_id: int, *, limit: int,
                         offset: int) -> tuple[list[Address], int]:
    """Return a page of the addresses of an organisation, and how many there are.

    Whoever holds `address:view` with `parent` also sees, in the actor's own organisation, what its parent shares.

    Raises:
        PermissionDeniedError: the actor may not look at addresses.
        UnknownOrganisationError: the organisation is not in the actor's sight.
    """
    actor.require(Permission.ADDRESS_VIEW)
    async with database.connection() as connection:
        organisation = await find_visible_organisation(connection, actor, organisation_id)
        sharing_id = _sharing_parent(actor, organisation)
        total = await connection.fetchval(f"SELECT count(*) {_WHERE}", organisation_id, sharing_id)
        rows = await connection.fetch(
            f"SELECT {_COLUMNS} {_WHERE} ORDER BY organisation_id <> $1, id LIMIT $3 OFFSET $4",
            organisation_id, sharing_id, limit, offset)
    return [_address_of(row) for row in rows], total


async def find_address(connection: Connection, actor: Actor, organisation_id: int, address_id: int) -> Address:
    """Return one address of an organisation.

    Raises:
        PermissionDeniedError: the actor may not look at addresses.
        UnknownOrganisationError: the organisation is not in the actor's sight.
        UnknownAddressError: it has no such address.
    """
    actor.require(Permission.ADDRESS_VIEW)
    await find_visible_organisation(connection, actor, organisation_id)
    return await _find(connection, organisation_id, address_id)


async def add_address(connection: Connection, actor: Actor, organisation_id: int,
                      particulars: AddressParticulars) -> Address:
    """Save an address.

    Raises:
        PermissionDeniedError: the actor may not change addresses.
        UnknownOrganisationError: the organisation is not in the actor's sight.
        InvalidOrganisationError: a value is not possible; it names the field.
    """
    actor.require(Permission.ADDRESS_CHANGE)
    await find_visible_organisation(connection, actor, organisation_id)
    _check(particulars)
    address_id = await connection.fetchval(_INSERT, organisation_id, *_values(particulars))
    await record(connection, actor, "address:create", f"address:{address_id}", asdict(particulars),
                 organisation_id=organisation_id)
    return Address(address_id, organisation_id, particulars)


async def change_address(connection: Connection, actor: Actor, organisation_id: int, address_id: int,
                         particulars: AddressParticulars) -> Address:
    """Replace an address; raises what `add_address` does, and UnknownAddressError."""
    actor.require(Permission.ADDRESS_CHANGE)
    await find_visible_organisation(connection, actor, organisation_id)
    _check(particulars)
    before = await _find(connection, organisation_id, address_id)
    await connection.execute(_UPDATE, address_id, organisation_id, *_values(particulars))
    await record(connection, actor, "address:change", f"address:{address_id}",
                 {"before": asdict(before.particulars), "after": asdict(particulars)},
                 organisation_id=organisation_id)
    return Address(address_id, organisation_id, particulars)


async def delete_address(connection: Connection, actor: Actor, organisation_id: int, address_id: int) -> None:
    """Forget an address; raises what `change_address` does."""
    actor.require(Permission.ADDRESS_CHANGE)
    await find_visible_organisation(connection, actor, organisation_id)
    before = await _find(connection, organisation_id, address_id)
    await connection.execute("DELETE FROM organisations.address WHERE id = $1", address_id)
    await record(connection, actor, "address:delete", f"address:{address_id}", asdict(before.particulars),
                 organisation_id=organisation_id)


async def _find(connection: Connection, organisation_id: int, address_id: int) -> Address:
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM organisations.address WHERE id = $1 AND organisation_id = $2",  # noqa: S608 - own text
        address_id, organisation_id)
    if row is None:
        raise UnknownAddressError("There is no such address.")
    return _address_of(row)


def _sharing_parent(actor: Actor, organisation: Organisation) -> int | None:
    own = organisation.organisation_id == actor.organisation_id
    return organisation.parent_id if own and actor.may_for_parent(Permission.ADDRESS_VIEW) else None


def _address_of(row: Record) -> Address:
    return Address(row["id"], row["organisation_id"], AddressParticulars(**{name: row[name] for name in _NAMES}))


def _values(particulars: AddressParticulars) -> Sequence[object]:
    return tuple(getattr(particulars, name) for name in _NAMES)


def _check(particulars: AddressParticulars) -> None:
    for name in _NAMES:
        value = getattr(particulars, name)
        if isinstance(value, str) and len(value) > _MOST_CHARACTERS:
            raise InvalidOrganisationError(f"At most {_MOST_CHARACTERS} characters.", field=name)
        if isinstance(value, str) and holds_control_character(value):
            raise InvalidOrganisationError("This holds no control characters.", field=name)
    for name in ("name", "addr_line_1", "city"):
        if not getattr(particulars, name).strip():
            raise InvalidOrganisationError("This must not be empty.", field=name)
    if country_by_id(particulars.country_code) is None:
        raise InvalidOrganisationError("There is no country with this id.", field="country_code")
