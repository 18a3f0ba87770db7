"""SQL for transactions with providers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from makola.core.checkout.types import Channel, Transaction, TransactionKind, TransactionState
from makola.kit.database import Connection, Database, Record

_NAMES = ("id", "kind", "state", "merchant_account_id", "organisation_id", "application_id", "checkout_id", "refunds",
          "provider", "channel", "number", "name", "amount_units", "charges_units", "currency", "surplus", "reason",
          "client_reference", "callback_url", "secondary_callback_url", "provider_reference", "failure_code",
          "failure_detail", "card_last4", "poll_count", "due_at", "created_at", "finished_at", "hint_count")
_COLUMNS = ", ".join(f"t.{name}" for name in _NAMES)

_INSERT = """
INSERT INTO checkout.transaction (id, kind, state, merchant_account_id, organisation_id, application_id, checkout_id,
    refunds, provider, channel, number, name, amount_units, charges_units, currency, surplus, reason, client_reference,
    content_sha256, callback_url, secondary_callback_url, due_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
ON CONFLICT (merchant_account_id, kind, client_reference)
    WHERE client_reference <> '' AND kind IN ('refund', 'send', 'sweep') DO NOTHING
RETURNING id
"""

_INSERT_ATTEMPT = f"""
WITH made AS ({_INSERT})
UPDATE checkout.invoice SET attempt_count = attempt_count + 1,
    customer_number = CASE WHEN $11 = '' THEN customer_number ELSE $11 END
WHERE id = $7
"""  # noqa: S608 - made of this module's own statement

# Guarded instead of locked: whoever is second finds the count changed, and looks again under the lock.
_INSERT_FIRST_ATTEMPT = """
WITH counted AS (
    UPDATE checkout.invoice SET attempt_count = 1,
        customer_number = CASE WHEN $11 = '' THEN customer_number ELSE $11 END
    WHERE id = $7 AND state = 'open' AND attempt_count = 0 AND expires_at > $23 RETURNING id
)
INSERT INTO checkout.transaction (id, kind, state, merchant_account_id, organisation_id, application_id, checkout_id,
    refunds, provider, channel, number, name, amount_units, charges_units, currency, surplus, reason, client_reference,
    content_sha256, callback_url, secondary_callback_url, due_at, created_at)
SELECT $1::uuid, $2::text, $3::text, $4::bigint, $5::bigint, $6::bigint, id, $8::uuid, $9::text, $10::text, $11::text,
    $12::text, $13::bigint, $14::bigint, $15::text, $16::boolean, $17::text, $18::text, $19::bytea, $20::text,
    $21::text, $22::timestamptz, $23::timestamptz
FROM counted RETURNING id
"""

_FIND = f"SELECT {_COLUMNS} FROM checkout.transaction t WHERE t.id = $1"  # noqa: S608 - own columns
_OF_CHECKOUT = f"""
SELECT {_COLUMNS} FROM checkout.transaction t WHERE t.checkout_id = $1 ORDER BY t.created_at, t.id
"""  # noqa: S608 - made of this module's own column names
_BY_REFERENCE = f"""
SELECT {_COLUMNS}, t.content_sha256 FROM checkout.transaction t
WHERE t.merchant_account_id = $1 AND t.kind = $2 AND t.client_reference = $3
"""  # noqa: S608 - made of this module's own column names
_BY_PROVIDER_REFERENCE = f"""
SELECT {_COLUMNS} FROM checkout.transaction t
WHERE t.merchant_account_id = $1 AND t.provider_reference = $2 AND t.provider_reference <> ''
ORDER BY t.created_at LIMIT 1
"""  # noqa: S608 - made of this module's own column names
_OF_ACCOUNT = f"""
SELECT {_COLUMNS} FROM checkout.transaction t WHERE t.merchant_account_id = $1
ORDER BY t.created_at DESC, t.id DESC LIMIT $2
"""  # noqa: S608 - made of this module's own column names
_OF_PROVIDER = f"""
SELECT {_COLUMNS} FROM checkout.transaction t
WHERE t.provider = $1 AND t.created_at >= $2 AND t.created_at < $3 ORDER BY t.created_at, t.id
"""  # noqa: S608 - made of this module's own column names
_UNFINISHED_OF_PROVIDER = f"""
SELECT {_COLUMNS} FROM checkout.transaction t WHERE t.provider = $1 AND t.created_at >= $2 AND t.created_at < $3
  AND (t.state = 'undecided' OR t.state = 'failed' AND t.kind = 'refund' AND t.surplus) ORDER BY t.created_at, t.id
"""  # noqa: S608 - made of this module's own column names
_COUNT_OF_PROVIDER = """
SELECT count(*), count(*) FILTER (WHERE state IN ('asking', 'pending')) FROM checkout.transaction
WHERE provider = $1 AND created_at >= $2 AND created_at < $3
"""
_SOME = f"SELECT {_COLUMNS} FROM checkout.transaction t WHERE t.id = ANY($1::uuid[])"  # noqa: S608 - own columns

_LOCK = f"""
SELECT {_COLUMNS}, m.settlement_id FROM checkout.transaction t
JOIN checkout.merchant_account m ON m.id = t.merchant_account_id
WHERE t.id = ANY($1::uuid[]) ORDER BY t.id FOR UPDATE OF t
"""  # noqa: S608 - made of this module's own column names

_SAVE = """
UPDATE checkout.transaction t SET state = c.state, surplus = c.surplus, provider_reference = c.provider_reference,
    failure_code = c.failure_code, failure_detail = c.failure_detail, card_last4 = c.card_last4,
    poll_count = c.poll_count, due_at = c.due_at, finished_at = c.finished_at, hint_count = c.hint_count
FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[],
            $9::timestamptz[], $10::timestamptz[], $11::smallint[])
     AS c (id, state, surplus, provider_reference, failure_code, failure_detail, card_last4, poll_count, due_at,
           finished_at, hint_count)
WHERE t.id = c.id
"""

# The provider has it: the usual answer to a first request, which changes nothing else.
_PENDING = f"""
UPDATE checkout.transaction t SET state = 'pending', provider_reference = CASE WHEN $2 = '' THEN provider_reference
    ELSE $2 END, poll_count = poll_count + 1
WHERE t.id = $1 AND t.state = 'asking' RETURNING {_COLUMNS}
"""  # noqa: S608 - made of this module's own column names

_CLAIM = f"""
UPDATE checkout.transaction t SET due_at = $1::timestamptz + $2::interval
FROM (SELECT id FROM checkout.transaction
      WHERE due_at <= $1 AND provider <> ALL($4::text[]) AND id <> ALL($5::uuid[])
      ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED) due
WHERE t.id = due.id RETURNING {_COLUMNS}
"""  # noqa: S608 - made of this module's own column names

# In the order of `lock`. Not what succeeded: nothing can change that. What failed may have been approved all the same.
_CLAIM_NAMED = f"""
UPDATE checkout.transaction t SET due_at = $2::timestamptz + $3::interval, hint_count = 0
FROM (SELECT id FROM checkout.transaction
      WHERE id = ANY($1::uuid[]) AND state <> 'succeeded' AND provider <> ALL($4::text[]) ORDER BY id
      FOR UPDATE) named
WHERE t.id = named.id RETURNING {_COLUMNS}
"""  # noqa: S608 - made of this module's own column names

_HINT = """
UPDATE checkout.transaction SET due_at = $2, hint_count = 0
WHERE id = ANY($1::uuid[]) AND state <> 'succeeded'
RETURNING pg_notify('payments', '')
"""


@dataclass(frozen=True, slots=True)
class Locked:
    """A locked transaction, and the ledger's account of its merchant."""

    transaction: Transaction
    settlement_id: int


def transaction_of(row: Record) -> Transaction:
    """Build a transaction from its row."""
    return Transaction(
        row["id"], TransactionKind(row["kind"]), row["merchant_account_id"], row["organisation_id"],
        row["application_id"], row["provider"], Channel(row["channel"]), row["number"], row["name"],
        row["amount_units"], row["charges_units"], row["currency"], row["created_at"], row["due_at"],
        TransactionState(row["state"]), row["checkout_id"], row["refunds"], row["surplus"], row["reason"],
        row["client_reference"], row["callback_url"], row["secondary_callback_url"], row["provider_reference"],
        row["failure_code"], row["failure_detail"], row["card_last4"], row["poll_count"], row["finished_at"],
        row["hint_count"])


async def insert_attempt(connection: Connection, new: Transaction) -> None:
    """Store a new payment and count it at its checkout, which is locked."""
    await connection.execute(_INSERT_ATTEMPT, *_values_of(new, b""))


async def insert_first_attempt(connection: Connection | Database, new: Transaction) -> bool:
    """Store the first payment of an open checkout and count it, in one statement.

    False when the checkout is not open any more, or somebody was first: then nothing has changed.
    """
    return await connection.fetchval(_INSERT_FIRST_ATTEMPT, *_values_of(new, b"")) is not None


async def insert(connection: Connection, new: Transaction, content_sha256: bytes = b"") -> bool:
    """Store a new transaction; False when its client reference is taken."""
    return await connection.fetchval(_INSERT, *_values_of(new, content_sha256)) is not None


def _values_of(new: Transaction, content_sha256: bytes) -> tuple[object, ...]:
    return (new.transaction_id, new.kind, new.state, new.merchant_account_id, new.organisation_id, new.application_id,
            new.checkout_id, new.refunds, new.provider, new.channel, new.number, new.name, new.amount_units,
            new.charges_units, new.currency, new.surplus, new.reason, new.client_reference, content_sha256,
            new.callback_url, new.secondary_callback_url, new.due_at, new.created_at)


async def find(connection: Connection | Database, transaction_id: UUID) -> Transaction | None:
    """Return a transaction."""
    row = await connection.fetchrow(_FIND, transaction_id)
    return transaction_of(row) if row is not None else None


async def find_some(connection: Connection | Database, transaction_ids: Sequence[UUID]) -> dict[UUID, Transaction]:
    """Return those of the transactions that exist, by id."""
    return {row["id"]: transaction_of(row) for row in await connection.fetch(_SOME, list(transaction_ids))}


async def of_checkout(connection: Connection | Database, checkout_id: UUID) -> list[Transaction]:
    """Return all that was tried for a checkout, payments and refunds, the first one first."""
    return [transaction_of(row) for row in await connection.fetch(_OF_CHECKOUT, checkout_id)]


async def of_account(connection: Connection | Database, merchant_account_id: int, limit: int) -> list[Transaction]:
    """Return an account's latest transactions, the last one first."""
    return [transaction_of(row) for row in await connection.fetch(_OF_ACCOUNT, merchant_account_id, limit)]


async def of_provider(connection: Connection | Database, provider: str, since: datetime,
                      until: datetime) -> list[Transaction]:
    """Return what was asked of a provider in a period."""
    return [transaction_of(row) for row in await connection.fetch(_OF_PROVIDER, provider, since, until)]


async def unfinished_of_provider(connection: Connection | Database, provider: str, since: datetime,
                                 until: datetime) -> list[Transaction]:
    """Return what was asked of a provider in a period and could not be decided, or not be paid back."""
    return [transaction_of(row) for row in await connection.fetch(_UNFINISHED_OF_PROVIDER, provider, since, until)]


async def count_of_provider(connection: Connection | Database, provider: str, since: datetime,
                            until: datetime) -> tuple[int, int]:
    """Return how much was asked of a provider in a period, and how much of it is still open."""
    row = await connection.fetchrow(_COUNT_OF_PROVIDER, provider, since, until)
    return (row[0], row[1]) if row is not None else (0, 0)


async def find_by_reference(connection: Connection | Database, merchant_account_id: int, kind: TransactionKind,
                            client_reference: str) -> tuple[Transaction, bytes] | None:
    """Return the transaction of a client reference, and the hash of what was asked."""
    row = await connection.fetchrow(_BY_REFERENCE, merchant_account_id, kind, client_reference)
    return (transaction_of(row), row["content_sha256"]) if row is not None else None


async def find_by_provider_reference(connection: Connection | Database, merchant_account_id: int,
                                     reference: str) -> Transaction | None:
    """Return the account's transaction that its provider calls so."""
    row = await connection.fetchrow(_BY_PROVIDER_REFERENCE, merchant_account_id, reference)
    return transaction_of(row) if row is not None else None


async def lock(connection: Connection, transaction_ids: Sequence[UUID]) -> dict[UUID, Locked]:
    """Lock transactions until the database's transaction ends; return them by id."""
    rows = await connection.fetch(_LOCK, list(transaction_ids))
    return {row["id"]: Locked(transaction_of(row), row["settlement_id"]) for row in rows}


async def save(connection: Connection, transactions: Sequence[Transaction]) -> None:
    """Store what may change of locked transactions."""
    await connection.execute(
        _SAVE, [one.transaction_id for one in transactions], [one.state for one in transactions],
        [one.surplus for one in transactions], [one.provider_reference for one in transactions],
        [one.failure_code for one in transactions], [one.failure_detail for one in transactions],
        [one.card_last4 for one in transactions], [one.poll_count for one in transactions],
        [one.due_at for one in transactions], [one.finished_at for one in transactions],
        [one.hint_count for one in transactions])


async def pending(connection: Connection | Database, transaction_id: UUID,
                  provider_reference: str) -> Transaction | None:
    """Say that a provider has what was asked of it; None when more than that is known already."""
    row = await connection.fetchrow(_PENDING, transaction_id, provider_reference)
    return transaction_of(row) if row is not None else None


async def claim(connection: Connection | Database, at: datetime, lease: timedelta, limit: int,
                but_providers: Sequence[str] = (), but_transactions: Sequence[UUID] = ()) -> list[Transaction]:
    """Take in hand, until the lease ends, what is due, but not these providers' and not these."""
    rows = await connection.fetch(_CLAIM, at, lease, limit, list(but_providers), list(but_transactions))
    return [transaction_of(row) for row in rows]


async def claim_named(connection: Connection | Database, transaction_ids: Sequence[UUID], at: datetime,
                      lease: timedelta, but_providers: Sequence[str] = ()) -> list[Transaction]:
    """Take these in hand because of a notice, until the lease ends, whenever they are due; not these providers'."""
    rows = await connection.fetch(_CLAIM_NAMED, list(transaction_ids), at, lease, list(but_providers))
    return [transaction_of(row) for row in rows]


async def hint(connection: Connection | Database, transaction_ids: Sequence[UUID], at: datetime) -> None:
    """Have the provider be asked now."""
    await connection.execute(_HINT, list(transaction_ids), at)
