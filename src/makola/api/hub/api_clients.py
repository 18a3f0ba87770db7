"""API clients: what programs authenticate with."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Meta, UnsetType

from makola.api.hub.context import HubContext
from makola.api.hub.filters import check_users
from makola.api.hub.paging import Paging
from makola.api.hub.reading import Id, from_body, from_query, given, plain_text
from makola.core.applications import api_clients
from makola.core.applications import types as core
from makola.core.applications.live_secrets import MOST_OVERLAP_S
from makola.core.oauth.service import revoke_tokens_of_application
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Database

_TAGS = ["API clients"]


class ApiClient(msgspec.Struct):
    """An API client; its secret is not kept."""

    client_id: Annotated[str, Meta(description="A UUID.")]
    name: str
    user: int | None
    organisation: int
    created_at: datetime
    revoked: bool


class ApiClientWithSecret(msgspec.Struct):
    """An API client with its new secret, which is not shown again."""

    client_id: str
    client_secret: str
    name: str
    user: int | None
    organisation: int


class ApiClientQuery(Paging, frozen=True, kw_only=True):
    """Which API clients are wanted."""

    user: Annotated[tuple[Id, ...], Meta(description="Only those of these users.")] = ()


class NewApiClient(msgspec.Struct, forbid_unknown_fields=True):
    """An API client to make; without `user`, for oneself."""

    name: str
    user: Id | UnsetType = UNSET


class Rotation(msgspec.Struct, forbid_unknown_fields=True):
    """For how long the present secret goes on working."""

    overlap_s: Annotated[int, Meta(ge=0, le=MOST_OVERLAP_S)] = 0


@get("/api_clients", dependencies={"filters": from_query(ApiClientQuery)}, tags=_TAGS,
     opt={"permission": Permission.CLIENT_VIEW})
async def list_api_clients(actor: NamedDependency[Actor], database: NamedDependency[Database],
                           filters: NamedDependency[ApiClientQuery]) -> Response[list[ApiClient]]:
    """Get a list of API clients (ours).

    Those of the users of one's own organisation and of its descendants, oldest first.
    """
    await check_users(database, actor, filters.user, "user")
    found, total = await api_clients.list_api_clients(
        database, actor, user_ids=filters.user, limit=filters.per_page, offset=filters.offset)
    return Response([_written(each) for each in found], headers=filters.headers(total))


@get("/api_clients/{client_id:str}", tags=_TAGS, opt={"permission": Permission.CLIENT_VIEW})
async def get_api_client(actor: NamedDependency[Actor], database: NamedDependency[Database],
                         client_id: FromPath[str]) -> ApiClient:
    """Get one API client (ours)."""
    async with database.connection() as connection:
        return _written(await api_clients.find_api_client(connection, actor, plain_text(client_id)))


@post("/api_clients", dependencies={"sent": from_body(NewApiClient)}, tags=_TAGS,
      opt={"permission": Permission.CLIENT_CHANGE})
async def create_api_client(actor: NamedDependency[Actor], database: NamedDependency[Database],
                            sent: NamedDependency[NewApiClient]) -> ApiClientWithSecret:
    """Make an API client (ours).

    For oneself, or for a user in one's sight whose rights one holds. The secret is shown this once.
    """
    async with database.transaction() as connection:
        made = await api_clients.create_api_client(
            connection, actor, given(sent.user) or actor.user_id or 0, sent.name)
    return _with_secret(made)


@post("/api_clients/{client_id:str}/rotate", status_code=200, dependencies={"sent": from_body(Rotation)}, tags=_TAGS,
      opt={"permission": Permission.CLIENT_CHANGE})
async def rotate_api_client(actor: NamedDependency[Actor], database: NamedDependency[Database],
                            context: NamedDependency[HubContext], client_id: FromPath[str],
                            sent: NamedDependency[Rotation]) -> ApiClientWithSecret:
    """Give an API client a new secret (ours).

    The present one ends at once, with every token that it got, or goes on working for `overlap_s` seconds. One that was
    left from a rotation before ends now, so that at most two hold at a time.
    """
    async with database.transaction() as connection:
        made = await api_clients.rotate_secret(connection, actor, plain_text(client_id), overlap_s=sent.overlap_s)
        if sent.overlap_s == 0:
            await revoke_tokens_of_application(connection, made.application.application_id)
    context.credentials.forget()
    return _with_secret(made)


@delete("/api_clients/{client_id:str}", tags=_TAGS, opt={"permission": Permission.CLIENT_CHANGE})
async def revoke_api_client(actor: NamedDependency[Actor], database: NamedDependency[Database],
                            context: NamedDependency[HubContext], client_id: FromPath[str]) -> None:
    """Revoke an API client, with every token that it got (ours)."""
    async with database.transaction() as connection:
        client = await api_clients.revoke_api_client(connection, actor, plain_text(client_id))
        await revoke_tokens_of_application(connection, client.application.application_id)
    context.credentials.forget()


def _written(client: core.ApiClient) -> ApiClient:
    each = client.application
    return ApiClient(each.client_id, each.name, each.user_id, each.organisation_id, client.created_at,
                     client.revoked_at is not None)


def _with_secret(made: core.NewApplication) -> ApiClientWithSecret:
    each = made.application
    return ApiClientWithSecret(each.client_id, made.client_secret, each.name, each.user_id, each.organisation_id)


route_handlers = [list_api_clients, get_api_client, create_api_client, rotate_api_client, revoke_api_client]
