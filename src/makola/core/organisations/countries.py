"""Countries of ISO 3166, under ids of our own.

`country_code` in the Hub API is such an id and no ISO number. It is derived from the ISO 3166-1 numeric code, which
is never given to another country, so that it is the same in every installation (the United Kingdom's is 829, as in
the seed's sample).
"""

from dataclasses import dataclass
from functools import cache

import pycountry

_OFFSET = 3


@dataclass(frozen=True, slots=True)
class Country:
    """One country: its id, its ISO 3166-1 alpha-2 code and its usual English name."""

    country_id: int
    iso_code: str
    name: str


@cache
def countries() -> tuple[Country, ...]:
    """Return every country, by name."""
    return tuple(sorted(
        (Country(int(entry.numeric) + _OFFSET, entry.alpha_2, getattr(entry, "common_name", entry.name))
         for entry in pycountry.countries), key=lambda country: country.name))


@cache
def _by_id() -> dict[int, Country]:
    return {country.country_id: country for country in countries()}


@cache
def _by_code() -> dict[str, Country]:
    return {country.iso_code: country for country in countries()}


@cache
def _currencies() -> frozenset[str]:
    return frozenset(entry.alpha_3 for entry in pycountry.currencies)


def is_currency(code: str) -> bool:
    """Say whether `code` is one of ISO 4217."""
    return code in _currencies()


def country_by_id(country_id: int) -> Country | None:
    """Return a country by its id; None when there is none."""
    return _by_id().get(country_id)


def country_by_code(iso_code: str) -> Country | None:
    """Return a country by its ISO 3166-1 alpha-2 code; None when there is none."""
    return _by_code().get(iso_code.upper())
