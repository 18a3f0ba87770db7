"""Isolation, crashes, several workers."""

import asyncio
import time
from dataclasses import replace
from uuid import UUID

import pytest
from aiohttp import web

from makola.core.callbacks import sending
from makola.core.callbacks.lanes import Claimed
from makola.core.callbacks.queries import get_delivery
from makola.core.callbacks.store import Outcome
from makola.core.callbacks.types import CallbackPolicy, DeliveryState
from makola.core.callbacks.workers import CallbackWorker
from makola.kit.database import Database
from makola.kit.outgoing import HttpClient
from makola.kit.outgoing.direct import DirectHttp
from tests.callbacks.receivers import (
    LOCAL,
    QUICK,
    Seen,
    callback,
    eventually,
    hang,
    receiver,
    send,
    settled,
    states,
    working,
)


async def test_a_hung_receiver_delays_nobody(database: Database) -> None:
    async with receiver(hang) as hung, receiver() as fast, working(database, CallbackPolicy()):
        await send(database, *(callback(hung.url) for _ in range(50)))
        await eventually(lambda: bool(hung.seen))
        started = time.perf_counter()
        await send(database, *(callback(fast.url) for _ in range(50)))
        await eventually(lambda: len(fast.seen) == 50)
        assert time.perf_counter() - started < CallbackPolicy().timeout_s
        assert len(hung.seen) <= CallbackPolicy().in_flight_per_receiver
        assert (await states(database))["pending"] >= 50


async def test_many_hung_receivers_at_once_delay_nobody_for_long(database: Database) -> None:
    """When a process starts and knows none of them: the worst there is."""
    policy = replace(CallbackPolicy(), in_flight_limit=8)
    async with receiver(hang) as hung, receiver() as fast:
        await send(database, *(callback(hung.url, organisation_id=one) for one in range(1, 11)),
                   *(callback(fast.url, organisation_id=99) for _ in range(20)))
        async with working(database, policy):
            await eventually(lambda: len(fast.seen) == 20)
            assert len(hung.seen) == 10


async def test_slots_are_filled_as_they_become_free(database: Database) -> None:
    """One slow answer does not hold back the rest of its own receiver's queue either."""
    first = asyncio.Event()

    async def slow_once(seen: Seen) -> web.Response:
        if b'"slow"' in seen.body:
            first.set()
            await asyncio.sleep(60)
        return web.Response()

    async with receiver(slow_once) as server, working(database, CallbackPolicy()):
        await send(database, callback(server.url))
        await settled(database)
        slow = callback(server.url, parameters=(("a", "slow"),))
        await send(database, slow, *(callback(server.url) for _ in range(60)))
        await eventually(lambda: len(server.seen) == 62)
        assert first.is_set()


async def test_after_a_crash_another_worker_sends_under_the_same_id(database: Database) -> None:
    policy = replace(QUICK, lease_s=0.5)
    async with receiver(hang) as server:
        async with DirectHttp(LOCAL) as http:
            doomed = CallbackWorker(database, http, policy)
            [webhook_id] = await send(database, callback(server.url))
            await doomed.step()
            await eventually(lambda: len(server.seen) == 1)
        server.respond = _thanks
        # The first process is gone: its connections are closed and nothing was recorded.
        async with working(database, policy):
            await settled(database)
    assert [seen.webhook_id for seen in server.seen] == [webhook_id] * 2
    history = await get_delivery(database, UUID(webhook_id), organisation_id=None)
    assert history.delivery.state is DeliveryState.DELIVERED
    assert [one.status for one in history.attempts] == [200]


async def _thanks(_seen: Seen) -> web.Response:
    return web.Response()


async def test_a_lease_keeps_others_away(database: Database) -> None:
    async with receiver(hang) as server, DirectHttp(LOCAL) as http:
        first, second = CallbackWorker(database, http), CallbackWorker(database, http)
        await send(database, callback(server.url))
        await first.step()
        await eventually(lambda: len(server.seen) == 1)
        for _ in range(3):
            await second.step()
        await asyncio.sleep(0.05)
        assert len(server.seen) == 1
        await first.stop(grace_s=0)
        await second.step()  # given back by the first
        await eventually(lambda: len(server.seen) == 2)
        await second.stop(grace_s=0)


async def test_a_late_outcome_does_not_undo_a_later_one(database: Database) -> None:
    """A worker that lost its lease writes its attempt down and moves nothing."""
    release = asyncio.Event()

    async def late_failure(seen: Seen) -> web.Response:
        if len(server.seen) == 1:
            await release.wait()
            return web.Response(status=410)
        return web.Response()

    async with receiver(late_failure) as server, DirectHttp(LOCAL) as http:
        slow = CallbackWorker(database, http, replace(QUICK, lease_s=0.2))
        [webhook_id] = await send(database, callback(server.url))
        await slow.step()
        await eventually(lambda: len(server.seen) == 1)
        async with working(database):
            await settled(database)
        release.set()
        await slow.stop()
    history = await get_delivery(database, UUID(webhook_id), organisation_id=None)
    assert history.delivery.state is DeliveryState.DELIVERED
    assert [(one.number, one.status) for one in history.attempts] == [(1, 200), (2, 410)]


async def test_several_workers_share_the_work(database: Database) -> None:
    async with (receiver() as first, receiver() as second, working(database), working(database),
                working(database)):
        ids = await send(database, *(callback((first, second)[number % 2].url, organisation_id=number % 5)
                                     for number in range(400)))
        await settled(database)
    seen = [one.webhook_id for one in first.seen + second.seen]
    assert sorted(seen) == sorted(ids)
    assert await database.fetchval("SELECT count(*) FROM callbacks.attempt") == 400


async def test_what_is_under_way_is_finished_before_the_end(database: Database) -> None:
    async def takes_a_while(_seen: Seen) -> web.Response:
        await asyncio.sleep(0.2)
        return web.Response()

    async with receiver(takes_a_while) as server, DirectHttp(LOCAL) as http:
        worker = CallbackWorker(database, http)
        await send(database, callback(server.url))
        await worker.step()
        await worker.stop(grace_s=5)
    assert await states(database) == {"delivered": 1}


async def test_a_defect_of_ours_costs_one_attempt_and_not_the_process(
        database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sending.attempt

    async def broken_for_one(http: HttpClient, policy: CallbackPolicy, delivery: Claimed) -> Outcome:
        if delivery.organisation_id == 13:
            raise ZeroDivisionError
        return await real(http, policy, delivery)

    monkeypatch.setattr(sending, "attempt", broken_for_one)
    async with receiver() as server, working(database):
        await send(database, callback(server.url, organisation_id=13))
        await send(database, *(callback(server.url) for _ in range(20)))
        await eventually(lambda: len(server.seen) == 20)
    assert (await states(database))["pending"] == 1
