"""Organisations: one's own and those below it."""

from typing import Annotated

import msgspec
from litestar import Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Meta, UnsetType

from makola.api.hub.context import HubContext
from makola.api.hub.filters import check_organisations
from makola.api.hub.paging import Paging
from makola.api.hub.reading import Id, SearchText, from_body, from_query, given
from makola.core.organisations import queries, tree
from makola.core.organisations import types as core
from makola.core.organisations.permissions import Permission
from makola.core.organisations.tree import OrganisationChange
from makola.core.organisations.types import Actor
from makola.kit.database import Database

_TAGS = ["Organisations"]


class Organisation(msgspec.Struct):
    """An organisation. `modules` and `suspended` are ours."""

    id: int
    name: str
    parent: Annotated[int | None, Meta(description="The organisation directly above; null for the root of the tree.")]
    linked_account: Annotated[bool, Meta(description="Whether it is linked to an account in the finance system.")]
    finance_type: Annotated[str, Meta(description="How it pays its parent: DIRECT, AGENT or PREPAID.")]
    modules: list[str]
    suspended: bool


class OrganisationQuery(Paging, frozen=True, kw_only=True):
    """Which organisations are wanted."""

    organisation: Annotated[tuple[Id, ...], Meta(description="Only these.")] = ()
    parent: Annotated[tuple[Id, ...], Meta(description="Only the direct children of these.")] = ()
    text: Annotated[SearchText, Meta(description="A part of the name, in any case.")] = ""


class NewOrganisation(msgspec.Struct, forbid_unknown_fields=True):
    """An organisation to add; without `parent`, below one's own; without `modules`, with all of its parent's."""

    name: str
    parent: Id | UnsetType = UNSET
    linked_account: bool = False
    finance_type: str = "DIRECT"
    modules: list[str] | UnsetType = UNSET


class OrganisationPatch(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    name: str | UnsetType = UNSET
    linked_account: bool | UnsetType = UNSET
    finance_type: str | UnsetType = UNSET
    modules: list[str] | UnsetType = UNSET


class Move(msgspec.Struct, forbid_unknown_fields=True):
    """Where to."""

    parent: Id


@get("/organisations", dependencies={"filters": from_query(OrganisationQuery)}, tags=_TAGS,
     opt={"permission": Permission.ORGANISATION_VIEW})
async def list_organisations(actor: NamedDependency[Actor], database: NamedDependency[Database],
                             filters: NamedDependency[OrganisationQuery]) -> Response[list[Organisation]]:
    """Get a list of organisations.

    One's own organisation and its descendants, by id.
    """
    await check_organisations(database, actor, filters.organisation, "organisation")
    await check_organisations(database, actor, filters.parent, "parent")
    found, total = await queries.list_organisations(
        database, actor, organisation_ids=filters.organisation, parent_ids=filters.parent, text=filters.text,
        limit=filters.per_page, offset=filters.offset)
    return Response([_written(each) for each in found], headers=filters.headers(total))


@get("/organisations/{organisation_id:int}", tags=_TAGS, opt={"permission": Permission.ORGANISATION_VIEW})
async def get_organisation(actor: NamedDependency[Actor], database: NamedDependency[Database],
                           organisation_id: FromPath[int]) -> Organisation:
    """Get one organisation."""
    async with database.connection() as connection:
        return _written(await queries.find_visible_organisation(connection, actor, organisation_id))


@post("/organisations", dependencies={"sent": from_body(NewOrganisation)}, tags=_TAGS,
      opt={"permission": Permission.ORGANISATION_CREATE})
async def create_organisation(actor: NamedDependency[Actor], database: NamedDependency[Database],
                              sent: NamedDependency[NewOrganisation]) -> Organisation:
    """Add an organisation below one's own (ours).

    It can use this API when it has a credit account: `PUT /organisations/{id}/credit_accounts/{currency}`.
    """
    async with database.transaction() as connection:
        return _written(await tree.add_organisation(
            connection, actor, given(sent.parent) or actor.organisation_id,
            OrganisationChange(sent.name, sent.linked_account, sent.finance_type, given(sent.modules))))


@patch("/organisations/{organisation_id:int}", dependencies={"sent": from_body(OrganisationPatch)}, tags=_TAGS,
       opt={"permission": Permission.ORGANISATION_CHANGE})
async def change_organisation(actor: NamedDependency[Actor], database: NamedDependency[Database],
                              context: NamedDependency[HubContext], organisation_id: FromPath[int],
                              sent: NamedDependency[OrganisationPatch]) -> Organisation:
    """Change an organisation (ours).

    Of itself an organisation can change its name; `linked_account`, `finance_type` and `modules` are for those above.
    """
    async with database.transaction() as connection:
        changed = await tree.change_organisation(connection, actor, organisation_id, OrganisationChange(
            given(sent.name), given(sent.linked_account), given(sent.finance_type), given(sent.modules)))
    context.credentials.forget()
    return _written(changed)


@post("/organisations/{organisation_id:int}/suspend", status_code=200, tags=_TAGS,
      opt={"permission": Permission.ORGANISATION_SUSPEND})
async def suspend_organisation(actor: NamedDependency[Actor], database: NamedDependency[Database],
                               context: NamedDependency[HubContext], organisation_id: FromPath[int]) -> Organisation:
    """Suspend an organisation (ours).

    Nobody of it, or of what is below it, can use any API until it is resumed.
    """
    return await _set_suspended(actor, database, context, organisation_id, suspended=True)


@post("/organisations/{organisation_id:int}/resume", status_code=200, tags=_TAGS,
      opt={"permission": Permission.ORGANISATION_SUSPEND})
async def resume_organisation(actor: NamedDependency[Actor], database: NamedDependency[Database],
                              context: NamedDependency[HubContext], organisation_id: FromPath[int]) -> Organisation:
    """Let a suspended organisation act again (ours)."""
    return await _set_suspended(actor, database, context, organisation_id, suspended=False)


@post("/organisations/{organisation_id:int}/move", status_code=200, dependencies={"sent": from_body(Move)},
      tags=_TAGS, opt={"permission": Permission.ORGANISATION_MOVE, "errors": (409,)})
async def move_organisation(actor: NamedDependency[Actor], database: NamedDependency[Database],
                            context: NamedDependency[HubContext], organisation_id: FromPath[int],
                            sent: NamedDependency[Move]) -> Organisation:
    """Put an organisation under another parent (ours).

    Everything below it moves along. It cannot be moved below itself.
    """
    async with database.transaction() as connection:
        moved = await tree.move_organisation(connection, actor, organisation_id, sent.parent)
    context.credentials.forget()
    return _written(moved)


async def _set_suspended(actor: Actor, database: Database, context: HubContext, organisation_id: int, *,
                         suspended: bool) -> Organisation:
    async with database.transaction() as connection:
        changed = await tree.suspend_organisation(connection, actor, organisation_id, suspended=suspended)
    context.credentials.forget()
    return _written(changed)


def _written(organisation: core.Organisation) -> Organisation:
    return Organisation(
        organisation.organisation_id, organisation.name, organisation.parent_id, organisation.linked_account,
        str(organisation.finance_type), sorted(organisation.modules), organisation.suspended_at is not None)


route_handlers = [list_organisations, get_organisation, create_organisation, change_organisation,
                  suspend_organisation, resume_organisation, move_organisation]
