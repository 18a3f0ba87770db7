"""Change or cancel a scheduled message, until the moment at which it goes out.

The row decides: a worker that releases the message has locked it, and it is no longer `Scheduled` when the lock is
free. So a cancel that says yes is never followed by a message that goes out.
"""

from datetime import datetime, timedelta
from uuid import UUID

from makola.core.messaging.errors import ParameterNotAllowedError
from makola.core.messaging.queries import find_message
from makola.core.messaging.service.prepare import check_time
from makola.core.messaging.types import STATUS_NAMES, Message
from makola.core.organisations.types import Actor
from makola.kit.clock import now
from makola.kit.database import Database

_RESCHEDULE = """
UPDATE messaging.message SET "time" = $3, due_at = $3, updated_at = $4,
       valid_until = $3::timestamptz + (valid_until - "time")
WHERE id = $1 AND organisation_id = $2 AND status = 1
"""

# It stays `pending`: it never left, so it is in neither list (reference, section 1), but can be read by its id.
_CANCEL = """
UPDATE messaging.message SET status = 25, due_at = NULL, updated_at = $3,
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
    if await database.execute(_RESCHEDULE, message_id, message.organisation_id, time, now()) != "UPDATE 1":
        raise await _no_longer_waiting(database, actor, message_id)
    return await find_message(database, actor, message_id)


async def cancel(database: Database, actor: Actor, message_id: UUID) -> None:
    """Cancel a scheduled message; one that is cancelled already stays so.

    Raises:
        UnknownMessageError: no such message in the actor's sight.
        ParameterNotAllowedError: it is no longer waiting.
    """
    message = await find_message(database, actor, message_id)
    if await database.execute(_CANCEL, message_id, message.organisation_id, now()) == "UPDATE 1":
        return
    if not await database.fetchval(_IS_CANCELLED, message_id):
        raise await _no_longer_waiting(database, actor, message_id)


async def _no_longer_waiting(database: Database, actor: Actor,
                             message_id: UUID) -> ParameterNotAllowedError:
    message = await find_message(database, actor, message_id)
    return ParameterNotAllowedError(
        f"Only a scheduled message can be changed; this one is {STATUS_NAMES[message.status]}.", field="message_id")
