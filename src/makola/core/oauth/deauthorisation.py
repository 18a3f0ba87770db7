"""An organisation takes its authorization back: the tokens die at once, and the application is told."""

from makola.core.applications.clients import find_client_by_id
from makola.core.applications.installations import deauthorise as record_deauthorisation
from makola.core.callbacks.service import enqueue
from makola.core.callbacks.types import NewCallback
from makola.core.oauth.service.revocation import revoke_grants
from makola.kit.database import Connection
from makola.kit.sealing import Sealer

EVENT = "application.deauthorised"


async def deauthorise(connection: Connection, organisation_id: int, application_id: int, user_id: int | None,
                      sealer: Sealer | None) -> bool:
    """End all that an organisation has given an application; False when there was nothing.

    The application gets `GET deauthorization_uri?access_token=…` for each authorization, with the newest token that
    it had: it recognises the account by it ("Handle App De-Authorizations"). The token is dead by then.

    Args:
        connection: an open transaction: record, tokens and callback are committed together.
        organisation_id: whose authorization.
        application_id: of which application.
        user_id: who takes it back.
        sealer: opens the copy of the token; without one the application is not told.
    """
    was_installed = await record_deauthorisation(connection, organisation_id, application_id, user_id)
    ended = await revoke_grants(connection, application_id, organisation_id, sealer=sealer)
    client = await find_client_by_id(connection, application_id)
    if client is not None and client.deauthorization_uri:
        await enqueue(connection, [
            NewCallback(client.organisation_id, EVENT, "GET", client.deauthorization_uri,
                        (("access_token", each.access_token),), application_id=application_id)
            for each in ended if each.access_token])
    return was_installed or bool(ended)
