"""What happens when two do something at the same moment, and when a process dies between two steps."""

import asyncio

import pytest

from makola.core.ordering.errors import BasketOrderedError, DuplicatePurchaseOrderError, WrongStateError
from makola.core.ordering.service import baskets, placing, reseller
from makola.core.ordering.types import Item, OrderState, ShippedItem
from tests.ordering.world import UNIT, World, check_ledger


async def _cancel(world: World, order_id: int) -> None:
    async with world.database.transaction() as connection:
        await reseller.cancel_order(connection, world.actors["E"], order_id)


async def test_accept_and_cancel_at_once_end_in_one_of_the_two(world: World) -> None:
    for _ in range(10):
        order_id = await world.place()
        results = await asyncio.gather(world.accept(order_id), _cancel(world, order_id), return_exceptions=True)
        refused = [result for result in results if isinstance(result, WrongStateError)]
        assert len(refused) == 1
        assert len([result for result in results if isinstance(result, BaseException)]) == 1
        assert await world.state(order_id) in {OrderState.ACCEPTED, OrderState.CANCELLED}
    await check_ledger(world.database)
    accepted = await world.database.fetchval("""SELECT count(*) FROM ordering."order" WHERE state = 'ACCEPTED'""")
    assert (await world.figures())["E"] == (0, accepted * 200 * UNIT)


async def test_the_same_purchase_order_number_at_once_is_one_order(world: World) -> None:
    results = await asyncio.gather(*(world.place(number="PO-1") for _ in range(8)), return_exceptions=True)
    made = [result for result in results if isinstance(result, int)]
    refused = [result for result in results if isinstance(result, DuplicatePurchaseOrderError)]
    assert (len(made), len(refused)) == (1, 7)
    assert {error.order_id for error in refused} == set(made)
    assert all(str(made[0]) in error.detail and error.field == "purchase_order_number" for error in refused)
    assert await world.database.fetchval('SELECT count(*) FROM ordering."order"') == 1


async def test_two_organisations_may_use_the_same_purchase_order_number(world: World) -> None:
    await world.place("E", number="PO-1")
    await world.place("E2", number="PO-1")
    await world.place("D", number="PO-1")
    await world.place("E")
    await world.place("E")  # none is no number


async def test_two_orders_against_the_last_credit_of_any_tier(world: World) -> None:
    for name, price in (("E", 200 * UNIT), ("B", 140 * UNIT)):
        await world.set_credit(name, price)
        first, second = await world.place(), await world.place()
        results = await asyncio.gather(world.accept(first), world.accept(second))
        assert sorted(results) == [OrderState.ACCEPTED, OrderState.ATTENTION_REQUIRED]
        await check_ledger(world.database)
        await world.fail(first)
        await world.fail(second)
        await world.set_credit(name, 10_000 * UNIT)


async def test_many_orders_of_many_tiers_at_once_do_not_block_each_other(world: World) -> None:
    order_ids = [await world.place(name, Item("CABLE", 1)) for name in ("E", "D", "C", "E2", "D2", "B", "X", "E")]
    assert set(await asyncio.gather(*map(world.accept, order_ids))) == {OrderState.ACCEPTED}
    assert set(await asyncio.gather(*map(world.ship, order_ids))) == {OrderState.SHIPPED}
    await check_ledger(world.database)


async def test_two_parcels_at_once_never_ship_more_than_was_ordered(world: World) -> None:
    order_id = await world.place("E", Item("PHONE", 3))
    await world.accept(order_id)
    results = await asyncio.gather(*(world.ship(order_id, ShippedItem(1, 2)) for _ in range(3)),
                                   return_exceptions=True)
    assert len([result for result in results if isinstance(result, OrderState)]) == 1
    assert (await world.figures())["E"] == (-200 * UNIT, 100 * UNIT)
    await check_ledger(world.database)


async def test_a_basket_becomes_one_order(world: World) -> None:
    actor = world.actors["E"]
    async with world.database.transaction() as connection:
        basket_id = await baskets.create_basket(connection, actor, world.content(), world.prices)

    async def order() -> int:
        async with world.database.transaction() as connection:
            return await placing.order_basket(connection, actor, basket_id, world.prices)

    results = await asyncio.gather(*(order() for _ in range(4)), return_exceptions=True)
    made = [result for result in results if isinstance(result, int)]
    assert len(made) == 1
    assert len([result for result in results if isinstance(result, BasketOrderedError)]) == 3
    with pytest.raises(BasketOrderedError, match=str(made[0])):
        await order()


class _KilledError(Exception):
    pass


@pytest.mark.parametrize("deed", ["accept", "ship", "fail", "complete"])
async def test_a_process_that_dies_before_the_commit_leaves_nothing_behind(
        world: World, deed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step is one transaction: what dies in its middle has not happened, money included."""
    from makola.core.ordering.service import changes

    order_id = await world.place("E", Item("LICENCE", 5)) if deed == "complete" else await world.place()
    if deed != "accept":
        await world.accept(order_id)
    before, figures = await world.order(order_id), await world.figures()

    async def die(*_: object, **__: object) -> None:
        raise _KilledError

    with monkeypatch.context() as patch:
        patch.setattr(changes, "record", die)
        with pytest.raises(_KilledError):
            await getattr(world, deed)(order_id)
    assert (await world.order(order_id), await world.figures()) == (before, figures)
    await check_ledger(world.database)
    await getattr(world, deed)(order_id)
    await check_ledger(world.database)
