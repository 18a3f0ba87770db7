"""Filters that name organisations and users: what is not in the caller's sight is named, and does not exist."""

from collections.abc import Sequence

from makola.api.hub.errors import refused
from makola.core.organisations.members import unknown_members_among
from makola.core.organisations.queries import unknown_among
from makola.core.organisations.types import Actor
from makola.kit.database import Database


async def check_organisations(database: Database, actor: Actor, ids: Sequence[int], field: str) -> None:
    """Refuse a filter by an organisation that is not in the caller's sight.

    Raises:
        HubError: it names `field` and the first such id.
    """
    if unknown := await unknown_among(database, actor, ids):
        raise refused(field, f"There is no organisation {unknown[0]}.")


async def check_users(database: Database, actor: Actor, ids: Sequence[int], field: str) -> None:
    """Refuse a filter by a user that is not in the caller's sight.

    Raises:
        HubError: it names `field` and the first such id.
    """
    if unknown := await unknown_members_among(database, actor, ids):
        raise refused(field, f"There is no user {unknown[0]}.")
