"""The webhook connector against a real HTTP server on this machine, and a warehouse's program against its endpoint."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from aiohttp import web
from litestar import Litestar
from standardwebhooks import Webhook

from makola.connectors.webhook_fulfilment import WebhookFulfilment, create_fulfilment_router
from makola.core.callbacks.signatures import new_secret
from makola.core.ordering.service import reseller
from makola.core.ordering.service.processing import HandoverPolicy, Processing
from makola.core.ordering.types import Item, OrderState, ShippedItem
from makola.kit.outgoing import AddressPolicy, OutgoingHttp
from tests.ordering.world import UNIT, UNITED_KINGDOM, World, check_ledger

SECRET = new_secret()


@dataclass
class Warehouse:
    """A warehouse's program: it keeps what it gets and answers what it is told to."""

    status: int = 204
    answer: object = None
    delay_s: float = 0
    received: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.received.append(Webhook(SECRET).verify(body, dict(request.headers)))
        self.ids.append(request.headers["webhook-id"])
        if self.answer is None:
            return web.Response(status=self.status)
        return web.Response(status=self.status, body=json.dumps(self.answer))


@asynccontextmanager
async def _served(warehouse: Warehouse) -> AsyncIterator[Warehouse]:
    app = web.Application()
    app.router.add_post("/orders", warehouse.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    warehouse.url = f"http://127.0.0.1:{runner.addresses[0][1]}/orders"
    try:
        yield warehouse
    finally:
        await runner.cleanup()


@pytest_asyncio.fixture
async def warehouse() -> AsyncIterator[Warehouse]:
    async with _served(Warehouse()) as served:
        yield served


@asynccontextmanager
async def _processing(world: World, url: str) -> AsyncIterator[Processing]:
    async with OutgoingHttp(AddressPolicy(allow_private=True)) as http:
        yield Processing(world.database, world.prices, WebhookFulfilment(http, url, SECRET, timeout_s=2),
                         HandoverPolicy((60,), lease_s=30))


async def test_an_order_arrives_signed_and_without_prices(world: World, warehouse: Warehouse) -> None:
    order_id = await world.place("E", Item("PHONE", 2, "PROV"), number="PO-1")
    async with _processing(world, warehouse.url) as processing:
        await processing.step()
    order = await world.order(order_id)
    assert order.state is OrderState.PROCESSING
    (message,) = warehouse.received
    assert message["type"] == "order.submitted"
    assert message["data"] == {
        "id": order_id, "reference": order.reference.hex, "submission": 1,
        "organisation": world.actors["E"].organisation_id, "purchase_order_number": "PO-1", "shipping_type": "UK",
        "shipping_address": {
            "company_name": "Widgets Ltd", "recipient_name": "Ama Mensah", "addr_line_1": "1 High Street",
            "addr_line_2": "", "city": "London", "region": "", "postal_code": "AB12 3AA",
            "country_code": UNITED_KINGDOM, "country_iso_code": "GB"},
        "provisioning_instructions": "",
        "line_items": [{"line": 1, "product": 1, "product_code": "PHONE", "vendor": 7, "name": "A PHONE",
                        "prov_product_code": "PROV", "quantity": 2, "is_shippable": True}]}
    assert warehouse.ids == [f"{order.reference.hex}-1"]


@pytest.mark.parametrize(("status", "answer", "state", "reason"), [
    (200, None, OrderState.PROCESSING, ""),
    (202, {"anything": "else"}, OrderState.PROCESSING, ""),
    (200, {"status": "ACCEPTED"}, OrderState.ACCEPTED, ""),
    (200, {"status": "ATTENTION_REQUIRED", "reason": "which colour?"}, OrderState.ATTENTION_REQUIRED, "which colour?"),
    (200, {"status": "FAILED", "reason": "no more"}, OrderState.FAILED, "no more"),
    (200, {"status": "SHIPPED"}, OrderState.PROCESSING, ""),
    (422, {"reason": "no such street"}, OrderState.ATTENTION_REQUIRED, "no such street"),
    (400, None, OrderState.ATTENTION_REQUIRED, "The warehouse cannot take this order."),
    (200, {"status": 5}, OrderState.PROCESSING, ""),
    (200, [], OrderState.PROCESSING, ""),
])
async def test_what_the_warehouse_answers_counts(shared_world: World, warehouse: Warehouse, status: int,
                                                 answer: object, state: OrderState, reason: str) -> None:
    world = shared_world
    warehouse.status, warehouse.answer = status, answer
    order_id = await world.place()
    async with _processing(world, warehouse.url) as processing:
        await processing.step()
    order = await world.order(order_id)
    assert (order.state, order.history[-1].reason) == (state, reason)


@pytest.mark.parametrize("status", [301, 401, 403, 404, 410, 429, 500, 503])
async def test_a_warehouse_that_fails_is_asked_again_under_the_same_id(shared_world: World, warehouse: Warehouse,
                                                                       status: int) -> None:
    world = shared_world
    warehouse.status = status
    order_id = await world.place()
    async with _processing(world, warehouse.url) as processing:
        await processing.step()
        assert await world.state(order_id) is OrderState.PROCESSING
        await world.database.execute("""UPDATE ordering."order" SET due_at = now() WHERE id = $1""", order_id)
        warehouse.status = 200
        await processing.step()
        await processing.step()
    assert len(warehouse.ids) == 2
    assert len(set(warehouse.ids)) == 1


async def test_nobody_listens(world: World) -> None:
    async with _served(Warehouse()) as gone:
        url = gone.url
    order_id = await world.place()
    async with OutgoingHttp(AddressPolicy(allow_private=True)) as http:
        connector = WebhookFulfilment(http, url, SECRET, timeout_s=2)
        processing = Processing(world.database, world.prices, connector, HandoverPolicy((), lease_s=30))
        await processing.step()
    order = await world.order(order_id)
    assert order.state is OrderState.ATTENTION_REQUIRED
    assert "refused" in order.history[-1].note


async def test_a_cancellation_is_posted(world: World, warehouse: Warehouse) -> None:
    order_id = await world.place()
    async with _processing(world, warehouse.url) as processing:
        await processing.step()
        async with world.database.transaction() as connection:
            await reseller.cancel_order(connection, world.actors["E"], order_id)
        warehouse.status = 422  # an answer all the same
        await processing.step()
        await processing.step()
    assert [message["type"] for message in warehouse.received] == ["order.submitted", "order.cancelled"]
    assert len(set(warehouse.ids)) == 2


@pytest.mark.parametrize("url", ["http://256.0.0.1/", "http://no-such-host.invalid/", "nothing"])
async def test_a_url_that_cannot_be_called_is_tried_again(world: World, url: str) -> None:
    await world.place()
    async with _processing(world, url) as processing:
        await processing.step()
    assert await world.database.fetchval("""SELECT due_at > now() + interval '40 s' FROM ordering."order" """)


# -- the way back ---------------------------------------------------------------------------------------------


@dataclass
class Line:
    """A warehouse's line to our endpoint."""

    http: httpx.AsyncClient
    world: World

    async def say(self, kind: str, order_id: int, *, message_id: str = "", secret: str = SECRET,
                  at: float | None = None, shipment: object = None, **data: object) -> httpx.Response:
        reference = (await self.world.order(order_id)).reference.hex
        whole = {"reference": reference, **data, **({} if shipment is None else {"shipment": shipment})}
        return await self.post(json.dumps({"type": kind, "data": whole}), message_id=message_id, secret=secret, at=at)

    async def post(self, body: str, *, message_id: str = "", secret: str = SECRET,
                   at: float | None = None) -> httpx.Response:
        message_id = message_id or uuid4().hex
        moment = datetime.fromtimestamp(at if at is not None else time.time(), UTC)
        headers = {"webhook-id": message_id, "webhook-timestamp": str(int(moment.timestamp())),
                   "webhook-signature": Webhook(secret).sign(message_id, moment, body),
                   "Content-Type": "application/json"}
        return await self.http.post("/fulfilment/events", content=body, headers=headers)


@asynccontextmanager
async def _line(world: World) -> AsyncIterator[Line]:
    app = Litestar([create_fulfilment_router(world.database, world.prices, SECRET)], openapi_config=None,
                   logging_config=None)
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type] # the same shape under other names
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as http:
        yield Line(http, world)


@pytest_asyncio.fixture
async def line(world: World) -> AsyncIterator[Line]:
    async with _line(world) as opened:
        yield opened


@pytest_asyncio.fixture
async def shared_line(shared_world: World) -> AsyncIterator[Line]:
    async with _line(shared_world) as opened:
        yield opened


async def test_a_warehouse_tells_of_an_order_to_its_end(world: World, line: Line) -> None:
    order_id = await world.place("E", Item("PHONE", 3))
    answer = await line.say("order.accepted", order_id)
    order = await world.order(order_id)
    assert (answer.status_code, answer.json()) == (
        200, {"id": order_id, "reference": order.reference.hex, "status": "ACCEPTED"})
    answer = await line.say("order.shipped", order_id, shipment={
        "id": "P-1", "carrier": "Courier", "tracking_number": "T-1", "tracking_url": "https://courier.example/T-1",
        "line_items": [{"line": 1, "quantity": 1, "serial_numbers": ["S1"], "mac_addresses": ["001122334455"]}]})
    assert answer.json()["status"] == "PART_SHIPPED"
    assert (await line.say("order.shipped", order_id, shipment={"id": "P-2"})).json()["status"] == "SHIPPED"
    assert (await line.say("order.complete", order_id)).json()["status"] == "COMPLETE"
    order = await world.order(order_id)
    assert order.shipments[0].items == (ShippedItem(1, 1, ("S1",), ("00:11:22:33:44:55",)),)
    assert order.history[-1].origin.name == "webhook"
    assert (await world.figures())["E"] == (-300 * UNIT, 0)
    await check_ledger(world.database)


async def test_the_same_message_twice_counts_once(world: World, line: Line) -> None:
    order_id = await world.place("E", Item("PHONE", 3))
    await line.say("order.attention_required", order_id, message_id="m1", reason="which colour?")
    async with world.database.transaction() as connection:
        await reseller.resubmit_order(connection, world.actors["E"], order_id, world.prices)
    late = await line.say("order.attention_required", order_id, message_id="m1", reason="which colour?")
    assert (late.status_code, late.json()["status"]) == (200, "PROCESSING")
    await line.say("order.accepted", order_id, message_id="m2")
    parcel = {"id": "P-1", "line_items": [{"line": 1, "quantity": 1}]}
    for message_id in ("m3", "m3", "m4"):  # a repeated message, and a new message of the same parcel
        answer = await line.say("order.shipped", order_id, message_id=message_id, shipment=parcel)
        assert answer.json()["status"] == "PART_SHIPPED"
    assert len((await world.order(order_id)).shipments) == 1


async def test_acceptance_may_find_that_credit_is_gone(world: World, line: Line) -> None:
    order_id = await world.place()
    await world.set_credit("E", 0)
    answer = await line.say("order.accepted", order_id)
    assert (answer.status_code, answer.json()["status"]) == (200, "ATTENTION_REQUIRED")


async def test_what_cannot_be_is_refused_and_may_be_said_again(world: World, line: Line) -> None:
    order_id = await world.place("E", Item("PHONE", 3))
    early = await line.say("order.shipped", order_id, message_id="m1", shipment={"id": "P-1"})
    assert (early.status_code, early.json()["code"], early.json()["status"]) == (409, "wrong_order_state", "CREATED")
    await line.say("order.accepted", order_id)
    for item in ({"line": 1, "quantity": 4}, {"line": 2, "quantity": 1}, {"line": 1, "quantity": 0}):
        answer = await line.say("order.shipped", order_id, shipment={"id": "P", "line_items": [item]})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_shipment")
        assert answer.json()["field"].startswith("line_items[0].")
    assert (await line.say("order.shipped", order_id, message_id="m1", shipment={"id": "P-1"})).status_code == 200


async def test_only_the_warehouse_is_heard(world: World, line: Line) -> None:
    order_id = await world.place()
    assert (await line.say("order.failed", order_id, secret=new_secret())).status_code == 401
    assert (await line.say("order.failed", order_id, at=time.time() - 400)).status_code == 401
    assert (await line.say("order.failed", order_id, at=time.time() + 400)).status_code == 401
    bare = await line.http.post("/fulfilment/events", content=b"{}")
    assert bare.status_code == 401
    for name, value in (("webhook-timestamp", "x"), ("webhook-timestamp", "9" * 30), ("webhook-id", ""),
                        ("webhook-id", "x" * 300), ("webhook-signature", "v1,AAAA"), ("webhook-signature", "")):
        headers = {"webhook-id": "m", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,x"}
        answer = await line.http.post("/fulfilment/events", content=b"{}", headers=headers | {name: value})
        assert answer.status_code == 401
    assert await world.state(order_id) is OrderState.CREATED


@pytest.mark.parametrize("body", [
    "", "{", "[]", '{"type": "order.accepted"}', '{"type": "order.eaten", "data": {"reference": "x"}}',
    '{"type": "order.shipped", "data": {"reference": "00000000000000000000000000000000"}}',
    '{"type": "order.failed", "data": {"reference": 5}}', '{"type": "order.failed", "data": {"reference": "\\u0000"}}'])
async def test_a_malformed_message_is_refused(shared_line: Line, body: str) -> None:
    answer = await shared_line.post(body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize("reference", ["0" * 32, "x", "", "1"])
async def test_an_unknown_order_is_not_found(shared_line: Line, reference: str) -> None:
    answer = await shared_line.post(json.dumps({"type": "order.accepted", "data": {"reference": reference}}))
    assert answer.status_code == 404
