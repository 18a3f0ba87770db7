"""Prices along the chain of tiers."""

from dataclasses import dataclass

from makola.core.ledger.types import Leg

#: The purpose of the ledger accounts that messages are paid from.
MESSAGING_ACCOUNT = "messaging"
#: The service name of the tariffs for SMS; its unit is one segment.
SMS = "sms"


@dataclass(frozen=True, slots=True)
class Charge:
    """What one unit of a service costs each tier: `legs` go from each organisation to its parent.

    `price_units` is what the organisation that uses the service pays, in 1/10,000 of `currency`'s unit.
    """

    legs: tuple[Leg, ...]
    price_units: int
    currency: str

    def times(self, units: int) -> tuple[Leg, ...]:
        """Return the legs for `units` units."""
        if units == 1:
            return self.legs
        return tuple(Leg(leg.debit_id, leg.credit_id, leg.amount_units * units) for leg in self.legs)
