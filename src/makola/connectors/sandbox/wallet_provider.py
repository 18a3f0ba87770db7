"""The virtual wallets as the core sees them: a provider of mobile money."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

import structlog

from makola.connectors.sandbox.errors import LinkDownError
from makola.connectors.sandbox.wallet_types import NewOperation, OperationState, WalletOperation, WalletRefusal
from makola.connectors.sandbox.wallets import Wallets
from makola.core.checkout.ports import (
    PaymentRequest,
    Progress,
    ProviderAnswer,
    ProviderTransaction,
    RefundRequest,
    SendRequest,
    StatusQuestion,
)
from makola.core.checkout.types import MOBILE_MONEY, Channel, Failure, TransactionKind
from makola.kit.database import OUTAGE

_NETWORKS = {channel: network_id for network_id, channel in MOBILE_MONEY.items()}
_UNREACHABLE = ProviderAnswer(Progress.UNREACHABLE)

_log = structlog.get_logger(__name__)
_Result = TypeVar("_Result")

#: What the networks tell apart differs between them (seed, "Response Codes").
_FAILURES: dict[tuple[Channel, WalletRefusal], Failure] = {
    (Channel.MTN, WalletRefusal.INSUFFICIENT_FUNDS): Failure.MTN_INSUFFICIENT_FUNDS,
    (Channel.MTN, WalletRefusal.NOT_REGISTERED): Failure.MTN_NOT_REGISTERED,
    (Channel.AIRTEL, WalletRefusal.WRONG_PIN): Failure.AIRTEL_WRONG_PIN,
    (Channel.AIRTEL, WalletRefusal.INSUFFICIENT_FUNDS): Failure.AIRTEL_INSUFFICIENT_FUNDS,
    (Channel.AIRTEL, WalletRefusal.NOT_REGISTERED): Failure.AIRTEL_NOT_REGISTERED,
    (Channel.TIGO, WalletRefusal.NOT_REGISTERED): Failure.TIGO_NOT_REGISTERED,
    (Channel.TIGO, WalletRefusal.OVER_LIMIT): Failure.TIGO_ABOVE_LIMIT,
    (Channel.TIGO, WalletRefusal.OVER_DAILY_LIMIT): Failure.TIGO_ABOVE_DAILY_LIMIT,
    (Channel.VODAFONE, WalletRefusal.NOT_REGISTERED): Failure.VODAFONE_NOT_REGISTERED,
}

#: What is said where the failure alone says too little.
_DETAILS = {
    WalletRefusal.NOT_REGISTERED: "The mobile number is not registered for mobile money.",
    WalletRefusal.WRONG_PIN: "The PIN that was entered is wrong.",
    WalletRefusal.INSUFFICIENT_FUNDS: "There is not enough money in the wallet.",
    WalletRefusal.OVER_LIMIT: "The amount is more than the wallet may pay at once.",
    WalletRefusal.OVER_DAILY_LIMIT: "The amount is more than the wallet may still pay today.",
    WalletRefusal.DECLINED: "The payment was declined on the phone.",
    WalletRefusal.TIMED_OUT: "Nobody approved the payment on the phone in time.",
}


def failure(channel: Channel, kind: TransactionKind, reason: WalletRefusal) -> Failure:
    """Return what a refusal is to the core.

    Args:
        channel: the network of the wallet.
        kind: of the operation: Vodafone tells who receives money apart from who pays.
        reason: why it failed.
    """
    if reason is WalletRefusal.PHONE_OFF:
        return Failure.PHONE_OFF
    if (channel is Channel.VODAFONE and reason is WalletRefusal.NOT_REGISTERED
            and kind is not TransactionKind.PAYMENT):
        return Failure.VODAFONE_RECIPIENT_NOT_REGISTERED
    return _FAILURES.get((channel, reason), Failure.OTHER)


class SandboxMobileMoney:
    """Takes payments from, and pays out to, the wallets of the virtual handsets.

    Args:
        wallets: of the handsets; while the operator's link is down they do not answer.
    """

    name = "sandbox"
    channels = frozenset(MOBILE_MONEY.values())
    has_list = True

    def __init__(self, wallets: Wallets) -> None:
        self._wallets = wallets

    async def request_payment(self, request: PaymentRequest) -> ProviderAnswer:
        """Put a prompt on the customer's handset."""
        return await self._answer(lambda: self._wallets.begin(NewOperation(
            request.transaction_id, TransactionKind.PAYMENT, request.number, _NETWORKS[request.channel],
            request.amount_units, request.currency, request.payee, request.description)))

    async def send(self, request: SendRequest) -> ProviderAnswer:
        """Put money into a wallet."""
        return await self._answer(lambda: self._wallets.begin(NewOperation(
            request.transaction_id, TransactionKind.SEND, request.number, _NETWORKS[request.channel],
            request.amount_units, request.currency, request.name, request.description)))

    async def refund(self, request: RefundRequest) -> ProviderAnswer:
        """Put money back into the wallet that paid."""
        return await self._answer(lambda: self._wallets.refund(NewOperation(
            request.transaction_id, TransactionKind.REFUND, request.number, _NETWORKS[request.channel],
            request.amount_units, request.currency, "", request.reason, request.payment_id)))

    async def status(self, question: StatusQuestion) -> ProviderAnswer:
        """Say how an operation stands."""
        found = await self._while_up(lambda: self._wallets.operation(question.transaction_id))
        if found is None:
            return _UNREACHABLE
        operation, = found
        return ProviderAnswer(Progress.UNKNOWN) if operation is None else _as_answer(operation)

    async def list_transactions(self, since: datetime, until: datetime) -> Sequence[ProviderTransaction] | None:
        """Return the network's list; None while its link is down."""
        found = await self._while_up(lambda: self._wallets.operations_between(since, until))
        if found is None:
            return None
        return [ProviderTransaction(each.transaction_id, str(each.operation_id), each.kind, _progress(each),
                                    each.amount_units, each.currency, each.created_at) for each in found[0]]

    async def _answer(self, work: Callable[[], Awaitable[WalletOperation]]) -> ProviderAnswer:
        found = await self._while_up(work)
        return _UNREACHABLE if found is None else _as_answer(found[0])

    async def _while_up(self, work: Callable[[], Awaitable[_Result]]) -> tuple[_Result] | None:
        """Do `work` if the operator's link is up; None when it is down, or the tables cannot be reached."""
        try:
            return (await work(),)
        except LinkDownError:
            return None
        except OUTAGE as error:
            _log.warning("sandbox_wallets_unreachable", error=str(error))
            return None


def _as_answer(operation: WalletOperation) -> ProviderAnswer:
    reference = str(operation.operation_id)
    if operation.reason is None:
        return ProviderAnswer(_progress(operation), provider_reference=reference)
    why = failure(MOBILE_MONEY[operation.network_id], operation.kind, operation.reason)
    detail = _DETAILS.get(operation.reason, "") if why is Failure.OTHER else ""
    return ProviderAnswer(Progress.FAILED, why, detail, reference)


def _progress(operation: WalletOperation) -> Progress:
    return _PROGRESS[operation.state]


_PROGRESS = {OperationState.PENDING: Progress.PENDING, OperationState.SUCCESSFUL: Progress.SUCCEEDED,
             OperationState.FAILED: Progress.FAILED}
