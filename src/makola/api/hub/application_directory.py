"""The directory of partner applications, its reviews, and what an organisation has authorized (ours)."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from makola.api.hub.applications import Publishable
from makola.api.hub.context import HubContext
from makola.api.hub.paging import Paging
from makola.api.hub.reading import SearchText, from_body, from_query, plain_text
from makola.core.applications import directory, review
from makola.core.applications.contents import Content
from makola.core.applications.review import SubmissionState
from makola.core.applications.types import ApplicationKind
from makola.core.oauth import administration
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Database

_TAGS = ["Applications"]
_VIEW = {"permission": Permission.CLIENT_VIEW}
_CHANGE = {"permission": Permission.CLIENT_CHANGE}


class Submission(msgspec.Struct):
    """A copy of an application that the platform is asked to publish; it never changes."""

    id: int
    client_id: str
    organisation: int
    state: SubmissionState
    content: Publishable
    submitted_at: datetime
    decided_at: datetime | None
    note: Annotated[str, Meta(description="What the reviewer said to the owner.")]


class Rejection(msgspec.Struct, forbid_unknown_fields=True):
    """What the owner has to change."""

    note: Annotated[str, Meta(min_length=1, max_length=2000)]


class DirectoryEntry(msgspec.Struct):
    """An application in the directory, as it was reviewed."""

    client_id: str
    content: Publishable
    published_at: datetime


class DirectoryQuery(Paging, frozen=True, kw_only=True):
    """Which applications are wanted."""

    category: Annotated[str, Meta(max_length=100)] = ""
    text: Annotated[SearchText, Meta(description="A part of the name or of the short description.")] = ""


class Installed(msgspec.Struct):
    """An application that one's organisation has authorized."""

    client_id: str
    kind: ApplicationKind
    name: str
    scopes: list[str]
    installed_at: datetime
    installed_by: Annotated[int | None, Meta(description="Null where it was installed without a user.")]
    last_used_at: datetime | None


@get("/directory", dependencies={"filters": from_query(DirectoryQuery)}, tags=_TAGS)
async def list_directory(actor: NamedDependency[Actor], database: NamedDependency[Database],
                         filters: NamedDependency[DirectoryQuery]) -> Response[list[DirectoryEntry]]:
    """Get a list of the partner applications (ours).

    By name; everybody may.
    """
    found, total = await directory.search(database, category=filters.category, text=filters.text,
                                          limit=filters.per_page, offset=filters.offset)
    return Response([_entry(each) for each in found], headers=filters.headers(total))


@get("/directory/{published:str}", tags=_TAGS)
async def get_directory_entry(actor: NamedDependency[Actor], database: NamedDependency[Database],
                              published: FromPath[str]) -> DirectoryEntry:
    """Get one application of the directory (ours)."""
    return _entry(await directory.find_published(database, plain_text(published)))


@get("/installed_applications", tags=_TAGS, opt=_VIEW)
async def list_installed_applications(actor: NamedDependency[Actor],
                                      database: NamedDependency[Database]) -> list[Installed]:
    """Get the applications that one's organisation has authorized, by name (ours)."""
    return [Installed(each.installation.client_id, each.installation.kind, each.installation.name,
                      sorted(each.installation.scopes), each.installation.installed_at,
                      each.installation.installed_by, each.last_used_at)
            for each in await administration.list_installed(database, actor)]


@delete("/installed_applications/{installed:str}", tags=_TAGS, opt=_CHANGE)
async def deauthorise_application(actor: NamedDependency[Actor], database: NamedDependency[Database],
                                  context: NamedDependency[HubContext], installed: FromPath[str]) -> None:
    """Take back all that one's organisation has given an application (ours).

    Its tokens die at once, and its deauthorization callback is called.
    """
    async with database.transaction() as connection:
        await administration.deauthorise_installed(connection, actor, plain_text(installed), context.sealer)
    context.credentials.forget()


@get("/applications/{application:str}/submission", tags=_TAGS, opt=_VIEW)
async def get_application_submission(actor: NamedDependency[Actor], database: NamedDependency[Database],
                                     application: FromPath[str]) -> Submission | None:
    """Get an application's last submission; null where it was never submitted (ours)."""
    found = await review.find_latest(database, actor, plain_text(application))
    return _submission(found) if found is not None else None


@post("/applications/{application:str}/submit", status_code=200, tags=_TAGS, opt={**_CHANGE, "errors": (400,)})
async def submit_application(actor: NamedDependency[Actor], database: NamedDependency[Database],
                             application: FromPath[str]) -> Submission:
    """Ask the platform to publish an application as it is now (ours).

    A submission that waits already is withdrawn. What is missing is named.
    """
    async with database.transaction() as connection:
        return _submission(await review.submit(connection, actor, plain_text(application)))


@post("/applications/{application:str}/withdraw", status_code=204, tags=_TAGS, opt=_CHANGE)
async def withdraw_application(actor: NamedDependency[Actor], database: NamedDependency[Database],
                               application: FromPath[str]) -> None:
    """Take a submission that waits back (ours)."""
    async with database.transaction() as connection:
        await review.withdraw(connection, actor, plain_text(application))


@post("/applications/{application:str}/unpublish", status_code=204, tags=_TAGS, opt={**_CHANGE, "errors": (400,)})
async def unpublish_application(actor: NamedDependency[Actor], database: NamedDependency[Database],
                                context: NamedDependency[HubContext], application: FromPath[str]) -> None:
    """Take an application out of the directory (ours).

    It is a public application again, and its refresh tokens are refused.
    """
    async with database.transaction() as connection:
        await review.unpublish(connection, actor, plain_text(application))
    context.credentials.forget()


@get("/submissions", tags=_TAGS, opt=_CHANGE)
async def list_submissions(actor: NamedDependency[Actor], database: NamedDependency[Database]) -> list[Submission]:
    """Get the submissions that wait for a review (ours).

    The 100 oldest; for the platform's owner.
    """
    return [_submission(each) for each in await review.list_pending(database, actor)]


@get("/submissions/{submission_id:int}", tags=_TAGS, opt=_CHANGE)
async def get_submission(actor: NamedDependency[Actor], database: NamedDependency[Database],
                         submission_id: FromPath[int]) -> Submission:
    """Get one submission (ours); for the platform's owner."""
    return _submission(await review.find_submission(database, actor, submission_id))


@post("/submissions/{submission_id:int}/approve", status_code=200, tags=_TAGS, opt={**_CHANGE, "errors": (409,)})
async def approve_submission(actor: NamedDependency[Actor], database: NamedDependency[Database],
                             context: NamedDependency[HubContext], submission_id: FromPath[int]) -> Submission:
    """Publish exactly what was submitted (ours); by the platform's owner."""
    async with database.transaction() as connection:
        approved = await review.approve(connection, actor, submission_id)
    context.credentials.forget()
    return _submission(approved)


@post("/submissions/{submission_id:int}/reject", status_code=200, dependencies={"sent": from_body(Rejection)},
      tags=_TAGS, opt={**_CHANGE, "errors": (409,)})
async def reject_submission(actor: NamedDependency[Actor], database: NamedDependency[Database],
                            submission_id: FromPath[int], sent: NamedDependency[Rejection]) -> Submission:
    """Send a submission back to its owner with a reason (ours); by the platform's owner."""
    async with database.transaction() as connection:
        return _submission(await review.reject(connection, actor, submission_id, sent.note))


def _submission(found: review.Submission) -> Submission:
    return Submission(found.submission_id, found.client_id, found.organisation_id, found.state,
                      _content(found.content), found.submitted_at, found.decided_at, found.note)


def _entry(found: directory.Published) -> DirectoryEntry:
    return DirectoryEntry(found.client_id, _content(found.content), found.published_at)


def _content(content: Content) -> Publishable:
    listing = msgspec.to_builtins(content.listing)
    return msgspec.convert(
        {**listing, **{f"publisher_{name}": value for name, value in listing["publisher"].items()},
         "name": content.name, "scopes": sorted(content.scopes)}, Publishable)


route_handlers = [
    list_directory, get_directory_entry, list_installed_applications, deauthorise_application,
    get_application_submission, submit_application, withdraw_application, unpublish_application, list_submissions,
    get_submission, approve_submission, reject_submission]
