"""The applications of the demonstration world are what its documentation says."""

from makola.core.applications.clients import check_secret, find_client, permits_redirect_uri
from makola.core.applications.directory import search
from makola.core.applications.registration import replace_own_address
from makola.core.applications.types import ApplicationKind
from makola.core.organisations.service import create_organisation
from makola.demonstration_applications import create_demonstration_applications
from makola.kit.database import Database

RECEIVER = "http://127.0.0.1:8080/callbacks/receiver"


async def test_a_public_a_partner_and_a_trusted_application(database: Database) -> None:
    async with database.transaction() as connection:
        platform = await create_organisation(connection, None, name="Platform")
        shop = await create_organisation(connection, platform.organisation_id, name="Shop")
        made = await create_demonstration_applications(connection, shop.organisation_id, RECEIVER)
    assert list(made) == ["public", "partner", "trusted"]
    for kind, each in made.items():
        client = await find_client(database, str(each["client_id"]))
        assert client is not None
        assert client.kind is ApplicationKind(kind)
        assert check_secret(client, str(each["client_secret"]))
        assert permits_redirect_uri(client, "http://127.0.0.1:53211/callback")
        assert frozenset(str(each["scope"]).split()) <= client.allowed_scopes
        assert client.offline_access == (kind == "partner")
        assert client.skips_consent == (kind == "trusted")
    [published], total = await search(database, limit=10, offset=0)
    assert (published.client_id, total) == (made["partner"]["client_id"], 1)
    moved = RECEIVER.replace("8080", "9090")
    async with database.transaction() as connection:
        await replace_own_address(connection, RECEIVER, moved)
    rows = await database.fetch("SELECT deauthorization_uri || authorization_uri AS uri FROM applications.oauth_client")
    assert [row["uri"] for row in rows] == [moved] * 3
