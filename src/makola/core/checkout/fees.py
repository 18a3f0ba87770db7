"""What a payment costs: a share and a fixed amount, between a least and a most."""

from dataclasses import dataclass

_MILLION = 1_000_000
#: Fees are whole hundredths of the currency's unit: what providers can move.
MINOR_UNITS = 100


@dataclass(frozen=True, slots=True)
class FeeTariff:
    """Amounts in 1/10,000 of the currency's unit.

    Attributes:
        rate_ppm: the share, in millionths of the amount.
        maximum_units: None for no limit.
    """

    rate_ppm: int = 0
    fixed_units: int = 0
    minimum_units: int = 0
    maximum_units: int | None = None

    def charges(self, amount_units: int) -> int:
        """Return the fees for an amount, rounded half up to a hundredth of the unit."""
        raw = amount_units * self.rate_ppm + self.fixed_units * _MILLION
        step = MINOR_UNITS * _MILLION
        charges = (2 * raw + step) // (2 * step) * MINOR_UNITS
        charges = max(charges, self.minimum_units)
        return charges if self.maximum_units is None else min(charges, self.maximum_units)
