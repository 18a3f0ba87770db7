"""Merchant accounts: made by an organisation, activated and verified by the platform."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from makola.core.checkout.errors import InvalidCheckoutError, UnknownMerchantAccountError, WrongStateError
from makola.core.checkout.fees import MINOR_UNITS, FeeTariff
from makola.core.checkout.service.payouts import settlement_purpose
from makola.core.checkout.store import merchants
from makola.core.checkout.types import Channel, KycState, MerchantAccount, MerchantState, SweepAccount
from makola.core.ledger.service import open_account
from makola.core.numbering.phone_numbers import parse_phone_number
from makola.kit.clock import now
from makola.kit.database import Connection

_LONGEST_NAME = 100
_WHOLE_PPM = 1_000_000

#: What is done to an account in one transaction.
Deed = Callable[[Connection], Awaitable[MerchantAccount]]


async def create_merchant_account(connection: Connection, organisation_id: int, *, name: str,
                                  currency: str = "GHS") -> MerchantAccount:
    """Make a merchant account; it waits for its activation.

    Args:
        connection: an open transaction.
        organisation_id: whose it is.
        name: of the business, as customers read it.
        currency: ISO 4217 code in which it is paid.

    Raises:
        InvalidCheckoutError: the name is empty or too long.
    """
    _check_name(name)
    at = now()
    # HM and ten digits: the day, and a serial number; after the ten-thousandth account the number is longer.
    serial = await merchants.next_number(connection)
    number = f"HM{at:%y%m%d}{serial:04}"
    settlement_id = await open_account(connection, organisation_id, settlement_purpose(number), currency)
    return await merchants.insert(connection, organisation_id, number, name.strip(), currency, settlement_id, at)


async def activate(connection: Connection, number: str) -> MerchantAccount:
    """Let an account take payments, for the first time or again after a suspension."""
    account = await _lock(connection, number)
    return await _save(connection, replace(account, state=MerchantState.ACTIVE, refused_because=""))


async def suspend(connection: Connection, number: str, reason: str) -> MerchantAccount:
    """Let an account take no further payments and pay nothing out."""
    account = await _lock(connection, number)
    return await _save(connection, replace(account, state=MerchantState.SUSPENDED, refused_because=reason))


async def review(connection: Connection, number: str, *, approve: bool, reason: str = "") -> MerchantAccount:
    """Decide on the documents that were submitted.

    Args:
        connection: an open transaction.
        number: of the account.
        approve: whether the business is verified; then its money can be paid out.
        reason: for its owner; needed for a refusal.

    Raises:
        WrongStateError: no document waits for a review.
        InvalidCheckoutError: a refusal without a reason.
    """
    account = await _lock(connection, number)
    if account.kyc_state is not KycState.SUBMITTED:
        raise WrongStateError("No document of this account waits for a review.", field="account_number")
    if not approve and not reason.strip():
        raise InvalidCheckoutError("A refusal needs a reason.", field="reason")
    state = KycState.APPROVED if approve else KycState.REJECTED
    await merchants.review_documents(connection, account.merchant_account_id, state, reason, now())
    return await _save(connection, replace(account, kyc_state=state, refused_because="" if approve else reason))


async def vouch(connection: Connection, number: str) -> MerchantAccount:
    """Take a business for verified without documents, because the platform knows it."""
    account = await _lock(connection, number)
    return await _save(connection, replace(account, kyc_state=KycState.APPROVED, refused_because=""))


async def change(connection: Connection, number: str, *, name: str | None = None,
                 sweep_account: SweepAccount | None = None, pay_on_delivery: bool | None = None,
                 fees_on_customer: bool | None = None, channels: Sequence[Channel] | None = None) -> MerchantAccount:
    """Change what an account's owner decides; None leaves a value as it is.

    A new sweep account needs its documents approved again, so that stolen credentials cannot lead the money away.

    Raises:
        UnknownMerchantAccountError: there is no such account.
        InvalidCheckoutError: a value is not valid.
    """
    account = await _lock(connection, number)
    if name is not None:
        _check_name(name)
        account = replace(account, name=name.strip())
    if sweep_account is not None:
        account = _with_sweep(account, sweep_account)
    if pay_on_delivery is not None:
        account = replace(account, pay_on_delivery=pay_on_delivery)
    if fees_on_customer is not None:
        account = replace(account, fees_on_customer=fees_on_customer)
    if channels is not None:
        account = replace(account, channels=frozenset(channels))
    return await _save(connection, account)


async def set_fees(connection: Connection, number: str, channel: str, fees: FeeTariff) -> None:
    """Say what payments by a channel cost.

    Args:
        connection: an open transaction.
        number: of the account; empty for every account that has no tariff of its own.
        channel: a channel, `send` for money that leaves, or empty for all.
        fees: what they cost.

    Raises:
        UnknownMerchantAccountError: there is no such account.
        InvalidCheckoutError: a share that is none, a fee below zero, or a least or greatest fee that is no whole
            number of hundredths or contradicts the other.
    """
    _check_fees(fees)
    account_id = (await _lock(connection, number)).merchant_account_id if number else 0
    await merchants.set_tariff(connection, account_id, channel, fees)


def _check_fees(fees: FeeTariff) -> None:
    if not 0 <= fees.rate_ppm <= _WHOLE_PPM:
        raise InvalidCheckoutError("A share is between nothing and all of the amount.", field="rate_ppm")
    if fees.fixed_units < 0:
        raise InvalidCheckoutError("A fee cannot be below zero.", field="fixed_units")
    for name, units in (("minimum_units", fees.minimum_units), ("maximum_units", fees.maximum_units)):
        if units is not None and (units < 0 or units % MINOR_UNITS):
            raise InvalidCheckoutError("A least or greatest fee is a whole number of hundredths.", field=name)
    if fees.maximum_units is not None and fees.maximum_units < fees.minimum_units:
        raise InvalidCheckoutError("The greatest fee is below the least.", field="maximum_units")


def _with_sweep(account: MerchantAccount, target: SweepAccount) -> MerchantAccount:
    if target.channel is Channel.CARD:
        raise InvalidCheckoutError("A sweep account is a wallet.", field="sweep_channel")
    _check_name(target.name, field="sweep_name")
    number = parse_phone_number(target.number, region="GH", field="sweep_number").e164
    target = replace(target, number=number, name=target.name.strip())
    if account.sweep_account in {None, target}:
        return replace(account, sweep_account=target)
    state = KycState.SUBMITTED if account.kyc_state is KycState.APPROVED else account.kyc_state
    return replace(account, sweep_account=target, kyc_state=state)


def _check_name(name: str, *, field: str = "name") -> None:
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidCheckoutError(f"A name has 1 to {_LONGEST_NAME} characters.", field=field)


async def _lock(connection: Connection, number: str) -> MerchantAccount:
    account = await merchants.lock(connection, number)
    if account is None:
        raise UnknownMerchantAccountError("There is no merchant account of this number.",
                                          field="account_number")
    return account


async def _save(connection: Connection, account: MerchantAccount) -> MerchantAccount:
    await merchants.save(connection, account)
    return account
