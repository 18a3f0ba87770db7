"""What may be done with tariffs, and what something costs."""

from collections.abc import Sequence
from itertools import pairwise
from time import monotonic
from uuid import UUID

from makola.core.billing.errors import InvalidTariffError
from makola.core.billing.types import MESSAGING_ACCOUNT, Charge
from makola.core.ledger import service as ledger
from makola.core.ledger.types import Account, Leg
from makola.core.organisations.queries import find_organisation
from makola.kit.database import Connection, Database

_SET = """
INSERT INTO billing.tariff (organisation_id, service, network_id, currency, price_units) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT ON CONSTRAINT tariff_pkey
DO UPDATE SET currency = excluded.currency, price_units = excluded.price_units, updated_at = now()
"""

# For each tier the most exact tariff: MCC+MNC, then the MCC alone, then any network.
_TARIFFS = """
SELECT DISTINCT ON (organisation_id) organisation_id, currency, price_units
FROM billing.tariff
WHERE organisation_id = ANY($1::bigint[]) AND service = $2 AND network_id IN ($3, left($3, 3), '*')
ORDER BY organisation_id, length(network_id) DESC
"""

#: The ledger's account for everything outside: money comes from it and goes to it.
_WORLD_OWNER_ID = 0
_WORLD_ACCOUNT = "world"


async def set_tariff(connection: Connection, organisation_id: int, service: str, network_id: str, *, currency: str,
                     price_units: int) -> None:
    """Say what an organisation pays its parent for one unit of a service.

    Args:
        connection: an open transaction.
        organisation_id: who pays.
        service: what for.
        network_id: MCC+MNC, an MCC alone, or `*`.
        currency: of the price, and of the two accounts that are opened where they are missing.
        price_units: in 1/10,000 of the currency's unit.

    Raises:
        InvalidTariffError: the price is negative, or the organisation has no parent to pay.
    """
    organisation = await find_organisation(connection, organisation_id)
    if organisation is None or organisation.parent_id is None:
        raise InvalidTariffError("Only an organisation with a parent has a tariff.", field="organisation_id")
    if price_units < 0:
        raise InvalidTariffError("A price cannot be negative.", field="price_units")
    await connection.execute(_SET, organisation_id, service, network_id, currency, price_units)
    for owner_id in (organisation.parent_id, organisation_id):
        await ledger.open_account(connection, owner_id, MESSAGING_ACCOUNT, currency)


async def top_up(connection: Connection, organisation_id: int, *, currency: str, amount_units: int,
                 reference: UUID) -> None:
    """Put credit from outside on an organisation's account."""
    world_id = await ledger.open_account(connection, _WORLD_OWNER_ID, _WORLD_ACCOUNT, currency, credit_limit_units=None)
    account_id = await ledger.open_account(connection, organisation_id, MESSAGING_ACCOUNT, currency)
    await ledger.transfer(connection, Leg(world_id, account_id, amount_units), kind="top_up", reference=reference)


async def messaging_accounts(connection: Connection, organisation_id: int) -> list[Account]:
    """Return the accounts that an organisation's messages are paid from, by currency."""
    return await ledger.accounts_of(connection, [organisation_id], MESSAGING_ACCOUNT)


class PriceList:
    """Charges by organisation and network, remembered for a few seconds.

    Args:
        database: where the tariffs are.
        remember_s: how long a changed tariff may go unseen.
    """

    def __init__(self, database: Database, *, remember_s: float) -> None:
        self._database = database
        self._remember_s = remember_s
        self._known: dict[tuple[int, str, str], tuple[float, Charge | None]] = {}

    async def charge(self, chain: Sequence[int], service: str, network_id: str, *,
                     connection: Connection | None = None) -> Charge | None:
        """Return what one unit costs along `chain`; None when some tier has no tariff for it.

        Args:
            chain: the organisations from the root to the one that uses the service.
            service: which one.
            network_id: MCC+MNC, or an MCC alone.
            connection: the caller's own, where it holds one: whoever waits for a second connection while others wait
                for what the first has locked may wait for ever.
        """
        key = (chain[-1], service, network_id)
        known = self._known.get(key)
        if known is not None and known[0] > monotonic():
            return known[1]
        if connection is not None:
            charge = await _load(connection, chain, service, network_id)
        else:
            async with self._database.connection() as own:
                charge = await _load(own, chain, service, network_id)
        if len(self._known) > 100_000:
            self._known.clear()
        self._known[key] = (monotonic() + self._remember_s, charge)
        return charge


async def _load(connection: Connection, chain: Sequence[int], service: str, network_id: str) -> Charge | None:
    rows = await connection.fetch(_TARIFFS, list(chain[1:]), service, network_id)
    tariffs = {row["organisation_id"]: (row["currency"], row["price_units"]) for row in rows}
    accounts = {(account.owner_id, account.currency): account.account_id
                for account in await ledger.accounts_of(connection, chain, MESSAGING_ACCOUNT)}
    if len(tariffs) < len(chain) - 1:
        return None
    legs = [Leg(accounts[buyer, currency], accounts[seller, currency], price_units)
            for seller, buyer in pairwise(chain)
            for currency, price_units in [tariffs[buyer]] if price_units > 0]
    currency, price_units = tariffs.get(chain[-1], ("", 0))
    return Charge(tuple(legs), price_units, currency)
