"""The list of messages: pages, filters and their order; and that it costs the same however long it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from tests.statements import logged
from tests.unity.hub import Hub, Tenant, ahead, new_number

_COUNT = 12


@pytest_asyncio.fixture(scope="module")
async def history(hub: Hub) -> Tenant:
    """A tenant with twelve messages sent, a minute apart, the oldest first; three that wait; two that came in."""
    tenant = await hub.tenant()
    for number in range(_COUNT):
        message_id = await tenant.sent(f"sent {number}")
        await tenant.reaches(message_id, "Delivered")
        await _set_time(hub, message_id, f"2020-01-01 10:{number:02}:00+00")
    for number in range(3):
        await tenant.sent(f"waits {number}", Time=ahead(days=number + 1))
    for number in range(2):
        await hub.database.execute(
            """INSERT INTO messaging.message (id, organisation_id, inbound, pending, scheduled, registered_delivery,
                   flash, kind, status, units, price_units, time, created_at, updated_at, valid_until, sender,
                   recipient, network_id, connector, content, udh, client_reference, billing_info)
               VALUES (gen_random_uuid(), $1, true, false, false, false, false, 0, 20, 1, 0, $3::text::timestamptz,
                       now(), now(), now(), $2, '1400', '62001', 'sandbox', $4, '', '', '')""",
            tenant.organisation_id, new_number(), f"2020-01-01 12:{number:02}:00+00", f"came {number}")
    return tenant


async def _set_time(hub: Hub, message_id: str, time: str) -> None:
    await hub.database.execute("UPDATE messaging.message SET time = $2::text::timestamptz WHERE id = $1",
                               UUID(message_id), time)


async def _contents(tenant: Tenant, **query: object) -> list[str]:
    reply = await tenant.client.get("/v1/messages", **query)
    assert reply.status == 200, reply.body
    return [message["Content"] for message in reply.json["Messages"]]


def _sent(*numbers: int) -> list[str]:
    return [f"sent {number}" for number in numbers]


_CAME = ["came 0", "came 1"]


@pytest.mark.parametrize(("query", "expected"), [
    ({}, [*_sent(*range(_COUNT)), *_CAME]),
    ({"pending": "false"}, [*_sent(*range(_COUNT)), *_CAME]),
    ({"pending": "true"}, ["waits 0", "waits 1", "waits 2"]), ({"Pending": "Yes", "INDEX": 1}, ["waits 1", "waits 2"]),
    ({"direction": "out"}, _sent(*range(_COUNT))), ({"direction": "IN"}, _CAME),
    ({"pending": 1, "direction": "in"}, []),
    ({"limit": 3}, _sent(0, 1, 2)), ({"index": 10, "limit": 3}, [*_sent(10, 11), "came 0"]), ({"index": 14}, []),
    ({"start": "2020-01-01 10:05"}, [*_sent(*range(5, _COUNT)), *_CAME]),
    ({"end": "2020-01-01 10:02:00"}, _sent(0, 1, 2)), ({"end": "2020-01-01 10:01:59"}, _sent(0, 1)),
    ({"start": "2020-01-01T10:03:00Z", "end": "2020-01-01T12:04:00+02:00"}, _sent(3, 4)),
    ({"start": "2020-01-02"}, []), ({"end": "2020-01-02"}, [*_sent(*range(_COUNT)), *_CAME]),
    ({"start": "", "end": "", "limit": "", "index": "", "direction": "", "pending": ""},
     [*_sent(*range(_COUNT)), *_CAME])])
async def test_filters_and_pages(history: Tenant, query: dict[str, object], expected: list[str]) -> None:
    assert await _contents(history, **query) == expected


@pytest.mark.parametrize(("limit", "index", "pages"), [(100, 0, 1), (1, 0, 14), (5, 0, 3), (5, 99, 3), (14, 0, 1),
                                                       (13, 0, 2), (1000, 0, 1)])
async def test_the_figures_of_a_page(history: Tenant, limit: int, index: int, pages: int) -> None:
    page = (await history.client.get("/v1/messages", limit=limit, index=index)).json
    assert {name: page[name] for name in ("Count", "TotalPages", "Index", "Limit")} == {
        "Count": _COUNT + 2, "TotalPages": pages, "Index": index, "Limit": limit}


async def test_an_empty_list(tenant: Tenant) -> None:
    assert (await tenant.client.get("/v1/messages")).json == {
        "Messages": [], "Count": 0, "TotalPages": 0, "Index": 0, "Limit": 100}


@pytest.mark.parametrize(("query", "sub_code"), [
    ("limit=0", 8), ("limit=1001", 8), ("limit=-1", 8), ("limit=ten", 8), ("limit=1e2", 8), ("limit=%D9%A1", 8),
    ("index=-1", 8), ("index=99999999999999999999999", 8), ("index=0x1", 8), ("pending=perhaps", 8),
    ("direction=up", 8), ("start=yesterday", 5), ("end=2020-13-01", 5), ("start=%00", 5), ("start=%FF", 100)])
async def test_what_cannot_be_asked(refused: Tenant, query: str, sub_code: int) -> None:
    assert (await refused.client.get(f"/v1/messages?{query}")).outcome == (400, sub_code)


async def test_pages_follow_each_other_without_a_gap_even_within_one_second(hub: Hub) -> None:
    tenant = await hub.tenant()
    for number in range(9):
        await _set_time(hub, await tenant.sent(f"{number}"), "2021-01-01 00:00:00+00")
    pages = [await _contents(tenant, index=index, limit=2) for index in range(0, 9, 2)]
    together = [content for page in pages for content in page]
    assert sorted(together) == [str(number) for number in range(9)]
    assert together == await _contents(tenant)


async def test_the_list_costs_the_same_number_of_statements_whatever_its_length(hub: Hub, history: Tenant) -> None:
    fewest = []
    for limit in (1, 10, 1000):
        counts = []
        for _ in range(5):  # background work and forgotten credentials can only add to what a request asks
            async with _statements(hub) as statements:
                await history.client.get("/v1/messages", limit=limit)
            counts.append(len(statements))
        fewest.append(min(counts))
    assert len(set(fewest)) == 1, fewest
    assert fewest[0] <= 4, fewest


async def test_the_list_s_order_comes_from_its_index(hub: Hub, history: Tenant) -> None:
    """On a table of any size a page is read from the index in its order, and nothing is sorted."""
    async with _statements(hub) as statements:
        await history.client.get("/v1/messages", limit=10)
    (page,) = [sql for sql, _ in statements if "OFFSET" in sql]
    (arguments,) = [arguments for sql, arguments in statements if "OFFSET" in sql]
    async with hub.database.transaction() as connection:
        for setting in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
            await connection.execute(f"SET LOCAL {setting} = off")
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {page}", *arguments))
    assert "Index Scan using message_list" in plan, plan
    assert "Sort" not in plan, plan


@asynccontextmanager
async def _statements(hub: Hub) -> AsyncIterator[list[tuple[str, Any]]]:
    """Collect what is asked of the database, by this process, while the block runs, by a request."""
    seen: list[tuple[str, Any]] = []

    def note(query: Any) -> None:
        if any(table in query.query for table in ("messaging.message", "organisations.", "applications.")) and (
                "due_at <=" not in query.query):
            seen.append((query.query, query.args))

    async with logged(hub.database, note):
        yield seen
