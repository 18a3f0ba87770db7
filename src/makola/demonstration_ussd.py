"""The demonstration world's service codes: `*711#` is a small bank, `*712#` the same for an owner without credit."""

from collections.abc import Sequence

from makola.connectors.sandbox.bank import BANK_PATH
from makola.core.billing.service import set_tariff
from makola.core.organisations.actors import find_platform_actor
from makola.core.organisations.queries import find_place
from makola.core.ussd.service.mapping import find_code, map_code
from makola.core.ussd.types import SESSION_TARIFF
from makola.kit.database import Connection

CODE = "711"
_PENNILESS_CODE = "712"
_CREDIT = "CREDIT"
_SESSION_PRICE_UNITS = 10_000


async def create_demonstration_ussd(connection: Connection, merchant_id: int, penniless_id: int, public_url: str, *,
                                    networks: Sequence[str], before_url: str) -> None:
    """Send the codes to the bank, unless somebody has sent them elsewhere since; a session costs one credit.

    Args:
        connection: an open transaction.
        merchant_id: who owns the code with credit, where it is new.
        penniless_id: who owns the code without.
        public_url: where this server is.
        networks: for which there is a price, by the beginnings of their ids.
        before_url: where it was before, or is; a code that still goes there moves with the server.
    """
    actor = await find_platform_actor(connection)
    if actor is None:
        return
    bank, before = f"{public_url}{BANK_PATH}", f"{before_url}{BANK_PATH}"
    for code, owner_id, name in ((CODE, merchant_id, "Demonstration bank"),
                                 (_PENNILESS_CODE, penniless_id, "Bank without credit")):
        found = await find_code(connection, code)
        if found is not None and found.url == bank:
            continue  # as it was left: perhaps switched off
        await map_code(connection, actor, code, bank, owner_id=owner_id, name=name, only_where_url=before,
                       allow_private=True)
        if found is None:
            await _price(connection, owner_id, networks)


async def _price(connection: Connection, owner_id: int, networks: Sequence[str]) -> None:
    """Let a session cost every tier one credit, down to the owner of a code."""
    place = await find_place(connection, owner_id)
    for organisation_id in place.chain[1:] if place is not None else ():
        for network in networks:
            await set_tariff(connection, organisation_id, SESSION_TARIFF, network, currency=_CREDIT,
                             price_units=_SESSION_PRICE_UNITS)
