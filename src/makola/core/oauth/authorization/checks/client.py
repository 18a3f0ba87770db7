"""Who asks."""

from makola.core.applications.clients import find_client
from makola.core.applications.types import OAuthClient
from makola.core.oauth.authorization.request import Parameters
from makola.core.oauth.errors import InvalidClientError, InvalidRequestError
from makola.kit.database import Database


async def check_client(database: Database, parameters: Parameters) -> OAuthClient:
    """The client exists and is not suspended. A person is told otherwise, never the redirect URI."""
    client_id = parameters.get("client_id")
    if client_id is None:
        raise InvalidRequestError("The parameter client_id is missing.", field="client_id")
    if "client_id" in parameters.repeated:
        raise InvalidRequestError("The parameter client_id is given twice.", field="client_id")
    client = await find_client(database, client_id)
    if client is None or client.suspended:
        raise InvalidClientError("There is no such application, or it has been suspended.", field="client_id")
    return client
