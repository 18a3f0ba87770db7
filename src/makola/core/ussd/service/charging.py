"""What a session and each of its steps cost along the chain of tiers."""

from makola.core.billing.service import PriceList
from makola.core.ledger.types import Leg
from makola.core.numbering.errors import InvalidPhoneNumberError
from makola.core.numbering.networks import GHANAIAN_NETWORKS, UNKNOWN_NETWORK
from makola.core.numbering.phone_numbers import parse_phone_number
from makola.core.ussd.types import SESSION_TARIFF, STEP_TARIFF

_BY_NAME = {network.name.lower(): network.network_id for network in GHANAIAN_NETWORKS}


class Charging:
    """Prices sessions and steps."""

    def __init__(self, prices: PriceList) -> None:
        self._prices = prices

    async def begin(self, chain: tuple[int, ...], network_id: str) -> tuple[Leg, ...] | None:
        """Return what a session costs at its beginning, with its first step.

        Returns:
            The legs of both tariffs, of which one is enough; None when some tier has neither.
        """
        session = await self._prices.charge(chain, SESSION_TARIFF, network_id)
        step = await self._prices.charge(chain, STEP_TARIFF, network_id)
        if session is None and step is None:
            return None
        return (session.legs if session else ()) + (step.legs if step else ())

    async def step(self, chain: tuple[int, ...], network_id: str) -> tuple[Leg, ...]:
        """Return what each further step costs."""
        step = await self._prices.charge(chain, STEP_TARIFF, network_id)
        return step.legs if step else ()


def network_of(operator: str, mobile: str) -> str:
    """Return the network whose tariffs count: by the operator's name, else by the subscriber's number."""
    known = _BY_NAME.get(operator.lower())
    if known is not None:
        return known
    try:
        return parse_phone_number(mobile, region="").network_id
    except InvalidPhoneNumberError:
        return UNKNOWN_NETWORK
