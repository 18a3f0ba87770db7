"""Change or cancel a scheduled message, until the moment at which it goes out.

The row decides: a message leaves only after it was recorded as leaving under the lease of the worker that has it, and
a change here ends that lease. So a cancel that says yes is never followed by a message that goes out. What a worker
has reserved for it ahead of its time is given back.
"""

from datetime import datetime, timedelta
from uuid import UUID

from makola.core.ledger import service as ledger
from makola.core.messaging.errors import ParameterNotAllowedError
from makola.core.messaging.queries import find_message
from makola.core.messaging.service.prepare import check_time
from makola.core.messaging.types import STATUS_NAMES, Message
from makola.core.organisations.types import Actor
from makola.kit.clock import now
from makola.kit.database import Database

_RESCHEDULE = """
UPDATE messaging.message SET "time" = $3, due_at = $3, updated_at = $4, price_units = 0,
       valid_until = $3::timestamptz + (valid_until - "time")
WHERE id = $1 AND organisation_id = $2 AND status = 1
"""

# It stays `pending`: it never left, so it is in neither list (reference, section 1), but can be read by its id.
_CANCEL = """
UPDATE messaging.message SET status = 25, due_at = NULL, updated_at = $3, price_units = 0,
       detail = 'Cancelled before it was sent.'
WHERE id = $1 AND organisation_id = $2 AND status = 1
"""


# An operator may report a message that it took as deleted: that one went out.
_IS_CANCELLED = "SELECT status = 25 AND pending FROM messaging.message WHERE id = $1"


async def reschedule(database: Database, actor: Actor, message_id: UUID, time: datetime, *,
                     horizon: timedelta) -> Message:
    """Give a scheduled message another time; one that has come already means at once.

    Raises:
        InvalidTimeError: the time is past, or further ahead than `horizon`.
        UnknownMessageError: no such message in the actor's sight.
        ParameterNotAllowedError: it is no longer waiting.
    """
    check_time(time, horizon)
    message = await find_message(database, actor, message_id)
    if not await _change(database, message_id, _RESCHEDULE, message.organisation_id, time, now()):
        raise await _no_longer_waiting(database, actor, message_id)
    return await find_message(database, actor, message_id)


async def cancel(database: Database, actor: Actor, message_id: UUID) -> None:
    """Cancel a scheduled message; one that is cancelled already stays so.

    Raises:
        UnknownMessageError: no such message in the actor's sight.
        ParameterNotAllowedError: it is no longer waiting.
    """
    message = await find_message(database, actor, message_id)
    if await _change(database, message_id, _CANCEL, message.organisation_id, now()):
        return
    if not await database.fetchval(_IS_CANCELLED, message_id):
        raise await _no_longer_waiting(database, actor, message_id)


async def _change(database: Database, message_id: UUID, sql: str, *arguments: object) -> bool:
    """Run a change of a waiting message, and give back what was reserved for it; False when it waits no longer."""
    async with database.transaction() as connection:
        if await connection.execute(sql, message_id, *arguments) != "UPDATE 1":
            return False
        await ledger.withdraw(connection, [message_id])
        return True


async def _no_longer_waiting(database: Database, actor: Actor,
                             message_id: UUID) -> ParameterNotAllowedError:
    message = await find_message(database, actor, message_id)
    return ParameterNotAllowedError(
        f"Only a scheduled message can be changed; this one is {STATUS_NAMES[message.status]}.", field="message_id")
