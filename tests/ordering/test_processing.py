"""The worker's part: what is handed over to a warehouse, when, and how often."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from makola.core.ordering.ports import Handover, ManualFulfilment, Outcome, WarehouseOrder
from makola.core.ordering.service import reseller
from makola.core.ordering.service.processing import HandoverPolicy, Processing
from makola.core.ordering.types import Item, OrderState
from makola.kit.clock import now
from tests.ordering.world import ADDRESS, UNIT, World

_TAKEN = Handover(Outcome.TAKEN)


class Warehouse:
    """Answers as it is told, and remembers what it was given."""

    name = "tests"

    def __init__(self, *answers: Handover) -> None:
        self.answers = list(answers)
        self.submitted: list[WarehouseOrder] = []
        self.cancelled: list[WarehouseOrder] = []
        self.meanwhile: Callable[[], object] | None = None

    async def submit(self, order: WarehouseOrder) -> Handover:
        self.submitted.append(order)
        if self.meanwhile is not None:
            await self.meanwhile()  # type: ignore[misc] # each test gives an async function
        return self.answers.pop(0) if self.answers else _TAKEN

    async def cancel(self, order: WarehouseOrder) -> Handover:
        self.cancelled.append(order)
        return self.answers.pop(0) if self.answers else _TAKEN


def _processing(world: World, warehouse: Warehouse, *delays_s: float) -> Processing:
    return Processing(world.database, world.prices, warehouse, HandoverPolicy(delays_s, lease_s=30))


async def _due_now(world: World) -> None:
    await world.database.execute('UPDATE ordering."order" SET due_at = $1 WHERE due_at IS NOT NULL',
                                 now() - timedelta(seconds=1))


async def _cancel(world: World, order_id: int) -> None:
    async with world.database.transaction() as connection:
        await reseller.cancel_order(connection, world.actors["E"], order_id)


async def test_a_new_order_is_handed_over_once(world: World) -> None:
    warehouse = Warehouse()
    processing = _processing(world, warehouse)
    order_id = await world.place("E", Item("PHONE", 2), Item("LICENCE", 5), number="PO-1")
    await processing.step()
    await processing.step()
    assert await world.state(order_id) is OrderState.PROCESSING
    (handed,) = warehouse.submitted
    assert (handed.order_id, handed.submission, handed.purchase_order_number) == (order_id, 1, "PO-1")
    assert (handed.shipping_address, handed.shipping_type) == (ADDRESS, "UK")
    assert [(line.product_code, line.quantity, line.is_shippable) for line in handed.lines] == [
        ("PHONE", 2, True), ("LICENCE", 5, False)]
    await _due_now(world)
    await processing.step()
    assert len(warehouse.submitted) == 1


async def test_a_warehouse_may_decide_at_once(world: World) -> None:
    for answer, state in ((Handover(Outcome.ACCEPTED), OrderState.ACCEPTED),
                          (Handover(Outcome.ATTENTION, "which colour?"), OrderState.ATTENTION_REQUIRED),
                          (Handover(Outcome.FAILED, "no longer made"), OrderState.FAILED)):
        order_id = await world.place()
        await _processing(world, Warehouse(answer)).step()
        order = await world.order(order_id)
        assert (order.state, order.history[-1].reason) == (state, answer.reason)
    assert (await world.figures())["E"] == (0, 200 * UNIT)


async def test_a_warehouse_out_of_reach_is_tried_again_then_a_person_attends_to_it(world: World) -> None:
    retry = Handover(Outcome.RETRY, note="connection refused")
    warehouse = Warehouse(retry, retry, retry)
    processing = _processing(world, warehouse, 60, 120)
    order_id = await world.place()
    for attempt in (1, 2, 3):
        await processing.step()
        await processing.step()
        assert len(warehouse.submitted) == attempt
        await _due_now(world)
    order = await world.order(order_id)
    assert order.state is OrderState.ATTENTION_REQUIRED
    assert (order.history[-1].note, "refused" in order.history[-1].reason) == ("connection refused", False)
    assert {handed.submission for handed in warehouse.submitted} == {1}
    async with world.database.transaction() as connection:
        await reseller.resubmit_order(connection, world.actors["E"], order_id, world.prices)
    await processing.step()
    assert [handed.submission for handed in warehouse.submitted] == [1, 1, 1, 2]
    assert await world.state(order_id) is OrderState.PROCESSING


async def test_an_order_that_could_not_be_accepted_does_not_trouble_the_warehouse(world: World) -> None:
    warehouse = Warehouse()
    processing = _processing(world, warehouse)
    await world.set_credit("D", 100 * UNIT)
    poor = await world.place()
    await processing.step()
    await world.set_credit("D", 10_000 * UNIT)
    gone = await world.place()
    world.prices.named("PHONE").hidden_from.add(world.actors["E"].organisation_id)
    await processing.step()
    for order_id, reason in ((poor, "supplier"), (gone, "not on your price list")):
        order = await world.order(order_id)
        assert order.state is OrderState.ATTENTION_REQUIRED
        assert reason in order.history[-1].reason
    assert warehouse.submitted == []
    await _cancel(world, poor)
    await processing.step()
    assert warehouse.cancelled == []


async def test_an_order_of_a_suspended_organisation_waits(world: World) -> None:
    order_id = await world.place()
    await world.database.execute("UPDATE organisations.organisation SET suspended_at = now() WHERE id = $1",
                                 world.actors["C"].organisation_id)
    await _processing(world, Warehouse()).step()
    assert await world.state(order_id) is OrderState.ATTENTION_REQUIRED


async def test_a_process_that_dies_while_handing_over_leaves_it_to_another(world: World) -> None:
    class Dying(Warehouse):
        async def submit(self, order: WarehouseOrder) -> Handover:
            await super().submit(order)
            raise asyncio.CancelledError

    dying, other = Dying(), Warehouse()
    order_id = await world.place()
    task = asyncio.create_task(_processing(world, dying).step())
    await asyncio.gather(task, return_exceptions=True)
    await _processing(world, other).step()
    assert other.submitted == []  # the dead worker's lease still holds
    await _due_now(world)
    await _processing(world, other).step()
    assert [(order.order_id, order.submission) for order in (*dying.submitted, *other.submitted)] == [
        (order_id, 1), (order_id, 1)]
    assert await world.state(order_id) is OrderState.PROCESSING


async def test_two_workers_hand_each_order_over_once(world: World) -> None:
    order_ids = [await world.place() for _ in range(20)]
    warehouse = Warehouse()
    workers = [_processing(world, warehouse) for _ in range(3)]
    for _ in range(4):
        await asyncio.gather(*(worker.step() for worker in workers))
    assert sorted(order.order_id for order in warehouse.submitted) == order_ids


async def test_a_broken_order_does_not_stop_the_others(world: World) -> None:
    class Broken(Warehouse):
        async def submit(self, order: WarehouseOrder) -> Handover:
            if not self.submitted:
                self.submitted.append(order)
                raise KeyError("a defect")
            return await super().submit(order)

    warehouse = Broken()
    order_ids = [await world.place() for _ in range(3)]
    await _processing(world, warehouse).step()
    assert sorted(order.order_id for order in warehouse.submitted) == order_ids


async def test_cancelled_while_it_is_handed_over(world: World) -> None:
    """The warehouse accepts what was cancelled meanwhile: nothing is accepted, and the warehouse is told."""
    order_id = await world.place()
    warehouse = Warehouse(Handover(Outcome.ACCEPTED))
    warehouse.meanwhile = lambda: _cancel(world, order_id)
    processing = _processing(world, warehouse)
    await processing.step()
    assert await world.state(order_id) is OrderState.CANCELLED
    assert (await world.figures())["E"] == (0, 0)
    await processing.step()
    assert [order.order_id for order in warehouse.cancelled] == [order_id]
    await _due_now(world)
    await processing.step()
    assert len(warehouse.cancelled) == 1


async def test_a_cancellation_is_told_until_it_is_heard(world: World) -> None:
    order_id = await world.place()
    retry = Handover(Outcome.RETRY)
    warehouse = Warehouse(_TAKEN, retry, retry)
    processing = _processing(world, warehouse, 60, 60, 60)
    await processing.step()
    await _cancel(world, order_id)
    for _ in range(5):
        await _due_now(world)
        await processing.step()
    assert len(warehouse.cancelled) == 3


async def test_accepted_by_hand_while_it_is_handed_over(world: World) -> None:
    order_id = await world.place()
    warehouse = Warehouse(Handover(Outcome.FAILED, "too late"))
    warehouse.meanwhile = lambda: world.accept(order_id)
    await _processing(world, warehouse).step()
    assert await world.state(order_id) is OrderState.ACCEPTED


async def test_by_hand_nobody_is_told(world: World) -> None:
    order_id = await world.place()
    await Processing(world.database, world.prices, ManualFulfilment()).step()
    assert await world.state(order_id) is OrderState.PROCESSING
    await _cancel(world, order_id)
    await Processing(world.database, world.prices, ManualFulfilment()).step()
    assert await world.state(order_id) is OrderState.CANCELLED
    assert await world.database.fetchval('SELECT count(*) FROM ordering."order" WHERE due_at IS NOT NULL') == 0
