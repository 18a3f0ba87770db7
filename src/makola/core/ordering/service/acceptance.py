"""Acceptance: the prices of every tier are frozen, and the money of every tier is reserved.

One hold carries the order along the chain: each organisation owes its parent the order's lines at its own price.
What is to be shipped is taken from stock. Where there is less in stock the order is accepted all the same: whether it
can wait is for the warehouse to say, which puts it aside or gives it up otherwise.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from makola.core.catalogue.service.stock import note_stock_changes
from makola.core.ledger import service as ledger
from makola.core.ledger.types import Leg, NewHold
from makola.core.ordering.ports import Offer, PriceSource, Refusal
from makola.core.ordering.service.changes import Locked, change_state, wrong_state
from makola.core.ordering.service.checks import MOST_TOTAL_UNITS, total_quantities
from makola.core.ordering.states import CANCELLABLE
from makola.core.ordering.store import orders
from makola.core.ordering.types import SYSTEM, LineItem, Order, OrderState, Origin
from makola.core.organisations.credit import open_trade_account, trade_accounts_of
from makola.core.organisations.queries import find_active_chains
from makola.kit.clock import now
from makola.kit.database import Connection

_NO_CREDIT = "Your credit does not cover this order."
_NO_CREDIT_ABOVE = "This order cannot be accepted at present; your supplier has been told."


def unshipped_goods(lines: Iterable[LineItem]) -> Counter[int]:
    """Return how many of each product are to be shipped still, by the product's id."""
    left: Counter[int] = Counter()
    for line in lines:
        if line.is_shippable:
            left[line.product_id] += line.quantity - line.shipped_quantity
    return left


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an order cannot be accepted as it stands: for its reseller, and for the warehouse alone."""

    reason: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order would be accepted at.

    Attributes:
        offers: what each line is offered at, by its number.
        legs: what each tier owes its parent for the whole order.
        owners: the organisation that has an account, by the account's id.
    """

    offers: Mapping[int, Offer]
    legs: tuple[Leg, ...]
    owners: Mapping[int, int]


async def accept(connection: Connection, order: Locked, prices: PriceSource, origin: Origin) -> OrderState:
    """Accept an order, or find that somebody must attend to it.

    Args:
        connection: the transaction that has locked the order.
        order: as it was locked.
        prices: what products are offered at.
        origin: who accepts it.

    Returns:
        ACCEPTED, or ATTENTION_REQUIRED where a product is not on the list any more, has become dearer, or some tier's
        credit does not cover it; nothing is reserved then.

    Raises:
        WrongStateError: it is in another state than CREATED or PROCESSING.
    """
    order = await begin_processing(connection, order, origin)
    if order.state is not OrderState.PROCESSING:
        raise wrong_state(order, "be accepted")
    whole = await orders.find(connection, order.order_id)
    if whole is None:
        raise wrong_state(order, "be found")
    terms = await find_terms(connection, whole, prices)
    if isinstance(terms, Terms):
        if await ledger.reserve(connection, [NewHold(order.reference, terms.legs)], now()):
            await orders.freeze(connection, order.order_id, terms.offers)
            await note_stock_changes(connection, {
                product_id: -quantity for product_id, quantity in unshipped_goods(whole.line_items).items()})
            await orders.set_errand(connection, order.order_id, "", None)
            await change_state(connection, order, OrderState.ACCEPTED, origin)
            return OrderState.ACCEPTED
        terms = await explain_lack(connection, whole.organisation_id, terms)
    await require_attention(connection, order, SYSTEM, reason=terms.reason, note=terms.note)
    return OrderState.ATTENTION_REQUIRED


async def begin_processing(connection: Connection, order: Locked, origin: Origin) -> Locked:
    """Take a new order up; any other is returned as it is."""
    if order.state is not OrderState.CREATED:
        return order
    await change_state(connection, order, OrderState.PROCESSING, origin)
    return replace(order, state=OrderState.PROCESSING)


async def require_attention(connection: Connection, order: Locked, origin: Origin, *, reason: str,
                            note: str = "") -> None:
    """Put an order aside until somebody has resolved what is wrong with it and resubmits it.

    Raises:
        WrongStateError: it is accepted already, or has ended.
    """
    if order.state not in CANCELLABLE:
        raise wrong_state(order, f"become {OrderState.ATTENTION_REQUIRED}")
    order = await begin_processing(connection, order, origin)
    await orders.set_errand(connection, order.order_id, "", None)
    await change_state(connection, order, OrderState.ATTENTION_REQUIRED, origin, reason=reason, note=note)


async def find_terms(connection: Connection, order: Order, prices: PriceSource) -> Terms | Objection:
    """Return what an order would be accepted at now, or what stands against it; nothing is reserved."""
    chain = (await find_active_chains(connection, [order.organisation_id])).get(order.organisation_id)
    if chain is None:
        return Objection("This organisation is suspended.")
    offers = await prices.offers(connection, chain, order.line_items[0].currency, order.content.items)
    agreed: dict[int, Offer] = {}
    wanted = total_quantities(order.content.items, offers)
    amounts: dict[tuple[int, int, str], int] = defaultdict(int)
    for line, offer in zip(order.line_items, offers, strict=True):
        if isinstance(offer, Refusal) or offer.product_id != line.product_id:
            return Objection(f"{_named(line)} is not on your price list any more.")
        objection = _objection(line, offer, wanted[offer.product_id])
        if objection is not None:
            return objection
        agreed[line.number] = offer
        paying = {tier.organisation_id: tier for tier in offer.tiers}
        for seller_id, buyer_id in pairwise(chain):
            tier = paying[buyer_id]
            amounts[buyer_id, seller_id, tier.currency] += (
                tier.price_units * line.quantity + offer.shipping_units)
    if any(amount > MOST_TOTAL_UNITS for amount in amounts.values()):
        return Objection(_NO_CREDIT_ABOVE, "At some tier it costs more than one order can.")
    return await _terms(connection, chain, agreed, amounts)


def _named(line: LineItem) -> str:
    return f"Line {line.number} ({line.product_code})"


def _objection(line: LineItem, offer: Offer, quantity: int) -> Objection | None:
    """Return what stands against a line; `quantity` is what all lines want of its product together."""
    price = offer.price
    if (price.currency != line.currency or price.price_units > line.quoted_units
            or offer.shipping_units > line.shipping_units):
        return Objection(f"{_named(line)} has another price now; resubmit the order to have it at that price.")
    if not offer.minimum_quantity <= quantity <= (offer.maximum_quantity or quantity):
        return Objection(f"{_named(line)} cannot be had in this quantity any more.")
    return None


async def _terms(connection: Connection, chain: Sequence[int], offers: Mapping[int, Offer],
                 amounts: Mapping[tuple[int, int, str], int]) -> Terms:
    """Return the terms of amounts by buyer, seller and currency. An account that is missing is opened, without credit.

    Only one that is missing: opening locks it, and what is locked out of the ledger's order can block another.
    """
    accounts: dict[tuple[int, str], int] = {}
    for currency in sorted({currency for _, _, currency in amounts}):
        found = await trade_accounts_of(connection, chain, currency)
        for organisation_id in chain:
            account = found.get(organisation_id)
            accounts[organisation_id, currency] = account.account_id if account is not None else (
                await open_trade_account(connection, organisation_id, currency))
    legs = tuple(Leg(accounts[buyer_id, currency], accounts[seller_id, currency], amount)
                 for (buyer_id, seller_id, currency), amount in amounts.items() if amount)
    return Terms(offers, legs, {account_id: organisation_id for (organisation_id, _), account_id in accounts.items()})


async def explain_lack(connection: Connection, organisation_id: int, terms: Terms) -> Objection:
    """Say whose credit does not cover an order: to its reseller only whether it is its own."""
    short = {terms.owners[account_id] for account_id in {leg.debit_id for leg in terms.legs}
             if not await ledger.can_reserve(connection, [leg for leg in terms.legs if leg.debit_id == account_id])}
    names = ", ".join(map(str, sorted(short)))
    return Objection(_NO_CREDIT if organisation_id in short else _NO_CREDIT_ABOVE,
                     f"Not covered by the credit of organisation {names}.")
