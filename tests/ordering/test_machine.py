"""Any sequence of what people may do: the ledger balances after each step, and no state is left that may not be."""

import asyncio
from contextlib import suppress
from itertools import pairwise

from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from makola.core.ordering.errors import InvalidContentError, InvalidShipmentError, WrongStateError
from makola.core.ordering.service import reseller
from makola.core.ordering.states import FOLLOWING
from makola.core.ordering.types import Item, Order, OrderState, ShippedItem
from makola.kit.database import Database
from tests.ordering.world import PLENTY, UNIT, World, check_ledger, make_world

_REFUSED = (WrongStateError, InvalidShipmentError, InvalidContentError)
_ITEMS = strategies.lists(
    strategies.builds(Item, strategies.sampled_from(["PHONE", "CABLE", "FREE"]), strategies.integers(1, 5)),
    min_size=1, max_size=3)
_WHICH = strategies.integers(0, 5)
_TIERS = strategies.sampled_from(["B", "C", "D", "E"])


class Orders(RuleBasedStateMachine):
    """Orders of the organisation at the bottom of the chain."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world = self.loop.run_until_complete(self._start())
        self.ids: list[int] = []
        self.known: dict[int, Order] = {}

    async def _start(self) -> World:
        database = await Database.connect(self.url, min_size=1, max_size=2)
        schemas = ("ledger.account", "ledger.hold", "ledger.transfer", "organisations.organisation",
                   'ordering."order"', "ordering.shipping_type")
        await database.execute(f"TRUNCATE {', '.join(schemas)} CASCADE")
        return await make_world(database)

    def teardown(self) -> None:
        self.loop.run_until_complete(self.world.database.close())
        self.loop.close()

    @rule(items=_ITEMS)
    def place(self, items: list[Item]) -> None:
        self.ids.append(self.loop.run_until_complete(self.world.place("E", *items)))

    @rule(which=_WHICH, name=strategies.sampled_from(
        ["accept", "attention", "resubmit", "cancel", "fail", "complete", "ship all"]))
    def act(self, which: int, name: str) -> None:
        if self.ids:
            with suppress(*_REFUSED):
                self.loop.run_until_complete(self._act(self.ids[which % len(self.ids)], name))

    @rule(which=_WHICH, line=strategies.integers(1, 3), quantity=strategies.integers(0, 5))
    def ship(self, which: int, line: int, quantity: int) -> None:
        if self.ids:
            with suppress(*_REFUSED):
                self.loop.run_until_complete(
                    self.world.ship(self.ids[which % len(self.ids)], ShippedItem(line, quantity)))

    @rule(name=_TIERS, limit=strategies.sampled_from([0, 100 * UNIT, 500 * UNIT, PLENTY]))
    def set_credit(self, name: str, limit: int) -> None:
        self.loop.run_until_complete(self.world.set_credit(name, limit))

    @rule(change=strategies.integers(-5, 5))
    def reprice(self, change: int) -> None:
        phone = self.world.prices.named("PHONE")
        phone.prices = [max(0, price + change * UNIT) for price in phone.prices]

    async def _act(self, order_id: int, name: str) -> None:
        world = self.world
        match name:
            case "accept":
                await world.accept(order_id)
            case "attention":
                await world.attention(order_id)
            case "fail":
                await world.fail(order_id)
            case "complete":
                await world.complete(order_id)
            case "ship all":
                await world.ship(order_id)
            case _:
                async with world.database.transaction() as connection:
                    if name == "cancel":
                        await reseller.cancel_order(connection, world.actors["E"], order_id)
                    else:
                        await reseller.resubmit_order(connection, world.actors["E"], order_id, world.prices)

    @invariant()
    def the_money_is_right(self) -> None:
        self.loop.run_until_complete(check_ledger(self.world.database))
        self.loop.run_until_complete(self._check_orders())

    async def _check_orders(self) -> None:
        owed = held = 0
        for order_id in self.ids:
            order = await self.world.order(order_id)
            before = self.known.get(order_id)
            self._check_path(before, order)
            self.known[order_id] = order
            for line in order.line_items:
                price = line.tiers[-1].price_units if line.tiers else 0
                shipped = line.quantity if order.state is OrderState.COMPLETE else line.shipped_quantity
                owed += price * shipped
                if order.state in {OrderState.ACCEPTED, OrderState.PART_SHIPPED}:
                    held += price * (line.quantity - shipped)
                assert (line.tiers != ()) == any(entry.state is OrderState.ACCEPTED for entry in order.history)
        figures = await self.world.figures()
        assert figures["E"] == (-owed, held)

    def _check_path(self, before: Order | None, order: Order) -> None:
        states = [entry.state for entry in order.history]
        assert states[0] is OrderState.CREATED
        assert states[-1] is order.state
        assert all(after in FOLLOWING[state] for state, after in pairwise(states))
        if before is not None:
            assert order.history[:len(before.history)] == before.history


def test_any_sequence_of_deeds_keeps_the_books(module_database_url: str) -> None:
    Orders.url = module_database_url
    run_state_machine_as_test(Orders, settings=settings(
        max_examples=25, stateful_step_count=25, deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]))
