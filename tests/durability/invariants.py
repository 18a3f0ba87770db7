"""What must be true of the whole system once it has come to rest, read from its tables."""

import asyncio
import time

import asyncpg

from makola.core.billing.types import MESSAGING_ACCOUNT, SMS
from makola.core.messaging.types import MessageStatus
from tests.durability.load import Told
from tests.durability.receiver import Receiver

#: What a unit costs the demonstration world's merchant and the reseller above it, in 1/10,000 of a credit.
MERCHANT_PRICE_UNITS = 10_000
RESELLER_PRICE_UNITS = 5_000

_OPEN = """
SELECT (SELECT count(*) FROM messaging.message WHERE status < 20) AS messages,
       (SELECT count(*) FROM sandbox.submission WHERE unreported) AS receipts,
       (SELECT count(*) FROM callbacks.delivery WHERE state = 'pending') AS callbacks
"""

# What a message costs at each tier is in its hold; what was moved is in the transfers that name it.
_CHARGES = """
SELECT m.id, m.units, m.price_units, h.state,
       ARRAY(SELECT amount FROM unnest(h.amounts) AS leg (amount) ORDER BY 1) AS amounts,
       ARRAY(SELECT (leg.debit, leg.credit, leg.amount)::text
             FROM unnest(h.debit_ids, h.credit_ids, h.amounts) AS leg (debit, credit, amount) ORDER BY 1) AS held,
       ARRAY(SELECT (t.debit_id, t.credit_id, t.amount)::text
             FROM ledger.transfer t WHERE t.reference = m.id ORDER BY 1) AS moved
FROM messaging.message m LEFT JOIN ledger.hold h ON h.id = m.id
"""

_STRAY_CHARGES = f"""
SELECT count(*) FROM ledger.transfer t
WHERE kind = '{SMS}' AND NOT EXISTS (SELECT FROM messaging.message m WHERE m.id = t.reference)
"""

# A balance is what came minus what went, and at rest nothing is held for messages.
_WRONG_BALANCES = f"""
SELECT a.id FROM ledger.account a
WHERE (a.purpose = '{MESSAGING_ACCOUNT}' AND a.held <> 0)
   OR a.balance <>
      (SELECT coalesce(sum(amount), 0) FROM ledger.transfer WHERE credit_id = a.id)
    - (SELECT coalesce(sum(amount), 0) FROM ledger.transfer WHERE debit_id = a.id)
"""


async def rest(database: asyncpg.Connection, *, timeout_s: float = 60.0) -> None:
    """Wait until nothing is under way."""
    deadline = time.monotonic() + timeout_s
    while any((under_way := dict(await database.fetchrow(_OPEN) or {})).values()):
        if time.monotonic() > deadline:
            some = await database.fetch("SELECT * FROM messaging.message WHERE status < 20 ORDER BY id LIMIT 3")
            raise AssertionError(f"still under way after {timeout_s:.0f} s: {under_way}, of the messages {some}")
        await asyncio.sleep(0.1)


async def check_messages(database: asyncpg.Connection, told: Told) -> set[str]:
    """Check what exists against what was told; return the ids of every message, as they are written outside."""
    rows = await database.fetch("SELECT id, client_reference, status FROM messaging.message WHERE NOT inbound")
    stored = {row["client_reference"]: row["id"].hex for row in rows}
    assert len(stored) == len(rows), "a message is stored twice"
    missing = {reference for reference, message_id in told.answered.items() if stored.get(reference) != message_id}
    assert not missing, f"of {len(told.answered)} answered 2xx these are missing: {missing}"
    assert not told.refused.keys() & stored.keys(), "a message that was refused is stored"
    assert stored.keys() <= told.answered.keys() | told.unanswered, "a message that nobody sent"
    return set(stored.values())


async def check_handsets(database: asyncpg.Connection, expected: set[str]) -> None:
    """Check that exactly the messages with the ids `expected` are on handsets, each once."""
    rows = await database.fetch("SELECT message_id FROM sandbox.message WHERE direction = 'received'")
    on_handsets = [row["message_id"].hex for row in rows]
    assert len(on_handsets) == len(set(on_handsets)), "a message is on a handset twice"
    _check_same(set(on_handsets), expected, "on handsets")


async def check_delivered(database: asyncpg.Connection, expected: set[str]) -> None:
    """Check that exactly the messages with the ids `expected` have the status Delivered."""
    rows = await database.fetch("SELECT id FROM messaging.message WHERE status = $1", MessageStatus.DELIVERED)
    _check_same({row["id"].hex for row in rows}, expected, "Delivered")


async def find_cancelled(database: asyncpg.Connection) -> set[str]:
    """Return the ids of the messages that were cancelled before their time."""
    rows = await database.fetch("SELECT id FROM messaging.message WHERE status = $1", MessageStatus.DELETED)
    return {row["id"].hex for row in rows}


async def check_money(database: asyncpg.Connection, charged: set[str]) -> None:
    """Check that exactly the messages with the ids `charged` were charged, once and at every tier."""
    found = set()
    for row in await database.fetch(_CHARGES):
        message_id = row["id"].hex
        if message_id in charged:
            assert row["state"] == 1, f"{message_id}: the hold is not posted"
            assert row["price_units"] == row["units"] * MERCHANT_PRICE_UNITS, f"{message_id}: a wrong price"
            tiers = [row["units"] * price for price in (RESELLER_PRICE_UNITS, MERCHANT_PRICE_UNITS)]
            assert row["amounts"] == tiers, f"{message_id}: charged {row['amounts']} instead of {tiers}"
            assert row["moved"] == row["held"], f"{message_id}: charged {row['moved']} instead of {row['held']}"
            found.add(message_id)
        else:
            assert row["moved"] == [], f"{message_id}: charged although it did not go out"
            assert row["state"] in {None, 2}, f"{message_id}: a hold is left"
    _check_same(found, charged, "charged")
    assert await database.fetchval(_STRAY_CHARGES) == 0, "something was charged for no message"
    wrong = await database.fetch(_WRONG_BALANCES)
    assert not wrong, f"accounts whose balance is not what was moved, or with something held: {wrong}"
    for currency, total in await database.fetch("SELECT currency, sum(balance) FROM ledger.account GROUP BY 1"):
        assert total == 0, f"{currency} adds up to {total}"


def check_reports(receiver: Receiver, delivered: set[str]) -> None:
    """Check that each message of `delivered` was reported so, under one webhook-id, and nothing else was."""
    assert not receiver.contradictions, f"repeated with other contents: {receiver.contradictions}"
    statuses = receiver.statuses()
    _check_same(set(statuses), delivered, "reported")
    wrong = {message_id: names for message_id, names in statuses.items() if names != ["Delivered"]}
    assert not wrong, f"reported otherwise than once as Delivered: {wrong}"


def _check_same(found: set[str], expected: set[str], what: str) -> None:
    assert found == expected, f"{what}: {expected - found} are missing, and {found - expected} too many"
