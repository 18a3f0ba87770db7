"""The distributor of the demonstration world: five tiers, each with a user, a credit account and prices of its own."""

from dataclasses import dataclass
from uuid import uuid4

from makola.core.applications.api_clients import create_api_client
from makola.core.applications.types import NewApplication
from makola.core.billing.service import set_tariff, top_up
from makola.core.billing.types import SMS
from makola.core.organisations.actors import find_platform_actor
from makola.core.organisations.addresses import AddressParticulars, add_address
from makola.core.organisations.countries import country_by_code
from makola.core.organisations.credit import set_credit
from makola.core.organisations.members import NewGrants, NewUser, add_member
from makola.core.organisations.permissions import Permission
from makola.core.organisations.roles import add_role
from makola.core.organisations.tree import OrganisationChange, add_organisation
from makola.core.organisations.types import Actor
from makola.kit.database import Connection
from makola.kit.money import UNITS_PER_CURRENCY_UNIT

#: Of the catalogue, the orders and the credit accounts.
CURRENCY = "GBP"

_CREDIT = "CREDIT"
_CREDIT_LIMIT_UNITS = 100_000 * UNITS_PER_CURRENCY_UNIT
_MESSAGING_UNITS = 1_000_000 * UNITS_PER_CURRENCY_UNIT


@dataclass(frozen=True, slots=True)
class _Tier:
    """What an organisation of the chain is called, who its user is, and what it pays for an SMS, in credits."""

    word: str
    organisation: str
    user: str
    sms_credits: float
    finance_type: str = "DIRECT"
    modules: tuple[str, ...] = ("WEBSTORE", "MESSAGING", "PAYMENTS")


_PLATFORM_USER = "Platform user"
_TIERS = (
    _Tier("distributor", "Demonstration distributor", "Distributor user", 0.3),
    _Tier("wholesaler", "Demonstration wholesaler", "Wholesaler user", 0.4),
    _Tier("reseller", "Demonstration Hub reseller", "Reseller user", 0.6, "AGENT"),
    _Tier("customer", "Demonstration customer", "Customer user", 1.0),
)

_BUYER = (Permission.PRODUCT_VIEW, Permission.SHIPPING_TYPE_VIEW, Permission.ADDRESS_VIEW, Permission.BASKET_VIEW,
          Permission.BASKET_CREATE, Permission.BASKET_CHANGE, Permission.ORDER_VIEW, Permission.ORDER_CREATE)


@dataclass(frozen=True, slots=True)
class DemonstrationTree:
    """The chain, from the root of the tree down.

    Attributes:
        actor: the platform's own, for further parts of the world.
    """

    actor: Actor
    platform_id: int
    distributor_id: int
    wholesaler_id: int
    reseller_id: int
    customer_id: int


async def create_distributor(connection: Connection,
                             priced_networks: tuple[str, ...]) -> tuple[DemonstrationTree, dict[str, NewApplication]]:
    """Make the four tiers below the root of the tree; return them, and an API client of each tier by its word.

    Args:
        connection: the transaction in which the root of the tree was made.
        priced_networks: those that an SMS can be sent to.
    """
    actor = await find_platform_actor(connection)
    if actor is None:
        raise LookupError("the root of the tree is made first")
    clients = {"platform": await _user_with_client(connection, actor, actor.organisation_id, "platform",
                                                   _PLATFORM_USER, root=True)}
    ids: dict[str, int] = {}
    parent_id = actor.organisation_id
    for tier in _TIERS:
        made = await add_organisation(connection, actor, parent_id, OrganisationChange(
            tier.organisation, finance_type=tier.finance_type, modules=tier.modules))
        parent_id = ids[tier.word] = made.organisation_id
        await _give_money(connection, actor, made.organisation_id, tier, priced_networks)
        await add_address(connection, actor, made.organisation_id, _address(tier))
        clients[tier.word] = await _user_with_client(connection, actor, made.organisation_id, tier.word, tier.user)
    await add_role(connection, actor, ids["reseller"], "Buyer", [(str(each), False) for each in _BUYER], shared=True)
    return DemonstrationTree(actor, actor.organisation_id, ids["distributor"], ids["wholesaler"], ids["reseller"],
                             ids["customer"]), clients


async def _give_money(connection: Connection, actor: Actor, organisation_id: int, tier: _Tier,
                      priced_networks: tuple[str, ...]) -> None:
    await set_credit(connection, actor, organisation_id, currency=CURRENCY, credit_limit_units=_CREDIT_LIMIT_UNITS)
    for network_id in priced_networks:
        await set_tariff(connection, organisation_id, SMS, network_id, currency=_CREDIT,
                         price_units=int(tier.sms_credits * UNITS_PER_CURRENCY_UNIT))
    await top_up(connection, organisation_id, currency=_CREDIT, amount_units=_MESSAGING_UNITS, reference=uuid4())


async def _user_with_client(connection: Connection, actor: Actor, organisation_id: int, word: str, name: str, *,
                            root: bool = False) -> NewApplication:
    user = await add_member(
        connection, actor, organisation_id,
        NewUser(name, f"{word}@example.com", CURRENCY, "en", "Europe/London"), NewGrants(admin=True, root=root))
    return await create_api_client(connection, actor, user.user_id, f"Demonstration {word}")


def _address(tier: _Tier) -> AddressParticulars:
    country = country_by_code("GB")
    return AddressParticulars(
        name="Main office", company_name=f"{tier.organisation} Ltd.", recipient_name=tier.user,
        addr_line_1="123 Example Close", addr_line_2="Main Street", city="London", region="City of London",
        postal_code="AB12 3AA", country_code=country.country_id if country is not None else 0,
        shared=tier.word in {"distributor", "reseller"})
