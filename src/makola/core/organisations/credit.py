"""Credit accounts: the ledger's accounts that an organisation buys from its parent with.

An organisation has a credit account in a currency when its `trade` account in it may go below zero. (An account that
only receives, as a seller's does, has a limit of 0 and is none.) The root of the tree buys from nobody and needs none.
"""

from collections.abc import Collection

from makola.core.ledger import service as ledger
from makola.core.ledger.types import Account
from makola.core.organisations.audit import record
from makola.core.organisations.countries import is_currency
from makola.core.organisations.errors import InvalidOrganisationError, PermissionDeniedError
from makola.core.organisations.permissions import Permission
from makola.core.organisations.queries import find_visible_organisation
from makola.core.organisations.types import Actor
from makola.kit.database import Connection
from makola.kit.money import UNITS_PER_CURRENCY_UNIT

_MOST_UNITS = 10**12 * UNITS_PER_CURRENCY_UNIT

#: The purpose of the ledger accounts that orders are paid from and to.
TRADE_ACCOUNT = "trade"


async def credit_accounts_of(connection: Connection, organisation_id: int) -> list[Account]:
    """Return the credit accounts of an organisation, by currency."""
    accounts = await ledger.accounts_of(connection, [organisation_id], TRADE_ACCOUNT)
    return [account for account in accounts if account.credit_limit_units is None or account.credit_limit_units > 0]


async def trade_accounts_of(connection: Connection, chain: Collection[int],
                            currency: str) -> dict[int, Account]:
    """Return the trade account in `currency` of each organisation of `chain` that has one, by organisation."""
    accounts = await ledger.accounts_of(connection, chain, TRADE_ACCOUNT)
    return {account.owner_id: account for account in accounts if account.currency == currency}


async def open_trade_account(connection: Connection, organisation_id: int, currency: str) -> int:
    """Return the id of an organisation's trade account in `currency`, made without credit where there is none."""
    return await ledger.open_account(connection, organisation_id, TRADE_ACCOUNT, currency)


async def list_credit_accounts(connection: Connection, actor: Actor, organisation_id: int) -> list[Account]:
    """Return the credit accounts of an organisation in the actor's sight, by currency.

    Raises:
        PermissionDeniedError: the actor may not look at credit.
        UnknownOrganisationError: the organisation is not in the actor's sight.
    """
    actor.require(Permission.CREDIT_VIEW)
    await find_visible_organisation(connection, actor, organisation_id)
    return await credit_accounts_of(connection, organisation_id)


async def set_credit(connection: Connection, actor: Actor, organisation_id: int, *, currency: str,
                     credit_limit_units: int) -> Account:
    """Say how far an organisation may buy on credit in a currency; 0 takes the credit away. Only those above do this.

    What is already spent stays spent: an account beyond its new limit can buy nothing until it is paid.

    Raises:
        PermissionDeniedError: the actor may not.
        UnknownOrganisationError: the organisation is not in the actor's sight.
        InvalidOrganisationError: a value is not possible; it names the field.
    """
    actor.require(Permission.CREDIT_CHANGE)
    organisation = await find_visible_organisation(connection, actor, organisation_id)
    if organisation_id == actor.organisation_id:
        raise PermissionDeniedError("Credit is given by those above.")
    if not is_currency(currency):
        raise InvalidOrganisationError("A currency is an ISO 4217 code such as GBP.", field="currency")
    if not 0 <= credit_limit_units <= _MOST_UNITS:
        raise InvalidOrganisationError("A credit limit is from 0 to 1,000,000,000,000.", field="credit_limit")
    account_id = await open_trade_account(connection, organisation_id, currency)
    if organisation.parent_id is not None:
        await open_trade_account(connection, organisation.parent_id, currency)
    await ledger.set_credit_limit(connection, account_id, credit_limit_units)
    await record(connection, actor, "credit:change", f"organisation:{organisation_id}",
                 {"currency": currency, "credit_limit_units": credit_limit_units}, organisation_id=organisation_id)
    return (await trade_accounts_of(connection, [organisation_id], currency))[organisation_id]
