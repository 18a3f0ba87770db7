"""What may be done to an order in each of its states, and what its history says."""

from collections.abc import Awaitable, Callable

import pytest

from makola.core.ordering.errors import WrongStateError
from makola.core.ordering.service import reseller
from makola.core.ordering.states import FOLLOWING
from makola.core.ordering.types import Item, OrderState, OriginKind, ShippedItem
from tests.ordering.world import World, check_ledger

S = OrderState
_Step = Callable[[World, int], Awaitable[object]]


async def _process(world: World, order_id: int) -> None:
    from makola.core.ordering.ports import ManualFulfilment
    from makola.core.ordering.service.processing import Processing
    await Processing(world.database, world.prices, ManualFulfilment()).step()


async def _cancel(world: World, order_id: int) -> None:
    async with world.database.transaction() as connection:
        await reseller.cancel_order(connection, world.actors["E"], order_id, reason="changed my mind")


async def _resubmit(world: World, order_id: int) -> None:
    async with world.database.transaction() as connection:
        await reseller.resubmit_order(connection, world.actors["E"], order_id, world.prices)


async def _accept(world: World, order_id: int) -> None:
    await world.accept(order_id)


async def _ship_one(world: World, order_id: int) -> None:
    await world.ship(order_id, ShippedItem(1, 1))


async def _ship_all(world: World, order_id: int) -> None:
    await world.ship(order_id)


#: How an order of three phones gets into each state.
_WAYS: dict[OrderState, list[_Step]] = {
    S.CREATED: [],
    S.PROCESSING: [_process],
    S.ATTENTION_REQUIRED: [lambda world, order_id: world.attention(order_id)],
    S.ACCEPTED: [_accept],
    S.PART_SHIPPED: [_accept, _ship_one],
    S.SHIPPED: [_accept, _ship_all],
    S.COMPLETE: [_accept, _ship_all, lambda world, order_id: world.complete(order_id)],
    S.FAILED: [lambda world, order_id: world.fail(order_id)],
    S.CANCELLED: [_cancel],
}

#: Each thing that may be done, and the state that it leads to from each state where it is allowed.
_DEEDS: dict[str, tuple[_Step, dict[OrderState, OrderState]]] = {
    "cancel": (_cancel, dict.fromkeys((S.CREATED, S.PROCESSING, S.ATTENTION_REQUIRED), S.CANCELLED)),
    "resubmit": (_resubmit, {S.ATTENTION_REQUIRED: S.PROCESSING}),
    "accept": (_accept, dict.fromkeys((S.CREATED, S.PROCESSING), S.ACCEPTED)),
    "attention": (lambda world, order_id: world.attention(order_id),
                  dict.fromkeys((S.CREATED, S.PROCESSING), S.ATTENTION_REQUIRED)),
    "ship one": (_ship_one, dict.fromkeys((S.ACCEPTED, S.PART_SHIPPED), S.PART_SHIPPED)),
    "ship all": (_ship_all, dict.fromkeys((S.ACCEPTED, S.PART_SHIPPED), S.SHIPPED)),
    "complete": (lambda world, order_id: world.complete(order_id), {S.SHIPPED: S.COMPLETE}),
    "fail": (lambda world, order_id: world.fail(order_id), dict.fromkeys(
        (S.CREATED, S.PROCESSING, S.ATTENTION_REQUIRED, S.ACCEPTED, S.PART_SHIPPED), S.FAILED)),
}


@pytest.mark.parametrize("state", list(OrderState))
async def test_every_deed_in_every_state(shared_world: World, state: OrderState) -> None:
    world = shared_world
    for deed, allowed in _DEEDS.values():
        order_id = await world.place("E", Item("PHONE", 3))
        for step in _WAYS[state]:
            await step(world, order_id)
        before = await world.order(order_id)
        assert before.state is state
        if state in allowed:
            await deed(world, order_id)
            assert await world.state(order_id) is allowed[state]
        else:
            with pytest.raises(WrongStateError, match=f"Order {order_id} is {state}"):
                await deed(world, order_id)
            assert await world.order(order_id) == before
    await check_ledger(world.database)


async def test_the_history_tells_who_when_and_why(world: World) -> None:
    order_id = await world.place("E", Item("PHONE", 3))
    await _process(world, order_id)
    await world.attention(order_id, "no such street")
    await _resubmit(world, order_id)
    await _accept(world, order_id)
    await _ship_one(world, order_id)
    await _ship_one(world, order_id)
    await _ship_all(world, order_id)
    await world.complete(order_id)
    history = (await world.order(order_id)).history
    assert [entry.state for entry in history] == [
        S.CREATED, S.PROCESSING, S.ATTENTION_REQUIRED, S.PROCESSING, S.ACCEPTED, S.PART_SHIPPED, S.PART_SHIPPED,
        S.SHIPPED, S.COMPLETE]
    assert [entry.number for entry in history] == list(range(1, 10))
    assert [entry.at for entry in history] == sorted(entry.at for entry in history)
    assert [entry.origin.kind for entry in history[:5]] == [
        OriginKind.RESELLER, OriginKind.SYSTEM, OriginKind.WAREHOUSE, OriginKind.RESELLER, OriginKind.WAREHOUSE]
    assert history[2].reason == "no such street"
    assert history[0].origin.user_id == world.actors["E"].user_id
    assert history[4].origin.name == "tests"


def test_no_state_leads_back() -> None:
    """But for the one loop that a person closes: PROCESSING, ATTENTION_REQUIRED, PROCESSING."""
    rank = {S.CREATED: 0, S.PROCESSING: 1, S.ATTENTION_REQUIRED: 1, S.ACCEPTED: 2, S.PART_SHIPPED: 3, S.SHIPPED: 4,
            S.COMPLETE: 5, S.FAILED: 5, S.CANCELLED: 5}
    for state, following in FOLLOWING.items():
        for one in following:
            assert rank[one] > rank[state] or {state, one} == {S.PROCESSING, S.ATTENTION_REQUIRED} or (
                state is one is S.PART_SHIPPED)
