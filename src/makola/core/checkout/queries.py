"""Reads: what the page shows, and how things stand for a merchant."""

from uuid import UUID

from makola.core.checkout.desk import Desk
from makola.core.checkout.errors import UnknownCheckoutError, UnknownMerchantAccountError
from makola.core.checkout.service.initiate import own_account
from makola.core.checkout.store import invoices, merchants, transactions
from makola.core.checkout.types import (
    Channel,
    Checkout,
    CheckoutKind,
    CheckoutState,
    CheckoutView,
    MerchantAccount,
    MerchantState,
    Transaction,
    TransactionKind,
)
from makola.core.organisations.types import Actor
from makola.kit.clock import now
from makola.kit.database import Database
from makola.kit.ids import parse_id


async def checkout_view(desk: Desk, token: str) -> CheckoutView:
    """Return what the page of a checkout shows.

    Args:
        desk: the services' own.
        token: of the page's address: the checkout's id, with dashes or without.

    Raises:
        UnknownCheckoutError: there is no such page.
    """
    checkout_id = parse_id(token)
    checkout = await invoices.find(desk.database, checkout_id) if checkout_id is not None else None
    if checkout is None or checkout.kind is not CheckoutKind.PAGE:
        raise UnknownCheckoutError("There is no such checkout.", field="checkout_id")
    merchant = await desk.account_of(desk.database, checkout.merchant_account_id)
    payments = tuple(one for one in await transactions.of_checkout(desk.database, checkout.checkout_id)
                     if one.kind is TransactionKind.PAYMENT) if checkout.attempt_count else ()
    is_open = (checkout.state is CheckoutState.OPEN and checkout.expires_at > now()
               and merchant.state is MerchantState.ACTIVE)
    channels = tuple(channel for channel in desk.providers.channels() if merchant.permits(channel))
    charges = {channel: (await desk.tariff(desk.database, merchant.merchant_account_id, channel)).charges(
        checkout.total_units) for channel in channels} if merchant.fees_on_customer and is_open else {}
    return CheckoutView(
        checkout, merchant, payments, channels, can_pay=is_open and bool(channels),
        can_order=is_open and merchant.pay_on_delivery,
        charges_units={channel: charges.get(channel, 0) for channel in Channel})


async def find_checkout(desk: Desk, actor: Actor, checkout_id: UUID) -> Checkout:
    """Return a checkout of the actor's own.

    Raises:
        UnknownCheckoutError: the actor has none of this id.
    """
    checkout = await invoices.find(desk.database, checkout_id)
    if checkout is None or checkout.organisation_id != actor.organisation_id:
        raise UnknownCheckoutError("There is no such checkout.", field="checkout_id")
    return checkout


async def transactions_of(desk: Desk, checkout: Checkout) -> list[Transaction]:
    """Return all that was tried for a checkout, payments and refunds, the first one first."""
    return await transactions.of_checkout(desk.database, checkout.checkout_id)


async def find_by_any(desk: Desk, actor: Actor, account_number: str, *, client_reference: str = "",
                      some_id: str = "", provider_reference: str = "",
                      ) -> tuple[MerchantAccount, Checkout | None, Transaction | None]:
    """Find what a merchant asks about by whatever it knows.

    Args:
        desk: the services' own.
        actor: whose merchant account it must be.
        account_number: `HM…`.
        client_reference: its own reference.
        some_id: of a transaction or a checkout.
        provider_reference: the id that the provider gave.

    Returns:
        The account, the checkout (None for a send or sweep) and the transaction that counts: the payment that won,
        else the last attempt (None where there was none).

    Raises:
        UnknownMerchantAccountError, NotOwnerError, MerchantAccountUnavailableError: of the account.
        UnknownCheckoutError: there is no such thing.
    """
    account = await own_account(desk, actor, account_number)
    field = "some_id" if some_id else "provider_reference" if provider_reference else "client_reference"
    unknown = UnknownCheckoutError("There is no such transaction.", field=field)
    checkout, transaction = None, None
    if "\0" in provider_reference or "\0" in client_reference:  # what cannot be stored was not
        raise unknown
    if some_id and (wanted := parse_id(some_id)) is not None:
        transaction = await transactions.find(desk.database, wanted)
        checkout = await invoices.find(desk.database, wanted) if transaction is None else None
    elif provider_reference:
        transaction = await transactions.find_by_provider_reference(
            desk.database, account.merchant_account_id, provider_reference)
    elif client_reference:
        found = await invoices.find_by_reference(desk.database, account.merchant_account_id, client_reference)
        if found is not None:
            checkout = found[0]
        else:
            transaction = await _payout_of(desk, account, client_reference)
    for one in (checkout, transaction):
        if one is not None and one.merchant_account_id != account.merchant_account_id:
            raise unknown
    if checkout is None and transaction is not None and transaction.checkout_id is not None:
        checkout = await invoices.find(desk.database, transaction.checkout_id)
    elif checkout is not None:
        transaction = await _deciding(desk, checkout)
    if checkout is None and transaction is None:
        raise unknown
    return account, checkout, transaction


async def _payout_of(desk: Desk, account: MerchantAccount, client_reference: str) -> Transaction | None:
    for kind in (TransactionKind.SEND, TransactionKind.REFUND, TransactionKind.SWEEP):
        found = await transactions.find_by_reference(desk.database, account.merchant_account_id, kind,
                                                     client_reference)
        if found is not None:
            return found[0]
    return None


async def _deciding(desk: Desk, checkout: Checkout) -> Transaction | None:
    payments = [one for one in await transactions.of_checkout(desk.database, checkout.checkout_id)
                if one.kind is TransactionKind.PAYMENT]
    won = next((one for one in payments if one.transaction_id == checkout.paid_by), None)
    return won or (payments[-1] if payments else None)


async def find_account(desk: Desk, actor: Actor, account_number: str) -> MerchantAccount:
    """Return one of the actor's merchant accounts, in whatever state it is.

    Raises:
        UnknownMerchantAccountError: there is no such account.
        NotOwnerError: it belongs to somebody else.
    """
    return await own_account(desk, actor, account_number, active=False)


async def list_accounts(desk: Desk, organisation_id: int) -> list[MerchantAccount]:
    """Return an organisation's merchant accounts."""
    return await merchants.list_of(desk.database, [organisation_id])


async def list_transactions(database: Database, account: MerchantAccount, limit: int) -> list[Transaction]:
    """Return an account's latest transactions, the last one first."""
    return await transactions.of_account(database, account.merchant_account_id, limit)


async def find_any_account(database: Database, account_number: str) -> MerchantAccount:
    """Return anybody's merchant account, for the platform.

    Raises:
        UnknownMerchantAccountError: there is no such account.
    """
    account = await merchants.find(database, account_number)
    if account is None:
        raise UnknownMerchantAccountError("There is no merchant account of this number.", field="account_number")
    return account


async def list_all_accounts(database: Database) -> list[MerchantAccount]:
    """Return everybody's merchant accounts, for the platform."""
    return await merchants.list_all(database)
