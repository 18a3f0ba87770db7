"""What an organisation asks of its children for products (ours; docs/reference/prices.md has the rule)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from makola.api.hub.errors import refused
from makola.api.hub.filters import check_organisations
from makola.api.hub.money import Currency, number_of, units_of
from makola.api.hub.paging import Paging
from makola.api.hub.reading import Id, from_body, from_query
from makola.core.catalogue import queries
from makola.core.catalogue.service import prices
from makola.core.catalogue.types import PriceRule as Rule
from makola.core.catalogue.types import RuleKind
from makola.core.organisations.permissions import Permission
from makola.core.organisations.types import Actor
from makola.kit.database import Database

_TAGS = ["Catalogue"]
_PER_CENT = 100
_MOST_PRICE = 10**11
_MOST_PER_CENT = 10_000
_MOST_ROUNDING = 10_000

Kind = Literal["markup", "fixed", "withheld"]
Price = Annotated[Decimal, Meta(extra_json_schema={"type": "number", "minimum": 0})]
Markup = Annotated[Decimal, Meta(
    description="Per cent, such as 12.5; at most two decimal places.",
    extra_json_schema={"type": "number", "minimum": 0, "maximum": _MOST_PER_CENT})]
Rounding = Annotated[Decimal, Meta(
    description="A price that a markup gives is rounded up to a multiple of this.",
    extra_json_schema={"type": "number", "exclusiveMinimum": 0, "maximum": _MOST_ROUNDING})]
Moment = Annotated[datetime, Meta(tz=True)]


class PriceRule(msgspec.Struct):
    """What the caller's organisation asks of its children; what is `null` stands for whatever."""

    id: int
    kind: Kind
    markup: Annotated[float | None, Meta(description="Per cent; of the kind `markup` only.")]
    price: Annotated[float | None, Meta(description="Of the kind `fixed` only.")]
    buyer: Annotated[int | None, Meta(description="One child.")]
    product: int | None
    part: Annotated[int | None, Meta(
        description="The id of one of the product's provisioning or maintenance items or rate plan charges.")]
    type: int | None
    vendor: int | None
    currency: str | None
    min_quantity: int
    valid_from: datetime | None
    valid_to: datetime | None
    rounding: float


class NewPriceRule(msgspec.Struct, forbid_unknown_fields=True):
    """A rule to set; it takes the place of one that speaks of the same."""

    kind: Kind
    markup: Markup | None = None
    price: Price | None = None
    buyer: Id | None = None
    product: Id | None = None
    part: Id | None = None
    type: Id | None = None
    vendor: Id | None = None
    currency: Currency | None = None
    min_quantity: Id = 1
    valid_from: Moment | None = None
    valid_to: Moment | None = None
    rounding: Rounding = Decimal("0.0001")


class PriceRuleQuery(Paging, frozen=True, kw_only=True):
    """Which rules are wanted."""

    buyer: Annotated[tuple[Id, ...], Meta(description="Only those for these children alone.")] = ()
    product: Annotated[tuple[Id, ...], Meta(description="Only those for these products alone.")] = ()


@get("/price_rules", dependencies={"filters": from_query(PriceRuleQuery)}, tags=_TAGS,
     opt={"permission": Permission.PRICE_VIEW})
async def list_price_rules(actor: NamedDependency[Actor], database: NamedDependency[Database],
                           filters: NamedDependency[PriceRuleQuery]) -> Response[list[PriceRule]]:
    """Get the price rules of the caller's own organisation (ours).

    What stands above and what its rules are is never shown.
    """
    await check_organisations(database, actor, filters.buyer, "buyer")
    if unknown := await queries.unknown_products_among(database, filters.product):
        raise refused("product", f"There is no product {unknown[0]}.")
    found, total = await queries.own_rules(database, actor, buyer_ids=filters.buyer, product_ids=filters.product,
                                           limit=filters.per_page, offset=filters.offset)
    return Response([_written(rule) for rule in found], headers=filters.headers(total))


@post("/price_rules", dependencies={"sent": from_body(NewPriceRule)}, tags=_TAGS,
      opt={"permission": Permission.PRICE_CHANGE})
async def set_price_rule(actor: NamedDependency[Actor], database: NamedDependency[Database],
                         sent: NamedDependency[NewPriceRule]) -> PriceRule:
    """Set a price rule of the caller's own organisation (ours).

    Where there is one for the same buyer, target, currency, quantity and start, it is replaced and keeps its id.
    """
    async with database.transaction() as connection:
        return _written(await prices.save_own_rule(connection, actor, _read(sent)))


@get("/price_rules/{rule_id:int}", tags=_TAGS, opt={"permission": Permission.PRICE_VIEW})
async def get_price_rule(actor: NamedDependency[Actor], database: NamedDependency[Database],
                         rule_id: FromPath[int]) -> PriceRule:
    """Get one price rule of the caller's own organisation (ours)."""
    return _written(await queries.own_rule(database, actor, rule_id))


@delete("/price_rules/{rule_id:int}", tags=_TAGS, opt={"permission": Permission.PRICE_CHANGE})
async def delete_price_rule(actor: NamedDependency[Actor], database: NamedDependency[Database],
                            rule_id: FromPath[int]) -> None:
    """Delete a price rule of the caller's own organisation (ours)."""
    async with database.transaction() as connection:
        await prices.remove_own_rule(connection, actor, rule_id)


def _read(sent: NewPriceRule) -> Rule:
    if (sent.kind == "markup") != (sent.markup is not None):
        raise refused("markup", "This belongs to the kind markup, and only to that.")
    if (sent.kind == "fixed") != (sent.price is not None):
        raise refused("price", "This belongs to the kind fixed, and only to that.")
    amount = 0
    if sent.price is not None:
        amount = units_of(_bounded(sent.price, _MOST_PRICE, "price"), "price")
    if sent.markup is not None:
        hundredths = _bounded(sent.markup, _MOST_PER_CENT, "markup") * _PER_CENT
        if hundredths != hundredths.to_integral_value():
            raise refused("markup", "At most two decimal places.")
        amount = int(hundredths)
    rounding_units = units_of(_bounded(sent.rounding, _MOST_ROUNDING, "rounding"), "rounding")
    return Rule(0, 0, RuleKind(sent.kind), amount, sent.buyer, sent.product, sent.part, sent.type, sent.vendor,
                sent.currency, sent.min_quantity, _utc(sent.valid_from, "valid_from"), _utc(sent.valid_to, "valid_to"),
                rounding_units)


def _bounded(amount: Decimal, most: int, field: str) -> Decimal:
    if not amount.is_finite() or not 0 <= amount <= most:
        raise refused(field, f"This is a number from 0 to {most}.")
    return amount


def _utc(moment: datetime | None, field: str) -> datetime | None:
    try:
        return moment.astimezone(UTC) if moment is not None else None
    except OverflowError as error:
        raise refused(field, "This is before the year 1 or after the year 9999.") from error


def _written(rule: Rule) -> PriceRule:
    return PriceRule(
        rule.rule_id, rule.kind.value, rule.amount / _PER_CENT if rule.kind is RuleKind.MARKUP else None,
        number_of(rule.amount) if rule.kind is RuleKind.FIXED else None, rule.buyer_id, rule.product_id, rule.part_id,
        rule.type_id, rule.vendor_id, rule.currency, rule.min_quantity, rule.valid_from, rule.valid_to,
        number_of(rule.rounding_units))


route_handlers = [list_price_rules, set_price_rule, get_price_rule, delete_price_rule]
