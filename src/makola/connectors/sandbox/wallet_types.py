"""What a virtual mobile-money wallet is, and what happens in it."""

import enum
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makola.connectors.sandbox.types import HandsetState
from makola.core.checkout.types import TransactionKind

#: Units of one cedi: amounts are integers in 1/10,000.
CEDI = 10_000
#: The currency of every wallet.
CURRENCY = "GHS"
#: The PIN of a wallet whose holder has set none.
FIRST_PIN = "1234"


class OperationState(enum.StrEnum):
    """How far an operation has come."""

    PENDING = "pending"
    SUCCESSFUL = "successful"
    FAILED = "failed"


class WalletRefusal(enum.StrEnum):
    """Why an operation failed."""

    NOT_REGISTERED = "not_registered"
    PHONE_OFF = "phone_off"
    WRONG_PIN = "wrong_pin"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    OVER_LIMIT = "over_limit"
    OVER_DAILY_LIMIT = "over_daily_limit"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class WalletDefaults:
    """What a wallet has until somebody changes it, and how long a prompt waits.

    Attributes:
        balance_units, limit_per_payment_units, limit_per_day_units: in 1/10,000 of a cedi.
        prompt_timeout_s: after which nobody can approve any more.
    """

    balance_units: int = 1_000 * CEDI
    limit_per_payment_units: int = 5_000 * CEDI
    limit_per_day_units: int = 10_000 * CEDI
    prompt_timeout_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Wallet:
    """The wallet of a handset.

    Attributes:
        number: of the handset, E.164.
        state: the handset's; "off" and "unknown" decide about payments too.
        registered: False where the number has no wallet with its network.
        balance_units, limit_per_payment_units, limit_per_day_units, spent_today_units: in 1/10,000 of a cedi.
        has_own_pin: False while `FIRST_PIN` holds.
    """

    number: str
    network_id: str
    state: HandsetState
    registered: bool
    balance_units: int
    limit_per_payment_units: int
    limit_per_day_units: int
    spent_today_units: int
    has_own_pin: bool


@dataclass(frozen=True, slots=True)
class WalletOperation:
    """One payment out of a wallet, or a payout or refund into it.

    Attributes:
        operation_id: the network's number for it.
        transaction_id: what the hub called it; a repeat under the same id is the same operation.
        amount_units: in 1/10,000 of the currency's unit, above zero.
        payee: who asked for a payment, or who sent the money, as the prompt shows it.
        refers_to: the hub's id of the payment that a refund gives back.
        expires_at: when an unanswered prompt ends.
    """

    operation_id: int
    transaction_id: UUID
    kind: TransactionKind
    number: str
    network_id: str
    amount_units: int
    currency: str
    state: OperationState
    reason: WalletRefusal | None
    payee: str
    note: str
    refers_to: UUID | None
    created_at: datetime
    expires_at: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewOperation:
    """What the hub asks of a wallet; see `WalletOperation`."""

    transaction_id: UUID
    kind: TransactionKind
    number: str
    network_id: str
    amount_units: int
    currency: str
    payee: str
    note: str = ""
    refers_to: UUID | None = None
