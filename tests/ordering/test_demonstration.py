"""The demonstration world has an order to look at in each state that one can look at."""

from makola.core.ordering.queries import OrderFilter, list_all_orders
from makola.core.ordering.types import OrderState
from makola.core.organisations.credit import TRADE_ACCOUNT
from makola.core.organisations.service import create_organisation
from makola.demonstration_catalogue import create_demonstration_catalogue
from makola.demonstration_hub import create_distributor
from makola.demonstration_orders import UK_NEXT_DAY, create_demonstration_orders
from makola.kit.database import Database
from tests.ordering.world import check_ledger


async def test_there_is_an_order_in_each_state(database: Database) -> None:
    async with database.transaction() as connection:
        await create_organisation(connection, None, name="Platform")
        tree, clients = await create_distributor(connection, ())
        chain = (tree.platform_id, tree.distributor_id, tree.wholesaler_id, tree.reseller_id, tree.customer_id)
        await create_demonstration_catalogue(connection, chain)
        await create_demonstration_orders(connection, chain, clients["reseller"].application,
                                          clients["customer"].application)
        found, _ = await list_all_orders(connection, OrderFilter(newest_first=False), skip=0, limit=100)
    assert [order.state for order in found] == [
        OrderState.CREATED, OrderState.ACCEPTED, OrderState.PART_SHIPPED, OrderState.COMPLETE,
        OrderState.ATTENTION_REQUIRED, OrderState.CANCELLED, OrderState.ACCEPTED]
    assert {order.organisation_id for order in found} == {tree.reseller_id, tree.customer_id}
    paid = found[-1].line_items[0].tiers
    assert [tier.organisation_id for tier in paid] == list(chain)
    assert len({tier.price_units for tier in paid}) == len(chain)
    held = await database.fetchval("SELECT count(*) FROM ledger.account WHERE purpose = $1 AND held > 0", TRADE_ACCOUNT)
    assert held == len(chain) - 1
    names = {row["name"] for row in await database.fetch("SELECT name FROM ordering.shipping_type")}
    assert UK_NEXT_DAY in names
    await check_ledger(database)
