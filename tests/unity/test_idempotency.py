"""The same request again gets the first answer: in turn, at once, and from two processes."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.unity.asgi_client import Client, Reply
from tests.unity.hub import CREDIT, Hub, Tenant, ahead, new_number, running_hub


def _keyed(tenant: Tenant, key: str) -> Client:
    return tenant.client.with_headers(idempotency_key=key)


def _body(**values: object) -> dict[str, object]:
    return {"From": "Makola", "To": "+233241234567", "Content": "Hello"} | values


def _same(*replies: Reply) -> None:
    assert {(reply.status, reply.body, reply.headers.get("location")) for reply in replies} == {
        (replies[0].status, replies[0].body, replies[0].headers.get("location"))}


@pytest.mark.parametrize("later", [{}, {"Time": True}])
async def test_a_key_twice(tenant: Tenant, later: dict[str, object]) -> None:
    client = _keyed(tenant, "order-1")
    body = _body(ClientReference="1234", **({"Time": ahead(days=1)} if later else {}))
    first, again = await client.post("/v1/messages", **body), await client.post("/v1/messages", **body)
    assert first.outcome == (201, 0)
    _same(first, again)
    after = await tenant.footprint()
    assert (after.messages, after.keys) == (1, 1)


async def test_the_first_answer_holds_when_the_message_has_moved_on(tenant: Tenant) -> None:
    client = _keyed(tenant, "order-1")
    first = await client.post("/v1/messages", **_body())
    await tenant.reaches(first.json["MessageId"], "Delivered")
    _same(first, await client.post("/v1/messages", **_body()))
    assert (await tenant.footprint()).balances == (((1_000 - 1) * CREDIT, 0),)


async def test_the_spelling_of_names_and_where_the_credentials_stand_do_not_matter(tenant: Tenant) -> None:
    client = _keyed(tenant, "order-1")
    first = await client.post("/v1/messages", **_body())
    spelled = await client.send_json("POST", "/v3/messages/send/", {
        "content": "Hello", "TO": "+233241234567", "from": "Makola"})
    assert spelled.json == first.json
    form = await client.form("POST", "/v1/messages", **_body())
    assert form.json == first.json
    in_url = Client(client.asgi, client.client_id, client.client_secret, in_url=True,
                    extra_headers=client.extra_headers)
    assert (await in_url.get("/v1/messages/send", **_body())).json == first.json
    assert (await tenant.footprint()).messages == 1


@pytest.mark.parametrize("change", [{"Content": "Other"}, {"To": "+233241234568"}, {"ClientReference": "2"},
                                    {"Time": "2199-01-01 00:00"}, {"Ignored": "field"}])
async def test_a_key_with_another_body_is_409(tenant: Tenant, change: dict[str, object]) -> None:
    client = _keyed(tenant, "order-1")
    first = await client.post("/v1/messages", **_body())
    other = await client.post("/v1/messages", **_body(**change))
    assert other.status in {409, 400}
    assert (other.status == 400) == ("Time" in change)  # what is wrong in itself is told first
    _same(first, await client.post("/v1/messages", **_body()))
    assert (await tenant.footprint()).messages == 1


async def test_a_refusal_is_no_first_answer(hub: Hub) -> None:
    tenant = await hub.tenant(credits_=1)
    client = _keyed(tenant, "order-1")
    assert (await client.post("/v1/messages", **_body(Content="x" * 161))).outcome == (402, 402)
    assert (await client.post("/v1/messages", **_body())).outcome == (201, 0)


async def test_a_key_is_one_application_s(hub: Hub, tenant: Tenant) -> None:
    other = await hub.tenant()
    first = await _keyed(tenant, "order-1").post("/v1/messages", **_body())
    second = await _keyed(other, "order-1").post("/v1/messages", **_body(Content="Other"))
    assert first.json["MessageId"] != second.json["MessageId"]


@pytest.mark.parametrize(("key", "outcome"), [
    ("k" * 255, (201, 0)), ("k" * 256, (400, 8)), ("tab\tin it", (400, 8)), ("Größe", (201, 0)), ("", (201, 0)),
    ("À la carte 日本".encode().decode("latin-1"), (201, 0))])
async def test_the_keys_that_can_be(tenant: Tenant, key: str, outcome: tuple[int, int]) -> None:
    reply = await _keyed(tenant, key).post("/v1/messages", **_body())
    assert reply.outcome == outcome
    if reply.status == 400:
        assert "Idempotency-Key" in reply.json["Detail"]


async def test_many_at_once_are_one_message(tenant: Tenant) -> None:
    for round_ in range(5):
        client = _keyed(tenant, f"round {round_}")
        replies = await asyncio.gather(*(client.post("/v1/messages", **_body()) for _ in range(10)))
        assert replies[0].outcome == (201, 0)
        _same(*replies)
    assert (await tenant.footprint()).messages == 5


async def test_many_at_once_through_two_processes_are_one_message(module_database_url: str, hub: Hub,
                                                                  tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text(json.dumps(hub.world))
    async with running_hub(module_database_url, tmp_path, world=False) as other:
        tenant = await hub.tenant()
        there = other.client(tenant.client.client_id, tenant.client.client_secret)
        for round_ in range(15):
            clients = [client.with_headers(idempotency_key=f"round {round_}") for client in (tenant.client, there) * 2]
            replies = await asyncio.gather(*(client.post("/v1/messages", **_body()) for client in clients))
            assert replies[0].outcome == (201, 0), replies[0].body
            _same(*replies)
        assert (await tenant.footprint()).messages == 15


async def test_a_repeated_reference_where_the_application_asks_for_uniqueness(hub: Hub) -> None:
    tenant = await hub.tenant(unique_client_reference=True)
    first = await tenant.send("one", ClientReference="1234")
    again = await tenant.send("another", to=new_number(), ClientReference="1234")
    _same(first, again)
    assert (await tenant.send("one", ClientReference="1235")).json["MessageId"] != first.json["MessageId"]
    without = [await tenant.send("one"), await tenant.send("one", ClientReference="")]
    assert len({reply.json["MessageId"] for reply in without}) == 2
    assert (await tenant.footprint()).messages == 4


async def test_a_repeated_reference_where_it_does_not(tenant: Tenant) -> None:
    replies = [await tenant.send("one", ClientReference="1234") for _ in range(2)]
    assert len({reply.json["MessageId"] for reply in replies}) == 2
