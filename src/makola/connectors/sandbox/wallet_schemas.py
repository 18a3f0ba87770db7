"""What the control of the virtual wallets reads and writes as JSON. Amounts are in cedis there."""

from datetime import datetime
from decimal import Decimal

import msgspec

from makola.connectors.sandbox.errors import HandsetNotFoundError, InvalidInputError
from makola.connectors.sandbox.wallet_types import CEDI, Wallet, WalletOperation
from makola.connectors.sandbox.wallets import Wallets

#: Of the power of ten; what the wallets themselves take in is less.
_MAGNITUDE_AT_MOST = 15


class WalletChange(msgspec.Struct, forbid_unknown_fields=True):
    """The body that changes a wallet; what is left out stays."""

    registered: bool | None = None
    balance: Decimal | None = None
    limit_per_payment: Decimal | None = None
    limit_per_day: Decimal | None = None
    pin: str | None = None


class TopUp(msgspec.Struct, forbid_unknown_fields=True):
    """The body that puts money into a wallet."""

    amount: Decimal


class Approval(msgspec.Struct, forbid_unknown_fields=True):
    """The body that approves a prompt."""

    pin: str


class WalletView(msgspec.Struct):
    """A wallet."""

    number: str
    registered: bool
    currency: str
    balance: float
    limit_per_payment: float
    limit_per_day: float
    spent_today: float
    has_own_pin: bool


class OperationView(msgspec.Struct):
    """A payment, payout or refund."""

    id: str
    kind: str
    number: str
    amount: float
    currency: str
    state: str
    reason: str | None
    payee: str
    note: str
    created_at: datetime
    expires_at: datetime | None
    settled_at: datetime | None


class WalletNews(msgspec.Struct):
    """What an event stream tells of wallets: of one handset, or of all."""

    wallets: list[WalletView]
    prompts: list[OperationView]


def view_wallet(wallet: Wallet) -> WalletView:
    """Return a wallet as it is written."""
    return WalletView(
        wallet.number, wallet.registered, "GHS", wallet.balance_units / CEDI, wallet.limit_per_payment_units / CEDI,
        wallet.limit_per_day_units / CEDI, wallet.spent_today_units / CEDI, wallet.has_own_pin)


def view_operation(operation: WalletOperation) -> OperationView:
    """Return an operation as it is written."""
    return OperationView(
        operation.transaction_id.hex, operation.kind, operation.number, operation.amount_units / CEDI,
        operation.currency, operation.state, operation.reason, operation.payee, operation.note,
        operation.created_at, operation.expires_at, operation.settled_at)


async def read_news(wallets: Wallets, number: str | None) -> WalletNews:
    """Return every wallet and every prompt of one handset, or of all."""
    try:
        chosen = await wallets.all() if number is None else [await wallets.get(number)]
    except HandsetNotFoundError:
        chosen = []
    return WalletNews([view_wallet(wallet) for wallet in chosen],
                      [view_operation(prompt) for prompt in await wallets.prompts(number)])


def read_units(amount: Decimal | None, field: str) -> int | None:
    """Return an amount in 1/10,000 of a cedi.

    Raises:
        InvalidInputError: it is no amount, far too much, or has more than four decimal places.
    """
    if amount is None:
        return None
    # The order of magnitude first: arithmetic with 1e999999999 overflows.
    if not amount.is_finite() or amount.adjusted() > _MAGNITUDE_AT_MOST:
        raise InvalidInputError("this is too much, or no number", field=field)
    units = amount * CEDI
    if units != units.to_integral_value():
        raise InvalidInputError("an amount has at most four decimal places", field=field)
    return int(units)
