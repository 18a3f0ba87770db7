"""Every change is told to the organisation that ordered, in the transaction that makes it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from makola.core.callbacks.queries import list_deliveries
from makola.core.callbacks.service import enqueue
from makola.core.callbacks.signing_secrets import signing_secret
from makola.core.callbacks.types import Delivery
from makola.core.callbacks.workers import CallbackWorker
from makola.core.ordering.service import reseller, settings
from makola.core.ordering.types import Item, ShippedItem
from makola.kit.outgoing import AddressPolicy, InvalidUrlError, OutgoingHttp
from tests.ordering.world import World

_ANYWHERE = AddressPolicy(allow_private=True)


async def _listen(world: World, url: str, name: str = "E") -> None:
    async with world.database.transaction() as connection:
        await settings.save_callback_url(connection, world.actors[name], url, _ANYWHERE)


async def _told(world: World) -> list[Delivery]:
    return list(reversed(await list_deliveries(world.database, organisation_id=None)))


def _said(delivery: Delivery) -> dict[str, Any]:
    assert delivery.body is not None
    said: dict[str, Any] = json.loads(delivery.body)
    return said


async def test_each_change_is_told_once_in_order(world: World) -> None:
    await _listen(world, "https://shop.example/orders")
    order_id = await world.place("E", Item("PHONE", 3), number="PO-1")
    await world.attention(order_id, "no such street")
    async with world.database.transaction() as connection:
        await reseller.resubmit_order(connection, world.actors["E"], order_id, world.prices)
    await world.accept(order_id)
    await world.ship(order_id, ShippedItem(1, 1))
    await world.ship(order_id, ShippedItem(1, 1))
    await world.ship(order_id)
    await world.complete(order_id)
    told = sorted(map(_said, await _told(world)), key=lambda each: each["data"]["sequence"])
    assert [each["type"] for each in told] == [f"order.{name}" for name in (
        "created", "processing", "attention_required", "processing", "accepted", "part_shipped", "part_shipped",
        "shipped", "complete")]
    assert [each["data"]["sequence"] for each in told] == list(range(1, 10))
    assert told[2]["data"] == {
        "id": order_id, "organisation": world.actors["E"].organisation_id, "purchase_order_number": "PO-1",
        "status": "ATTENTION_REQUIRED", "reason": "no such street", "sequence": 3}
    order = await world.order(order_id)
    assert {delivery.subject_id for delivery in await _told(world)} == {order.reference}


async def test_cancelling_and_failing_are_told_too(world: World) -> None:
    await _listen(world, "https://shop.example/orders")
    first, second = await world.place(), await world.place()
    async with world.database.transaction() as connection:
        await reseller.cancel_order(connection, world.actors["E"], first)
    await world.fail(second)
    assert {"order.cancelled", "order.failed"} <= {delivery.event for delivery in await _told(world)}


async def test_nobody_is_told_where_nobody_listens(world: World) -> None:
    await _listen(world, "https://above.example/", "D")
    await world.place("E")
    assert await _told(world) == []
    await world.place("D")
    assert [delivery.organisation_id for delivery in await _told(world)] == [world.actors["D"].organisation_id]
    await _listen(world, "", "D")
    await world.place("D")
    assert len(await _told(world)) == 1


async def test_what_did_not_happen_is_not_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await _listen(world, "https://shop.example/orders")

    class _LostError(Exception):
        pass

    async def tell_and_die(*arguments: Any) -> None:
        await enqueue(*arguments)
        raise _LostError

    monkeypatch.setattr("makola.core.ordering.service.changes.enqueue", tell_and_die)
    with pytest.raises(_LostError):
        await world.place()
    monkeypatch.undo()
    assert await _told(world) == []
    assert await world.database.fetchval('SELECT count(*) FROM ordering."order"') == 0


async def test_a_url_that_cannot_be_called_is_refused(world: World) -> None:
    for url in ("ftp://shop.example/", "http://10.0.0.1/", "nowhere"):
        async with world.database.transaction() as connection:
            with pytest.raises(InvalidUrlError) as refused:
                await settings.save_callback_url(connection, world.actors["E"], url, AddressPolicy())
            assert refused.value.field == "callback_url"


@asynccontextmanager
async def _receiver(received: "asyncio.Queue[web.Request]") -> AsyncIterator[str]:
    async def take(request: web.Request) -> web.Response:
        await request.read()
        received.put_nowait(request)
        return web.Response()

    app = web.Application()
    app.router.add_post("/orders", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/orders"
    finally:
        await runner.cleanup()


async def test_it_arrives_signed(world: World) -> None:
    received: asyncio.Queue[web.Request] = asyncio.Queue()
    async with _receiver(received) as url, OutgoingHttp(_ANYWHERE) as http:
        await _listen(world, url)
        await world.place()
        worker = CallbackWorker(world.database, http)
        await worker.step()
        request = await asyncio.wait_for(received.get(), 30)
        await worker.stop()
    secret = await signing_secret(world.database, world.actors["E"].organisation_id)
    said = Webhook(secret).verify(await request.read(), dict(request.headers))
    assert said["type"] == "order.created"
