"""The control over HTTP: its answers, its refusals, its event streams."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from makola.connectors.sandbox import feed
from makola.core.messaging.types import MessageKind
from makola.kit.database import Database
from tests.sandbox.operator_app import RunningOperator, running_operator
from tests.sandbox.operator_world import eventually, outgoing

NUMBER = "+233241234567"
PATH = f"/sandbox/handsets/{NUMBER}"


@dataclass(frozen=True)
class Event:
    """One server-sent event."""

    name: str
    data: dict[str, object]
    id: str


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "event" in fields:
            yield Event(fields["event"], json.loads(fields["data"]), fields["id"])
            fields = {}


@asynccontextmanager
async def _listening(running: RunningOperator, path: str,
                     headers: dict[str, str] | None = None) -> AsyncIterator[AsyncIterator[Event]]:
    async with asyncio.timeout(30), running.client.stream("GET", path, headers=headers or {}) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _events(response.aiter_lines())


async def _next(events: AsyncIterator[Event], name: str) -> Event:
    async for event in events:
        if event.name == name:
            return event
    raise AssertionError(f"the stream ended before {name}")


async def test_a_handset_from_its_making_to_its_end(running: RunningOperator) -> None:
    client = running.client
    made = await client.post("/sandbox/handsets", json={"network_id": "62002", "name": "Esi"})
    assert made.status_code == 201
    number = made.json()["number"]
    assert made.headers["location"] == f"/sandbox/handsets/{number}"
    assert made.json() == {
        "number": number, "network_id": "62002", "network": "Vodafone", "name": "Esi", "state": "on",
        "refusal": None, "receipt_status": None, "deferral": False, "waiting": 0, "last_message_id": 0,
        "cleared_to": 0, "created_at": made.json()["created_at"]}
    changed = await client.patch(f"/sandbox/handsets/{number}", json={
        "state": "off", "refusal": "Invalid Message ID", "receipt_status": "DELETED", "deferral": True})
    assert changed.status_code == 200
    assert (await client.get(f"/sandbox/handsets/{number[1:]}")).json() == changed.json() == {
        **made.json(), "state": "off", "refusal": "invalid_message_id", "receipt_status": "deleted",
        "deferral": True}
    cleared = await client.patch(f"/sandbox/handsets/{number}", json={"refusal": None})
    assert (cleared.json()["refusal"], cleared.json()["receipt_status"]) == (None, "deleted")
    assert (await client.get("/sandbox/handsets")).json() == {"handsets": [cleared.json()]}
    assert (await client.delete(f"/sandbox/handsets/{number}")).status_code == 204
    assert (await client.get(f"/sandbox/handsets/{number}")).status_code == 404


async def test_messages_are_listed_sent_and_deleted(running: RunningOperator) -> None:
    client, world = running.client, running.world
    await client.post("/sandbox/handsets", json={"number": NUMBER})
    message = outgoing(NUMBER, "Ɛte sɛn?", kind=MessageKind.UNICODE, flash=True)
    await world.take(message)
    shown = await eventually(lambda: _messages(client))
    assert shown == [{
        "id": shown[0]["id"], "number": NUMBER, "direction": "received", "peer": "Makola", "kind": "unicode",
        "content": "Ɛte sɛn?", "udh": "", "units": 1, "flash": True, "message_id": message.message_id.hex,
        "at": shown[0]["at"]}]
    sent = await client.post(PATH + "/messages", json={"to": "1902", "content": "STOP"})
    assert sent.status_code == 201
    after = await client.get(PATH + "/messages", params={"after": str(shown[0]["id"]), "limit": "5"})
    assert after.json() == {"messages": [sent.json()]}
    assert (await client.delete(PATH + "/messages")).status_code == 204
    assert (await client.get(PATH + "/messages")).json() == {"messages": []}


async def test_the_operator_is_shown_and_changed(running: RunningOperator) -> None:
    before = (await running.client.get("/sandbox/operator")).json()
    assert (before["available"], before["delivery_delay_ms"], before["buffer_expiry_s"]) == (True, 20, 86400)
    assert {"network_id": "62001", "name": "MTN"} in before["networks"]
    changed = await running.client.patch("/sandbox/operator", json={"available": False, "delivery_delay_ms": 0})
    assert changed.json() == {**before, "available": False, "delivery_delay_ms": 0}
    assert (await running.client.get("/sandbox/operator")).json() == changed.json()


REFUSED = [
    ("GET", PATH, b"", 404, "handset_not_found", "number"),
    ("GET", "/sandbox/handsets/nonsense", b"", 404, "handset_not_found", "number"),
    ("PATCH", PATH, b'{"state": "off"}', 404, "handset_not_found", "number"),
    ("DELETE", PATH, b"", 404, "handset_not_found", "number"),
    ("GET", PATH + "/events", b"", 404, "handset_not_found", "number"),
    ("GET", PATH + "/messages?limit=0", b"", 400, "invalid", "limit"),
    ("GET", PATH + "/messages?limit=1001", b"", 400, "invalid", "limit"),
    ("GET", PATH + "/messages?after=-1", b"", 400, "invalid", "after"),
    ("GET", PATH + "/messages?after=99999999999999999999", b"", 400, "invalid", "after"),
    ("GET", "/sandbox/events?after=x", b"", 400, "invalid", "after"),
    ("POST", "/sandbox/handsets", b"", 400, "invalid", ""),
    ("POST", "/sandbox/handsets", b"{", 400, "invalid", ""),
    ("POST", "/sandbox/handsets", b'"\xff"', 400, "invalid", ""),
    ("POST", "/sandbox/handsets", b"[]", 400, "invalid", ""),
    ("POST", "/sandbox/handsets", b'{"number": "12"}', 400, "invalid", "number"),
    ("POST", "/sandbox/handsets", b'{"number": 12}', 400, "invalid", "number"),
    ("POST", "/sandbox/handsets", b'{"nmber": "12"}', 400, "invalid", ""),
    ("POST", "/sandbox/handsets", b'{"name": "\\ud800"}', 400, "invalid", ""),
    ("POST", "/sandbox/handsets", b'{"network_id": "1"}', 400, "invalid", "network_id"),
    ("PATCH", PATH, b'{"state": "asleep"}', 400, "invalid", "state"),
    ("PATCH", PATH, b'{"refusal": "nonsense"}', 400, "invalid", "refusal"),
    ("PATCH", PATH, b'{"receipt_status": "accepted"}', 400, "invalid", "receipt_status"),
    ("PATCH", "/sandbox/operator", b'{"delivery_delay_ms": 1e99}', 400, "invalid", "delivery_delay_ms"),
    ("PATCH", "/sandbox/operator", b'{"buffer_expiry_s": 0}', 400, "invalid", "buffer_expiry_s"),
    ("POST", PATH + "/messages", b'{"to": "1902"}', 400, "invalid", ""),
    ("POST", PATH + "/messages", b'{"to": "1902", "content": "a"}', 404, "handset_not_found", "number"),
    ("POST", "/sandbox/handsets", b'{"name": "%s"}' % (b"x" * 70_000), 413, "request_entity_too_large", ""),
]


async def test_every_refusal_is_json_and_says_why(running: RunningOperator) -> None:
    for method, path, content, status, code, field in REFUSED:
        answer = await running.client.request(method, path, content=content,
                                              headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["error"], answer.json()["field"]) == (status, code, field), (
            method, path, content, answer.text)
        assert answer.json()["detail"]
    assert (await running.client.get("/sandbox/handsets")).json() == {"handsets": []}


@pytest.mark.parametrize("headers", [
    {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "text/plain"}, {},
    {"Content-Type": "application/json", "Origin": "http://elsewhere.example"},
    {"Content-Type": "application/json", "Origin": "null"},
    {"Content-Type": "application/json", "Origin": "http://["},
])
async def test_pages_of_other_sites_can_change_nothing(running: RunningOperator, headers: dict[str, str]) -> None:
    answer = await running.client.post("/sandbox/handsets", content=b"{}", headers=headers)
    assert answer.status_code in {403, 415}
    assert answer.json()["error"] in {"other_origin", "not_json"}
    assert (await running.client.get("/sandbox/handsets")).json() == {"handsets": []}


async def test_deleting_from_another_site_is_refused_and_our_own_pages_may(running: RunningOperator) -> None:
    own = {"Origin": running.url}
    assert (await running.client.post("/sandbox/handsets", json={"number": NUMBER}, headers=own)).status_code == 201
    other = {"Origin": "http://elsewhere.example"}
    assert (await running.client.delete(PATH, headers=other)).status_code == 403
    assert (await running.client.delete(PATH, headers=own)).status_code == 204


async def test_a_stream_tells_messages_and_changes_of_its_handset_only(running: RunningOperator) -> None:
    for number in (NUMBER, "+233201234567"):
        await running.client.post("/sandbox/handsets", json={"number": number})
    async with _listening(running, PATH + "/events") as events:
        assert (await _next(events, "handset")).data["state"] == "on"
        await running.world.take(outgoing("+233201234567", "not for us"))
        await running.world.take(outgoing(NUMBER, "for us"))
        told = await _next(events, "messages")
        assert [message["content"] for message in told.data["messages"]] == ["for us"]  # type: ignore[attr-defined]
        await running.client.patch(PATH, json={"state": "off"})
        assert (await _next(events, "handset")).data["state"] == "off"
        await running.client.delete(PATH)
        assert (await _next(events, "gone")).data == {"number": NUMBER}
        with pytest.raises(StopAsyncIteration):
            await anext(events)


async def test_a_stream_is_resumed_where_it_was_left(running: RunningOperator) -> None:
    await running.client.post("/sandbox/handsets", json={"number": NUMBER})
    async with _listening(running, PATH + "/events") as events:
        await running.world.take(outgoing(NUMBER, "1"))
        left_at = (await _next(events, "messages")).id
    await running.world.take(outgoing(NUMBER, "2"))
    async with _listening(running, PATH + "/events?after=0", {"Last-Event-ID": left_at}) as events:
        first = await _next(events, "messages")
        assert [message["content"] for message in first.data["messages"]] == ["2"]  # type: ignore[attr-defined]
    async with _listening(running, "/sandbox/events?after=0") as events:
        everything = await _next(events, "messages")
        assert len(everything.data["messages"]) == 2  # type: ignore[arg-type]


async def test_the_stream_of_all_tells_of_changes_and_bursts_in_few_events(running: RunningOperator) -> None:
    await running.client.post("/sandbox/handsets", json={"number": NUMBER})
    async with _listening(running, "/sandbox/events") as events:
        first = await _next(events, "handsets")
        await running.client.patch(PATH, json={"name": "Ama"})
        assert (await _next(events, "handsets")).data["revision"] > first.data["revision"]  # type: ignore[operator]
        burst = [outgoing(NUMBER, str(number)) for number in range(2000)]
        await running.world.connector.submit(burst)
        count, last = 0, 0
        newest = (await running.world.database.fetchval("SELECT coalesce(max(id), 0) FROM sandbox.message")) + 2000
        while last < newest:
            told = await _next(events, "messages")
            count, last = count + 1, int(told.id)
            assert len(told.data["messages"]) <= 100  # type: ignore[arg-type]
        assert count < 10


async def test_streams_end_at_once_when_the_process_drains(database: Database) -> None:
    async with running_operator(database) as running:
        await running.client.post("/sandbox/handsets", json={"number": NUMBER})
        async with _listening(running, PATH + "/events") as events:
            await _next(events, "handset")
            began = time.monotonic()
            running.background.stopping.set()
            with pytest.raises(StopAsyncIteration):
                await anext(events)
            assert time.monotonic() - began < 10


async def test_a_silent_stream_says_that_it_lives(database: Database) -> None:
    async with (running_operator(database, heartbeat_s=0.1) as running, asyncio.timeout(30),
                running.client.stream("GET", "/sandbox/events") as response):
        async for line in response.aiter_lines():
            if line.startswith(":"):
                break


async def test_there_is_an_end_to_streams(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_STREAMS_AT_MOST", 1)
    async with running_operator(database) as running:
        async with _listening(running, "/sandbox/events") as events:
            await _next(events, "ready")
            refused = await running.client.get("/sandbox/events")
            assert (refused.status_code, refused.json()["error"]) == (503, "too_many_streams")
        assert await eventually(lambda: _streams(running.client))


async def _streams(client: httpx.AsyncClient) -> bool:
    async with client.stream("GET", "/sandbox/events") as response:
        return response.status_code == 200


async def _messages(client: httpx.AsyncClient) -> list[dict[str, object]]:
    found: list[dict[str, object]] = (await client.get(PATH + "/messages")).json()["messages"]
    return found
