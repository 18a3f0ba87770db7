"""The virtual wallets: what the network does with a request, and what the person who holds the phone can do.

A wallet belongs to a handset. What happens to a payment follows from the wallet's state (registered, balance, limits),
from the handset's (off, unknown) and from what its holder does with the prompt. PINs are kept as salted digests and
reach no log.
"""

import asyncio
import hashlib
import hmac
import os
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from makola.connectors.sandbox import store, wallet_store
from makola.connectors.sandbox.errors import (
    HandsetNotFoundError,
    InvalidInputError,
    LinkDownError,
    PromptClosedError,
    PromptNotFoundError,
)
from makola.connectors.sandbox.store import Source
from makola.connectors.sandbox.types import HandsetState
from makola.connectors.sandbox.wallet_store import Prompted
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
from makola.kit.database import OUTAGE, Database

_log = structlog.get_logger(__name__)

#: Told of every operation that was settled, after it is on disk; what it is told may come twice or not at all.
Settled = Callable[[UUID], Awaitable[None]]

#: Far above what a test needs, far below what a bigint holds.
AMOUNT_UNITS_AT_MOST = 10**15
_PIN = re.compile(r"[0-9]{4,6}\Z")
_PROMPTS_AT_MOST = 100
_BATCH = 500
#: How often an answer is judged anew because its wallet changed in between: each time somebody else got ahead.
_JUDGED_AT_MOST = 50
#: Pages need not know of everything at once.
_NEWS_PAUSE_S = 0.05
_CLOSED = "this prompt was answered already, or it took too long"


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
        self._told_at = 0.0
        self._later: asyncio.TimerHandle | None = None
        self._telling: asyncio.Task[None] | None = None

    # -- the network's side --------------------------------------------------------------------------------------

    async def begin(self, new: NewOperation, *, prompt_timeout_s: float | None = None) -> WalletOperation:
        """Take a request of the hub: a payment that is possible becomes a prompt, money that comes in is there.

        A repeat answers with how the first request stands.

        Raises:
            LinkDownError: the operator does not answer.
        """
        at = now()
        if new.kind is TransactionKind.PAYMENT:  # no money moves: what is judged need not be held
            timeout_s = self._defaults.prompt_timeout_s if prompt_timeout_s is None else prompt_timeout_s
            operation = await self._take(self._database, new, at, at + timedelta(seconds=timeout_s))
        else:
            async with self._database.transaction() as connection:
                await wallet_store.ensure_wallet(connection, new.number, self._defaults)
                await wallet_store.lock_wallet(connection, new.number)
                operation = await self._take(connection, new, at, None)
                if operation is not None and operation.state is OperationState.SUCCESSFUL:
                    await wallet_store.add_money(connection, new.number, new.amount_units)
        if operation is None:
            operation = await wallet_store.fetch_operation(self._database, new.transaction_id)
            if operation is None:
                raise RuntimeError("an operation that is in the way is not there")
            return operation
        await self._news()
        return operation

    async def _take(self, source: Source, new: NewOperation, at: datetime,
                    prompt_until: datetime | None) -> WalletOperation | None:
        """Store a request as it stands at its arrival; None when there is one with its id already."""
        is_up, wallet = await wallet_store.fetch_at_network(source, new.number, self._defaults, at.date())
        if not is_up:
            raise LinkDownError("the operator's link is down")
        reason = _refusal(wallet, new)
        if reason is not None:
            return await wallet_store.insert_operation(source, new, OperationState.FAILED, reason, at, None)
        state = OperationState.SUCCESSFUL if prompt_until is None else OperationState.PENDING
        return await wallet_store.insert_operation(source, new, state, None, at, prompt_until)

    async def refund(self, new: NewOperation) -> WalletOperation:
        """Give back a part of a payment that succeeded; more than was paid is refused as `DECLINED`.

        Raises:
            LinkDownError: the operator does not answer.
        """
        if new.refers_to is None:
            raise ValueError("a refund refers to a payment")
        await self._check_link()
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
        """Return how an operation stands; None when the network never heard of it.

        Raises:
            LinkDownError: the operator does not answer.
        """
        is_up, operation = await wallet_store.fetch_at_link(self._database, transaction_id)
        if not is_up:
            raise LinkDownError("the operator's link is down")
        return operation

    async def operations_between(self, since: datetime, until: datetime) -> Sequence[WalletOperation]:
        """Return the network's own list of a period, oldest first.

        Raises:
            LinkDownError: the operator does not answer.
        """
        await self._check_link()
        return await wallet_store.fetch_between(self._database, since, until)

    async def _check_link(self) -> None:
        if not await wallet_store.is_link_up(self._database):
            raise LinkDownError("the operator's link is down")

    async def expire(self) -> bool:
        """End prompts that nobody answered; True when there may be more."""
        expired = await wallet_store.expire_operations(self._database, now(), _BATCH)
        if expired:
            await self._news()
        for operation in expired:
            await self._settled(operation.transaction_id)
        return len(expired) == _BATCH

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
            InvalidInputError: an amount out of its range, or more than the wallet can hold.
        """
        _check_amount(amount_units, 1, "amount")
        async with self._database.transaction() as connection:
            await wallet_store.ensure_wallet(connection, number, self._defaults)
            if not await wallet_store.top_up(connection, number, amount_units, AMOUNT_UNITS_AT_MOST):
                await self._found(connection, number)
                raise InvalidInputError("the wallet would hold more than it can", field="amount")
            wallet = await self._found(connection, number)
        await self._news()
        return wallet

    async def approve(self, number: str, transaction_id: UUID, pin: str) -> WalletOperation:
        """Answer a prompt with a PIN; what comes of it is in the operation that is returned.

        Raises:
            PromptNotFoundError: this handset never had such a prompt.
            PromptClosedError: it was answered, or it timed out.
        """
        for _ in range(_JUDGED_AT_MOST):
            at = now()
            found = await self._prompt(number, transaction_id, at)
            if not found.is_stored and found.wallet is not None:
                await wallet_store.ensure_wallet(self._database, number, self._defaults)
                continue
            reason = _judge(found, pin)
            settled = await (wallet_store.pay_operation(self._database, found.operation, found.pin, at)
                             if reason is None else
                             wallet_store.fail_operation(self._database, transaction_id, reason, at))
            if settled is not None:
                return await self._told(settled)
        raise RuntimeError("a wallet does not stay as it is for long enough to be judged")

    async def decline(self, number: str, transaction_id: UUID) -> WalletOperation:
        """Refuse a prompt; raises as `approve`."""
        at = now()
        await self._prompt(number, transaction_id, at)
        settled = await wallet_store.fail_operation(self._database, transaction_id, WalletRefusal.DECLINED, at)
        if settled is None:
            raise PromptClosedError(_CLOSED)
        return await self._told(settled)

    async def _prompt(self, number: str, transaction_id: UUID, at: datetime) -> Prompted:
        """Return a prompt that can be answered; it may be answered meanwhile by somebody else."""
        found = await wallet_store.fetch_prompt(self._database, transaction_id, self._defaults, at.date())
        if found is None or found.operation.number != number:
            raise PromptNotFoundError("there is no such prompt on this handset")
        late = found.operation.expires_at is not None and found.operation.expires_at <= at
        if found.operation.state is not OperationState.PENDING or late:
            raise PromptClosedError(_CLOSED)
        return found

    async def _told(self, operation: WalletOperation) -> WalletOperation:
        await self._settled(operation.transaction_id)
        await self._news()
        return operation

    async def _news(self) -> None:
        """Wake the pages. On its own, because a NOTIFY inside a transaction makes commits wait for each other.

        What comes soon after is told by one more a moment later, which nobody waits for.
        """
        loop = asyncio.get_running_loop()
        if self._later is not None:
            return
        if loop.time() < self._told_at + _NEWS_PAUSE_S:
            self._later = loop.call_at(self._told_at + _NEWS_PAUSE_S, self._tell_later)
            return
        self._told_at = loop.time()
        await self._database.execute(f"NOTIFY {store.NEWS_CHANNEL}")

    def _tell_later(self) -> None:
        async def tell() -> None:
            try:
                await self._database.execute(f"NOTIFY {store.NEWS_CHANNEL}")
            except OUTAGE as error:  # the pages look by themselves now and then
                _log.warning("sandbox_news_lost", error=str(error))

        self._later = None
        self._told_at = asyncio.get_running_loop().time()
        self._telling = asyncio.create_task(tell(), name="sandbox-news")

    async def _found(self, source: Source, number: str) -> Wallet:
        wallet = await wallet_store.fetch_wallet(source, number, self._defaults, now().date())
        if wallet is None:
            raise HandsetNotFoundError(f"there is no handset {number}", field="number")
        return wallet


def _judge(found: Prompted, pin: str) -> WalletRefusal | None:
    """Say why a payment that its holder approves is not made; None when it is."""
    salt, digest = found.pin
    right = (hmac.compare_digest(digest, _digest(salt, pin)) if salt is not None and digest is not None
             else hmac.compare_digest(FIRST_PIN.encode(), pin.encode()))
    if not right:
        return WalletRefusal.WRONG_PIN
    operation, wallet = found.operation, found.wallet
    reason = _refusal(wallet, NewOperation(
        operation.transaction_id, operation.kind, operation.number, operation.network_id, operation.amount_units,
        operation.currency, operation.payee))
    if reason is None and wallet is not None and wallet.balance_units < operation.amount_units:
        return WalletRefusal.INSUFFICIENT_FUNDS
    return reason


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
