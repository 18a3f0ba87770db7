"""Money that leaves: sent to somebody by a merchant, or swept to the merchant's own account."""

from dataclasses import dataclass, field

from makola.core.checkout.desk import Desk
from makola.core.checkout.errors import (
    BalanceTooSmallError,
    ChannelNotPermittedError,
    PayoutNotPermittedError,
)
from makola.core.checkout.fees import MINOR_UNITS
from makola.core.checkout.ports import Progress
from makola.core.checkout.service import asking
from makola.core.checkout.service.checks import (
    check_amount,
    check_callback,
    check_reference,
    check_same,
    check_text,
)
from makola.core.checkout.service.initiate import own_account
from makola.core.checkout.service.outcomes import Answered, record
from makola.core.checkout.service.payments import permitted_provider
from makola.core.checkout.store import transactions
from makola.core.checkout.types import (
    Channel,
    KycState,
    MerchantAccount,
    Transaction,
    TransactionKind,
)
from makola.core.ledger.service import accounts_of, reserve
from makola.core.ledger.types import Account, Leg, NewHold
from makola.core.organisations.types import Actor
from makola.kit.clock import now
from makola.kit.ids import new_id

#: The tariff's name for money that leaves, beside those of the channels.
SEND = "send"


def settlement_purpose(number: str) -> str:
    """Return the purpose of the ledger's account of a merchant account's balance."""
    return f"settlement {number}"


@dataclass(frozen=True, slots=True)
class SendCall:
    """A merchant's wish to pay somebody. `amount_units` in 1/10,000 of the currency's unit."""

    account_number: str
    channel: Channel
    number: str
    name: str
    amount_units: int
    description: str
    client_reference: str = ""
    callback_url: str = field(default="", repr=False)
    secondary_callback_url: str = field(default="", repr=False)
    content_sha256: bytes = b""


async def send(desk: Desk, actor: Actor, call: SendCall) -> Transaction:
    """Pay out of the settlement balance to any wallet, the fees on top; return the transaction.

    Raises:
        UnknownMerchantAccountError, NotOwnerError, MerchantAccountUnavailableError: of the account.
        PayoutNotPermittedError: the business is not verified.
        ChannelNotPermittedError: nobody serves the channel.
        BalanceTooSmallError: the settlement balance does not cover it.
        AmountTooSmallError, InvalidCheckoutError: of the values.
    """
    account = await own_account(desk, actor, call.account_number)
    if call.channel is Channel.CARD:
        raise ChannelNotPermittedError("Nothing can be sent to a card.", field="channel")
    check_callback(call.callback_url, desk.policy, "callback_url")
    check_callback(call.secondary_callback_url, desk.policy, "secondary_callback_url")
    return await _pay_out(desk, actor, account, call, TransactionKind.SEND)


async def sweep(desk: Desk, actor: Actor, account_number: str, amount_units: int | None, *,
                client_reference: str = "", content_sha256: bytes = b"") -> Transaction:
    """Pay a merchant's balance, or a part, to its sweep account; return the transaction.

    Args:
        desk: the services' own.
        actor: whose merchant account it must be.
        account_number: `HM…`.
        amount_units: in 1/10,000 of the currency's unit; None for all that is there, less the fees.
        client_reference: the same one again returns the same payout.
        content_sha256: of the request, to know another one with the same reference.

    Raises:
        PayoutNotPermittedError: the business is not verified, or there is no sweep account.
        BalanceTooSmallError: the settlement balance does not cover it.
        UnknownMerchantAccountError, NotOwnerError, MerchantAccountUnavailableError: of the account.
    """
    account = await own_account(desk, actor, account_number)
    target = account.sweep_account
    if target is None:
        raise PayoutNotPermittedError("This merchant account has no sweep account.",
                                      field="account_number")
    if amount_units is None:
        amount_units = await _all_of(desk, account)
    return await _pay_out(desk, actor, account, SendCall(
        account.number, target.channel, target.number, target.name, amount_units, f"Payout {account.number}",
        client_reference, content_sha256=content_sha256), TransactionKind.SWEEP)


async def balance(desk: Desk, account: MerchantAccount) -> Account:
    """Return the settlement account of a merchant account."""
    async with desk.database.connection() as connection:
        found = await accounts_of(connection, [account.organisation_id], settlement_purpose(account.number))
    return found[0]


async def charges_of(desk: Desk, account: MerchantAccount, amount_units: int) -> int:
    """Return what it costs to pay an amount out.

    Raises:
        AmountTooSmallError, InvalidCheckoutError: it is no amount that could be paid out.
    """
    check_amount(amount_units, desk.policy, "amount_units")
    return (await desk.tariff(desk.database, account.merchant_account_id, SEND)).charges(amount_units)


async def _all_of(desk: Desk, account: MerchantAccount) -> int:
    available = (await balance(desk, account)).available_units or 0
    tariff = await desk.tariff(desk.database, account.merchant_account_id, SEND)
    amount = available - available % MINOR_UNITS
    while amount > 0 and amount + tariff.charges(amount) > available:
        amount -= max((amount + tariff.charges(amount) - available) // (2 * MINOR_UNITS) * MINOR_UNITS, MINOR_UNITS)
    return amount


async def _pay_out(desk: Desk, actor: Actor, account: MerchantAccount, call: SendCall,
                   kind: TransactionKind) -> Transaction:
    if account.kyc_state is not KycState.APPROVED:
        raise PayoutNotPermittedError("The documents of this business have not been approved yet.",
                                      field="account_number")
    provider = permitted_provider(desk, account, call.channel)
    if call.amount_units <= 0 and kind is TransactionKind.SWEEP:
        raise BalanceTooSmallError("There is nothing to pay out.", field="amount_units")
    check_amount(call.amount_units, desk.policy, "amount_units")
    check_text(call.name, "name")
    check_text(call.description, "description")
    check_reference(call.client_reference, desk.policy)
    if call.client_reference:
        before = await _before(desk, account, call, kind)
        if before is not None:
            return before
    tariff = await desk.tariff(desk.database, account.merchant_account_id, SEND)
    charges = tariff.charges(call.amount_units)
    made = _transaction(desk, actor, account, call, kind, provider, charges)
    if not await _store(desk, account, made, call):
        before = await _before(desk, account, call, kind)
        if before is None:
            raise LookupError("a transaction is never deleted")
        return before
    answer = await asking.request_payout(desk, made, None)
    if answer.progress in {Progress.UNREACHABLE, Progress.UNKNOWN}:
        return made  # the poller asks
    return (await record(desk, [Answered(made, answer)]))[made.transaction_id]


async def _before(desk: Desk, account: MerchantAccount, call: SendCall, kind: TransactionKind) -> Transaction | None:
    before = await transactions.find_by_reference(desk.database, account.merchant_account_id, kind,
                                                  call.client_reference)
    if before is None:
        return None
    check_same(before[1], call.content_sha256)
    return before[0]


async def _store(desk: Desk, account: MerchantAccount, made: Transaction, call: SendCall) -> bool:
    """Store the transaction with its hold; False when its reference is taken."""
    books = await desk.books(made.provider, made.currency)
    legs = [Leg(account.settlement_id, books.clearing_id, made.amount_units)]
    if made.charges_units:
        legs.append(Leg(account.settlement_id, books.fees_id, made.charges_units))
    async with desk.database.transaction() as connection:
        if not await transactions.insert(connection, made, call.content_sha256):
            return False
        if not await reserve(connection, [NewHold(made.transaction_id, tuple(legs))], made.created_at):
            raise BalanceTooSmallError("The settlement balance does not cover this.", field="amount_units")
    return True


def _transaction(desk: Desk, actor: Actor, account: MerchantAccount, call: SendCall, kind: TransactionKind,
                 provider: str, charges_units: int) -> Transaction:
    at = now()
    return Transaction(
        transaction_id=new_id(), kind=kind, merchant_account_id=account.merchant_account_id,
        organisation_id=account.organisation_id, application_id=actor.application_id, provider=provider,
        channel=call.channel, number=call.number, name=call.name, amount_units=call.amount_units,
        charges_units=charges_units, currency=account.currency, created_at=at, due_at=desk.policy.first_due(at),
        reason=call.description, client_reference=call.client_reference, callback_url=call.callback_url,
        secondary_callback_url=call.secondary_callback_url)
