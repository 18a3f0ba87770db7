"""SQL of the handsets and of what is on them."""

from datetime import datetime

from makola.connectors.sandbox.store import Source
from makola.connectors.sandbox.types import Direction, Handset, HandsetMessage, HandsetState
from makola.core.messaging.types import MessageKind, MessageStatus
from makola.kit.database import Connection, Database, Record

_SELECT_HANDSETS = """
SELECT h.number, h.network_id, h.name, h.state, h.refusal, h.receipt_status, h.deferral, h.cleared_to, h.created_at,
       (SELECT count(*) FROM sandbox.submission s WHERE s.recipient = h.number AND s.state = 1) AS waiting,
       coalesce((SELECT m.id FROM sandbox.message m WHERE m.number = h.number
                  ORDER BY m.id DESC LIMIT 1), 0) AS last_message_id
  FROM sandbox.handset h"""


def _status(number: int | None) -> MessageStatus | None:
    return None if number is None else MessageStatus(number)


def _handset(row: Record) -> Handset:
    return Handset(
        row["number"], row["network_id"], row["name"], HandsetState(row["state"]), _status(row["refusal"]),
        _status(row["receipt_status"]), row["deferral"], row["waiting"], row["last_message_id"],
        row["cleared_to"], row["created_at"])


def _message(row: Record) -> HandsetMessage:
    return HandsetMessage(
        row["id"], row["number"], Direction(row["direction"]), row["peer"], MessageKind(row["kind"]),
        row["content"], row["udh"], row["units"], row["flash"], row["message_id"], row["at"])


async def fetch_handsets(database: Database) -> list[Handset]:
    """Return every handset, oldest first."""
    rows = await database.fetch(_SELECT_HANDSETS + " ORDER BY h.created_at, h.number")
    return [_handset(row) for row in rows]


async def fetch_handset(source: Source, number: str) -> Handset | None:
    """Return one handset."""
    row = await source.fetchrow(_SELECT_HANDSETS + " WHERE h.number = $1", number)
    return None if row is None else _handset(row)


async def count_handsets(connection: Connection) -> int:
    """Return how many handsets there are."""
    return int(await connection.fetchval("SELECT count(*) FROM sandbox.handset"))


async def insert_handset(connection: Connection, number: str, network_id: str, name: str, at: datetime) -> bool:
    """Add a handset that is on; False when there is one with this number already."""
    tag = await connection.execute("""
        INSERT INTO sandbox.handset (number, network_id, name, state, created_at)
        VALUES ($1, $2, $3, 'on', $4) ON CONFLICT (number) DO NOTHING""", number, network_id, name, at)
    return tag == "INSERT 0 1"


async def update_handset(connection: Connection, number: str, *, name: str, state: HandsetState,
                         refusal: MessageStatus | None, receipt_status: MessageStatus | None,
                         deferral: bool) -> None:
    """Store every changeable field of a handset."""
    await connection.execute("""
        UPDATE sandbox.handset SET name = $2, state = $3, refusal = $4, receipt_status = $5, deferral = $6
         WHERE number = $1""", number, name, state, refusal, receipt_status, deferral)


async def delete_handset(connection: Connection, number: str) -> bool:
    """Remove a handset; False when there is none."""
    return await connection.execute("DELETE FROM sandbox.handset WHERE number = $1", number) == "DELETE 1"


async def clear_messages(connection: Connection, number: str) -> None:
    """Remove every message of a number, and note on its handset up to where."""
    await connection.execute("""
        WITH gone AS (DELETE FROM sandbox.message WHERE number = $1 RETURNING id)
        UPDATE sandbox.handset SET cleared_to = greatest(cleared_to, (SELECT max(id) FROM gone))
         WHERE number = $1""", number)


async def fetch_messages_after(source: Source, number: str, after: int,
                               limit: int) -> list[HandsetMessage]:
    """Return at most `limit` messages of a number that follow `after`, oldest first."""
    rows = await source.fetch(
        "SELECT * FROM sandbox.message WHERE number = $1 AND id > $2 ORDER BY id LIMIT $3", number, after, limit)
    return [_message(row) for row in rows]


async def fetch_newest_messages(source: Source, number: str, after: int, limit: int) -> list[HandsetMessage]:
    """Return the newest messages of a number that follow `after`, at most `limit`, oldest first."""
    rows = await source.fetch(
        "SELECT * FROM sandbox.message WHERE number = $1 AND id > $2 ORDER BY id DESC LIMIT $3",
        number, after, limit)
    return [_message(row) for row in reversed(rows)]


async def fetch_newest_of_handsets(source: Source, after: int, limit: int) -> list[HandsetMessage]:
    """Return the newest messages of all handsets that follow `after`, at most `limit`, oldest first."""
    rows = await source.fetch("""
        SELECT * FROM sandbox.message m
         WHERE m.id > $1 AND EXISTS (SELECT 1 FROM sandbox.handset h WHERE h.number = m.number)
         ORDER BY m.id DESC LIMIT $2""", after, limit)
    return [_message(row) for row in reversed(rows)]


async def fetch_last_id(database: Database) -> int:
    """Return the newest message's id, 0 when there is none."""
    return int(await database.fetchval("SELECT coalesce(max(id), 0) FROM sandbox.message"))


async def insert_sent(connection: Connection, handset: Handset, recipient: str, content: str, *,
                      kind: MessageKind, units: int, at: datetime) -> HandsetMessage:
    """Store a message that a handset sends, to be shown on it and to be told to the core."""
    row = await connection.fetchrow("""
        WITH shown AS (
            INSERT INTO sandbox.message (number, direction, peer, kind, content, udh, units, flash, at)
            VALUES ($1, 'sent', $2, $3, $4, '', $5, false, $6) RETURNING *
        ), told AS (
            INSERT INTO sandbox.mobile_originated (id, sender, recipient, content, network_id, at, lease_until)
            SELECT id, number, peer, content, $7, at, at FROM shown
        )
        SELECT * FROM shown""", handset.number, recipient, kind, content, units, at, handset.network_id)
    if row is None:
        raise RuntimeError("an insert with RETURNING gave no row")
    return _message(row)


async def update_operator(connection: Connection, *, available: bool | None, delivery_delay_ms: int | None,
                          buffer_expiry_s: int | None) -> None:
    """Change what is not None of how the operator behaves."""
    await connection.execute("""
        UPDATE sandbox.operator
           SET available = coalesce($1, available), delivery_delay_ms = coalesce($2, delivery_delay_ms),
               buffer_expiry_s = coalesce($3, buffer_expiry_s)""", available, delivery_delay_ms, buffer_expiry_s)
