"""SQL for merchant accounts, their documents and their fees."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from makola.core.checkout.fees import FeeTariff
from makola.core.checkout.types import Channel, DocumentView, KycState, MerchantAccount, MerchantState, SweepAccount
from makola.kit.database import Connection, Database, Record

_COLUMNS = """id, organisation_id, number, name, currency, state, kyc_state, refused_because, sweep_channel,
    sweep_number, sweep_name, channels, pay_on_delivery, fees_on_customer, settlement_id"""

_INSERT = f"""
INSERT INTO checkout.merchant_account (organisation_id, number, name, currency, state, kyc_state, settlement_id,
                                       created_at)
VALUES ($1, $2, $3, $4, 'pending', 'none', $5, $6) RETURNING {_COLUMNS}
"""  # noqa: S608 - made of this module's own column names

_FIND = f"SELECT {_COLUMNS} FROM checkout.merchant_account WHERE number = $1"  # noqa: S608 - own columns
_FIND_BY_ID = f"SELECT {_COLUMNS} FROM checkout.merchant_account WHERE id = $1"  # noqa: S608 - own columns
_LIST = f"""
SELECT {_COLUMNS} FROM checkout.merchant_account
WHERE organisation_id = ANY($1::bigint[]) ORDER BY organisation_id, id
"""  # noqa: S608 - made of this module's own column names

_LIST_ALL = f"SELECT {_COLUMNS} FROM checkout.merchant_account ORDER BY id"  # noqa: S608 - own columns

_SAVE = """
UPDATE checkout.merchant_account SET name = $2, state = $3, kyc_state = $4, refused_because = $5, sweep_channel = $6,
    sweep_number = $7, sweep_name = $8, channels = $9, pay_on_delivery = $10, fees_on_customer = $11
WHERE id = $1
"""

_INSERT_DOCUMENT = """
INSERT INTO checkout.document (id, merchant_account_id, kind, file_name, content_type, size_bytes, sha256, state,
                               created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'submitted', $8)
"""

_DOCUMENTS = """
SELECT id, kind, file_name, content_type, size_bytes, state, note, created_at, reviewed_at FROM checkout.document
WHERE merchant_account_id = $1 ORDER BY created_at, id
"""

_REVIEW = """
UPDATE checkout.document SET state = $2, note = $3, reviewed_at = $4
WHERE merchant_account_id = $1 AND state = 'submitted'
"""

# The most particular first.
_TARIFF = """
SELECT rate_ppm, fixed_units, minimum_units, maximum_units FROM checkout.fee_tariff
WHERE merchant_account_id IN ($1, 0) AND channel IN ($2, '')
ORDER BY merchant_account_id DESC, channel DESC LIMIT 1
"""

_SET_TARIFF = """
INSERT INTO checkout.fee_tariff (merchant_account_id, channel, rate_ppm, fixed_units, minimum_units, maximum_units)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (merchant_account_id, channel) DO UPDATE SET rate_ppm = excluded.rate_ppm,
    fixed_units = excluded.fixed_units, minimum_units = excluded.minimum_units,
    maximum_units = excluded.maximum_units
"""


def account_of(row: Record) -> MerchantAccount:
    """Build a merchant account from its row."""
    sweep = SweepAccount(Channel(row["sweep_channel"]), row["sweep_number"], row["sweep_name"]) \
        if row["sweep_channel"] else None
    return MerchantAccount(
        row["id"], row["organisation_id"], row["number"], row["name"], row["currency"], MerchantState(row["state"]),
        KycState(row["kyc_state"]), sweep, frozenset(map(Channel, row["channels"])), row["pay_on_delivery"],
        row["fees_on_customer"], row["refused_because"], row["settlement_id"])


async def next_number(connection: Connection) -> int:
    """Return the next serial number of a merchant account."""
    return int(await connection.fetchval("SELECT nextval('checkout.merchant_number')"))


async def insert(connection: Connection, organisation_id: int, number: str, name: str, currency: str,
                 settlement_id: int, at: datetime) -> MerchantAccount:
    """Store a new account, pending and unverified."""
    row = await connection.fetchrow(_INSERT, organisation_id, number, name, currency, settlement_id, at)
    if row is None:
        raise LookupError("an insert returns its row")
    return account_of(row)


async def find(connection: Connection | Database, number: str) -> MerchantAccount | None:
    """Return the account of a number."""
    row = await connection.fetchrow(_FIND, number)
    return account_of(row) if row is not None else None


async def find_by_id(connection: Connection | Database, merchant_account_id: int) -> MerchantAccount | None:
    """Return the account of an id."""
    row = await connection.fetchrow(_FIND_BY_ID, merchant_account_id)
    return account_of(row) if row is not None else None


async def lock(connection: Connection, number: str) -> MerchantAccount | None:
    """Return the account of a number, locked until the transaction ends."""
    row = await connection.fetchrow(f"{_FIND} FOR UPDATE", number)
    return account_of(row) if row is not None else None


async def list_of(connection: Connection | Database, organisation_ids: Sequence[int]) -> list[MerchantAccount]:
    """Return the accounts of organisations."""
    return [account_of(row) for row in await connection.fetch(_LIST, list(organisation_ids))]


async def list_all(connection: Connection | Database) -> list[MerchantAccount]:
    """Return every account."""
    return [account_of(row) for row in await connection.fetch(_LIST_ALL)]


async def save(connection: Connection, account: MerchantAccount) -> None:
    """Store what may change of an account."""
    sweep = account.sweep_account
    await connection.execute(
        _SAVE, account.merchant_account_id, account.name, account.state, account.kyc_state, account.refused_because,
        sweep.channel if sweep else "", sweep.number if sweep else "", sweep.name if sweep else "",
        sorted(account.channels), account.pay_on_delivery, account.fees_on_customer)


async def insert_document(connection: Connection, document_id: UUID, merchant_account_id: int, kind: str,
                          file_name: str, content_type: str, content: tuple[int, bytes], at: datetime) -> None:
    """Store what is known of a document; `content` is its size in bytes and its SHA-256."""
    await connection.execute(_INSERT_DOCUMENT, document_id, merchant_account_id, kind, file_name, content_type,
                             content[0], content[1], at)


async def documents(connection: Connection | Database, merchant_account_id: int) -> list[DocumentView]:
    """Return an account's documents, the first one first."""
    return [DocumentView(*row) for row in await connection.fetch(_DOCUMENTS, merchant_account_id)]


async def review_documents(connection: Connection, merchant_account_id: int, state: str, note: str,
                           at: datetime) -> None:
    """Say of every document that waits what came of it."""
    await connection.execute(_REVIEW, merchant_account_id, state, note, at)


async def tariff(connection: Connection | Database, merchant_account_id: int, channel: str) -> FeeTariff:
    """Return what a channel costs an account; nothing where no tariff says."""
    row = await connection.fetchrow(_TARIFF, merchant_account_id, channel)
    return FeeTariff(*row) if row is not None else FeeTariff()


async def set_tariff(connection: Connection, merchant_account_id: int, channel: str, fees: FeeTariff) -> None:
    """Store a tariff in the place of the one before."""
    await connection.execute(_SET_TARIFF, merchant_account_id, channel, fees.rate_ppm, fees.fixed_units,
                             fees.minimum_units, fees.maximum_units)
