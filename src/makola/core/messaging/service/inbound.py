"""Messages from subscribers, to the numbers that organisations have."""

import hashlib
from collections.abc import Sequence
from uuid import UUID

import structlog

from makola.core.messaging.ports import InboundMessage
from makola.core.messaging.segments import InvalidContentError, MessageTooLongError, plan
from makola.core.messaging.types import MessageKind, MessageStatus
from makola.core.numbering.short_codes import find_owners
from makola.kit.database import Database

_log = structlog.get_logger(__name__)

#: Of UCS-2, the shortest (3GPP TS 23.038 section 6.2.3); near enough for what nobody pays for.
_CHARACTERS_IN_A_LONG_SEGMENT = 67

_INSERT = """
INSERT INTO messaging.message (
    id, organisation_id, inbound, pending, scheduled, registered_delivery, flash, kind, status, units, price_units,
    "time", created_at, updated_at, valid_until, sender, recipient, network_id, connector, content, udh,
    client_reference, billing_info)
SELECT m.id, m.organisation_id, true, false, false, false, false, 0, $1, m.units, 0, m.at, m.at, m.at, m.at, m.sender,
       m.recipient, m.network_id, m.connector, m.content, '', '', ''
FROM unnest($2::uuid[], $3::bigint[], $4::smallint[], $5::timestamptz[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[])
     AS m (id, organisation_id, units, at, sender, recipient, network_id, connector, content)
ON CONFLICT (id) DO NOTHING
"""


async def take_inbound(database: Database, batch: Sequence[InboundMessage]) -> None:
    """Store messages from subscribers; a repeat is known by its operator's id."""
    async with database.transaction() as connection:
        owners = await find_owners(connection, {message.recipient for message in batch})
        known = [message for message in batch if message.recipient in owners]
        if len(known) < len(batch):
            _log.info("inbound_for_nobody", count=len(batch) - len(known))
        await connection.execute(
            _INSERT, int(MessageStatus.RECEIVED), [_id_of(m) for m in known], [owners[m.recipient] for m in known],
            [_units_of(m.content) for m in known], [m.at for m in known], [m.sender for m in known],
            [m.recipient for m in known], [m.network_id for m in known], [m.connector for m in known],
            [m.content.replace("\0", "") for m in known])


def _units_of(content: str) -> int:
    """Return how many segments a subscriber's message took: it may be empty, or longer than what we would send."""
    try:
        return plan(MessageKind.TEXT, content, "").units
    except InvalidContentError:
        return 1
    except MessageTooLongError:
        return -(-len(content) // _CHARACTERS_IN_A_LONG_SEGMENT)


def _id_of(message: InboundMessage) -> UUID:
    """Return the same id for the same message: the operator may tell us twice."""
    digest = hashlib.sha256(f"{message.connector}\0{message.provider_id}".encode()).digest()
    return UUID(bytes=digest[:16], version=4)
