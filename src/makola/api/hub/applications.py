"""Applications administered (ours): private, public and trusted ones, and their secrets."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Meta, UnsetType

from makola.api.hub.context import HubContext
from makola.api.hub.paging import Paging
from makola.api.hub.reading import Id, from_body, from_query, given, plain_text
from makola.core.applications import live_secrets, published_roles, registration
from makola.core.applications.drafts import PROPERTIES, with_values
from makola.core.applications.types import (
    AnswerCasing,
    ApplicationKind,
    Draft,
    RegisteredApplication,
    TokenEndpointAuthMethod,
)
from makola.core.oauth import administration
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Database
from makola.kit.outgoing import AddressPolicy

_TAGS = ["Applications"]
_VIEW = {"permission": Permission.CLIENT_VIEW}
_CHANGE = {"permission": Permission.CLIENT_CHANGE}


class Application(msgspec.Struct):
    """An application as its owner sees it; its secrets are not kept."""

    client_id: Annotated[str, Meta(description="A UUID; it names the application in paths too.")]
    organisation: int
    kind: ApplicationKind
    name: str
    answer_casing: AnswerCasing
    unique_client_reference: bool
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    requested_scopes: list[str]
    token_endpoint_auth_method: TokenEndpointAuthMethod
    jwks: str
    jwks_uri: str
    implicit_enabled: bool
    access_token_lifetime_s: int | None
    deauthorization_uri: str
    authorization_uri: str
    switch_session_uri: str
    backchannel_logout_uri: str
    installed_by_default: bool
    access_url: str
    category: str
    short_description: str
    long_description: str
    small_icon_url: str
    large_icon_url: str
    marketing_url: str
    terms_url: str
    privacy_url: str
    offline_access: bool
    publisher_name: str
    publisher_website: str
    publisher_email: str
    publisher_address: str
    publisher_logo_url: str
    created_at: datetime
    suspended_at: datetime | None
    suspension_reason: str
    closed: bool


class Publishable(msgspec.Struct):
    """What is reviewed and published of an application; descriptions are Markdown."""

    name: str
    scopes: list[str]
    access_url: str
    category: str
    short_description: str
    long_description: str
    small_icon_url: str
    large_icon_url: str
    marketing_url: str
    terms_url: str
    privacy_url: str
    offline_access: bool
    publisher_name: str
    publisher_website: str
    publisher_email: str
    publisher_address: str
    publisher_logo_url: str


class NewApplicationAnswer(msgspec.Struct):
    """A new application; the secret is not shown again, and empty where the application uses none."""

    application: Application
    client_secret: str


class SecretAnswer(msgspec.Struct):
    """A new secret, which is not shown again."""

    client_id: str
    client_secret: str


class LiveSecret(msgspec.Struct):
    """A secret that holds now; there are at most two."""

    id: int
    created_at: datetime
    expires_at: datetime | None


class ApplicationQuery(Paging, frozen=True, kw_only=True):
    """Whose applications are wanted."""

    organisation: Annotated[Id | None, Meta(description="One's own organisation without it.")] = None


class ApplicationPatch(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    name: str | UnsetType = UNSET
    answer_casing: AnswerCasing | UnsetType = UNSET
    unique_client_reference: bool | UnsetType = UNSET
    redirect_uris: list[str] | UnsetType = UNSET
    post_logout_redirect_uris: list[str] | UnsetType = UNSET
    requested_scopes: list[str] | UnsetType = UNSET
    token_endpoint_auth_method: TokenEndpointAuthMethod | UnsetType = UNSET
    jwks: str | UnsetType = UNSET
    jwks_uri: str | UnsetType = UNSET
    implicit_enabled: bool | UnsetType = UNSET
    access_token_lifetime_s: int | UnsetType | None = UNSET
    deauthorization_uri: str | UnsetType = UNSET
    authorization_uri: str | UnsetType = UNSET
    switch_session_uri: str | UnsetType = UNSET
    backchannel_logout_uri: str | UnsetType = UNSET
    installed_by_default: bool | UnsetType = UNSET
    access_url: str | UnsetType = UNSET
    category: str | UnsetType = UNSET
    short_description: str | UnsetType = UNSET
    long_description: str | UnsetType = UNSET
    small_icon_url: str | UnsetType = UNSET
    large_icon_url: str | UnsetType = UNSET
    marketing_url: str | UnsetType = UNSET
    terms_url: str | UnsetType = UNSET
    privacy_url: str | UnsetType = UNSET
    offline_access: bool | UnsetType = UNSET
    publisher_name: str | UnsetType = UNSET
    publisher_website: str | UnsetType = UNSET
    publisher_email: str | UnsetType = UNSET
    publisher_address: str | UnsetType = UNSET
    publisher_logo_url: str | UnsetType = UNSET


class NewApplication(ApplicationPatch, kw_only=True, forbid_unknown_fields=True):
    """An application to make. A public one becomes a partner application by a review."""

    kind: ApplicationKind
    name: str
    organisation: Id | UnsetType = UNSET


class Rotation(msgspec.Struct, forbid_unknown_fields=True):
    """For how long the present secret goes on working."""

    overlap_s: Annotated[int, Meta(ge=0, le=live_secrets.MOST_OVERLAP_S)] = 0


class Suspension(msgspec.Struct, forbid_unknown_fields=True):
    """Why an application is refused from now on; its owner reads it."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class PublishedRole(msgspec.Struct, forbid_unknown_fields=True):
    """A role in a trusted application: `name` stands in its ID tokens."""

    name: str
    description: str = ""


class PublishedRoles(msgspec.Struct, forbid_unknown_fields=True):
    """All the roles that a trusted application publishes from now on."""

    roles: list[PublishedRole]


@get("/applications", dependencies={"filters": from_query(ApplicationQuery)}, tags=_TAGS,
     opt={**_VIEW, "errors": (404,)})
async def list_applications(actor: NamedDependency[Actor], database: NamedDependency[Database],
                            filters: NamedDependency[ApplicationQuery]) -> Response[list[Application]]:
    """Get a list of applications (ours).

    Those of one's own organisation, or of one below it; oldest first.
    """
    found, total = await registration.list_applications(
        database, actor, organisation_id=filters.organisation, limit=filters.per_page, offset=filters.offset)
    return Response([_written(each) for each in found], headers=filters.headers(total))


@get("/applications/{application:str}", tags=_TAGS, opt=_VIEW)
async def get_application(actor: NamedDependency[Actor], database: NamedDependency[Database],
                          application: FromPath[str]) -> Application:
    """Get one application (ours)."""
    return _written(await registration.find_application(database, actor, plain_text(application)))


@post("/applications", dependencies={"sent": from_body(NewApplication)}, tags=_TAGS, opt=_CHANGE)
async def create_application(actor: NamedDependency[Actor], database: NamedDependency[Database],
                             context: NamedDependency[HubContext],
                             sent: NamedDependency[NewApplication]) -> NewApplicationAnswer:
    """Make an application (ours).

    Private, public, or (the platform's owner) trusted. The secret is shown this once.
    """
    async with database.transaction() as connection:
        made = await registration.register(
            connection, actor, sent.kind, with_values(Draft(sent.name), _properties(sent)), _policy(context),
            organisation_id=given(sent.organisation))
    return NewApplicationAnswer(_written(made.application), made.client_secret)


@patch("/applications/{application:str}", dependencies={"sent": from_body(ApplicationPatch)}, tags=_TAGS, opt=_CHANGE)
async def change_application(actor: NamedDependency[Actor], database: NamedDependency[Database],
                             context: NamedDependency[HubContext], application: FromPath[str],
                             sent: NamedDependency[ApplicationPatch]) -> Application:
    """Change an application (ours).

    Of a partner application the name, the requested scopes and the listing are a draft until they are submitted and
    approved; everything else holds at once.
    """
    async with database.transaction() as connection:
        changed = await registration.change(connection, actor, plain_text(application),
                                            lambda draft: with_values(draft, _properties(sent)), _policy(context))
    context.credentials.forget()
    return _written(changed)


@delete("/applications/{application:str}", tags=_TAGS, opt=_CHANGE)
async def close_application(actor: NamedDependency[Actor], database: NamedDependency[Database],
                            context: NamedDependency[HubContext], application: FromPath[str]) -> None:
    """Close an application for good, with every token that it has (ours)."""
    async with database.transaction() as connection:
        await administration.close_application(connection, actor, plain_text(application))
    context.credentials.forget()


@get("/applications/{application:str}/secrets", tags=_TAGS, opt=_VIEW)
async def list_application_secrets(actor: NamedDependency[Actor], database: NamedDependency[Database],
                                   application: FromPath[str]) -> list[LiveSecret]:
    """Get when an application's secrets were made and when they end, newest first (ours)."""
    found = await registration.find_application(database, actor, plain_text(application))
    return [LiveSecret(each.secret_id, each.created_at, each.expires_at)
            for each in await live_secrets.list_secrets(database, found)]


@post("/applications/{application:str}/rotate", status_code=200, dependencies={"sent": from_body(Rotation)},
      tags=_TAGS, opt=_CHANGE)
async def rotate_application_secret(actor: NamedDependency[Actor], database: NamedDependency[Database],
                                    context: NamedDependency[HubContext], application: FromPath[str],
                                    sent: NamedDependency[Rotation]) -> SecretAnswer:
    """Give an application a new secret (ours).

    The present one ends at once, with every token that a private application got by it, or goes on working for
    `overlap_s` seconds; any older one ends now.
    """
    client_id = plain_text(application)
    async with database.transaction() as connection:
        client_secret = await administration.rotate_secret(connection, actor, client_id, overlap_s=sent.overlap_s)
    context.credentials.forget()
    return SecretAnswer(client_id, client_secret)


@delete("/applications/{application:str}/secrets/{secret_id:int}", tags=_TAGS, opt=_CHANGE)
async def revoke_application_secret(actor: NamedDependency[Actor], database: NamedDependency[Database],
                                    context: NamedDependency[HubContext], application: FromPath[str],
                                    secret_id: FromPath[int]) -> None:
    """End one secret at once (ours)."""
    async with database.transaction() as connection:
        await administration.revoke_secret(connection, actor, plain_text(application), secret_id)
    context.credentials.forget()


@post("/applications/{application:str}/suspend", status_code=200, dependencies={"sent": from_body(Suspension)},
      tags=_TAGS, opt=_CHANGE)
async def suspend_application(actor: NamedDependency[Actor], database: NamedDependency[Database],
                              context: NamedDependency[HubContext], application: FromPath[str],
                              sent: NamedDependency[Suspension]) -> Application:
    """Refuse an application everywhere (ours); by the platform's owner."""
    async with database.transaction() as connection:
        changed = await registration.set_suspended(connection, actor, plain_text(application), suspended=True,
                                                   reason=sent.reason)
    context.credentials.forget()
    return _written(changed)


@post("/applications/{application:str}/resume", status_code=200, tags=_TAGS, opt={**_CHANGE, "errors": (400,)})
async def resume_application(actor: NamedDependency[Actor], database: NamedDependency[Database],
                             context: NamedDependency[HubContext], application: FromPath[str]) -> Application:
    """Let a suspended application act again (ours); by the platform's owner."""
    async with database.transaction() as connection:
        changed = await registration.set_suspended(connection, actor, plain_text(application), suspended=False)
    context.credentials.forget()
    return _written(changed)


@get("/applications/{application:str}/roles", tags=_TAGS, opt=_VIEW)
async def list_application_roles(actor: NamedDependency[Actor], database: NamedDependency[Database],
                                 application: FromPath[str]) -> list[PublishedRole]:
    """Get the roles that an application publishes (ours)."""
    found = await registration.find_application(database, actor, plain_text(application))
    roles = await published_roles.list_published_roles(database, found.application_id)
    return [PublishedRole(each.name, each.description) for each in roles]


@put("/applications/{application:str}/roles", dependencies={"sent": from_body(PublishedRoles)}, tags=_TAGS,
     opt=_CHANGE)
async def change_application_roles(actor: NamedDependency[Actor], database: NamedDependency[Database],
                                   application: FromPath[str],
                                   sent: NamedDependency[PublishedRoles]) -> list[PublishedRole]:
    """Replace the roles that a trusted application publishes (ours).

    Organisations give them to their users, and the application's ID tokens name them. Who has a role that stays keeps
    it.
    """
    async with database.transaction() as connection:
        roles = await published_roles.publish_roles(connection, actor, plain_text(application),
                                                    [(each.name, each.description) for each in sent.roles])
    return [PublishedRole(each.name, each.description) for each in roles]


def _properties(sent: ApplicationPatch) -> dict[str, object]:
    """Return the properties that were sent, by the core's names, which are this family's too."""
    values: dict[str, object] = msgspec.to_builtins(sent)
    return {name: value for name, value in values.items() if name in PROPERTIES}


def _policy(context: HubContext) -> AddressPolicy:
    return AddressPolicy(allow_private=context.allow_private_callbacks)


def _written(application: RegisteredApplication) -> Application:
    draft, publisher = application.draft, application.draft.listing.publisher
    values: dict[str, object] = {
        **msgspec.to_builtins(draft.oauth), **msgspec.to_builtins(draft.listing),
        **{f"publisher_{name}": value for name, value in msgspec.to_builtins(publisher).items()},
        "name": draft.name, "answer_casing": draft.answer_casing,
        "unique_client_reference": draft.unique_client_reference, "client_id": application.client_id,
        "organisation": application.organisation_id, "kind": application.kind, "created_at": application.created_at,
        "suspended_at": application.suspended_at, "suspension_reason": application.suspension_reason,
        "closed": application.closed_at is not None}
    values["requested_scopes"] = sorted(draft.oauth.requested_scopes)
    return msgspec.convert(values, Application)


route_handlers = [
    list_applications, get_application, create_application, change_application, close_application,
    list_application_secrets, rotate_application_secret, revoke_application_secret, suspend_application,
    resume_application, list_application_roles, change_application_roles]
