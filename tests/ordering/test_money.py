"""What an order does to the ledger: every tier at its own price, held on acceptance, posted as goods leave."""

import pytest

from makola.core.ordering.errors import InvalidShipmentError, WrongStateError
from makola.core.ordering.types import Item, OrderState, ShippedItem
from tests.ordering.world import PLENTY, UNIT, World, check_ledger

_TWO_PHONES = {"B": 140 * UNIT, "C": 160 * UNIT, "D": 180 * UNIT, "E": 200 * UNIT}


async def _held(world: World) -> dict[str, int]:
    return {name: held for name, (_, held) in (await world.figures()).items() if held}


async def _balances(world: World) -> dict[str, int]:
    return {name: balance for name, (balance, _) in (await world.figures()).items() if balance}


async def test_acceptance_holds_each_tiers_own_price(world: World) -> None:
    order_id = await world.place()
    assert await _held(world) == {}
    assert await world.accept(order_id) is OrderState.ACCEPTED
    assert await _held(world) == _TWO_PHONES
    assert await _balances(world) == {}
    await check_ledger(world.database)


async def test_shipment_posts_it_and_every_tier_keeps_its_margin(world: World) -> None:
    order_id = await world.place()
    await world.accept(order_id)
    assert await world.ship(order_id) is OrderState.SHIPPED
    assert await _held(world) == {}
    assert await _balances(world) == {
        "A": 140 * UNIT, "B": 20 * UNIT, "C": 20 * UNIT, "D": 20 * UNIT, "E": -200 * UNIT}
    await world.complete(order_id)
    await check_ledger(world.database)


async def test_a_part_shipment_posts_its_part(world: World) -> None:
    order_id = await world.place("E", Item("PHONE", 3), Item("CABLE", 7))
    await world.accept(order_id)
    assert await world.ship(order_id, ShippedItem(1, 1), ShippedItem(2, 3)) is OrderState.PART_SHIPPED
    figures = await world.figures()
    assert figures["E"] == (-(100 * UNIT + 3 * 30_007), 200 * UNIT + 4 * 30_007)
    assert figures["A"] == (70 * UNIT + 3 * 12_345, 0)
    await check_ledger(world.database)
    assert await world.ship(order_id, ShippedItem(2, 4)) is OrderState.PART_SHIPPED
    assert await world.ship(order_id) is OrderState.SHIPPED
    assert (await world.figures())["E"] == (-(300 * UNIT + 7 * 30_007), 0)
    await check_ledger(world.database)


async def test_what_is_not_shipped_is_given_back_when_an_order_fails(world: World) -> None:
    order_id = await world.place("E", Item("PHONE", 3))
    await world.accept(order_id)
    await world.ship(order_id, ShippedItem(1, 1))
    await world.fail(order_id)
    assert (await world.figures())["E"] == (-100 * UNIT, 0)
    await check_ledger(world.database)


async def test_provisioning_is_paid_with_its_product(world: World) -> None:
    order_id = await world.place("E", Item("PHONE", 2, "PROV"))
    await world.accept(order_id)
    assert (await _held(world))["E"] == 210 * UNIT
    assert (await _held(world))["B"] == 144 * UNIT


async def test_shipping_costs_every_tier_alike(world: World) -> None:
    world.prices.named("PHONE").shipping_units = 20 * UNIT
    order_id = await world.place("E", Item("PHONE", 3))
    await world.accept(order_id)
    assert await _held(world) == {"B": 230 * UNIT, "C": 260 * UNIT, "D": 290 * UNIT, "E": 320 * UNIT}
    await world.ship(order_id, ShippedItem(1, 1))
    assert (await world.figures())["E"] == (-120 * UNIT, 200 * UNIT)
    await world.ship(order_id)
    assert await _balances(world) == {"A": 230 * UNIT, "B": 30 * UNIT, "C": 30 * UNIT, "D": 30 * UNIT, "E": -320 * UNIT}
    await check_ledger(world.database)


async def test_licences_are_paid_when_the_order_is_complete(world: World) -> None:
    order_id = await world.place("E", Item("PHONE", 1), Item("LICENCE", 5))
    await world.accept(order_id)
    with pytest.raises(WrongStateError, match="left to ship"):
        await world.complete(order_id)
    assert await world.ship(order_id, ShippedItem(1, 1)) is OrderState.PART_SHIPPED
    assert (await world.figures())["E"] == (-100 * UNIT, 25 * UNIT)
    await world.complete(order_id)
    assert (await world.figures())["E"] == (-125 * UNIT, 0)
    await check_ledger(world.database)


async def test_what_costs_nothing_moves_nothing(world: World) -> None:
    order_id = await world.place("E", Item("FREE", 5))
    assert await world.accept(order_id) is OrderState.ACCEPTED
    assert await world.ship(order_id, ShippedItem(1, 2)) is OrderState.PART_SHIPPED
    assert await world.ship(order_id) is OrderState.SHIPPED
    await world.complete(order_id)
    assert await world.database.fetchval("SELECT count(*) FROM ledger.hold") == 0
    assert await world.database.fetchval("SELECT count(*) FROM ledger.transfer") == 0


async def test_the_root_orders_for_itself_and_pays_nobody(world: World) -> None:
    order_id = await world.place("A")
    assert await world.accept(order_id) is OrderState.ACCEPTED
    assert await world.ship(order_id) is OrderState.SHIPPED
    assert await _balances(world) == {}


async def test_without_credit_an_order_needs_attention_and_says_whose(world: World) -> None:
    await world.set_credit("E", 199 * UNIT)
    order_id = await world.place()
    assert await world.accept(order_id) is OrderState.ATTENTION_REQUIRED
    entry = (await world.order(order_id)).history[-1]
    assert "Your credit" in entry.reason
    assert str(world.actors["E"].organisation_id) in entry.note
    assert await _held(world) == {}


async def test_a_tier_above_without_credit_is_not_named_to_the_reseller(world: World) -> None:
    await world.set_credit("C", 100 * UNIT)
    order_id = await world.place()
    assert await world.accept(order_id) is OrderState.ATTENTION_REQUIRED
    entry = (await world.order(order_id)).history[-1]
    assert "Your credit" not in entry.reason
    assert str(world.actors["C"].organisation_id) in entry.note
    assert await _held(world) == {}
    await world.set_credit("C", PLENTY)


async def test_prices_are_those_of_acceptance_and_stay(world: World) -> None:
    order_id = await world.place()
    phone = world.prices.named("PHONE")
    phone.prices = [50 * UNIT, 60 * UNIT, 70 * UNIT, 80 * UNIT, 90 * UNIT]
    await world.accept(order_id)
    phone.prices = [500 * UNIT] * 5
    await world.ship(order_id)
    assert (await _balances(world))["E"] == -180 * UNIT
    line = (await world.order(order_id)).line_items[0]
    assert [tier.price_units for tier in line.tiers] == [50 * UNIT, 60 * UNIT, 70 * UNIT, 80 * UNIT, 90 * UNIT]


async def test_a_dearer_product_is_not_sold_without_being_asked_for_again(world: World) -> None:
    order_id = await world.place()
    world.prices.named("PHONE").prices[4] = 101 * UNIT
    assert await world.accept(order_id) is OrderState.ATTENTION_REQUIRED
    assert "another price" in (await world.order(order_id)).history[-1].reason


@pytest.mark.parametrize("items", [
    [ShippedItem(1, 4)], [ShippedItem(1, 0)], [ShippedItem(2, 1)], [ShippedItem(1, 1), ShippedItem(1, 1)],
    [ShippedItem(1, 1, ("S1", "S2"))], [ShippedItem(1, 1, (), ("00:11:22:33:44",))], [ShippedItem(1, 1, ("",))],
])
async def test_an_impossible_parcel_is_refused_and_moves_nothing(shared_world: World, items: list[ShippedItem]) -> None:
    world = shared_world
    order_id = await world.place("E", Item("PHONE", 3))
    await world.accept(order_id)
    with pytest.raises(InvalidShipmentError):
        await world.ship(order_id, *items)
    assert await world.state(order_id) is OrderState.ACCEPTED
    assert await _balances(world) == {}


async def test_the_same_parcel_twice_is_one(world: World) -> None:
    order_id = await world.place("E", Item("PHONE", 3))
    await world.accept(order_id)
    await world.ship(order_id, ShippedItem(1, 1), external_id="P-1")
    assert await world.ship(order_id, ShippedItem(1, 1), external_id="P-1") is OrderState.PART_SHIPPED
    assert (await _balances(world))["E"] == -100 * UNIT
    assert len((await world.order(order_id)).shipments) == 1


async def test_serial_and_mac_numbers_stay_with_their_line(world: World) -> None:
    order_id = await world.place("E", Item("PHONE", 2), Item("CABLE", 1))
    await world.accept(order_id)
    await world.ship(order_id, ShippedItem(1, 2, ("S1", "S2"), ("0011.2233.44ff", "aa-bb-cc-dd-ee-01")))
    shipment = (await world.order(order_id, "E")).shipments[0]
    assert shipment.items == (
        ShippedItem(1, 2, ("S1", "S2"), ("00:11:22:33:44:FF", "AA:BB:CC:DD:EE:01")),)
    assert (shipment.carrier, shipment.tracking_number) == ("Courier", "T-1")


async def test_a_lowered_limit_does_not_stop_what_is_accepted(world: World) -> None:
    order_id = await world.place("E", Item("PHONE", 3))
    await world.accept(order_id)
    await world.set_credit("E", 0)
    assert await world.ship(order_id, ShippedItem(1, 1)) is OrderState.PART_SHIPPED
    assert await world.ship(order_id) is OrderState.SHIPPED
    await check_ledger(world.database)
