"""The demonstration world's merchant: an account that takes payments and is verified, and what payments cost."""

from makola.core.checkout.fees import FeeTariff
from makola.core.checkout.service.merchants import activate, change, create_merchant_account, set_fees, vouch
from makola.core.checkout.service.payouts import SEND
from makola.core.checkout.types import Channel, SweepAccount
from makola.kit.database import Connection
from makola.kit.money import UNITS_PER_CURRENCY_UNIT

_CENT = UNITS_PER_CURRENCY_UNIT // 100
_CARD_FEES = FeeTariff(rate_ppm=29_000, fixed_units=0)
_WALLET_FEES = FeeTariff(rate_ppm=19_500, minimum_units=_CENT, maximum_units=2_000 * _CENT)
_SEND_FEES = FeeTariff(rate_ppm=5_000, minimum_units=10 * _CENT, maximum_units=1_000 * _CENT)


async def create_demonstration_merchant(connection: Connection, organisation_id: int, wallet: str) -> str:
    """Make an activated and verified merchant account; return its number.

    Args:
        connection: an open transaction.
        organisation_id: whose it is.
        wallet: of an MTN handset, to which its money is paid out.
    """
    await set_fees(connection, "", "", _WALLET_FEES)
    await set_fees(connection, "", Channel.CARD, _CARD_FEES)
    await set_fees(connection, "", SEND, _SEND_FEES)
    account = await create_merchant_account(connection, organisation_id, name="Demonstration shop")
    await change(connection, account.number, sweep_account=SweepAccount(Channel.MTN, wallet, "Demonstration shop"))
    await vouch(connection, account.number)
    await activate(connection, account.number)
    return account.number
