"""The audit log: who changed what, written in the transaction that made the change.

An entry belongs to the organisation whose thing was changed, and whoever may look at that organisation sees it. Who
made the change is shown only to those that see that person's organisation: nobody learns about the tiers above.
What an organisation earns is its own: the details of a price rule are shown to itself alone, as `/price_rules` is.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database, Record

#: Actions whose details are for the organisation alone whose thing was changed.
_PRIVATE = frozenset({"price:change", "price:remove"})

_INSERT = """
INSERT INTO organisations.audit_entry (organisation_id, actor_organisation_id, real_organisation_id, user_id,
                                       real_user_id, application_id, action, subject, details)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

# $1 the actor's organisation; the identity of an entry's author is left out where it stands above that.
_WHERE = """
FROM organisations.audit_entry e
JOIN organisations.organisation o ON o.id = e.organisation_id
LEFT JOIN organisations.organisation author ON author.id = e.actor_organisation_id
LEFT JOIN organisations.organisation real ON real.id = e.real_organisation_id
WHERE o.chain @> ARRAY[$1::bigint]
  AND (cardinality($2::bigint[]) = 0 OR e.organisation_id = ANY($2::bigint[]))
  AND (cardinality($3::text[]) = 0 OR e.action = ANY($3::text[]))
  AND ($4 = '' OR e.subject = $4)
  AND ($5::timestamptz IS NULL OR e.at >= $5)
  AND ($6::timestamptz IS NULL OR e.at < $6)
"""

_PAGE = f"""
SELECT e.id, e.at, e.organisation_id, e.user_id, e.real_user_id, e.application_id, e.action, e.subject, e.details,
       coalesce(author.chain @> ARRAY[$1::bigint], false) AS author_seen,
       coalesce(real.chain @> ARRAY[$1::bigint], false) AS real_seen
{_WHERE} ORDER BY e.id DESC LIMIT $7 OFFSET $8
"""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change. `user_id`, `real_user_id` and `application_id` are None where the author stands above the reader."""

    entry_id: int
    at: datetime
    organisation_id: int
    user_id: int | None
    real_user_id: int | None
    application_id: int | None
    action: str
    subject: str
    details: Mapping[str, object]
    emulated: bool


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted; an empty value means any."""

    organisation_ids: Sequence[int] = ()
    actions: Sequence[str] = ()
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


async def record(connection: Connection, actor: Actor, action: str, subject: str,
                 details: Mapping[str, object] | None = None, *, organisation_id: int | None = None) -> None:
    """Write down a change.

    Args:
        connection: the transaction that makes the change.
        actor: who makes it; during an emulation both identities are kept.
        action: `resource:action`, such as `organisation:move`.
        subject: `kind:id`, such as `organisation:5`.
        details: what JSON can hold; no secret, and no price of a tier above `organisation_id`.
        organisation_id: whose thing was changed; by default the actor's organisation.
    """
    real_organisation_id = (actor.real_organisation_id if actor.real_organisation_id is not None
                            else actor.organisation_id)
    await connection.execute(
        _INSERT, actor.organisation_id if organisation_id is None else organisation_id, _author_organisation(actor),
        real_organisation_id,
        actor.user_id, actor.real_user_id if actor.real_user_id is not None else actor.user_id,
        actor.application_id or None, action, subject, json.dumps(details or {}, default=str))


async def last_author_above(connection: Connection, actor: Actor, action: str, subject: str) -> bool:
    """Say whether it was somebody of an organisation above the actor's own who last did something.

    Args:
        connection: the transaction that decides by it, with the subject locked.
        actor: who asks.
        action: `resource:action`, such as `organisation:suspend`.
        subject: `kind:id`, such as `organisation:5`.
    """
    author_id: int | None = await connection.fetchval(
        "SELECT actor_organisation_id FROM organisations.audit_entry WHERE subject = $1 AND action = $2"
        " ORDER BY id DESC LIMIT 1", subject, action)
    own_id = _author_organisation(actor)
    return own_id in actor.chain and author_id in actor.chain[:actor.chain.index(own_id)]


def _author_organisation(actor: Actor) -> int:
    """Return the person's own organisation, also when acting for one below; in an emulation the emulated user's."""
    if actor.emulation_id is not None or actor.real_organisation_id is None:
        return actor.organisation_id
    return actor.real_organisation_id


async def read_audit_log(database: Database, actor: Actor, wanted: AuditFilter, *, limit: int,
                         offset: int) -> tuple[list[AuditEntry], int]:
    """Return a page of the log of the actor's subtree, newest first, and how many entries there are.

    Raises:
        PermissionDeniedError: the actor may not read the log.
    """
    actor.require(Permission.AUDIT_VIEW)
    arguments = (actor.organisation_id, list(wanted.organisation_ids), list(wanted.actions), wanted.subject,
                 wanted.since, wanted.until)
    total = await database.fetchval(f"SELECT count(*) {_WHERE}", *arguments)
    rows = await database.fetch(_PAGE, *arguments, limit, offset)
    return [AuditEntry(
        row["id"], row["at"], row["organisation_id"], row["user_id"] if row["author_seen"] else None,
        row["real_user_id"] if row["real_seen"] else None, row["application_id"] if row["real_seen"] else None,
        row["action"], row["subject"], _details(row, actor), row["user_id"] != row["real_user_id"])
        for row in rows], total


def _details(row: Record, actor: Actor) -> Mapping[str, object]:
    if row["action"] in _PRIVATE and row["organisation_id"] != actor.organisation_id:
        return {}
    details: Mapping[str, object] = json.loads(row["details"])
    return details
