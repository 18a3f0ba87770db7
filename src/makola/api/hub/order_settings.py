"""Where an organisation hears of its orders."""

from typing import Annotated

import msgspec
from litestar import get, put
from litestar.di import NamedDependency
from msgspec import Meta

from makola.api.hub.context import HubContext
from makola.api.hub.reading import from_body
from makola.core.callbacks.signing_secrets import signing_secret
from makola.core.ordering.service import settings
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Database
from makola.kit.outgoing import AddressPolicy

_TAGS = ["Orders"]


class OrderSettings(msgspec.Struct):
    """Where every change of an order of one's own organisation is called back to, and what signs the callbacks."""

    callback_url: Annotated[str, Meta(description="Empty for nowhere.")]
    callback_secret: Annotated[str, Meta(description=(
        "`whsec_…`, as Standard Webhooks libraries take it. Empty during an emulation, which it would outlive."))]


class NewOrderSettings(msgspec.Struct, forbid_unknown_fields=True):
    """Where to call back to; empty for nowhere."""

    callback_url: Annotated[str, Meta(max_length=2048)]


@get("/order_settings", tags=_TAGS, opt={"permission": Permission.ORGANISATION_CHANGE})
async def get_order_settings(actor: NamedDependency[Actor], database: NamedDependency[Database]) -> OrderSettings:
    """Get where changes of orders are called back to (ours)."""
    async with database.connection() as connection:
        url = await settings.load_callback_url(connection, actor)
    return await _written(database, actor, url)


@put("/order_settings", dependencies={"sent": from_body(NewOrderSettings)}, tags=_TAGS,
     opt={"permission": Permission.ORGANISATION_CHANGE})
async def change_order_settings(actor: NamedDependency[Actor], database: NamedDependency[Database],
                                context: NamedDependency[HubContext],
                                sent: NamedDependency[NewOrderSettings]) -> OrderSettings:
    """Say where changes of orders are called back to (ours).

    Each change is a POST with a Standard Webhooks signature: `{"type": "order.accepted", "timestamp": …, "data": {"id",
    "organisation", "purchase_order_number", "status", "reason", "sequence"}}`.
    """
    policy = AddressPolicy(allow_private=context.allow_private_callbacks)
    async with database.transaction() as connection:
        await settings.save_callback_url(connection, actor, sent.callback_url, policy)
    return await _written(database, actor, sent.callback_url)


async def _written(database: Database, actor: Actor, url: str) -> OrderSettings:
    secret = "" if actor.emulation_id is not None else await signing_secret(database, actor.organisation_id)
    return OrderSettings(url, secret)


route_handlers = [get_order_settings, change_order_settings]
