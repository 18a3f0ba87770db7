"""A price at every tier: what is used at the end of the chain is paid by each tier, at its own price, or by none."""

from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makola.core.billing.errors import InvalidTariffError
from makola.core.billing.service import PriceList, set_tariff, top_up
from makola.core.billing.types import MESSAGING_ACCOUNT, SMS
from makola.core.ledger import service as ledger
from makola.core.ledger.errors import InvalidTransferError
from makola.core.ledger.types import NewHold
from makola.core.organisations.service import create_organisation
from makola.kit.clock import now
from makola.kit.database import Database
from makola.kit.ids import new_id

_CURRENCIES = ("CREDIT", "GHS", "USD")
_FUNCTION_SCOPED = [HealthCheck.function_scoped_fixture]


@pytest_asyncio.fixture(scope="module")
async def tree(module_database_url: str) -> AsyncIterator[Database]:
    """A database with the root of a tree of organisations."""
    opened = await Database.connect(module_database_url, min_size=1, max_size=4)
    async with opened.transaction() as connection:
        await create_organisation(connection, None, name="Root")
    yield opened
    await opened.close()


async def _chain(database: Database, length: int) -> tuple[int, ...]:
    """Add organisations one below the other; return the chain from the root."""
    root: int = await database.fetchval("SELECT id FROM organisations.organisation WHERE parent_id IS NULL")
    chain: tuple[int, ...] = (root,)
    async with database.transaction() as connection:
        for _ in range(length - 1):
            chain = (await create_organisation(connection, chain[-1], name="Tier")).chain
    return chain


async def _figures(database: Database, chain: Sequence[int]) -> dict[tuple[int, str], tuple[int, int]]:
    """The balance and what of it is held of each tier, by organisation and currency."""
    async with database.connection() as connection:
        return {(account.owner_id, account.currency): (account.balance_units, account.held_units)
                for account in await ledger.accounts_of(connection, chain, MESSAGING_ACCOUNT)}


def _prices(database: Database) -> PriceList:
    return PriceList(database, remember_s=0)


_tariffs = st.lists(st.tuples(st.integers(0, 50_000), st.sampled_from(_CURRENCIES)), min_size=1, max_size=5)


@settings(max_examples=40, deadline=None, suppress_health_check=_FUNCTION_SCOPED)
@given(tariffs=_tariffs, units=st.integers(1, 10), poor=st.none() | st.integers(0, 4))
async def test_each_tier_pays_its_own_price_or_nobody_pays(
        tree: Database, tariffs: list[tuple[int, str]], units: int, poor: int | None) -> None:
    """`poor` is the tier below the root that lacks one unit of what it would have to pay."""
    chain = await _chain(tree, len(tariffs) + 1)
    async with tree.transaction() as connection:
        for place, (organisation_id, (price, currency)) in enumerate(zip(chain[1:], tariffs, strict=True)):
            await set_tariff(connection, organisation_id, SMS, "*", currency=currency, price_units=price)
            if (funds := price * units - (place == poor)) > 0:
                await top_up(connection, organisation_id, currency=currency, amount_units=funds, reference=uuid4())
    before = await _figures(tree, chain)
    charge = await _prices(tree).charge(chain, SMS, "62001")
    assert charge is not None
    assert (charge.price_units, charge.currency) == tariffs[-1]
    hold = NewHold(new_id(), charge.times(units))
    async with tree.transaction() as connection:
        made = await ledger.reserve(connection, [hold], now())
    refused = poor is not None and poor < len(tariffs) and tariffs[poor][0] > 0
    if refused:
        assert made == frozenset()
        assert await _figures(tree, chain) == before
        return
    assert made == {hold.hold_id}
    async with tree.transaction() as connection:
        await ledger.settle(connection, post=[hold.hold_id], kind=SMS)
    after = await _figures(tree, chain)
    expected = {key: balance for key, (balance, _) in before.items()}
    for buyer, seller, (price, currency) in zip(chain[1:], chain, tariffs, strict=False):
        expected[buyer, currency] -= price * units
        expected[seller, currency] += price * units
    assert after == {key: (balance, 0) for key, balance in expected.items()}


@pytest.mark.parametrize("length", [2, 3, 4, 5, 6])
async def test_a_tier_does_not_pay_with_what_it_is_about_to_earn(tree: Database, length: int) -> None:
    """All tiers but the last are empty: they must cover their own price before they are paid."""
    chain = await _chain(tree, length)
    async with tree.transaction() as connection:
        for organisation_id in chain[1:]:
            await set_tariff(connection, organisation_id, SMS, "*", currency="CREDIT", price_units=10)
        await top_up(connection, chain[-1], currency="CREDIT", amount_units=1_000, reference=uuid4())
    charge = await _prices(tree).charge(chain, SMS, "62001")
    assert charge is not None
    async with tree.transaction() as connection:
        made = await ledger.reserve(connection, [NewHold(new_id(), charge.legs)], now())
    assert bool(made) == (length == 2)


async def test_the_most_exact_tariff_counts(tree: Database) -> None:
    chain = await _chain(tree, 3)
    async with tree.transaction() as connection:
        for organisation_id in chain[1:]:
            for network_id, price in (("*", 7), ("620", 5), ("62001", 3)):
                await set_tariff(connection, organisation_id, SMS, network_id, currency="CREDIT", price_units=price)
        await set_tariff(connection, chain[-1], "voice", "62001", currency="CREDIT", price_units=1)
    prices = _prices(tree)
    for network_id, price in (("62001", 3), ("62002", 5), ("620", 5), ("310", 7), ("0", 7)):
        charge = await prices.charge(chain, SMS, network_id)
        assert charge is not None
        assert charge.price_units == price
        assert [leg.amount_units for leg in charge.legs] == [price, price]
        assert [leg.amount_units for leg in charge.times(4)] == [4 * price, 4 * price]


async def test_without_a_tariff_at_every_tier_there_is_no_price(tree: Database) -> None:
    chain = await _chain(tree, 4)
    prices = _prices(tree)
    for organisation_id in (chain[1], chain[3], chain[2]):
        assert await prices.charge(chain, SMS, "62001") is None
        async with tree.transaction() as connection:
            await set_tariff(connection, organisation_id, SMS, "620", currency="CREDIT", price_units=1)
    assert await prices.charge(chain, SMS, "62001") is not None
    assert await prices.charge(chain, SMS, "310") is None


async def test_the_root_pays_nobody(tree: Database) -> None:
    chain = await _chain(tree, 1)
    charge = await _prices(tree).charge(chain, SMS, "62001")
    assert charge is not None
    assert (charge.legs, charge.price_units) == ((), 0)


async def test_a_changed_tariff_is_seen_when_its_time_is_up(tree: Database) -> None:
    chain = await _chain(tree, 2)
    remembering, forgetful = PriceList(tree, remember_s=60), _prices(tree)
    for price in (1, 2):
        async with tree.transaction() as connection:
            await set_tariff(connection, chain[-1], SMS, "*", currency="CREDIT", price_units=price)
        seen = [await prices.charge(chain, SMS, "62001") for prices in (remembering, forgetful)]
        assert [charge.price_units for charge in seen if charge is not None] == [1, price]


@pytest.mark.parametrize(("place", "price"), [(0, 1), (1, -1), (None, 1)])
async def test_a_tariff_that_cannot_be(tree: Database, place: int | None, price: int) -> None:
    chain = await _chain(tree, 2)
    with pytest.raises(InvalidTariffError):
        async with tree.transaction() as connection:
            await set_tariff(connection, 2**40 if place is None else chain[place], SMS, "*", currency="CREDIT",
                             price_units=price)


async def test_a_top_up_comes_from_the_world(tree: Database) -> None:
    chain = await _chain(tree, 2)
    async with tree.transaction() as connection:
        await top_up(connection, chain[-1], currency="GHS", amount_units=250, reference=uuid4())
    assert (await _figures(tree, chain))[chain[-1], "GHS"] == (250, 0)
    assert await tree.fetchval("SELECT sum(balance) FROM ledger.account WHERE currency = 'GHS'") == 0
    for amount in (0, -5):
        with pytest.raises(InvalidTransferError):
            async with tree.transaction() as connection:
                await top_up(connection, chain[-1], currency="GHS", amount_units=amount, reference=uuid4())
    assert (await _figures(tree, chain))[chain[-1], "GHS"] == (250, 0)
