"""Emulation: somebody acts as a user below, for a while, for a reason, and both are written down."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from makola.core.organisations.actors import Standing, load_actor, may_emulate
from makola.core.organisations.audit import record
from makola.core.organisations.errors import (
    InvalidOrganisationError,
    PermissionDeniedError,
    UnknownEmulationError,
    UnknownMemberError,
)
from makola.core.organisations.members import find_member
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.clock import now
from makola.kit.database import Connection, Database, Record

SHORTEST_S = 60
DEFAULT_S = 1800
LONGEST_S = 3600
_MOST_REASON_CHARACTERS = 500

_COLUMNS = """
e.id, e.real_user_id, e.user_id, e.organisation_id, e.reason, e.started_at, e.ends_at, e.ended_at,
real.chain @> ARRAY[$1::bigint] AS real_seen
"""

# Those of users in the actor's subtree ($1); who stood behind it is shown to those that see that person's organisation.
_VISIBLE = """
FROM organisations.emulation e
JOIN organisations.organisation o ON o.id = e.organisation_id
JOIN organisations.organisation real ON real.id = e.real_organisation_id
WHERE o.chain @> ARRAY[$1::bigint] AND (NOT $2::boolean OR (e.ended_at IS NULL AND e.ends_at > now()))
"""


@dataclass(frozen=True, slots=True)
class Emulation:
    """Somebody acting as `user_id`. `real_user_id` is None where the reader may not know."""

    emulation_id: int
    real_user_id: int | None
    user_id: int
    organisation_id: int
    reason: str
    started_at: datetime
    ends_at: datetime
    ended_at: datetime | None


async def start_emulation(database: Database, actor: Actor, user_id: int, reason: str,
                          duration_s: int = DEFAULT_S) -> Emulation:
    """Begin to act as a user of an organisation below.

    Args:
        database: where it is written down.
        actor: who wants to; not while emulating already.
        user_id: as whom.
        reason: why, for the audit log.
        duration_s: after which it ends by itself.

    Raises:
        PermissionDeniedError: the actor may not, is emulating already, or lacks rights that the user holds.
        UnknownMemberError: the user is not in the actor's sight, or may not act himself.
        InvalidOrganisationError: there is no reason, or the duration is not possible.
    """
    actor.require(Permission.EMULATION_START)
    if actor.user_id is None or actor.emulation_id is not None:
        raise PermissionDeniedError("An emulation is started by a person, and not during another.")
    reason = reason.strip()
    if not reason or len(reason) > _MOST_REASON_CHARACTERS:
        raise InvalidOrganisationError(f"A reason has 1 to {_MOST_REASON_CHARACTERS} characters.", field="reason")
    if not SHORTEST_S <= duration_s <= LONGEST_S:
        raise InvalidOrganisationError(f"From {SHORTEST_S} to {LONGEST_S} seconds.", field="duration_s")
    async with database.connection() as connection:
        user = await find_member(connection, actor, user_id, field="user")
    emulated = await load_actor(database, user_id, Standing(actor.application_id, actor.scopes))
    if emulated is None:
        raise UnknownMemberError("This user is suspended.", field="user")
    if not may_emulate(actor, emulated):
        raise PermissionDeniedError("Only users of organisations below are emulated, and only by those who hold all"
                                    " of their rights.")
    started_at = now()
    ends_at = started_at + timedelta(seconds=duration_s)
    async with database.transaction() as connection:
        emulation_id = await connection.fetchval(
            "INSERT INTO organisations.emulation (real_user_id, real_organisation_id, user_id, organisation_id,"
            " reason, started_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
            actor.user_id, actor.organisation_id, user_id, user.organisation_id, reason, started_at, ends_at)
        await record(connection, actor, "emulation:start", f"user:{user_id}",
                     {"emulation": emulation_id, "reason": reason, "ends_at": ends_at.isoformat()},
                     organisation_id=user.organisation_id)
    return Emulation(emulation_id, actor.user_id, user_id, user.organisation_id, reason, started_at, ends_at, None)


async def end_emulation(connection: Connection, actor: Actor, emulation_id: int) -> None:
    """End an emulation before its time: one's own, or that of somebody in one's sight.

    Raises:
        UnknownEmulationError: there is none, it has ended, or it is somebody else's.
        PermissionDeniedError: it is another person's, and the actor may not start one.
    """
    row = await connection.fetchrow(
        "SELECT e.real_user_id, e.user_id, e.organisation_id, o.chain FROM organisations.emulation e"
        " JOIN organisations.organisation o ON o.id = e.real_organisation_id"
        " WHERE e.id = $1 AND e.ended_at IS NULL AND e.ends_at > now() FOR UPDATE OF e", emulation_id)
    own = row is not None and actor.real_user_id == row["real_user_id"]
    if row is None or not (own or (actor.emulation_id is None and actor.organisation_id in row["chain"])):
        raise UnknownEmulationError("There is no such emulation in progress.")
    if not own:
        actor.require(Permission.EMULATION_START)
    await connection.execute("UPDATE organisations.emulation SET ended_at = now() WHERE id = $1", emulation_id)
    await record(connection, actor, "emulation:end", f"user:{row['user_id']}", {"emulation": emulation_id},
                 organisation_id=row["organisation_id"])


async def list_emulations(database: Database, actor: Actor, *, in_progress: bool, limit: int,
                          offset: int) -> tuple[list[Emulation], int]:
    """Return a page of the emulations of users in the actor's subtree, newest first, and how many there are.

    Raises:
        PermissionDeniedError: the actor may not look at them.
    """
    actor.require(Permission.EMULATION_VIEW)
    total = await database.fetchval(f"SELECT count(*) {_VISIBLE}", actor.organisation_id, in_progress)
    rows = await database.fetch(f"SELECT {_COLUMNS} {_VISIBLE} ORDER BY e.id DESC LIMIT $3 OFFSET $4",
                                actor.organisation_id, in_progress, limit, offset)
    return [_emulation_of(row) for row in rows], total


def refuse_while_emulating(actor: Actor) -> None:
    """Refuse what would outlive an emulation.

    Raises:
        PermissionDeniedError: an emulation is in progress.
    """
    if actor.emulation_id is not None:
        raise PermissionDeniedError("This is not possible during an emulation: it would outlive it.")


def _emulation_of(row: Record) -> Emulation:
    return Emulation(row["id"], row["real_user_id"] if row["real_seen"] else None, row["user_id"],
                     row["organisation_id"], row["reason"], row["started_at"], row["ends_at"], row["ended_at"])
