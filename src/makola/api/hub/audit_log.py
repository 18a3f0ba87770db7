"""The audit log: who changed what."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import Meta

from makola.api.hub.filters import check_organisations
from makola.api.hub.paging import Paging
from makola.api.hub.reading import Id, from_query
from makola.core.organisations import audit
from makola.core.organisations.audit import AuditFilter
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Database

Word = Annotated[str, Meta(max_length=200)]
Moment = Annotated[datetime, Meta(tz=True)]


class AuditEntry(msgspec.Struct):
    """One change. Who made it is null where the person stands above whoever asks."""

    id: int
    at: datetime
    organisation: Annotated[int, Meta(description="Whose thing was changed.")]
    user: Annotated[int | None, Meta(description="Who changed it; during an emulation the emulated user.")]
    real_user: Annotated[int | None, Meta(description="The person behind an emulation; otherwise the same as `user`.")]
    emulated: bool
    action: str
    subject: str
    details: dict[str, object]


class AuditQuery(Paging, frozen=True, kw_only=True):
    """Which entries are wanted."""

    organisation: Annotated[tuple[Id, ...], Meta(description="Only what was changed of these organisations.")] = ()
    action: Annotated[tuple[Word, ...], Meta(description="Only these actions, such as organisation:move.")] = ()
    subject: Annotated[Word, Meta(description="Only this thing, such as organisation:5.")] = ""
    since: Annotated[Moment | None, Meta(description="From this time on (RFC 3339).")] = None
    until: Annotated[Moment | None, Meta(description="Before this time (RFC 3339).")] = None


@get("/audit_log", dependencies={"filters": from_query(AuditQuery)}, tags=["Audit"],
     opt={"permission": Permission.AUDIT_VIEW})
async def read_audit_log(actor: NamedDependency[Actor], database: NamedDependency[Database],
                         filters: NamedDependency[AuditQuery]) -> Response[list[AuditEntry]]:
    """Get what was changed in one's own organisation and below it, newest first (ours)."""
    await check_organisations(database, actor, filters.organisation, "organisation")
    found, total = await audit.read_audit_log(
        database, actor, AuditFilter(filters.organisation, filters.action, filters.subject, filters.since,
                                     filters.until), limit=filters.per_page, offset=filters.offset)
    return Response([_written(each) for each in found], headers=filters.headers(total))


def _written(entry: audit.AuditEntry) -> AuditEntry:
    return AuditEntry(entry.entry_id, entry.at, entry.organisation_id, entry.user_id, entry.real_user_id,
                      entry.emulated, entry.action, entry.subject, dict(entry.details))


route_handlers = [read_audit_log]
