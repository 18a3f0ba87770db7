"""Shipping types in files; countries by their ISO 3166-1 alpha-2 codes."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from makola.commands.exchange import values
from makola.commands.exchange.formats import Problem, Row
from makola.commands.exchange.importing import Parsed
from makola.commands.exchange.values import BadRowError, Column
from makola.core.ordering.queries import list_shipping_types
from makola.core.ordering.service.settings import save_shipping_types
from makola.core.ordering.types import ShippingType
from makola.core.organisations.countries import country_by_code, country_by_id
from makola.kit.database import Connection

_BATCH = 1_000


def _countries(raw: object) -> object:
    """Read country codes; in a cell they are written with commas."""
    codes = raw if isinstance(raw, list) else str(values.word(raw)).split(",")
    found: list[int] = []
    for code in (str(values.word(each)) for each in codes):
        country = country_by_code(code) if code else None
        if country is not None:
            found.append(country.country_id)
        elif code:
            raise ValueError(f"{code!r} is not a country's ISO 3166-1 alpha-2 code")
    return tuple(dict.fromkeys(found))


COLUMNS: Mapping[str, Column] = {column.name: column for column in (
    Column("name", values.word), Column("countries", _countries), Column("exclude_countries", values.boolean),
)}


class ShippingTypeImporter:
    """Rows become shipping types. One is known by its name."""

    columns = COLUMNS

    def __init__(self) -> None:
        self._lines: dict[str, int] = {}

    def parse(self, row: Row) -> ShippingType:
        """Return what a row says."""
        given: dict[str, Any] = values.read_values(row, COLUMNS)
        name = given.get("name", "")
        if not name:
            raise BadRowError([Problem(row.line, "name", "this must not be empty")])
        first = self._lines.setdefault(name, row.line)
        if first != row.line:
            raise BadRowError([Problem(row.line, "name", f"this shipping type stands on line {first} already")])
        return ShippingType(0, name, given.get("countries", ()), given.get("exclude_countries", False))

    async def store(self, connection: Connection, rows: Sequence[Parsed[ShippingType]]) -> list[Problem]:
        """Store shipping types."""
        await save_shipping_types(connection, [row.value for row in rows])
        return []


async def export_shipping_types(connection: Connection) -> AsyncIterator[Mapping[str, object]]:
    """Yield every shipping type as a row that `ShippingTypeImporter` reads."""
    skip = 0
    while True:
        found, _ = await list_shipping_types(connection, skip=skip, limit=_BATCH)
        for each in found:
            codes = [country.iso_code for country_id in each.countries
                     if (country := country_by_id(country_id)) is not None]
            yield {"name": each.name, "countries": ",".join(codes), "exclude_countries": each.exclude_countries}
        if len(found) < _BATCH:
            return
        skip += len(found)
