"""Ask providers: the first request, and how things stand.

What is asked was recorded before (`asking`), and carries our own id: to ask again after a crash moves nothing twice.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from makola.core.checkout.desk import Desk
from makola.core.checkout.hints import Hints
from makola.core.checkout.ports import (
    CardStart,
    PaymentRequest,
    Progress,
    ProviderAnswer,
    RefundRequest,
    SendRequest,
    StatusQuestion,
)
from makola.core.checkout.rounds import Rounds
from makola.core.checkout.service.outcomes import Answered, record
from makola.core.checkout.store import invoices, transactions
from makola.core.checkout.types import (
    Channel,
    Checkout,
    CheckoutState,
    MerchantAccount,
    Transaction,
    TransactionKind,
    TransactionState,
)
from makola.kit.clock import now

_log = structlog.get_logger(__name__)

_UNREACHABLE = ProviderAnswer(Progress.UNREACHABLE)
#: A payment that the provider never heard of is asked for again for so long; later its customer has gone.
_ASK_AGAIN_FOR = timedelta(minutes=10)
_BATCH = 100


def payment_request(payment: Transaction, checkout: Checkout, merchant: MerchantAccount,
                    return_url: str = "") -> PaymentRequest:
    """Return what a provider is asked for a payment."""
    return PaymentRequest(
        payment.transaction_id, payment.channel, payment.number, payment.amount_units, payment.currency, merchant.name,
        checkout.description, checkout.client_reference, checkout.payee_email, return_url)


async def request_payment(desk: Desk, payment: Transaction, request: PaymentRequest) -> CardStart:
    """Ask a provider, for the first time or again, to take a payment. It must be recorded already."""
    try:
        async with asyncio.timeout(desk.policy.ask_timeout_s):
            if payment.channel is Channel.CARD:
                card = desk.providers.card_named(payment.provider)
                return await card.start(request) if card is not None else CardStart(_UNREACHABLE)
            wallets = desk.providers.mobile_money_named(payment.provider)
            return CardStart(await wallets.request_payment(request) if wallets is not None else _UNREACHABLE)
    except TimeoutError:
        return CardStart(_UNREACHABLE)


async def request_payout(desk: Desk, transaction: Transaction, payment: Transaction | None) -> ProviderAnswer:
    """Ask a provider for a refund (of `payment`), a send or a sweep. It must be recorded already."""
    try:
        async with asyncio.timeout(desk.policy.ask_timeout_s):
            if payment is not None:
                provider = desk.providers.named(transaction.provider)
                return _UNREACHABLE if provider is None else await provider.refund(RefundRequest(
                    transaction.transaction_id, payment.transaction_id, payment.provider_reference,
                    transaction.channel, transaction.number, transaction.amount_units, transaction.currency,
                    transaction.reason))
            wallets = desk.providers.mobile_money_named(transaction.provider)
            return _UNREACHABLE if wallets is None else await wallets.send(SendRequest(
                transaction.transaction_id, transaction.channel, transaction.number, transaction.name,
                transaction.amount_units, transaction.currency, transaction.reason))
    except TimeoutError:
        return _UNREACHABLE


async def ask_due(desk: Desk, rounds: Rounds | None = None) -> bool:
    """Ask about everything that is due, once; True when there may be more.

    A transaction that was claimed by a process that died is due again when the lease ends.

    Args:
        desk: the services' own.
        rounds: where the questions go on by themselves, each provider's apart; None: wait for the answers.
    """
    under_way = rounds or Rounds()
    under_way.collect()
    due = await transactions.claim(desk.database, now(), timedelta(seconds=desk.policy.lease_s), _BATCH,
                                   under_way.full(), list(under_way.asked()))
    _begin(desk, under_way, due)
    if rounds is None:
        await under_way.finish()
    return len(due) == _BATCH


async def ask_hinted(desk: Desk, hints: Hints, rounds: Rounds | None = None) -> bool:
    """Ask about everything that this process was hinted at; True when there is more.

    It is taken in hand as what is due is: if the process dies meanwhile, it is due when the lease ends. What cannot be
    asked now (it is being asked about, and that answer may be older; or its provider is full) is left to `ask_due`.

    Args:
        desk: the services' own.
        hints: what this process has heard.
        rounds: where the questions go on by themselves, each provider's apart; None: wait for the answers.
    """
    under_way = rounds or Rounds()
    under_way.collect()
    hinted = hints.collect(_BATCH)
    left: Sequence[UUID] = hinted
    try:
        asked = under_way.asked()
        if free := [one for one in hinted if one not in asked]:
            taken = await transactions.claim_named(desk.database, free, now(), timedelta(seconds=desk.policy.lease_s),
                                                   under_way.full())
            _begin(desk, under_way, taken)
            done = {one.transaction_id for one in taken}
            left = [one for one in hinted if one not in done]
        if left:
            await transactions.hint(desk.database, left, now())
        left = ()
    finally:
        is_more = hints.done(left)
    if rounds is None:
        await under_way.finish()
    return is_more


def _begin(desk: Desk, rounds: Rounds, taken: Sequence[Transaction]) -> None:
    of_provider: dict[str, list[Transaction]] = {}
    for transaction in taken:
        of_provider.setdefault(transaction.provider, []).append(transaction)
    for provider, some in of_provider.items():
        rounds.begin(provider, [one.transaction_id for one in some], ask(desk, some))


async def ask(desk: Desk, waiting: Sequence[Transaction]) -> None:
    """Ask the providers how these stand, all at the same time, and record what they say."""
    if not waiting:
        return
    answers = await asyncio.gather(*(_ask(desk, transaction) for transaction in waiting))
    await record(desk, [Answered(transaction, answer) for transaction, answer in zip(waiting, answers, strict=True)])


async def _ask(desk: Desk, transaction: Transaction) -> ProviderAnswer:
    provider = desk.providers.named(transaction.provider)
    if provider is None:
        _log.warning("provider_missing", provider=transaction.provider, transaction=transaction.transaction_id.hex)
        return _UNREACHABLE
    try:
        async with asyncio.timeout(desk.policy.ask_timeout_s):
            answer = await provider.status(StatusQuestion(
                transaction.kind, transaction.transaction_id, transaction.provider_reference, transaction.channel,
                transaction.amount_units, transaction.currency))
    except TimeoutError:
        return _UNREACHABLE
    if answer.progress is Progress.UNKNOWN and transaction.state is TransactionState.ASKING:
        return await _ask_again(desk, transaction)
    return answer


async def _ask_again(desk: Desk, transaction: Transaction) -> ProviderAnswer:
    """Make the request that the provider has certainly never heard of, where it is still wanted."""
    if transaction.kind is TransactionKind.REFUND and transaction.refunds is not None:
        payment = await transactions.find(desk.database, transaction.refunds)
        return await request_payout(desk, transaction, payment)
    if transaction.kind is not TransactionKind.PAYMENT or transaction.checkout_id is None:
        return await request_payout(desk, transaction, None)
    checkout = await invoices.find(desk.database, transaction.checkout_id)
    late = now() - transaction.created_at > _ASK_AGAIN_FOR
    if checkout is None or checkout.state is not CheckoutState.OPEN or late or transaction.channel is Channel.CARD:
        return ProviderAnswer(Progress.FAILED, detail="The provider could not be asked.")
    merchant = await desk.account_of(desk.database, transaction.merchant_account_id)
    return (await request_payment(desk, transaction, payment_request(transaction, checkout, merchant))).answer
