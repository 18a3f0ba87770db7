"""From a public application to a partner: its owner submits it, the platform reviews it, the directory shows it.

A submission is a copy that never changes. The owner may go on editing meanwhile: what was reviewed is what is
published, and what people are asked for is what was published, until another submission is approved.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from makola.core.applications.contents import Content, read_content, write_content
from makola.core.applications.errors import InvalidApplicationError, SubmissionDecidedError, UnknownSubmissionError
from makola.core.applications.listings import require_complete
from makola.core.applications.registration import find_application, find_changeable, may_run_the_platform, subject_of
from makola.core.applications.scopes import OFFLINE_ACCESS, with_implied
from makola.core.applications.types import ApplicationKind, RegisteredApplication
from makola.core.organisations.audit import record
from makola.core.organisations.emulation import refuse_while_emulating
from makola.core.organisations.errors import PermissionDeniedError
from makola.core.organisations.types import Actor
from makola.kit.database import Connection, Database, Record

_MOST_NOTE_CHARACTERS = 2000

_COLUMNS = """
s.id, s.application_id, s.state, s.content, s.submitted_at, s.submitted_by, s.decided_at, s.note, a.client_id,
a.organisation_id, p.content AS published
"""

_FROM = """
FROM applications.submission s
JOIN applications.application a ON a.id = s.application_id
LEFT JOIN applications.publication p ON p.application_id = s.application_id
"""

_PUBLISH = """
INSERT INTO applications.publication (application_id, submission_id, name, category, short_description, content,
                                      published_at)
VALUES ($1, $2, $3, $4, $5, $6, now())
ON CONFLICT (application_id) DO UPDATE SET
    submission_id = excluded.submission_id, name = excluded.name, category = excluded.category,
    short_description = excluded.short_description, content = excluded.content, published_at = excluded.published_at
"""


class SubmissionState(StrEnum):
    """Where a submission stands; `PENDING` is the only one that is not final."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Submission:
    """A copy of an application that the platform is asked to publish.

    Attributes:
        note: what the reviewer said to the owner.
        published: what the directory shows now; None where it shows nothing.
    """

    submission_id: int
    application_id: int
    client_id: str
    organisation_id: int
    state: SubmissionState
    content: Content
    submitted_at: datetime
    submitted_by: int | None
    decided_at: datetime | None
    note: str
    published: Content | None


async def submit(connection: Connection, actor: Actor, client_id: str) -> Submission:
    """Ask the platform to publish an application as it is now; an earlier submission that waits is withdrawn.

    Raises:
        PermissionDeniedError: the actor may not, or is emulating.
        UnknownApplicationError: there is none, it is closed, or it is elsewhere in the tree.
        InvalidApplicationError: it is private, suspended, or something is missing; it names the field.
    """
    application = await find_changeable(connection, actor, client_id)
    if application.kind not in {ApplicationKind.PUBLIC, ApplicationKind.PARTNER}:
        raise InvalidApplicationError(f"A {application.kind} application is not published in the directory.",
                                      field="kind")
    if application.suspended_at is not None:
        raise InvalidApplicationError("A suspended application cannot be published.", field="kind")
    content = content_of(application)
    require_complete(content.listing)
    if not application.draft.oauth.redirect_uris:
        raise InvalidApplicationError("People cannot authorize an application without a callback URL.",
                                      field="redirect_uris")
    await _withdraw(connection, application.application_id)
    submission_id = await connection.fetchval(
        "INSERT INTO applications.submission (application_id, content, submitted_by) VALUES ($1, $2, $3) RETURNING id",
        application.application_id, write_content(content), actor.user_id)
    await record(connection, actor, "application:submit", subject_of(application), {"submission": submission_id},
                 organisation_id=application.organisation_id)
    return await _find(connection, submission_id)


async def withdraw(connection: Connection, actor: Actor, client_id: str) -> None:
    """Take a submission that waits back.

    Raises what `submit` does; UnknownSubmissionError where none waits.
    """
    application = await find_changeable(connection, actor, client_id)
    if not await _withdraw(connection, application.application_id):
        raise UnknownSubmissionError("No submission of this application waits for a review.")
    await record(connection, actor, "application:withdraw", subject_of(application),
                 organisation_id=application.organisation_id)


async def find_latest(database: Database | Connection, actor: Actor, client_id: str) -> Submission | None:
    """Return an application's last submission; None where it was never submitted.

    Raises what `registration.find_application` does.
    """
    application = await find_application(database, actor, client_id)
    row = await database.fetchrow(
        f"SELECT {_COLUMNS} {_FROM} WHERE s.application_id = $1 ORDER BY s.id DESC LIMIT 1", application.application_id)
    return _submission_of(row) if row is not None else None


async def list_pending(database: Database, actor: Actor, *, limit: int = 100, offset: int = 0) -> list[Submission]:
    """Return the submissions that wait for a review, the oldest first.

    Raises:
        PermissionDeniedError: the actor is not the platform's owner.
    """
    _require_reviewer(actor)
    rows = await database.fetch(
        f"SELECT {_COLUMNS} {_FROM} WHERE s.state = 'pending' ORDER BY s.id LIMIT $1 OFFSET $2", limit, offset)
    return [_submission_of(row) for row in rows]


async def find_submission(database: Database | Connection, actor: Actor, submission_id: int) -> Submission:
    """Return one submission, decided or not.

    Raises:
        PermissionDeniedError: the actor is not the platform's owner.
        UnknownSubmissionError: there is none.
    """
    _require_reviewer(actor)
    return await _find(database, submission_id)


async def approve(connection: Connection, actor: Actor, submission_id: int) -> Submission:
    """Publish exactly what was submitted; the application becomes a partner.

    Raises:
        PermissionDeniedError: the actor is not the platform's owner, or is emulating.
        UnknownSubmissionError: there is none.
        SubmissionDecidedError: it does not wait any more: decided, withdrawn, or replaced.
    """
    pending = await _find_pending(connection, actor, submission_id)
    content = pending.content
    await _decide(connection, actor, pending, SubmissionState.APPROVED, "")
    await connection.execute(
        _PUBLISH, pending.application_id, submission_id, content.name, content.listing.category,
        content.listing.short_description, write_content(content))
    await connection.execute("UPDATE applications.application SET kind = 'partner' WHERE id = $1 AND kind = 'public'",
                             pending.application_id)
    return await _find(connection, submission_id)


async def reject(connection: Connection, actor: Actor, submission_id: int, note: str) -> Submission:
    """Send a submission back with a reason; what was published before stays.

    Raises:
        PermissionDeniedError: the actor is not the platform's owner, or is emulating.
        UnknownSubmissionError: there is none.
        SubmissionDecidedError: it does not wait any more.
        InvalidApplicationError: there is no note, or it is too long.
    """
    note = note.strip()
    if not 0 < len(note) <= _MOST_NOTE_CHARACTERS or "\0" in note:
        raise InvalidApplicationError(f"A note has 1 to {_MOST_NOTE_CHARACTERS} characters.", field="note")
    pending = await _find_pending(connection, actor, submission_id)
    await _decide(connection, actor, pending, SubmissionState.REJECTED, note)
    return await _find(connection, submission_id)


async def unpublish(connection: Connection, actor: Actor, client_id: str) -> None:
    """Take a partner application out of the directory: it is a public one again, and gets no refresh tokens.

    By its owner or by the platform's.

    Raises:
        PermissionDeniedError: the actor may not, or is emulating.
        UnknownApplicationError: there is none, it is closed, or it is elsewhere in the tree.
        InvalidApplicationError: it is not published.
    """
    application = await find_changeable(connection, actor, client_id)
    if application.kind is not ApplicationKind.PARTNER:
        raise InvalidApplicationError("This application is not in the directory.", field="kind")
    await connection.execute("DELETE FROM applications.publication WHERE application_id = $1",
                             application.application_id)
    await connection.execute("UPDATE applications.application SET kind = 'public' WHERE id = $1",
                             application.application_id)
    await record(connection, actor, "application:unpublish", subject_of(application),
                 organisation_id=application.organisation_id)


def content_of(application: RegisteredApplication) -> Content:
    """Return what would be submitted now: the scopes with those that they imply."""
    listing = application.draft.listing
    scopes = with_implied(application.draft.oauth.requested_scopes) - {OFFLINE_ACCESS}
    return Content(application.name, scopes | {OFFLINE_ACCESS} if listing.offline_access else scopes, listing)


async def _decide(connection: Connection, actor: Actor, pending: Submission, state: SubmissionState,
                  note: str) -> None:
    await connection.execute(
        "UPDATE applications.submission SET state = $2, decided_at = now(), decided_by = $3, note = $4 WHERE id = $1",
        pending.submission_id, str(state), actor.user_id, note)
    await record(connection, actor, "application:approve" if state is SubmissionState.APPROVED
                 else "application:reject", f"application:{pending.client_id}",
                 {"submission": pending.submission_id, "note": note}, organisation_id=pending.organisation_id)


async def _find_pending(connection: Connection, actor: Actor, submission_id: int) -> Submission:
    """Return a submission that waits, which nobody else decides, and whose application nobody changes meanwhile."""
    _require_reviewer(actor)
    refuse_while_emulating(actor)
    # The application first, as everything that changes it does: two locks in one order cannot wait for each other.
    await connection.execute(
        "SELECT 1 FROM applications.application WHERE id ="
        " (SELECT application_id FROM applications.submission WHERE id = $1) FOR UPDATE", submission_id)
    await connection.execute("SELECT 1 FROM applications.submission WHERE id = $1 FOR UPDATE", submission_id)
    found = await _find(connection, submission_id)
    if found.state is not SubmissionState.PENDING:
        raise SubmissionDecidedError(f"This submission does not wait any more: it is {found.state}.")
    return found


async def _find(database: Database | Connection, submission_id: int) -> Submission:
    row = await database.fetchrow(f"SELECT {_COLUMNS} {_FROM} WHERE s.id = $1", submission_id)
    if row is None:
        raise UnknownSubmissionError("There is no such submission.")
    return _submission_of(row)


async def _withdraw(connection: Connection, application_id: int) -> bool:
    return await connection.execute(
        "UPDATE applications.submission SET state = 'withdrawn', decided_at = now()"
        " WHERE application_id = $1 AND state = 'pending'", application_id) != "UPDATE 0"


def _require_reviewer(actor: Actor) -> None:
    if not may_run_the_platform(actor):
        raise PermissionDeniedError("Submissions are reviewed by the platform's owner only.")


def _submission_of(row: Record) -> Submission:
    return Submission(
        row["id"], row["application_id"], row["client_id"], row["organisation_id"], SubmissionState(row["state"]),
        read_content(row["content"]), row["submitted_at"], row["submitted_by"], row["decided_at"], row["note"],
        read_content(row["published"]) if row["published"] is not None else None)
