"""Collect a payment for another part of the program: a checkout without a page, and a prompt on the phone at once."""

from makola.core.checkout.desk import Desk
from makola.core.checkout.errors import ChannelNotPermittedError, MerchantAccountUnavailableError
from makola.core.checkout.service.payments import Receive, receive
from makola.core.checkout.store import merchants
from makola.core.checkout.types import MOBILE_MONEY, Checkout, MerchantState, Transaction
from makola.core.numbering.phone_numbers import parse_phone_number
from makola.core.organisations.types import Actor


async def collect(desk: Desk, actor: Actor, *, number: str, amount_units: int, description: str, client_reference: str,
                  callback_url: str, content_sha256: bytes) -> tuple[Checkout, Transaction]:
    """Ask a phone to pay its organisation's first active merchant account; the prompt appears at once.

    Args:
        desk: the services' own.
        actor: the organisation that is paid.
        number: the customer's, international with `+`; its network decides the channel.
        amount_units: in 1/10,000 of the currency's unit.
        description: what the customer reads.
        client_reference: the same one again returns the same payment; empty for none.
        callback_url: where the outcome goes; empty for nowhere.
        content_sha256: of what is asked, to know another request with the same reference.

    Raises:
        MerchantAccountUnavailableError: the organisation has no active merchant account.
        ChannelNotPermittedError: nobody serves the phone's network.
        AmountTooSmallError, InvalidCheckoutError: of the values.
    """
    accounts = [account for account in await merchants.list_of(desk.database, [actor.organisation_id])
                if account.state is MerchantState.ACTIVE]
    if not accounts:
        raise MerchantAccountUnavailableError("This organisation has no active merchant account.")
    phone = parse_phone_number(number, region=actor.country_code, field="number")
    channel = MOBILE_MONEY.get(phone.network_id)
    if channel is None:
        raise ChannelNotPermittedError("This phone's network has no wallets.", field="number")
    return await receive(desk, actor, Receive(
        account_number=accounts[0].number, channel=channel, number=phone.e164, name="", email="",
        amount_units=amount_units, description=description, client_reference=client_reference,
        callback_url=callback_url, secondary_callback_url="", fees_on_customer=None, content_sha256=content_sha256))
