"""What may be done with money."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from makola.core.ledger import store
from makola.core.ledger.errors import (
    HoldClosedError,
    InsufficientFundsError,
    InvalidTransferError,
    UnknownAccountError,
)
from makola.core.ledger.types import Account, HoldState, Leg, NewHold
from makola.kit.clock import now
from makola.kit.database import Connection


async def open_account(connection: Connection, owner_id: int, purpose: str, currency: str, *,
                       credit_limit_units: int | None = 0) -> int:
    """Return the id of the owner's account for `purpose` in `currency`, making it when there is none.

    Args:
        connection: an open transaction.
        owner_id: whose account it is; the ledger does not know what owns it.
        purpose: what it is for, in one word.
        currency: ISO 4217 code, or a code of the operator's own (messaging credit).
        credit_limit_units: how far a new account may go below zero; None for no limit.
    """
    return await store.open_account(connection, owner_id, purpose, currency, credit_limit_units)


async def set_credit_limit(connection: Connection, account_id: int, credit_limit_units: int | None) -> None:
    """Change how far an account may go below zero; what is already spent stays spent."""
    tag = await connection.execute("UPDATE ledger.account SET credit_limit = $2 WHERE id = $1", account_id,
                                   credit_limit_units)
    if tag != "UPDATE 1":
        raise UnknownAccountError("There is no such account.", field="account_id")


async def transfer(connection: Connection, leg: Leg, *, kind: str, reference: UUID) -> None:
    """Move one amount at once.

    Raises:
        InsufficientFundsError: the debited account cannot cover it.
        InvalidTransferError: less than 1, or not between two accounts of one currency.
        UnknownAccountError: one of the accounts does not exist.
    """
    if leg.amount_units <= 0:
        raise InvalidTransferError("An amount must be above zero.", field="amount_units")
    if leg.debit_id == leg.credit_id:
        raise InvalidTransferError("An account cannot pay itself.", field="credit_id")
    accounts = await store.lock_accounts(connection, (leg.debit_id, leg.credit_id))
    if len(accounts) < 2:
        raise UnknownAccountError("There is no such account.", field="account_id")
    if len({account.currency for account in accounts.values()}) > 1:
        raise InvalidTransferError("The accounts are of two currencies.", field="credit_id")
    # Decided before anything is written, so that a caller who goes on in the same transaction does no harm.
    available = accounts[leg.debit_id].available_units
    changes = {leg.debit_id: (-leg.amount_units, 0), leg.credit_id: (leg.amount_units, 0)}
    if (available is not None and available < leg.amount_units) or not await store.move(connection, changes):
        raise InsufficientFundsError("The account cannot cover this amount.", field="amount_units")
    await store.insert_transfers(connection, [(leg, reference)], kind, now())


async def lock(connection: Connection, account_ids: Iterable[int]) -> None:
    """Lock accounts that several steps of one transaction change: taken all at once, no two writers deadlock.

    Args:
        connection: an open transaction; the accounts stay locked until it ends.
        account_ids: all that the steps will touch.
    """
    await store.lock_accounts(connection, account_ids)


async def transfer_all(connection: Connection, transfers: Sequence[tuple[Leg, UUID]], *, kind: str,
                       in_full: bool = False) -> None:
    """Move many amounts at once: all or none.

    The database's function of the same name does it in one round trip. A statement of the caller's own may call it
    too; what it then raises is told by `is_uncovered`.

    Args:
        connection: an open transaction; the accounts stay locked until it ends.
        transfers: each amount with the id of what it is for; the accounts of each are of one currency.
        kind: what the transfers are for, in one word.
        in_full: each account must have all that it pays, whatever it is paid at the same time.

    Raises:
        InsufficientFundsError: an account cannot cover what all of them together take from it; roll back.
        InvalidTransferError: an amount below 1.
    """
    if any(leg.amount_units <= 0 or leg.debit_id == leg.credit_id for leg, _ in transfers):
        raise InvalidTransferError("An amount must be above zero, between two accounts.", field="amount_units")
    if not transfers:
        return
    try:
        await store.transfer_all(connection, transfers, kind, now(), in_full=in_full)
    except asyncpg.PostgresError as error:
        if not store.is_uncovered(error):
            raise
        raise InsufficientFundsError("An account cannot cover this amount.", field="amount_units") from error


def is_uncovered(error: asyncpg.PostgresError) -> bool:
    """Say whether a statement failed because an account could not cover what `ledger.transfer_all` was to take."""
    return store.is_uncovered(error)


async def reserve(connection: Connection, holds: Sequence[NewHold], at: datetime) -> frozenset[UUID]:
    """Reserve each hold in turn where every account that it debits can cover it.

    Args:
        connection: an open transaction; the accounts stay locked until it ends.
        holds: in the order in which they may use up what is there.
        at: when, for the record.

    Returns:
        The ids of the holds that were made; the others left nothing behind.
    """
    accounts = await store.lock_accounts(connection, (leg.debit_id for hold in holds for leg in hold.legs))
    available = {account_id: account.available_units for account_id, account in accounts.items()}
    reserved: dict[int, int] = defaultdict(int)
    made: list[NewHold] = []
    for hold in holds:
        if _take(available, hold.legs):
            made.append(hold)
            for leg in hold.legs:
                reserved[leg.debit_id] += leg.amount_units
    with_legs = [hold for hold in made if hold.legs]
    if with_legs:
        if not await store.move(connection, {i: (0, amount) for i, amount in reserved.items()}):
            raise InsufficientFundsError("An account changed under its lock.")
        await store.insert_holds(connection, with_legs, at)
    return frozenset(hold.hold_id for hold in made)


def _take(available: dict[int, int | None], legs: Sequence[Leg]) -> bool:
    """Take the amounts of `legs` from what is available: all or nothing."""
    taken: list[tuple[int, int]] = []
    for leg in legs:
        left = available.get(leg.debit_id, 0)
        if left is None:
            continue
        if left < leg.amount_units:
            for account_id, before in reversed(taken):
                available[account_id] = before
            return False
        taken.append((leg.debit_id, left))
        available[leg.debit_id] = left - leg.amount_units
    return True


async def available_in(connection: Connection, account_ids: Iterable[int]) -> dict[int, int | None]:
    """Return what may still be spent from accounts, by their ids, as it is at this moment: nothing is locked.

    Args:
        connection: reads only.
        account_ids: which; those that do not exist are not in it.

    Returns:
        Amounts in 1/10,000 of the currency's unit; None where there is no limit.
    """
    return {account_id: account.available_units
            for account_id, account in (await store.read_accounts(connection, account_ids)).items()}


async def can_reserve(connection: Connection, legs: Sequence[Leg]) -> bool:
    """Say whether `legs` could be reserved now, reserving nothing."""
    return _take(await available_in(connection, (leg.debit_id for leg in legs)), legs)


async def split(connection: Connection, hold_id: UUID, part: NewHold) -> UUID:
    """Take a part out of an open hold, so that the part can be settled before the rest.

    What is reserved stays the same: only which hold reserves it changes, so no account is touched and no limit asked.

    Args:
        connection: an open transaction; the hold stays locked until it ends.
        hold_id: the hold that reserves the part.
        part: the legs to take out, each at least 1; its id must be new.

    Returns:
        The id of the hold that reserves exactly the part: `part.hold_id`, or `hold_id` where nothing else is left.

    Raises:
        HoldClosedError: there is no such open hold, or it reserves less than the part.
    """
    left = await store.lock_hold(connection, hold_id)
    if left is None:
        raise HoldClosedError("There is no such open hold.", field="hold_id")
    for leg in part.legs:
        pair = (leg.debit_id, leg.credit_id)
        left[pair] = left.get(pair, 0) - leg.amount_units
        if left[pair] < 0 or leg.amount_units <= 0:
            raise HoldClosedError("The hold reserves less than this part.", field="amount_units")
    rest = [Leg(debit_id, credit_id, amount) for (debit_id, credit_id), amount in left.items() if amount]
    if not rest:
        return hold_id
    await store.replace_legs(connection, hold_id, rest)
    await store.insert_holds(connection, [part], now())
    return part.hold_id


async def withdraw(connection: Connection, hold_ids: Sequence[UUID]) -> None:
    """Give back what open holds reserve and forget them, so that holds under the same ids can be made again.

    A hold that came to nothing has left no transfer: nothing of the books is lost.

    Args:
        connection: an open transaction.
        hold_ids: of holds; those that are closed, or were never made, are left as they are.
    """
    open_ids = await store.lock_holds(connection, hold_ids)
    await settle(connection, kind="", void=open_ids)
    await store.delete_holds(connection, open_ids)


async def settle(connection: Connection, *, post: Sequence[UUID] = (), void: Sequence[UUID] = (),
                 kind: str) -> None:
    """Close holds; those already closed are left as they are.

    Args:
        connection: an open transaction.
        post: holds that become transfers of `kind`.
        void: holds that give back what they reserve.
        kind: what the transfers are for, in one word.
    """
    at = now()
    await store.lock_holds(connection, [*post, *void])
    posted = await store.close_holds(connection, post, HoldState.POSTED, at) if post else []
    voided = await store.close_holds(connection, void, HoldState.VOIDED, at) if void else []
    balances: dict[int, int] = defaultdict(int)
    reserved: dict[int, int] = defaultdict(int)
    for leg in (leg for hold in posted for leg in hold.legs):
        balances[leg.debit_id] -= leg.amount_units
        balances[leg.credit_id] += leg.amount_units
        reserved[leg.debit_id] -= leg.amount_units
    for leg in (leg for hold in voided for leg in hold.legs):
        reserved[leg.debit_id] -= leg.amount_units
    changes = {i: (balances[i], reserved[i]) for i in balances.keys() | reserved.keys()}
    if not changes:
        return
    transfers = [(leg, hold.hold_id) for hold in posted for leg in hold.legs]
    if transfers:
        await store.insert_transfers(connection, transfers, kind, at)
    await store.lock_accounts(connection, changes)
    if not await store.move(connection, changes):
        raise InsufficientFundsError("A hold was larger than what its account had reserved.")


async def accounts_of(connection: Connection, owner_ids: Iterable[int], purpose: str) -> list[Account]:
    """Return the owners' accounts for `purpose`, by owner and currency."""
    rows = await connection.fetch(
        "SELECT id, owner_id, purpose, currency, balance, held, credit_limit FROM ledger.account"
        " WHERE owner_id = ANY($1::bigint[]) AND purpose = $2 ORDER BY owner_id, currency", list(owner_ids), purpose)
    return [store.account_of(row) for row in rows]


async def moved_for(connection: Connection, account_id: int, references: Sequence[UUID]) -> dict[UUID, int]:
    """Return what came to an account for each reference, less what left; references without transfers are not in it.

    Args:
        connection: reads only.
        account_id: the account.
        references: the ids of what the transfers were for.
    """
    return await store.moved_for(connection, account_id, references)
