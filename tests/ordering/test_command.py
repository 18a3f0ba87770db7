"""`makola orders …` as a person at the warehouse uses it."""

import asyncio
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from makola.commands.orders import orders
from makola.core.ordering.types import OrderState
from makola.kit.database import Database
from tests.ordering.hub_shop import Shop, hub_shop


class Desk:
    """A person at a terminal, and an order of three phones and a licence."""

    def __init__(self, url: str, order_id: int) -> None:
        self.url = url
        self.order_id = order_id

    def run(self, *words: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(orders, [*words, "--set", f"database_url={self.url}"],
                                    env={"USER": "ama"}, catch_exceptions=exit_code != 2)
        assert result.exit_code == exit_code, (result.output, result.exception)
        return result

    def do(self, deed: str, *words: str, exit_code: int = 0) -> str:
        return self.run(deed, str(self.order_id), *words, exit_code=exit_code).output


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """Commands run their own event loop, so the world is made in another."""
    async def make() -> int:
        database = await Database.connect(database_url, min_size=1, max_size=4)
        try:
            async with hub_shop(database) as shop:
                return await _placed(shop)
        finally:
            await database.close()

    yield Desk(database_url, asyncio.run(make()))


async def _placed(shop: Shop) -> int:
    return await shop.placed("e", purchase_order_number="PO-1", line_items=[
        {"product_code": "PHONE", "quantity": 3}, {"product_code": "LICENCE", "quantity": 1}])


def test_an_order_goes_through_the_warehouse(desk: Desk) -> None:
    listed = desk.run("list").output
    assert "CREATED" in listed
    assert "PO-1" in listed
    assert desk.do("accept") == f"Order {desk.order_id} is ACCEPTED.\n"
    shown = desk.do("show")
    assert "pays 161.051 GBP" in shown
    assert "pays 100 GBP" in shown
    assert "UK Standard Next Day Delivery" in shown
    assert "PART_SHIPPED" in desk.do("ship", "--line", "1:2", "--serial", "1:S-1", "--serial", "1:S-2",
                                     "--mac", "1:00:11:22:33:44:55", "--carrier", "Courier", "--tracking", "T-1")
    shown = desk.do("show")
    assert "S-1 S-2 00:11:22:33:44:55" in shown
    assert "warehouse ama" in shown
    assert "is SHIPPED" in desk.do("ship", "--by", "kofi")
    assert "is COMPLETE" in desk.do("complete")
    assert desk.run("list", "--state", "complete", "--number", "PO-1").output.count("\n") == 1
    assert desk.run("list", "--state", "FAILED").output == ""


def test_attention_and_failure_need_a_reason(desk: Desk) -> None:
    desk.do("attention", exit_code=2)
    desk.do("fail", exit_code=2)
    assert "no such street" in desk.do("attention", "--reason", "no such street", "--note", "called them")
    assert "called them" in desk.do("show")
    assert "is FAILED" in desk.do("fail", "--reason", "gave up")


def test_what_cannot_be_is_said(desk: Desk) -> None:
    for words in (("ship",), ("complete",)):
        result = desk.run(words[0], str(desk.order_id), exit_code=1)
        assert "is CREATED and cannot" in str(result.exception)
    assert "no order 999" in str(desk.run("show", "999", exit_code=1).exception)
    desk.run("show", str(2**63), exit_code=2)
    desk.run("show", "0", exit_code=2)
    desk.run("ship", str(desk.order_id), "--line", "x", exit_code=2)
    desk.do("accept")
    for given in (("--line", "1:4"), ("--line", "9:1"), ("--line", "1:1", "--line", "1:1"), ("--line", "1:0"),
                  ("--line", "1:x"), ("--line", "1:1", "--serial", "2:S"), ("--line", "1:1", "--mac", "1:zz")):
        desk.run("ship", str(desk.order_id), *given, exit_code=1)
    assert OrderState.ACCEPTED in desk.do("show").splitlines()[0]


def test_what_somebody_else_wrote_does_not_control_the_terminal(desk: Desk) -> None:
    said = desk.do("attention", "--reason", "Look:\x1b[2J\x1b]0;title\x07 \u202eevil", "--note", "a\nb")
    assert said.count("\n") == 1
    shown = desk.do("show")
    for output in (said, shown):
        assert "Look:\\x1b[2J\\x1b]0;title\\x07 \\u202eevil" in output
        assert "a\\nb" in output
        assert not {"\x1b", "\x07", "\u202e"} & set(output)
