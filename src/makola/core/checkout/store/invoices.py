"""SQL for checkouts (the table is called `invoice`)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from makola.core.checkout.types import Checkout, CheckoutKind, CheckoutState, Item, MerchantAccount, NewCheckout
from makola.kit.database import Connection, Database, Record

_COLUMNS = """id, merchant_account_id, organisation_id, application_id, kind, generation, state, client_reference,
    items, taxes_units, total_units, currency, description, callback_url, return_url, cancellation_url, logo_url,
    payee_name, payee_number, payee_email, custom_data, sales_invoice_id, customer_number, paid_by, refunded_units,
    returned_units, order_number, order_token, failure_code, attempt_count, expires_at, created_at, finished_at"""

# Nothing is inserted where the reference is taken: the index decides, whoever is at it at the same time.
_INSERT = f"""
INSERT INTO checkout.invoice (id, merchant_account_id, organisation_id, application_id, kind, generation, state,
    client_reference, content_sha256, items, taxes_units, total_units, currency, description, callback_url, return_url,
    cancellation_url, logo_url, payee_name, payee_number, payee_email, custom_data, sales_invoice_id, expires_at,
    created_at)
VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
    $23, $24)
ON CONFLICT (merchant_account_id, client_reference) WHERE client_reference <> '' DO NOTHING
RETURNING {_COLUMNS}
"""  # noqa: S608 - made of this module's own column names

_FIND = f"SELECT {_COLUMNS} FROM checkout.invoice WHERE id = $1"  # noqa: S608 - own columns
_FIND_BY_REFERENCE = f"""
SELECT {_COLUMNS}, content_sha256 FROM checkout.invoice WHERE merchant_account_id = $1 AND client_reference = $2
"""  # noqa: S608 - made of this module's own column names
_LOCK = f"""
SELECT {_COLUMNS} FROM checkout.invoice WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE
"""  # noqa: S608 - made of this module's own column names

_SAVE = """
UPDATE checkout.invoice i SET state = c.state, customer_number = c.customer_number, paid_by = c.paid_by,
    refunded_units = c.refunded_units, returned_units = c.returned_units, order_number = c.order_number,
    order_token = c.order_token, failure_code = c.failure_code, attempt_count = c.attempt_count,
    finished_at = c.finished_at
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[], $7::text[], $8::text[],
            $9::text[], $10::int[], $11::timestamptz[])
     AS c (id, state, customer_number, paid_by, refunded_units, returned_units, order_number, order_token,
           failure_code, attempt_count, finished_at)
WHERE i.id = c.id
"""

# One whose attempt is still open is given some more time: its customer may have approved already.
_EXPIRED = """
SELECT i.id FROM checkout.invoice i
WHERE i.state = 'open' AND i.expires_at <= $1
  AND (i.expires_at <= $2 OR NOT EXISTS (
      SELECT 1 FROM checkout.transaction t WHERE t.checkout_id = i.id AND t.state IN ('asking', 'pending')))
ORDER BY i.expires_at LIMIT $3
"""


def checkout_of(row: Record) -> Checkout:
    """Build a checkout from its row."""
    return Checkout(
        checkout_id=row["id"], merchant_account_id=row["merchant_account_id"],
        organisation_id=row["organisation_id"], application_id=row["application_id"], kind=CheckoutKind(row["kind"]),
        generation=row["generation"], state=CheckoutState(row["state"]), client_reference=row["client_reference"],
        items=msgspec.json.decode(row["items"], type=tuple[Item, ...]), taxes_units=row["taxes_units"],
        total_units=row["total_units"], currency=row["currency"], description=row["description"],
        callback_url=row["callback_url"], return_url=row["return_url"], cancellation_url=row["cancellation_url"],
        logo_url=row["logo_url"], payee_name=row["payee_name"], payee_number=row["payee_number"],
        payee_email=row["payee_email"], custom_data=row["custom_data"], sales_invoice_id=row["sales_invoice_id"],
        customer_number=row["customer_number"], paid_by=row["paid_by"], refunded_units=row["refunded_units"],
        returned_units=row["returned_units"], order_number=row["order_number"], order_token=row["order_token"],
        failure_code=row["failure_code"], attempt_count=row["attempt_count"], expires_at=row["expires_at"],
        created_at=row["created_at"], finished_at=row["finished_at"])


async def insert(connection: Connection | Database, checkout_id: UUID, account: MerchantAccount, application_id: int,
                 kind: CheckoutKind, new: NewCheckout, sales_invoice_id: str, expires_at: datetime,
                 at: datetime) -> Checkout | None:
    """Store a new checkout; None when its client reference is taken."""
    row = await connection.fetchrow(
        _INSERT, checkout_id, account.merchant_account_id, account.organisation_id, application_id, kind,
        new.generation, new.client_reference, new.content_sha256, msgspec.json.encode(new.items).decode(),
        new.taxes_units, new.total_units, account.currency, new.description, new.callback_url, new.return_url,
        new.cancellation_url, new.logo_url, new.payee_name, new.payee_number, new.payee_email, new.custom_data,
        sales_invoice_id, expires_at, at)
    return checkout_of(row) if row is not None else None


async def find(connection: Connection | Database, checkout_id: UUID) -> Checkout | None:
    """Return a checkout."""
    row = await connection.fetchrow(_FIND, checkout_id)
    return checkout_of(row) if row is not None else None


async def find_by_reference(connection: Connection | Database, merchant_account_id: int,
                            client_reference: str) -> tuple[Checkout, bytes] | None:
    """Return the checkout of a client reference, and the hash of what was asked."""
    row = await connection.fetchrow(_FIND_BY_REFERENCE, merchant_account_id, client_reference)
    return (checkout_of(row), row["content_sha256"]) if row is not None else None


async def lock(connection: Connection, checkout_ids: Sequence[UUID]) -> dict[UUID, Checkout]:
    """Lock checkouts until the transaction ends; return them by id."""
    rows = await connection.fetch(_LOCK, list(checkout_ids))
    return {row["id"]: checkout_of(row) for row in rows}


async def save(connection: Connection, checkouts: Sequence[Checkout]) -> None:
    """Store what may change of locked checkouts."""
    await connection.execute(
        _SAVE, [one.checkout_id for one in checkouts], [one.state for one in checkouts],
        [one.customer_number for one in checkouts], [one.paid_by for one in checkouts],
        [one.refunded_units for one in checkouts], [one.returned_units for one in checkouts],
        [one.order_number for one in checkouts], [one.order_token for one in checkouts],
        [one.failure_code for one in checkouts], [one.attempt_count for one in checkouts],
        [one.finished_at for one in checkouts])


async def expired(connection: Connection | Database, at: datetime, at_the_latest: datetime, limit: int) -> list[UUID]:
    """Return open checkouts whose time is over.

    Args:
        connection: reads only.
        at: those without an open attempt that expired until then.
        at_the_latest: those that expired until then, with or without one.
        limit: how many at most.
    """
    return [row["id"] for row in await connection.fetch(_EXPIRED, at, at_the_latest, limit)]


async def next_order_number(connection: Connection) -> int:
    """Return the next number of an order to be paid on delivery."""
    return int(await connection.fetchval("SELECT nextval('checkout.order_number')"))
