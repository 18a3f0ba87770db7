"""Applications as their owners administer them: made, changed, closed; suspended by the platform."""

from collections.abc import Callable
from uuid import uuid4

from makola.core.applications.contents import read_listing, write_listing
from makola.core.applications.drafts import checked_draft
from makola.core.applications.errors import InvalidApplicationError, UnknownApplicationError
from makola.core.applications.listings import picture_urls
from makola.core.applications.service import add_secret
from makola.core.applications.types import (
    AnswerCasing,
    ApplicationKind,
    Draft,
    Listing,
    NewlyRegistered,
    OAuthSettings,
    RegisteredApplication,
    TokenEndpointAuthMethod,
)
from makola.core.organisations.audit import record
from makola.core.organisations.emulation import refuse_while_emulating
from makola.core.organisations.errors import PermissionDeniedError
from makola.core.organisations.permissions import Grants, Permission
from makola.core.organisations.queries import find_visible_organisation, is_in_subtree
from makola.core.organisations.types import Actor
from makola.core.pictures import service as pictures
from makola.kit.database import Connection, Database, Record
from makola.kit.outgoing import AddressPolicy

#: Notified when a trusted application is made or changed: it may have to be installed.
CHANNEL = "applications"

_COLUMNS = """
a.id, a.organisation_id, a.kind, a.client_id, a.name, a.answer_casing, a.unique_client_reference, a.created_at,
a.suspended_at, a.suspension_reason, a.closed_at, o.application_id AS speaks_oauth, o.redirect_uris,
o.post_logout_redirect_uris, o.requested_scopes, o.token_endpoint_auth_method, o.jwks, o.jwks_uri, o.implicit_enabled,
o.access_token_lifetime_s, o.deauthorization_uri, o.authorization_uri, o.switch_session_uri, o.backchannel_logout_uri,
o.installed_by_default, l.draft
"""

_FROM = """
FROM applications.application a
LEFT JOIN applications.oauth_client o ON o.application_id = a.id
LEFT JOIN applications.listing l ON l.application_id = a.id
"""

_LIST = "WHERE a.user_id IS NULL AND a.organisation_id = $1 AND a.closed_at IS NULL"

_SAVE_OAUTH = """
INSERT INTO applications.oauth_client (
    application_id, redirect_uris, post_logout_redirect_uris, requested_scopes, token_endpoint_auth_method, jwks,
    jwks_uri, implicit_enabled, access_token_lifetime_s, deauthorization_uri, authorization_uri, switch_session_uri,
    backchannel_logout_uri, installed_by_default)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (application_id) DO UPDATE SET
    redirect_uris = excluded.redirect_uris, post_logout_redirect_uris = excluded.post_logout_redirect_uris,
    requested_scopes = excluded.requested_scopes, token_endpoint_auth_method = excluded.token_endpoint_auth_method,
    jwks = excluded.jwks, jwks_uri = excluded.jwks_uri, implicit_enabled = excluded.implicit_enabled,
    access_token_lifetime_s = excluded.access_token_lifetime_s, deauthorization_uri = excluded.deauthorization_uri,
    authorization_uri = excluded.authorization_uri, switch_session_uri = excluded.switch_session_uri,
    backchannel_logout_uri = excluded.backchannel_logout_uri, installed_by_default = excluded.installed_by_default
"""

_SAVE_LISTING = """
INSERT INTO applications.listing (application_id, draft) VALUES ($1, $2)
ON CONFLICT (application_id) DO UPDATE SET draft = excluded.draft, changed_at = now()
"""

_MOST_REASON_CHARACTERS = 500


async def list_applications(database: Database, actor: Actor, *, organisation_id: int | None = None, limit: int,
                            offset: int) -> tuple[list[RegisteredApplication], int]:
    """Return a page of an organisation's applications that are not closed, by age, and how many there are.

    Args:
        database: where they are.
        actor: who asks.
        organisation_id: whose, the actor's own or one below it; None for the actor's own.
        limit: the most to return.
        offset: how many to pass over.

    Raises:
        PermissionDeniedError: the actor may not look at applications.
        UnknownOrganisationError: the organisation is not in the actor's sight.
    """
    actor.require(Permission.CLIENT_VIEW)
    owner_id = actor.organisation_id if organisation_id is None else organisation_id
    async with database.connection() as connection:
        await find_visible_organisation(connection, actor, owner_id, field="organisation")
        total = await connection.fetchval(f"SELECT count(*) FROM applications.application a {_LIST}", owner_id)  # noqa: S608 - own text
        rows = await connection.fetch(
            f"SELECT {_COLUMNS} {_FROM} {_LIST} ORDER BY a.id LIMIT $2 OFFSET $3", owner_id, limit, offset)
    return [_application_of(row) for row in rows], total


async def find_application(database: Database | Connection, actor: Actor, client_id: str) -> RegisteredApplication:
    """Return one application of the actor's subtree, closed or not.

    Raises:
        PermissionDeniedError: the actor may not look at applications.
        UnknownApplicationError: there is none, or it is elsewhere in the tree.
    """
    actor.require(Permission.CLIENT_VIEW)
    return await _find(database, actor, client_id)


async def find_changeable(connection: Connection, actor: Actor, client_id: str) -> RegisteredApplication:
    """Return an application that the actor may change, which nobody else changes until the transaction ends.

    Whoever changes what stands for an organisation with all of its rights must hold all of them; trusted applications
    are the platform's.

    Raises:
        PermissionDeniedError: the actor may not, or is emulating.
        UnknownApplicationError: there is none, it is closed, or it is elsewhere in the tree.
    """
    actor.require(Permission.CLIENT_CHANGE)
    refuse_while_emulating(actor)
    if "\0" not in client_id:
        await connection.execute("SELECT 1 FROM applications.application WHERE client_id = $1 FOR UPDATE", client_id)
    application = await _find(connection, actor, client_id)
    if application.closed_at is not None:
        raise UnknownApplicationError("This application was closed.")
    require_right_to_kind(actor, application.kind)
    return application


def require_right_to_kind(actor: Actor, kind: ApplicationKind) -> None:
    """Refuse whoever may not have applications of this kind.

    Raises:
        PermissionDeniedError: see `find_changeable`.
    """
    if kind is ApplicationKind.PRIVATE and not actor.rights.covers(Grants(modules=actor.modules, admin=True)):
        raise PermissionDeniedError("A private application has all rights of its organisation; only an administrator"
                                    " may make or change one.")
    if kind is ApplicationKind.TRUSTED and not may_run_the_platform(actor):
        raise PermissionDeniedError("Trusted applications are made by the platform's owner only.")


def may_run_the_platform(actor: Actor) -> bool:
    """Say whether the actor is the platform's owner, who reviews, suspends and makes trusted applications.

    Never by a token with scopes: a trusted application has more rights than any of them.
    """
    rights = actor.rights
    return actor.is_platform and actor.may(Permission.CLIENT_CHANGE) and (rights.admin or rights.root)


async def register(connection: Connection, actor: Actor, kind: ApplicationKind, draft: Draft, policy: AddressPolicy, *,
                   organisation_id: int | None = None) -> NewlyRegistered:
    """Make an application, with a first secret unless it is one that can keep none.

    Args:
        connection: an open transaction.
        actor: who makes it.
        kind: private, public or trusted; a public one becomes a partner application by a review.
        draft: its properties.
        policy: where we may fetch from.
        organisation_id: whose it shall be, the actor's own or one below it; None for the actor's own.

    Raises:
        PermissionDeniedError: the actor may not, or not this kind, or is emulating.
        UnknownOrganisationError: the organisation is not in the actor's sight.
        InvalidApplicationError: a value is not possible; it names the field.
    """
    actor.require(Permission.CLIENT_CHANGE)
    refuse_while_emulating(actor)
    if kind not in {ApplicationKind.PRIVATE, ApplicationKind.PUBLIC, ApplicationKind.TRUSTED}:
        raise InvalidApplicationError("An application is made as private, public or trusted.", field="kind")
    owner_id = actor.organisation_id if organisation_id is None else organisation_id
    await find_visible_organisation(connection, actor, owner_id, field="organisation")
    require_right_to_kind(actor, kind)
    if kind is ApplicationKind.TRUSTED and owner_id != actor.organisation_id:
        raise InvalidApplicationError("A trusted application belongs to the platform.", field="organisation")
    draft = checked_draft(kind, draft, policy)
    _require_right_to_lifetime(actor, None, draft.oauth.access_token_lifetime_s)
    client_id = str(uuid4())
    row = await connection.fetchrow(
        "INSERT INTO applications.application (organisation_id, kind, name, client_id, answer_casing,"
        " unique_client_reference) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id, created_at",
        owner_id, str(kind), draft.name, client_id, str(draft.answer_casing), draft.unique_client_reference)
    if row is None:
        raise LookupError("an insert returns its row")
    application = RegisteredApplication(row["id"], owner_id, kind, client_id, draft, row["created_at"])
    await _save(connection, application)
    client_secret = ""
    if draft.oauth.token_endpoint_auth_method is TokenEndpointAuthMethod.CLIENT_SECRET:
        client_secret = await add_secret(connection, application.application_id)
    await record(connection, actor, "application:create", subject_of(application), particulars(application),
                 organisation_id=owner_id)
    return NewlyRegistered(application, client_secret)


async def change(connection: Connection, actor: Actor, client_id: str, edit: Callable[[Draft], Draft],
                 policy: AddressPolicy) -> RegisteredApplication:
    """Change what an owner may write of an application.

    Of a partner application the name, the requested permissions and the listing are a draft: what was published holds
    until another submission is approved.

    Args:
        connection: an open transaction.
        actor: who changes it.
        client_id: of the application.
        edit: makes the new draft of the present one, which nobody else changes meanwhile.
        policy: where we may fetch from.

    Raises:
        PermissionDeniedError: the actor may not, or is emulating.
        UnknownApplicationError: there is none, it is closed, or it is elsewhere in the tree.
        InvalidApplicationError: a value is not possible; it names the field.
    """
    before = await find_changeable(connection, actor, client_id)
    draft = checked_draft(before.kind, edit(before.draft), policy)
    _require_right_to_lifetime(actor, before.draft.oauth.access_token_lifetime_s, draft.oauth.access_token_lifetime_s)
    after = RegisteredApplication(before.application_id, before.organisation_id, before.kind, before.client_id, draft,
                                  before.created_at, before.suspended_at, before.suspension_reason)
    if after == before:
        return before
    await connection.execute(
        "UPDATE applications.application SET name = $2, answer_casing = $3, unique_client_reference = $4 WHERE id = $1",
        before.application_id, draft.name, str(draft.answer_casing), draft.unique_client_reference)
    await _save(connection, after)
    changed = {name: value for name, value in particulars(after).items() if particulars(before)[name] != value}
    await record(connection, actor, "application:change", subject_of(before),
                 {"before": {name: particulars(before)[name] for name in changed}, "after": changed},
                 organisation_id=before.organisation_id)
    return after


async def mark_closed(connection: Connection, actor: Actor, client_id: str) -> RegisteredApplication:
    """Give an application up for good; whoever calls ends its tokens in the same transaction.

    Raises what `find_changeable` does.
    """
    application = await find_changeable(connection, actor, client_id)
    await connection.execute(
        "UPDATE applications.application SET closed_at = now(), suspended_at = coalesce(suspended_at, now())"
        " WHERE id = $1", application.application_id)
    await connection.execute("DELETE FROM applications.publication WHERE application_id = $1",
                             application.application_id)
    await connection.execute(
        "UPDATE applications.submission SET state = 'withdrawn', decided_at = now()"
        " WHERE application_id = $1 AND state = 'pending'", application.application_id)
    await record(connection, actor, "application:close", subject_of(application), {"name": application.name},
                 organisation_id=application.organisation_id)
    return application


async def set_suspended(connection: Connection, actor: Actor, client_id: str, *, suspended: bool,
                        reason: str = "") -> RegisteredApplication:
    """Refuse an application everywhere, or let it act again; by the platform's owner.

    Raises:
        PermissionDeniedError: the actor is not the platform's owner, or is emulating.
        UnknownApplicationError: there is none, or it is closed.
        InvalidApplicationError: there is no reason, or it is too long.
    """
    application = await find_changeable(connection, actor, client_id)
    if not may_run_the_platform(actor):
        raise PermissionDeniedError("Applications are suspended by the platform's owner only.")
    reason = " ".join(reason.split())
    if suspended and not 0 < len(reason) <= _MOST_REASON_CHARACTERS:
        raise InvalidApplicationError(f"A reason has 1 to {_MOST_REASON_CHARACTERS} characters.", field="reason")
    await connection.execute(
        "UPDATE applications.application SET suspension_reason = $3,"
        " suspended_at = CASE WHEN $2 THEN coalesce(suspended_at, now()) END WHERE id = $1",
        application.application_id, suspended, reason if suspended else "")
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)
    await record(connection, actor, "application:suspend" if suspended else "application:resume",
                 subject_of(application), {"reason": reason} if suspended else {},
                 organisation_id=application.organisation_id)
    return await _find(connection, actor, client_id)


def subject_of(application: RegisteredApplication) -> str:
    """Return how the audit log names an application."""
    return f"application:{application.client_id}"


async def _find(database: Database | Connection, actor: Actor, client_id: str) -> RegisteredApplication:
    row = None if "\0" in client_id else await database.fetchrow(
        f"SELECT {_COLUMNS} {_FROM} WHERE a.client_id = $1 AND a.user_id IS NULL", client_id)
    if row is None or not await is_in_subtree(database, actor, row["organisation_id"]):
        raise UnknownApplicationError("There is no such application.")
    return _application_of(row)


def _require_right_to_lifetime(actor: Actor, before_s: int | None, after_s: int | None) -> None:
    if after_s != before_s and not may_run_the_platform(actor):
        raise PermissionDeniedError("How long tokens hold is set by the platform's owner.")


async def _save(connection: Connection, application: RegisteredApplication) -> None:
    oauth = application.draft.oauth
    if application.kind is ApplicationKind.PRIVATE and oauth == OAuthSettings():
        await connection.execute("DELETE FROM applications.oauth_client WHERE application_id = $1",
                                 application.application_id)
        return
    await connection.execute(
        _SAVE_OAUTH, application.application_id, list(oauth.redirect_uris), list(oauth.post_logout_redirect_uris),
        sorted(oauth.requested_scopes), str(oauth.token_endpoint_auth_method), oauth.jwks or None, oauth.jwks_uri,
        oauth.implicit_enabled, oauth.access_token_lifetime_s, oauth.deauthorization_uri, oauth.authorization_uri,
        oauth.switch_session_uri, oauth.backchannel_logout_uri, oauth.installed_by_default)
    await connection.execute(_SAVE_LISTING, application.application_id, write_listing(application.draft.listing))
    await pictures.want(connection, picture_urls(application.draft.listing))
    if application.kind is ApplicationKind.TRUSTED:
        await connection.execute("SELECT pg_notify($1, '')", CHANNEL)


def _application_of(row: Record) -> RegisteredApplication:
    oauth = OAuthSettings()
    if row["speaks_oauth"] is not None:
        oauth = OAuthSettings(
            tuple(row["redirect_uris"]), tuple(row["post_logout_redirect_uris"]), frozenset(row["requested_scopes"]),
            TokenEndpointAuthMethod(row["token_endpoint_auth_method"]), row["jwks"] or "", row["jwks_uri"],
            row["implicit_enabled"], row["access_token_lifetime_s"], row["deauthorization_uri"],
            row["authorization_uri"], row["switch_session_uri"], row["backchannel_logout_uri"],
            row["installed_by_default"])
    draft = Draft(row["name"], AnswerCasing(row["answer_casing"]), row["unique_client_reference"], oauth,
                  read_listing(row["draft"]) if row["draft"] is not None else Listing())
    return RegisteredApplication(
        row["id"], row["organisation_id"], ApplicationKind(row["kind"]), row["client_id"], draft, row["created_at"],
        row["suspended_at"], row["suspension_reason"], row["closed_at"])


def particulars(application: RegisteredApplication) -> dict[str, object]:
    """Return what the audit log keeps: everything that an owner writes; no secret is among it."""
    draft, oauth, listing = application.draft, application.draft.oauth, application.draft.listing
    return {
        "name": draft.name, "kind": str(application.kind), "answer_casing": str(draft.answer_casing),
        "unique_client_reference": draft.unique_client_reference, "redirect_uris": list(oauth.redirect_uris),
        "post_logout_redirect_uris": list(oauth.post_logout_redirect_uris),
        "requested_scopes": sorted(oauth.requested_scopes),
        "token_endpoint_auth_method": str(oauth.token_endpoint_auth_method), "jwks": oauth.jwks,
        "jwks_uri": oauth.jwks_uri, "implicit_enabled": oauth.implicit_enabled,
        "access_token_lifetime_s": oauth.access_token_lifetime_s, "deauthorization_uri": oauth.deauthorization_uri,
        "authorization_uri": oauth.authorization_uri, "switch_session_uri": oauth.switch_session_uri,
        "backchannel_logout_uri": oauth.backchannel_logout_uri, "installed_by_default": oauth.installed_by_default,
        "listing": write_listing(listing)}


async def replace_own_address(connection: Connection, before: str, after: str) -> None:
    """Call back at `after` whatever was called back at `before`: our own address has changed."""
    await connection.execute(
        "UPDATE applications.oauth_client SET"
        " deauthorization_uri = CASE WHEN deauthorization_uri = $1 THEN $2 ELSE deauthorization_uri END,"
        " authorization_uri = CASE WHEN authorization_uri = $1 THEN $2 ELSE authorization_uri END"
        " WHERE deauthorization_uri = $1 OR authorization_uri = $1", before, after)
