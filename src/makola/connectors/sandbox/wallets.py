"""The virtual wallets: what the network does with a request, and what the person who holds the phone can do.

A wallet belongs to a handset. What happens to a payment follows from the wallet's state (registered, balance, limits),
from the handset's (off, unknown) and from what its holder does with the prompt. PINs are kept as salted digests and
reach no log.
"""

import hashlib
import hmac
import os
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from makola.connectors.sandbox import store, wallet_store
from makola.connectors.sandbox.errors import (
    HandsetNotFoundError,
    InvalidInputError,
    PromptClosedError,
    PromptNotFoundError,
)
from makola.connectors.sandbox.store import Source
from makola.connectors.sandbox.types import HandsetState
from makola.connectors.sandbox.wallet_types import (
    FIRST_PIN,
    NewOperation,
    OperationState,
    Wallet,
    WalletDefaults,
    WalletOperation,
    WalletRefusal,
)
from makola.core.checkout.types import TransactionKind
from makola.kit.clock import now
from makola.kit.database import Connection, Database

#: Told of every operation that was settled, after it is on disk; what it is told may come twice or not at all.
Settled = Callable[[UUID], Awaitable[None]]

#: Far above what a test needs, far below what a bigint holds.
AMOUNT_UNITS_AT_MOST = 10**15
_PIN = re.compile(r"[0-9]{4,6}\Z")
_PROMPTS_AT_MOST = 100
_BATCH = 500
_KEEP_OPERATIONS = timedelta(days=30)


class Wallets:
    """Use cases of the virtual wallets.

    Args:
        database: where the operator keeps its tables.
        defaults: what wallets have until somebody changes them.
        settled: told of every outcome that came about by a person or by time, after it is on disk.
    """

    def __init__(self, database: Database, defaults: WalletDefaults | None = None,
                 settled: Settled | None = None) -> None:
        self._database = database
        self._defaults = defaults or WalletDefaults()
        self._settled = settled or _nobody

    # -- the network's side --------------------------------------------------------------------------------------

    async def begin(self, new: NewOperation, *, prompt_timeout_s: float | None = None) -> WalletOperation:
        """Take a request of the hub: a payment that is possible becomes a prompt, money that comes in is there.

        A repeat answers with how the first request stands.
        """
        at = now()
        timeout_s = self._defaults.prompt_timeout_s if prompt_timeout_s is None else prompt_timeout_s
        async with self._database.transaction() as connection:
            await wallet_store.ensure_wallet(connection, new.number, self._defaults)
            if new.kind is not TransactionKind.PAYMENT:
                await wallet_store.lock_wallet(connection, new.number)
            wallet = await wallet_store.fetch_wallet(connection, new.number, self._defaults, at.date())
            reason = _refusal(wallet, new)
            waits = reason is None and new.kind is TransactionKind.PAYMENT
            state = (OperationState.PENDING if waits else
                     OperationState.FAILED if reason is not None else OperationState.SUCCESSFUL)
            operation = await wallet_store.insert_operation(
                connection, new, state, reason, at, at + timedelta(seconds=timeout_s) if waits else None)
            if operation is None:
                before = await wallet_store.fetch_operation(connection, new.transaction_id)
                if before is None:
                    raise RuntimeError("an operation that is in the way is not there")
                return before
            if state is OperationState.SUCCESSFUL:
                await wallet_store.add_money(connection, new.number, new.amount_units)
        await self._news()
        return operation

    async def refund(self, new: NewOperation) -> WalletOperation:
        """Give back a part of a payment that succeeded; more than was paid is refused as `DECLINED`."""
        if new.refers_to is None:
            raise ValueError("a refund refers to a payment")
        at = now()
        async with self._database.transaction() as connection:
            payment = await wallet_store.lock_operation(connection, new.refers_to)
            before = await wallet_store.fetch_operation(connection, new.transaction_id)
            if before is not None:
                return before
            possible = (payment is not None and payment.state is OperationState.SUCCESSFUL
                        and await wallet_store.refunded_units(connection, new.refers_to)
                        + new.amount_units <= payment.amount_units)
            number = payment.number if payment is not None else new.number
            state, reason = ((OperationState.SUCCESSFUL, None) if possible
                             else (OperationState.FAILED, WalletRefusal.DECLINED))
            operation = await wallet_store.insert_operation(connection, new, state, reason, at, None)
            if operation is None:  # where the payment is unknown, nothing kept a repeat waiting
                raise RuntimeError("a refund of an unknown payment came twice at once")
            if possible:
                await wallet_store.ensure_wallet(connection, number, self._defaults)
                await wallet_store.add_money(connection, number, new.amount_units)
        await self._news()
        return operation

    async def operation(self, transaction_id: UUID) -> WalletOperation | None:
        """Return how an operation stands; None when the network never heard of it."""
        return await wallet_store.fetch_operation(self._database, transaction_id)

    async def operations_between(self, since: datetime, until: datetime) -> Sequence[WalletOperation]:
        """Return the network's own list of a period, oldest first."""
        return await wallet_store.fetch_between(self._database, since, until)

    async def expire(self) -> bool:
        """End prompts that nobody answered; True when there may be more."""
        expired = await wallet_store.expire_operations(self._database, now(), _BATCH)
        if expired:
            await self._news()
        for operation in expired:
            await self._settled(operation.transaction_id)
        return len(expired) == _BATCH

    async def forget_old(self) -> bool:
        """Remove operations after a month; True when there may be more."""
        return len(await wallet_store.forget_old(self._database, now() - _KEEP_OPERATIONS, _BATCH)) == _BATCH

    # -- the holder's side ---------------------------------------------------------------------------------------

    async def all(self) -> Sequence[Wallet]:
        """Return the wallet of every handset."""
        return await wallet_store.fetch_wallets(self._database, self._defaults, now().date())

    async def get(self, number: str) -> Wallet:
        """Return the wallet of one handset.

        Raises:
            HandsetNotFoundError: there is no such handset.
        """
        return await self._found(self._database, number)

    async def prompts(self, number: str | None = None) -> Sequence[WalletOperation]:
        """Return the payments that wait for an answer, oldest first: on one handset, or on all."""
        return await wallet_store.fetch_prompts(self._database, now(), number, _PROMPTS_AT_MOST)

    async def history(self, number: str, limit: int) -> Sequence[WalletOperation]:
        """Return the newest operations of a number, newest first."""
        return await wallet_store.fetch_history(self._database, number, limit)

    async def change(self, number: str, *, registered: bool | None = None, balance_units: int | None = None,
                     limit_per_payment_units: int | None = None, limit_per_day_units: int | None = None,
                     pin: str | None = None) -> Wallet:
        """Change what is not None of a wallet.

        Raises:
            HandsetNotFoundError: there is no such handset.
            InvalidInputError: an amount out of its range, or a PIN that is not 4 to 6 digits.
        """
        _check_amount(balance_units, 0, "balance")
        _check_amount(limit_per_payment_units, 1, "limit_per_payment")
        _check_amount(limit_per_day_units, 1, "limit_per_day")
        if pin is not None and not _PIN.match(pin):
            raise InvalidInputError("a PIN has 4 to 6 digits", field="pin")
        async with self._database.transaction() as connection:
            await wallet_store.ensure_wallet(connection, number, self._defaults)
            await wallet_store.change_wallet(
                connection, number, registered=registered, balance_units=balance_units,
                limit_per_payment_units=limit_per_payment_units, limit_per_day_units=limit_per_day_units)
            if pin is not None:
                salt = os.urandom(16)
                await wallet_store.set_pin(connection, number, salt, _digest(salt, pin))
            wallet = await self._found(connection, number)
        await self._news()
        return wallet

    async def top_up(self, number: str, amount_units: int) -> Wallet:
        """Put money into a wallet, as at a kiosk.

        Raises:
            HandsetNotFoundError: there is no such handset.
            InvalidInputError: an amount out of its range.
        """
        _check_amount(amount_units, 1, "amount")
        async with self._database.transaction() as connection:
            await wallet_store.ensure_wallet(connection, number, self._defaults)
            await wallet_store.add_money(connection, number, amount_units)
            wallet = await self._found(connection, number)
        await self._news()
        return wallet

    async def approve(self, number: str, transaction_id: UUID, pin: str) -> WalletOperation:
        """Answer a prompt with a PIN; what comes of it is in the operation that is returned.

        Raises:
            PromptNotFoundError: this handset never had such a prompt.
            PromptClosedError: it was answered, or it timed out.
        """
        at = now()
        async with self._database.transaction() as connection:
            operation = await self._prompt(connection, number, transaction_id, at)
            await wallet_store.ensure_wallet(connection, number, self._defaults)
            await wallet_store.lock_wallet(connection, number)
            reason = await self._judge(connection, operation, pin, at)
            if reason is None:
                await wallet_store.take_money(connection, number, operation.amount_units, at.date())
            await wallet_store.settle_operation(
                connection, transaction_id, OperationState.FAILED if reason else OperationState.SUCCESSFUL, reason, at)
        return await self._told(transaction_id)

    async def decline(self, number: str, transaction_id: UUID) -> WalletOperation:
        """Refuse a prompt; raises as `approve`."""
        at = now()
        async with self._database.transaction() as connection:
            await self._prompt(connection, number, transaction_id, at)
            await wallet_store.settle_operation(
                connection, transaction_id, OperationState.FAILED, WalletRefusal.DECLINED, at)
        return await self._told(transaction_id)

    async def _prompt(self, connection: Connection, number: str, transaction_id: UUID,
                      at: datetime) -> WalletOperation:
        """Return a prompt that can still be answered, held."""
        operation = await wallet_store.lock_operation(connection, transaction_id)
        if operation is None or operation.number != number:
            raise PromptNotFoundError("there is no such prompt on this handset")
        late = operation.expires_at is not None and operation.expires_at <= at
        if operation.state is not OperationState.PENDING or late:
            raise PromptClosedError("this prompt was answered already, or it took too long")
        return operation

    async def _judge(self, connection: Connection, operation: WalletOperation, pin: str,
                     at: datetime) -> WalletRefusal | None:
        """Say why a payment that its holder approves is not made; None when it is."""
        stored = await wallet_store.fetch_pin(connection, operation.number)
        right = (hmac.compare_digest(stored[1], _digest(stored[0], pin)) if stored is not None
                 else hmac.compare_digest(FIRST_PIN.encode(), pin.encode()))
        if not right:
            return WalletRefusal.WRONG_PIN
        wallet = await wallet_store.fetch_wallet(connection, operation.number, self._defaults, at.date())
        reason = _refusal(wallet, NewOperation(
            operation.transaction_id, operation.kind, operation.number, operation.network_id,
            operation.amount_units, operation.currency, operation.payee))
        if reason is None and wallet is not None and wallet.balance_units < operation.amount_units:
            return WalletRefusal.INSUFFICIENT_FUNDS
        return reason

    async def _told(self, transaction_id: UUID) -> WalletOperation:
        await self._news()
        await self._settled(transaction_id)
        operation = await self.operation(transaction_id)
        if operation is None:
            raise RuntimeError("an operation is gone")
        return operation

    async def _news(self) -> None:
        """Wake the pages. On its own, because a NOTIFY inside a transaction makes commits wait for each other."""
        await self._database.execute(f"NOTIFY {store.NEWS_CHANNEL}")

    async def _found(self, source: Source, number: str) -> Wallet:
        wallet = await wallet_store.fetch_wallet(source, number, self._defaults, now().date())
        if wallet is None:
            raise HandsetNotFoundError(f"there is no handset {number}", field="number")
        return wallet


def _refusal(wallet: Wallet | None, new: NewOperation) -> WalletRefusal | None:
    """Say why the network refuses a request before anybody is asked; None when it does not."""
    if (wallet is None or not wallet.registered or wallet.state is HandsetState.UNKNOWN
            or wallet.network_id != new.network_id):
        return WalletRefusal.NOT_REGISTERED
    if new.kind is not TransactionKind.PAYMENT:
        return None
    if wallet.state is HandsetState.OFF:
        return WalletRefusal.PHONE_OFF
    if new.amount_units > wallet.limit_per_payment_units:
        return WalletRefusal.OVER_LIMIT
    if wallet.spent_today_units + new.amount_units > wallet.limit_per_day_units:
        return WalletRefusal.OVER_DAILY_LIMIT
    return None


def _check_amount(amount_units: int | None, least: int, field: str) -> None:
    if amount_units is not None and not least <= amount_units <= AMOUNT_UNITS_AT_MOST:
        raise InvalidInputError("must be zero or more" if least == 0 else "must be more than zero", field=field)


def _digest(salt: bytes, pin: str) -> bytes:
    """Keep a PIN from being read by eye; four digits cannot be kept from being tried."""
    return hashlib.blake2b(pin.encode(), key=salt, digest_size=32).digest()


async def _nobody(_transaction_id: UUID) -> None:
    """Tell nobody."""
