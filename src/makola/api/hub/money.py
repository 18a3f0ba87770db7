"""Money at the edge: JSON numbers outside, 1/10,000 of the currency's unit inside."""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from makola.api.hub.errors import refused
from makola.kit.money import UNITS_PER_CURRENCY_UNIT

#: The letters of a currency, ISO 4217.
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217 code, such as GBP.")]


def units_of(amount: Decimal, field: str) -> int:
    """Return an amount in units.

    Raises:
        HubError: it has more than four decimal places; it names `field`.
    """
    units = amount * UNITS_PER_CURRENCY_UNIT
    if units != units.to_integral_value():
        raise refused(field, "At most four decimal places.")
    return int(units)


def number_of(units: int) -> float:
    """Return units as the JSON number that is written like their decimal: exact for every amount below 10^11."""
    return units / UNITS_PER_CURRENCY_UNIT
