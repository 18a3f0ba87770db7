"""Credit accounts: how far an organisation may buy before it pays."""

from decimal import Decimal
from typing import Annotated

import msgspec
from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from makola.api.hub.context import HubContext
from makola.api.hub.money import number_of, units_of
from makola.api.hub.paging import Paging
from makola.api.hub.reading import from_body, from_query
from makola.core.ledger.types import Account
from makola.core.organisations.credit import list_credit_accounts, set_credit
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Database

_TAGS = ["Organisations"]


class CreditAccount(msgspec.Struct):
    """An organisation's account with its parent, in one currency. Amounts are in the currency's unit."""

    currency: str
    credit_limit: Annotated[float | None, Meta(description="How far the balance may go below 0; null for no limit.")]
    balance: float
    held: Annotated[float, Meta(description="Reserved for orders that were accepted and are not shipped.")]
    available: Annotated[float | None, Meta(description="What can still be spent; null for no limit.")]


class CreditQuery(Paging, frozen=True, kw_only=True):
    """Which accounts are wanted."""


class CreditLimit(msgspec.Struct, forbid_unknown_fields=True):
    """A new limit; 0 takes the credit account away."""

    credit_limit: Annotated[Decimal, Meta(
        description="In the currency's unit, with at most four decimal places.",
        extra_json_schema={"type": "number", "minimum": 0, "maximum": 10**12})]


@get("/organisations/{organisation_id:int}/credit_accounts", dependencies={"filters": from_query(CreditQuery)},
     tags=_TAGS, opt={"permission": Permission.CREDIT_VIEW})
async def get_credit_accounts(actor: NamedDependency[Actor], database: NamedDependency[Database],
                              organisation_id: FromPath[int],
                              filters: NamedDependency[CreditQuery]) -> Response[list[CreditAccount]]:
    """Get the credit accounts of an organisation, by currency (ours)."""
    async with database.connection() as connection:
        found = await list_credit_accounts(connection, actor, organisation_id)
    page = found[filters.offset:filters.offset + filters.per_page]
    return Response([_written(each) for each in page], headers=filters.headers(len(found)))


@put("/organisations/{organisation_id:int}/credit_accounts/{currency:str}",
     dependencies={"sent": from_body(CreditLimit)}, tags=_TAGS, opt={"permission": Permission.CREDIT_CHANGE})
async def change_credit(actor: NamedDependency[Actor], database: NamedDependency[Database],
                        context: NamedDependency[HubContext], organisation_id: FromPath[int],
                        currency: FromPath[str], sent: NamedDependency[CreditLimit]) -> CreditAccount:
    """Give an organisation below one's own a credit account, change its limit, or take it away with 0 (ours)."""
    units = units_of(sent.credit_limit, "credit_limit")
    async with database.transaction() as connection:
        account = await set_credit(connection, actor, organisation_id, currency=currency, credit_limit_units=units)
    context.credentials.forget()
    return _written(account)


def _written(account: Account) -> CreditAccount:
    limit, available = account.credit_limit_units, account.available_units
    return CreditAccount(
        account.currency, number_of(limit) if limit is not None else None, number_of(account.balance_units),
        number_of(account.held_units), number_of(available) if available is not None else None)


route_handlers = [get_credit_accounts, change_credit]
