"""One use case against the database, from the command line."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from typing import TypeVar

import click

from makola import logs
from makola.database_start import check_migrated, database_url
from makola.kit.database import Database
from makola.kit.money import UNITS_PER_CURRENCY_UNIT, decimal_text
from makola.settings import Loaded

T = TypeVar("T")


def in_session(loaded: Loaded, use_case: Callable[[Database], Awaitable[T]]) -> T:
    """Run `use_case` on an open, migrated database."""

    async def run(url: str) -> T:
        await check_migrated(url)
        database = await Database.connect(url, min_size=1, max_size=2)
        try:
            return await use_case(database)
        finally:
            await database.close()

    logs.configure(loaded.settings)
    with database_url(loaded.settings) as url:
        return asyncio.run(run(url))


class Amount(click.ParamType[int]):
    """An amount of money, read as a decimal and given as 1/10,000 of the currency's unit."""

    name = "amount"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a decimal with at most four places."""
        try:
            units = Decimal(str(value)) * UNITS_PER_CURRENCY_UNIT
        except InvalidOperation:
            self.fail(f"{value!r} is not an amount", param, ctx)
        if not units.is_finite() or units != units.to_integral_value() or abs(units) >= 2**63:
            self.fail(f"{value!r} is not an amount with at most four decimal places", param, ctx)
        return int(units)


def as_decimal(amount_units: int) -> str:
    """Write an amount as a decimal."""
    return decimal_text(amount_units, decimals=0)
