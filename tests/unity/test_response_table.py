"""Every row of the seed's response table ("Response Code") and of ours, and that a refusal leaves nothing behind."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from makola.api.unity import errors
from makola.api.unity.app import UnityApp
from makola.api.unity.messages import ENDPOINTS
from makola.core.applications.types import AnswerCasing, Application, Caller
from makola.core.messaging.do_not_contact import add_to_list, remove_from_list
from makola.core.organisations.types import Actor
from makola.kit.errors import DomainError
from tests.unity.asgi_client import Client
from tests.unity.hub import CREDIT, Hub, Tenant, ahead, eventually, new_number, running_hub

_DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "response-codes.md"
_GOOD: Mapping[str, object] = {"From": "Makola", "To": "+233241234567", "Content": "Hello"}
_JSON = "application/json"

_REFUSED_VALUES: list[tuple[str, dict[str, object], int]] = [
    ("recipient missing", {"To": None}, 1),
    ("recipient empty", {"To": ""}, 1),
    ("recipient too short", {"To": "+23324"}, 1),
    ("recipient not a number", {"To": "my aunt"}, 1),
    ("recipient of no country", {"To": "+99912345678"}, 1),
    ("recipient is a list", {"To": ["+233241234567"]}, 1),
    ("sender missing", {"From": None}, 2),
    ("sender with a space", {"From": "My Shop"}, 2),
    ("sender of twelve letters", {"From": "ABCDEFGHIJKL"}, 2),
    ("sender of seventeen digits", {"From": "12345678901234567"}, 2),
    ("content of eleven segments", {"Content": "x" * 1531}, 3),
    ("content of eleven unicode segments", {"Content": "я" * 671}, 3),
    ("no price for the network", {"To": "+12025550123"}, 4),
    ("time is not one", {"Time": "tomorrow"}, 5),
    ("time does not exist", {"Time": "2030-02-30 10:00:00"}, 5),
    ("time is past", {"Time": "2013-06-02 10:56:34"}, 5),
    ("time beyond a year", {"Time": "2199-01-01 00:00"}, 5),
    ("content missing", {"Content": None}, 6),
    ("content empty", {"Content": ""}, 6),
    ("content with a blocked phrase", {"Content": "And This PHRASE is Blocked!"}, 6),
    ("binary content is not hex", {"Type": 1, "Content": "Hello"}, 6),
    ("header with text", {"Udh": "050003CC0101"}, 7),
    ("flash with binary", {"Type": 1, "Content": "00", "FlashMessage": True}, 7),
    ("type unknown", {"Type": 3}, 8),
    ("type is not a number", {"Type": "text"}, 8),
    ("header is not hex", {"Type": 1, "Content": "00", "Udh": "zz"}, 8),
    ("yes or no is neither", {"RegisteredDelivery": "perhaps"}, 8),
    ("reference too long", {"ClientReference": "r" * 256}, 8),
    ("billing information too long", {"BillingInfo": "b" * 256}, 8),
]


@pytest.mark.parametrize(("values", "sub_code"), [(values, code) for _, values, code in _REFUSED_VALUES],
                         ids=[name for name, _, _ in _REFUSED_VALUES])
@pytest.mark.parametrize("way", ["json", "form", "url"])
async def test_400_with_its_sub_code_leaves_nothing_behind(refused: Tenant, way: str, values: dict[str, object],
                                                           sub_code: int) -> None:
    before = await refused.footprint()
    given = {name: value for name, value in ({**_GOOD, **values}).items() if value is not None or way == "json"}
    if way == "json":
        reply = await refused.client.post("/v1/messages", **given)
    elif way == "form":
        reply = await refused.client.form("POST", "/v1/messages", **given)
    else:
        reply = await refused.client.get("/v1/messages/send", **given)
    assert reply.outcome == (400, sub_code), reply.body
    assert set(reply.json) == {"Status", "Detail"}
    assert reply.json["Detail"]
    assert await refused.footprint() == before


@pytest.mark.parametrize(("body", "content_type"), [
    (b"", _JSON), (b"  \n", _JSON), (b"", None), (b"{", _JSON), (b'{"From": "Makola", "To": ', _JSON), (b"[]", _JSON),
    (b'"text"', _JSON), (b"null", _JSON), (b"{}", _JSON), (b"\xff\xfe", _JSON), (b'{"From": "\xff"}', _JSON),
    (b"From=%FF&To=1", "application/x-www-form-urlencoded"), (b"From=\xff", "application/x-www-form-urlencoded"),
    (b"<From>Makola</From>", "application/xml"), (b"From=Makola", "text/plain"),
    (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"), (json.dumps(dict(_GOOD)).encode("utf-16"), _JSON),
])
@pytest.mark.parametrize("target", ["/v1/messages", "/v1/messages/send"])
async def test_400_100_where_nothing_was_sent_or_it_cannot_be_read(refused: Tenant, target: str, body: bytes,
                                                                   content_type: str | None) -> None:
    before = await refused.footprint()
    for client in (refused.client, replace(refused.client, in_url=True)):
        reply = await client.request("POST", target, body, content_type)
        assert reply.outcome == (400, 100), reply.body
    assert await refused.footprint() == before


async def test_200_and_201_with_0(tenant: Tenant) -> None:
    before = await tenant.footprint()
    quick = await tenant.client.get("/v1/messages/send", **_GOOD)
    posted = await tenant.client.post("/v1/messages/send", **_GOOD)
    sent = await tenant.client.post("/v1/messages", **_GOOD)
    assert [quick.outcome, posted.outcome, sent.outcome] == [(200, 0), (201, 0), (201, 0)]
    for reply in (quick, posted, sent):
        await tenant.reaches(reply.json["MessageId"], "Delivered")
    after = await tenant.footprint()
    assert after.messages == before.messages + 3
    assert after.transfers == before.transfers + 3
    assert after.balances == ((before.balances[0][0] - 3 * CREDIT, 0),)


@pytest.mark.parametrize("authorization", [
    None, "", "Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Basic Og==", "Basic /////w==", "Bearer", "Bearer x.y.z",
    "Digest username=a", "Basic AAA6AAA="])
async def test_401_without_good_credentials(hub: Hub, authorization: str | None) -> None:
    count = await hub.database.fetchval("SELECT count(*) FROM messaging.message")
    assert hub.runtime.asgi is not None
    client = Client(hub.runtime.asgi, authorization=authorization)
    for reply in (await client.post("/v1/messages", **_GOOD), await client.get("/v1/messages/send", **_GOOD),
                  await client.get("/v1/messages"), await client.get(f"/v1/messages/{uuid4().hex}"),
                  await client.delete(f"/v1/messages/{uuid4().hex}"), await client.get("/v1/account/settings")):
        assert reply.outcome == (401, 401)
        assert reply.headers["www-authenticate"].startswith(
            'Bearer realm="Makola", error="invalid_token"' if authorization in {"Bearer", "Bearer x.y.z"}
            else "Basic realm=")
    assert await hub.database.fetchval("SELECT count(*) FROM messaging.message") == count


async def test_401_with_the_secret_of_another(hub: Hub, tenant: Tenant) -> None:
    merchant = hub.demo("merchant")
    mixed = hub.client(tenant.client.client_id, merchant.client_secret)
    assert (await mixed.get("/v1/messages")).outcome == (401, 401)


async def test_402_where_the_account_has_no_credit(hub: Hub) -> None:
    assert (await hub.demo("penniless").post("/v1/messages", **_GOOD)).outcome == (402, 402)
    poor = await hub.tenant(credits_=1)
    before = await poor.footprint()
    assert (await poor.send("x" * 161)).outcome == (402, 402)
    assert await poor.footprint() == before
    assert (await poor.send("x" * 160)).outcome == (201, 0)
    assert (await poor.send("x")).outcome == (402, 402)


async def test_402_where_a_tier_above_has_no_credit(hub: Hub) -> None:
    reseller = await hub.tenant(credits_=0)
    below = await hub.tenant(below=reseller)
    before = await below.footprint()
    reply = await below.send()
    assert reply.outcome == (402, 402)
    assert await below.footprint() == before


@pytest.mark.parametrize("tier", [0, 1, 2])
async def test_403_where_the_recipient_is_on_the_list_of_any_tier(hub: Hub, tier: int) -> None:
    tenant = await hub.tenant(prices=(1, 1))
    number = new_number()
    async with hub.database.transaction() as connection:
        await add_to_list(connection, tenant.chain[tier], number)
    before = await tenant.footprint()
    for values in ({}, {"Time": ahead(days=30)}):
        assert (await tenant.send(to=number, **values)).outcome == (403, 403)
    assert await tenant.footprint() == before
    async with hub.database.transaction() as connection:
        await remove_from_list(connection, tenant.chain[tier], number)
    assert (await tenant.send(to=number)).outcome == (201, 0)


async def test_403_does_not_come_from_a_stranger_s_list(hub: Hub, tenant: Tenant) -> None:
    stranger, number = await hub.tenant(), new_number()
    async with hub.database.transaction() as connection:
        await add_to_list(connection, stranger.organisation_id, number)
    assert (await tenant.send(to=number)).outcome == (201, 0)


async def test_403_where_a_token_does_not_allow_it(hub: Hub) -> None:
    class Tokens:
        async def caller(self, *_: object) -> Caller:
            actor = Actor(1, (1,), 1, frozenset({"messages.read"}), "GH", "GMT")
            return Caller(actor, Application(1, 1, "App", "id", AnswerCasing.PASCAL, unique_client_reference=False))

    app = UnityApp(_context_of(hub), Tokens(), ENDPOINTS, max_body_bytes=1_000)  # type: ignore[arg-type] # a stand-in
    client = Client(app)
    assert (await client.post("/v1/messages", **_GOOD)).outcome == (403, 403)
    assert (await client.get("/v1/messages")).status == 200


async def test_404_for_what_is_not_there(refused: Tenant) -> None:
    for target in (f"/v1/messages/{uuid4().hex}", f"/v1/messages/{uuid4()}", "/v1/messages/1", "/v1/messages/%00",
                   "/v1/messages/%FF", f"/v1/messages/{'f' * 33}"):
        assert (await refused.client.get(target)).outcome == (404, 404)
        assert (await refused.client.put(target, Time=ahead(days=30))).outcome == (404, 404)
        assert (await refused.client.delete(target)).outcome == (404, 404)
    for target in ("/v1", "/v1/nothing", "/v1/messages/1/2", "/v2/messages", "/v3/account", "/v1/messages/send/it"):
        assert (await refused.client.get(target)).outcome == (404, 404)


@pytest.mark.parametrize(("method", "target", "allowed"), [
    ("PATCH", "/v1/messages", "GET, POST"), ("PUT", "/v1/messages/send", "GET, POST"), ("DELETE", "/v3/messages",
                                                                                         "GET, POST"),
    ("POST", "/v2/messages/send", "GET"), ("BREW", "/v1/account/settings", "GET, POST, PUT"),
    ("HEAD", "/v1/messages", "GET, POST"), ("OPTIONS", f"/v1/messages/{'0' * 32}", "DELETE, GET, POST, PUT")])
async def test_405_in_json_names_the_methods(refused: Tenant, method: str, target: str, allowed: str) -> None:
    reply = await refused.client.request(method, target)
    assert reply.outcome == (405, 405)
    assert reply.headers["allow"] == allowed


async def test_409_for_a_key_with_another_body(tenant: Tenant) -> None:
    client = tenant.client.with_headers(idempotency_key="one")
    assert (await client.post("/v1/messages", **_GOOD)).outcome == (201, 0)
    before = await tenant.footprint()
    assert (await client.post("/v1/messages", **{**_GOOD, "Content": "Other"})).outcome == (409, 409)
    assert (await tenant.footprint()).messages == before.messages


async def test_413_for_a_body_that_is_too_large(hub: Hub, tenant: Tenant) -> None:
    before = await tenant.footprint()
    large = json.dumps({**_GOOD, "Content": "x" * 10_000_000}).encode()
    for announce in (True, False):
        reply = await tenant.client.request("POST", "/v1/messages", large, _JSON, announce=announce)
        assert reply.outcome == (413, 413)
    fits = json.dumps({**_GOOD, "Ignored": ""}).encode()
    padding = hub.settings.max_body_bytes - len(fits)
    exactly = fits.replace(b'"Ignored": ""', b'"Ignored": "' + b"x" * padding + b'"')
    assert await tenant.footprint() == before
    assert (await tenant.client.request("POST", "/v1/messages", exactly, _JSON)).outcome == (201, 0)
    reply = await tenant.client.request("POST", "/v1/messages", exactly + b" ", _JSON)
    assert reply.outcome == (413, 413)


async def test_500_for_the_one_that_the_database_refuses_and_201_for_the_others(hub: Hub, tenant: Tenant) -> None:
    await hub.database.execute("""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no'; END$$""")
    await hub.database.execute("""
        CREATE TRIGGER refuse BEFORE INSERT ON messaging.message
        FOR EACH ROW WHEN (NEW.content = 'refused by the database') EXECUTE FUNCTION refuse()""")
    try:
        contents = ["first", "refused by the database", "third"] * 3
        replies = await asyncio.gather(*(tenant.send(content) for content in contents))
        alone = await tenant.send("refused by the database")
    finally:
        await hub.database.execute("DROP TRIGGER refuse ON messaging.message")
        await hub.database.execute("DROP FUNCTION refuse")
    assert [reply.outcome for reply in replies] == [
        (500, 500) if content.startswith("refused") else (201, 0) for content in contents]
    assert alone.outcome == (500, 500)
    for reply in replies:
        if reply.status == 201:
            await tenant.reaches(reply.json["MessageId"], "Delivered")
    after = await tenant.footprint()
    assert (after.messages, after.holds, after.transfers) == (6, 6, 6)
    assert after.balances == (((1_000 - 6) * CREDIT, 0),)


async def test_500_in_json_where_the_server_meets_what_it_did_not_expect(hub: Hub) -> None:
    class Broken:
        async def caller(self, *_: object) -> Caller:
            raise LookupError("a mistake in the program")

    app = UnityApp(_context_of(hub), Broken(), ENDPOINTS, max_body_bytes=1_000)  # type: ignore[arg-type] # a stand-in
    sent: list[dict[str, object]] = []

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b""}

    scope = {"type": "http", "method": "GET", "path": "/v1/messages", "query_string": b"", "headers": []}
    with pytest.raises(LookupError):  # the server logs it, and ends the connection
        await app(scope, receive, send)
    assert sent[0]["status"] == 500
    assert json.loads(sent[1]["body"])["Status"] == 500  # type: ignore[arg-type] # bytes


async def test_502_where_the_gateway_is_not_connected(hub: Hub) -> None:
    tenant = await hub.tenant(network_id="234")
    before = await tenant.footprint()
    for values in ({}, {"Time": ahead(days=30)}):
        assert (await tenant.send(to="+447400123456", **values)).outcome == (502, 502)
    assert await tenant.footprint() == before


async def test_503_with_retry_after_where_too_many_wait(module_database_url: str, hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text(json.dumps(hub.world))
    async with running_hub(module_database_url, tmp_path, world=False, accept_queue_limit=3,
                           accept_batch_limit=2) as narrow:
        tenant = await narrow.tenant()
        queue = narrow.runtime.accept_queue
        assert queue is not None
        async with hub.database.transaction() as connection:  # the writer waits for this lock
            await connection.execute("SELECT FROM ledger.account WHERE owner_id = $1 FOR UPDATE", tenant.chain[-1])
            storing = asyncio.create_task(tenant.send())
            await eventually(lambda: _is_waiting_for_a_lock(narrow))
            waiting = asyncio.gather(*(tenant.send() for _ in range(3)))
            await eventually(lambda: _value(queue.waiting_count == 3))
            refused = await tenant.send()
            assert refused.outcome == (503, 503)
            assert int(refused.headers["retry-after"]) >= 1
        replies = [await storing, *await waiting]
        assert [reply.outcome for reply in replies] == [(201, 0)] * 4
        assert (await tenant.footprint()).messages == 4


async def test_503_while_the_process_ends(module_database_url: str, hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text(json.dumps(hub.world))
    async with running_hub(module_database_url, tmp_path, world=False) as ending:
        tenant = await ending.tenant()
        assert ending.runtime.accept_queue is not None
        await ending.runtime.accept_queue.drain()
        assert (await tenant.send()).outcome == (503, 503)


def test_the_document_has_exactly_the_rows_of_the_code() -> None:
    rows = re.findall(r"^\| (\d{3}) \| (\d+|—) \| `?([a-z_, `]*?)`? *\|", _DOCUMENT.read_text(), re.MULTILINE)
    documented = {(int(status), int(sub_code), code.strip("` ")) for status, sub_code, codes in rows if sub_code != "—"
                  for code in codes.split(",") if code.strip("` ")}
    assert documented == {(status, sub_code, code) for code, (status, sub_code) in errors.TABLE.items()}


def test_every_error_that_a_client_can_meet_has_a_row() -> None:
    codes = {error.code for error in _leaves(DomainError)
             if error.__module__.startswith(("makola.core.messaging", "makola.core.numbering", "makola.kit.outgoing"))}
    assert codes <= set(errors.TABLE)


def _leaves(root: type[DomainError]) -> list[type[DomainError]]:
    below = [leaf for child in root.__subclasses__() for leaf in _leaves(child)]
    return below or [root]


def _context_of(hub: Hub) -> object:
    """The endpoints' context of a running process, which no endpoint that is refused needs whole."""
    return type("Context", (), {"database": hub.database})()


async def _value(value: bool) -> bool:
    return value


async def _is_waiting_for_a_lock(hub: Hub) -> bool:
    return bool(await hub.database.fetchval(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"))
