"""Start a payment: by a customer on the page, or by a merchant's direct call."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from makola.core.checkout.desk import Desk
from makola.core.checkout.errors import (
    AmountTooSmallError,
    ChannelNotPermittedError,
    CheckoutClosedError,
    TooManyAttemptsError,
    UnknownCheckoutError,
)
from makola.core.checkout.ports import Progress
from makola.core.checkout.service import asking
from makola.core.checkout.service.checks import check_amount, check_callback, check_reference, check_text
from makola.core.checkout.service.initiate import insert, own_account
from makola.core.checkout.service.outcomes import Answered, record
from makola.core.checkout.store import invoices, transactions
from makola.core.checkout.types import (
    Channel,
    Checkout,
    CheckoutKind,
    CheckoutState,
    Item,
    MerchantAccount,
    MerchantState,
    NewCheckout,
    PaymentChoice,
    Started,
    Transaction,
    TransactionKind,
    TransactionState,
)
from makola.core.organisations.types import Actor
from makola.kit.clock import now
from makola.kit.database import Connection, Database
from makola.kit.ids import new_id


async def start_payment(desk: Desk, checkout_id: UUID, choice: PaymentChoice, *,
                        seen: Checkout | None = None) -> Started:
    """Start an attempt at a checkout, or return the one that is under way already.

    The attempt is recorded before the provider is called: if the process dies, the poller finds out what became of it.

    Args:
        desk: the services' own.
        checkout_id: which one.
        choice: how the customer wants to pay.
        seen: the checkout as it was read a moment ago, where it was; nothing of it is relied on.

    Raises:
        UnknownCheckoutError: there is none.
        CheckoutClosedError: it has ended, or its time is over.
        ChannelNotPermittedError: the merchant may not use the channel, or nobody serves it.
        TooManyAttemptsError: it was tried too often.
        AmountTooSmallError: the fees would take all of it.
    """
    at = now()
    if seen is not None and not seen.attempt_count and seen.state is CheckoutState.OPEN and seen.expires_at > at:
        merchant = await desk.account_of(desk.database, seen.merchant_account_id)
        payment = await _payment(desk, desk.database, seen, merchant, choice, at,
                                 fees_on_customer=merchant.fees_on_customer)
        if await transactions.insert_first_attempt(desk.database, payment):
            return await _call(desk, payment, seen, merchant, choice.return_url)
    async with desk.database.transaction() as connection:
        checkout = (await invoices.lock(connection, [checkout_id])).get(checkout_id)
        if checkout is None:
            raise UnknownCheckoutError("There is no such checkout.", field="checkout_id")
        if checkout.state is not CheckoutState.OPEN:  # a card page that is still open would take what only goes back
            raise CheckoutClosedError("This checkout has ended.", field="checkout_id")
        merchant = await desk.account_of(connection, checkout.merchant_account_id)
        under_way = await _under_way(connection, checkout, choice)
        if under_way is not None and under_way.channel is not Channel.CARD:
            return Started(under_way)
        payment = under_way or await _new_payment(desk, connection, checkout, merchant, choice)
    return await _call(desk, payment, checkout, merchant, choice.return_url)


async def _under_way(connection: Connection, checkout: Checkout, choice: PaymentChoice) -> Transaction | None:
    """Return the attempt that this one would repeat; whatever is under way, unless another is wanted."""
    if not checkout.attempt_count:
        return None
    for payment in reversed(await transactions.of_checkout(connection, checkout.checkout_id)):
        if payment.kind is TransactionKind.PAYMENT and payment.is_open:
            same = (payment.channel, payment.number) == (choice.channel, choice.number)
            if same or not choice.another:
                return payment
    return None


async def _new_payment(desk: Desk, connection: Connection, checkout: Checkout, merchant: MerchantAccount,
                       choice: PaymentChoice) -> Transaction:
    at = now()
    if checkout.expires_at <= at:
        raise CheckoutClosedError("This checkout has ended.", field="checkout_id")
    if checkout.attempt_count >= desk.policy.attempts_limit:
        raise TooManyAttemptsError("This checkout was tried too often.", field="checkout_id")
    payment = await _payment(desk, connection, checkout, merchant, choice, at,
                             fees_on_customer=merchant.fees_on_customer)
    await transactions.insert_attempt(connection, payment)
    return payment


async def _payment(desk: Desk, connection: Connection | Database, checkout: Checkout, merchant: MerchantAccount,
                   choice: PaymentChoice, at: datetime, *, fees_on_customer: bool) -> Transaction:
    provider = permitted_provider(desk, merchant, choice.channel)
    tariff = await desk.tariff(connection, merchant.merchant_account_id, choice.channel)
    charges = tariff.charges(checkout.total_units)
    if charges >= checkout.total_units:
        raise AmountTooSmallError("The fees would take all of this amount.", field="amount_units")
    return Transaction(
        transaction_id=new_id(), kind=TransactionKind.PAYMENT, merchant_account_id=merchant.merchant_account_id,
        organisation_id=merchant.organisation_id, application_id=checkout.application_id, provider=provider,
        channel=choice.channel, number=choice.number, name=checkout.payee_name,
        amount_units=checkout.total_units + (charges if fees_on_customer else 0), charges_units=charges,
        currency=checkout.currency, created_at=at, due_at=desk.policy.first_due(at), checkout_id=checkout.checkout_id,
        reason=checkout.description, client_reference=checkout.client_reference)


def permitted_provider(desk: Desk, merchant: MerchantAccount, channel: Channel) -> str:
    """Return the name of who serves a channel.

    Raises:
        ChannelNotPermittedError: the merchant may not use it, or nobody serves it.
    """
    if merchant.state is not MerchantState.ACTIVE:
        raise ChannelNotPermittedError("This merchant takes no payments at present.", field="channel")
    provider = desk.providers.card() if channel is Channel.CARD else desk.providers.mobile_money_for(channel)
    if provider is None or not merchant.permits(channel):
        raise ChannelNotPermittedError("This merchant account may not use this channel.", field="channel")
    return provider.name


async def _call(desk: Desk, payment: Transaction, checkout: Checkout, merchant: MerchantAccount,
                return_url: str) -> Started:
    """Make the request that is recorded, and record its answer."""
    request = asking.payment_request(payment, checkout, merchant, return_url)
    start = await asking.request_payment(desk, payment, request)
    if start.answer.progress in {Progress.UNREACHABLE, Progress.UNKNOWN}:
        return Started(payment)  # the poller asks
    after = None
    if start.answer.progress is Progress.PENDING:
        after = await transactions.pending(desk.database, payment.transaction_id, start.answer.provider_reference)
    if after is None:
        after = (await record(desk, [Answered(payment, start.answer)]))[payment.transaction_id]
    return Started(after, start.redirect_url if after.state is TransactionState.PENDING else "")


# -- direct calls ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Receive:
    """A merchant's call to one wallet. `amount_units` in 1/10,000 of the currency's unit.

    Attributes:
        number: the customer's wallet, international with `+`.
        callback_url, secondary_callback_url: where the outcome goes; empty for nowhere.
        fees_on_customer: None for what the merchant account says.
    """

    account_number: str
    channel: Channel
    number: str
    name: str
    email: str
    amount_units: int
    description: str
    client_reference: str
    callback_url: str = field(repr=False)
    secondary_callback_url: str = field(repr=False)
    fees_on_customer: bool | None
    content_sha256: bytes


async def receive(desk: Desk, actor: Actor, call: Receive) -> tuple[Checkout, Transaction]:
    """Ask one wallet to pay, without a page; return the checkout behind it and the payment.

    The same call again (by its client reference) returns the same payment.

    Raises:
        UnknownMerchantAccountError, NotOwnerError, MerchantAccountUnavailableError: of the account.
        ChannelNotPermittedError: the merchant may not use the channel, or nobody serves it.
        AmountTooSmallError, InvalidCheckoutError: of the values.
        CheckoutClosedError: the process died over the first such call before it asked, and its time is over.
    """
    account = await own_account(desk, actor, call.account_number)
    if call.channel is Channel.CARD:
        raise ChannelNotPermittedError("A card is paid on the checkout page.", field="channel")
    permitted_provider(desk, account, call.channel)
    check_amount(call.amount_units, desk.policy, "amount_units")
    check_callback(call.callback_url, desk.policy, "callback_url")
    check_callback(call.secondary_callback_url, desk.policy, "secondary_callback_url")
    check_text(call.description, "description", required=True)
    for name, text in (("name", call.name), ("number", call.number), ("email", call.email)):
        check_text(text, name)
    check_reference(call.client_reference, desk.policy)
    new = NewCheckout(
        account_number=account.number, items=(Item(call.description, 1, call.amount_units),),
        total_units=call.amount_units, description=call.description, client_reference=call.client_reference,
        callback_url="", payee_name=call.name, payee_number=call.number, payee_email=call.email, generation=0,
        content_sha256=call.content_sha256)
    at = now()
    tariff = await desk.tariff(desk.database, account.merchant_account_id, call.channel)
    if tariff.charges(call.amount_units) >= call.amount_units:
        raise AmountTooSmallError("The fees would take all of this amount.", field="amount_units")
    checkout = await insert(desk, account, actor, new, CheckoutKind.DIRECT,
                            desk.policy.poll_for_s + desk.policy.grace_s, at=at)
    payment, is_new = await _direct_payment(desk, checkout, account, call, at)
    if is_new:
        payment = (await _call(desk, payment, checkout, account, "")).payment
    return checkout, payment


async def _direct_payment(desk: Desk, checkout: Checkout, account: MerchantAccount, call: Receive,
                          at: datetime) -> tuple[Transaction, bool]:
    """Return the one payment of a direct checkout, and whether it was made now."""
    if not checkout.attempt_count:
        payment = await _direct(desk, desk.database, checkout, account, call, at)
        if await transactions.insert_first_attempt(desk.database, payment):
            return payment, True
    async with desk.database.transaction() as connection:
        locked = (await invoices.lock(connection, [checkout.checkout_id]))[checkout.checkout_id]
        if locked.attempt_count:
            return (await transactions.of_checkout(connection, checkout.checkout_id))[0], False
        if locked.state is not CheckoutState.OPEN or locked.expires_at <= at:  # what is paid now would go back
            raise CheckoutClosedError("The time of this request is over; use another reference.",
                                      field="client_reference")
        payment = await _direct(desk, connection, locked, account, call, at)
        await transactions.insert_attempt(connection, payment)
    return payment, True


async def _direct(desk: Desk, source: Connection | Database, checkout: Checkout, account: MerchantAccount,
                  call: Receive, at: datetime) -> Transaction:
    fees_on_customer = account.fees_on_customer if call.fees_on_customer is None else call.fees_on_customer
    payment = await _payment(desk, source, checkout, account, PaymentChoice(call.channel, call.number), at,
                             fees_on_customer=fees_on_customer)
    return replace(payment, callback_url=call.callback_url, secondary_callback_url=call.secondary_callback_url)
