"""Emulation: acting as a user below, for a while and for a reason."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from makola.api.hub.context import HubContext
from makola.api.hub.errors import HubError
from makola.api.hub.paging import Paging
from makola.api.hub.reading import Id, from_body, from_query
from makola.core.oauth.service import issue_emulation_token
from makola.core.organisations import emulation
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Database

_TAGS = ["Emulation"]


class Emulation(msgspec.Struct):
    """Somebody acting as a user. `real_user` is null where the person stands above whoever asks."""

    id: int
    user: int
    organisation: int
    real_user: int | None
    reason: str
    started_at: datetime
    ends_at: datetime
    ended_at: datetime | None


class NewEmulation(msgspec.Struct, forbid_unknown_fields=True):
    """As whom, why, and for how long."""

    user: Id
    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    duration_s: Annotated[int, Meta(ge=emulation.SHORTEST_S, le=emulation.LONGEST_S)] = emulation.DEFAULT_S


class StartedEmulation(msgspec.Struct):
    """An emulation, and the token with which one acts as the user until it ends."""

    id: int
    user: int
    organisation: int
    ends_at: datetime
    access_token: str
    token_type: str
    expires_in: int


class EmulationQuery(Paging, frozen=True, kw_only=True):
    """Which emulations are wanted."""

    in_progress: Annotated[bool, Meta(description="Only those that have not ended.")] = False


@post("/emulations", dependencies={"sent": from_body(NewEmulation)}, tags=_TAGS,
      opt={"permission": Permission.EMULATION_START})
async def start_emulation(actor: NamedDependency[Actor], database: NamedDependency[Database],
                          sent: NamedDependency[NewEmulation]) -> Response[StartedEmulation]:
    """Begin to act as a user of an organisation below one's own (ours).

    The answer carries an access token: requests with it act as that user, requests with one's own token as before.
    It ends by itself after `duration_s`. Only who holds all rights of a user can act as the user; everything is audited
    with both identities.
    """
    started = await emulation.start_emulation(database, actor, sent.user, sent.reason, sent.duration_s)
    async with database.connection() as connection:
        token = await issue_emulation_token(connection, actor, started)
    return Response(StartedEmulation(
        started.emulation_id, started.user_id, started.organisation_id, started.ends_at, token.access_token, "Bearer",
        token.expires_in_s), headers={"Cache-Control": "no-store"})


@get("/emulations", dependencies={"filters": from_query(EmulationQuery)}, tags=_TAGS,
     opt={"permission": Permission.EMULATION_VIEW})
async def list_emulations(actor: NamedDependency[Actor], database: NamedDependency[Database],
                          filters: NamedDependency[EmulationQuery]) -> Response[list[Emulation]]:
    """Get a list of emulations of users in one's sight, newest first (ours)."""
    found, total = await emulation.list_emulations(
        database, actor, in_progress=filters.in_progress, limit=filters.per_page, offset=filters.offset)
    return Response([_written(each) for each in found], headers=filters.headers(total))


@delete("/emulations/current", tags=_TAGS, opt={"errors": (404,)})
async def end_current_emulation(actor: NamedDependency[Actor], database: NamedDependency[Database],
                                context: NamedDependency[HubContext]) -> None:
    """End the emulation whose token this request carries (ours)."""
    if actor.emulation_id is None:
        raise HubError("unknown_emulation", "This token is not that of an emulation.")
    await _end(actor, database, context, actor.emulation_id)


@delete("/emulations/{emulation_id:int}", tags=_TAGS)
async def end_emulation(actor: NamedDependency[Actor], database: NamedDependency[Database],
                        context: NamedDependency[HubContext], emulation_id: FromPath[int]) -> None:
    """End an emulation (ours).

    One's own without any permission; that of somebody in one's sight with `emulation:start`.
    """
    await _end(actor, database, context, emulation_id)


async def _end(actor: Actor, database: Database, context: HubContext, emulation_id: int) -> None:
    async with database.transaction() as connection:
        await emulation.end_emulation(connection, actor, emulation_id)
    context.credentials.forget()


def _written(each: emulation.Emulation) -> Emulation:
    return Emulation(each.emulation_id, each.user_id, each.organisation_id, each.real_user_id, each.reason,
                     each.started_at, each.ends_at, each.ended_at)


route_handlers = [start_emulation, list_emulations, end_current_emulation, end_emulation]
