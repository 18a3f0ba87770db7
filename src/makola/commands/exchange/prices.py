"""Price rules in files."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from makola.commands.exchange import values
from makola.commands.exchange.formats import Problem, Row
from makola.commands.exchange.importing import Parsed
from makola.commands.exchange.values import BadRowError, Column
from makola.core.catalogue import queries
from makola.core.catalogue.errors import InvalidPriceRuleError
from makola.core.catalogue.queries import NamedRule, Numbers
from makola.core.catalogue.service.prices import check_rule, find_problems, save_rules
from makola.core.catalogue.types import PriceRule, RuleKind
from makola.kit.database import Connection
from makola.kit.money import decimal_text

_PER_CENT = 100
#: Stands for an id that is looked up when the row is stored.
_UNKNOWN = 1

COLUMNS: Mapping[str, Column] = {column.name: column for column in (
    Column("seller", values.integer), Column("buyer", values.integer),
    *(Column(name, values.word) for name in ("vendor", "type", "product_code", "part", "currency", "kind")),
    Column("min_quantity", values.integer), Column("valid_from", values.moment), Column("valid_to", values.moment),
    Column("markup", values.per_cent), Column("price", values.amount), Column("rounding", values.amount),
)}


@dataclass(frozen=True, slots=True)
class GivenRule:
    """A rule whose vendor, type, product and part are still names."""

    rule: PriceRule
    vendor: str
    type: str
    product_code: str
    part: str


class PriceImporter:
    """Rows become price rules."""

    columns = COLUMNS

    def __init__(self) -> None:
        self._lines: dict[tuple[object, ...], int] = {}

    def parse(self, row: Row) -> GivenRule:
        """Return what a row says."""
        given = values.read_values(row, COLUMNS)
        names = {name: str(given.get(name, "")) for name in ("vendor", "type", "product_code", "part")}
        try:
            rule = _rule(given, names)
            check_rule(rule)
        except InvalidPriceRuleError as error:
            raise BadRowError([Problem(row.line, error.field, error.detail)]) from None
        key = (rule.seller_id, rule.buyer_id, *names.values(), rule.currency, rule.min_quantity, rule.valid_from)
        first = self._lines.setdefault(key, row.line)
        if first != row.line:
            raise BadRowError([Problem(row.line, "", f"line {first} speaks of the same")])
        return GivenRule(rule, **names)

    async def store(self, connection: Connection, rows: Sequence[Parsed[GivenRule]]) -> list[Problem]:
        """Store rules, with ids in the place of names."""
        given = [row.value for row in rows]
        numbers = await queries.find_numbers(
            connection, vendors={each.vendor for each in given} - {""}, types={each.type for each in given} - {""},
            products=list({(each.product_code, each.vendor) for each in given if each.product_code}))
        problems: list[Problem] = []
        found: list[tuple[int, PriceRule]] = []
        for row in rows:
            try:
                found.append((row.line, _numbered(row.value, numbers)))
            except InvalidPriceRuleError as error:
                problems.append(Problem(row.line, error.field, error.detail))
        wrong = await find_problems(connection, [rule for _, rule in found])
        problems += [Problem(line, error.field, error.detail)
                     for (line, _), error in zip(found, wrong, strict=True) if error is not None]
        await save_rules(connection, [rule for (_, rule), error in zip(found, wrong, strict=True) if error is None])
        return problems


def _rule(given: Mapping[str, Any], names: Mapping[str, str]) -> PriceRule:
    if "seller" not in given:
        raise InvalidPriceRuleError("This must not be empty.", field="seller")
    kind = _kind(given)
    is_of_product = bool(names["product_code"])
    return PriceRule(
        0, given["seller"], kind, {RuleKind.MARKUP: given.get("markup", 0), RuleKind.FIXED: given.get("price", 0)}.get(
            kind, 0), given.get("buyer"), _UNKNOWN if is_of_product else None, _UNKNOWN if names["part"] else None,
        _UNKNOWN if names["type"] and not is_of_product else None,
        _UNKNOWN if names["vendor"] and not is_of_product else None, given.get("currency") or None,
        given.get("min_quantity", 1), given.get("valid_from"), given.get("valid_to"), given.get("rounding", 1))


def _kind(given: Mapping[str, Any]) -> RuleKind:
    """Return the kind that a row names, or that its amount tells."""
    named = given.get("kind", "")
    if named not in {"", *RuleKind}:
        raise InvalidPriceRuleError(f"This is one of {', '.join(RuleKind)}.", field="kind")
    told = [kind for kind, column in ((RuleKind.MARKUP, "markup"), (RuleKind.FIXED, "price")) if column in given]
    if len(told) > 1:
        raise InvalidPriceRuleError("Give either a markup or a price.", field="price")
    kind = RuleKind(named) if named else told[0] if told else None
    if kind is None or (told or [RuleKind.WITHHELD]) != [kind]:
        raise InvalidPriceRuleError("Give a markup, or a price, or the kind withheld.", field="kind")
    return kind


def _numbered(given: GivenRule, numbers: Numbers) -> PriceRule:
    def found(table: Mapping[Any, int], key: object, field: str, name: str) -> int:
        number = table.get(key)
        if number is None:
            raise InvalidPriceRuleError(f"There is no {field} {name!r}.", field=field)
        return number

    if given.product_code:
        key = (given.product_code, given.vendor)
        product_id = found(numbers.products, key, "product_code", given.product_code)
        return replace(given.rule, product_id=product_id, part_id=found(
            numbers.parts, (product_id, given.part), "part", given.part) if given.part else None)
    return replace(
        given.rule,
        vendor_id=found(numbers.vendors, given.vendor, "vendor", given.vendor) if given.vendor else None,
        type_id=found(numbers.types, given.type, "type", given.type) if given.type else None)


# -- export -------------------------------------------------------------------------------------------------------


async def export_prices(connection: Connection) -> AsyncIterator[Mapping[str, object]]:
    """Yield every price rule as a row that `PriceImporter` reads."""
    async for rules in queries.all_rules(connection):
        for each in rules:
            yield _written(each)


def _written(named: NamedRule) -> dict[str, object]:
    rule = named.rule
    return {
        "seller": rule.seller_id, "buyer": rule.buyer_id, "vendor": named.vendor, "type": named.type,
        "product_code": named.product_code, "part": named.part, "currency": rule.currency or "",
        "kind": rule.kind.value, "min_quantity": rule.min_quantity,
        "valid_from": rule.valid_from.isoformat() if rule.valid_from is not None else None,
        "valid_to": rule.valid_to.isoformat() if rule.valid_to is not None else None,
        "markup": f"{Decimal(rule.amount) / _PER_CENT:f}" if rule.kind is RuleKind.MARKUP else None,
        "price": decimal_text(rule.amount, decimals=0) if rule.kind is RuleKind.FIXED else None,
        "rounding": decimal_text(rule.rounding_units, decimals=0)}
