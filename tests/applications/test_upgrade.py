"""Who could administer merchant accounts before there was a scope for it still can."""

from makola import migrations
from makola.core.applications.contents import Content, read_content, write_content
from makola.core.applications.types import Listing
from makola.kit.database import Database

_BEFORE = frozenset({"account.balance", "messages.send", "payments.read", "payments.send"})
_OTHER = frozenset({"payments.read", "payments.refund"})
_LISTING = Listing(short_description='"scopes":["payments.send"] \\1')


async def test_what_could_send_money_may_also_administer(bare_database_url: str) -> None:
    await migrations.upgrade(bare_database_url, "0026")
    database = await Database.connect(bare_database_url, min_size=1, max_size=2)
    try:
        await _fill(database)
        await migrations.upgrade(bare_database_url)
        for table, column in (("oauth.access_token", "scopes"), ("applications.oauth_client", "requested_scopes"),
                              ("applications.installation", "scopes"), ("oauth.consent", "scopes")):
            rows = await database.fetch(f"SELECT {column} AS scopes FROM {table}")
            assert {None if row["scopes"] is None else frozenset(row["scopes"]) for row in rows} - {None} == {
                _BEFORE | {"merchants.edit"}, _OTHER}, table
        contents = [row["content"] for row in await database.fetch("SELECT content FROM applications.submission")]
        assert sorted(contents) == sorted(map(write_content, (
            Content("A", _BEFORE | {"merchants.edit"}, _LISTING), Content("B", _OTHER, _LISTING))))
        assert all(read_content(each).listing == _LISTING for each in contents)
    finally:
        await database.close()


async def _fill(database: Database) -> None:
    """Store what two applications were allowed, one of them to send money, in every table that says so."""
    for number, name, scopes in ((1, "A", _BEFORE), (2, "B", _OTHER)):
        listed = sorted(scopes)
        await database.execute(
            "INSERT INTO applications.application (id, organisation_id, kind, name, client_id) OVERRIDING SYSTEM VALUE"
            " VALUES ($1, 1, 'public', $2, $2)", number, name)
        await database.execute(
            "INSERT INTO applications.oauth_client (application_id, requested_scopes) VALUES ($1, $2)", number, listed)
        await database.execute(
            "INSERT INTO applications.submission (application_id, content) VALUES ($1, $2)", number,
            write_content(Content(name, scopes, _LISTING)))
        await database.execute(
            "INSERT INTO applications.installation (organisation_id, application_id, scopes) VALUES (1, $1, $2)",
            number, listed)
        await database.execute(
            "INSERT INTO oauth.consent (user_id, organisation_id, application_id, scopes, given_at)"
            " VALUES (1, 1, $1, $2, now())", number, listed)
        await database.execute(
            "INSERT INTO oauth.access_token (sha256, application_id, scopes, created_at, expires_at)"
            " VALUES (sha256($2::bytea), $1, $3, now(), now())", number, name.encode(), listed)
    await database.execute("INSERT INTO oauth.access_token (sha256, application_id, scopes, created_at, expires_at)"
                           " VALUES ('x', 1, NULL, now(), now())")
