"""Trusted applications that every organisation has from the start, without anybody's consent."""

from makola.core.applications.clients import find_client_by_id
from makola.core.applications.installations import install_by_default, installed_by_default
from makola.core.callbacks.service import enqueue
from makola.core.callbacks.types import NewCallback
from makola.core.organisations.queries import ids_after
from makola.kit.database import Database

EVENT = "application.installed"
_BATCH = 1000


async def install_where_missing(database: Database, after: int = 0) -> int:
    """Install them wherever they are missing; each application's authorization callback is told of each organisation.

    It is `GET authorization_uri?organisation_id=…` (the parameter is ours). The installation and its callback are
    committed together, and one that is there is left alone, so that several processes may do this at once.

    Args:
        database: where organisations and applications are.
        after: only for organisations whose id is greater.

    Returns:
        The greatest id of an organisation that was looked at; `after` where there is none.
    """
    applications, reached = await installed_by_default(database), after
    while applications and (organisation_ids := await ids_after(database, reached, _BATCH)):
        for application_id in applications:
            await _install(database, application_id, organisation_ids)
        reached = organisation_ids[-1]
    return reached


async def _install(database: Database, application_id: int, organisation_ids: list[int]) -> None:
    async with database.transaction() as connection:
        client = await find_client_by_id(connection, application_id)
        if client is None or client.suspended:
            return
        installed = await install_by_default(connection, application_id, organisation_ids, client.allowed_scopes)
        if client.authorization_uri:
            await enqueue(connection, [
                NewCallback(client.organisation_id, EVENT, "GET", client.authorization_uri,
                            (("organisation_id", str(organisation_id)),), application_id=application_id)
                for organisation_id in installed])
