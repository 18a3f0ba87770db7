"""Cells become values: what a column expects, and what is said when a cell holds something else."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from makola.commands.exchange.formats import Problem, Row
from makola.core.catalogue.types import MOST_PRICE_UNITS
from makola.kit.json_names import repeated_name
from makola.kit.money import UNITS_PER_CURRENCY_UNIT

_TRUE, _FALSE = {"true", "yes", "1"}, {"false", "no", "0"}
_MOST_INTEGER = 2**63 - 1
_PER_CENT = 100
_PLAIN_INTEGER = re.compile(r"[0-9]{1,18}")
_PLAIN_BOOLEANS = ("true", "false")
_PLAIN_AMOUNT = re.compile(r"([0-9]{1,9})\.([0-9]{1,4})")
#: The exponent of the first digit of an amount at most; more would not fit, and would take long to find out.
_MOST_EXPONENT = 18


class NotGiven:
    """The value of a cell that says nothing: what is there stays, or gets its default."""


NOT_GIVEN = NotGiven()


class BadRowError(Exception):
    """A row that cannot be taken."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(str(problems[0]))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, and how its cells are read."""

    name: str
    read: Callable[[object], object]


def read_values(row: Row, columns: Mapping[str, Column]) -> dict[str, Any]:
    """Return the given values of a row by the name of the column.

    Raises:
        BadRowError: it names every field that is wrong.
    """
    if row.problem is not None:
        raise BadRowError([row.problem])
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, raw in row.values.items():
        column = columns.get(name)
        if column is None:
            problems.append(Problem(row.line, name, "there is no such column"))
            continue
        try:
            value = column.read(raw)
        except ValueError as error:
            problems.append(Problem(row.line, name, str(error)))
            continue
        if value is not NOT_GIVEN:
            values[name] = value
    if problems:
        raise BadRowError(problems)
    return values


def text(raw: object) -> object:
    """Read text; an empty cell is the empty text."""
    if type(raw) is str and "\0" not in raw:
        return raw
    match raw:
        case str():
            raise ValueError("this contains a NUL character")
        case None:
            return ""
        case bool():
            raise ValueError("this is not text")
        case int():
            return str(raw)  # a spreadsheet makes numbers of codes
        case float():
            return str(int(raw)) if raw.is_integer() else str(raw)
        case _:
            raise ValueError("this is not text")


def word(raw: object) -> object:
    """Read a short text, without the spaces around it."""
    if type(raw) is str and "\0" not in raw:
        return raw.strip()
    return str(text(raw)).strip()


def integer(raw: object) -> object:
    """Read a whole number."""
    if type(raw) is str and _PLAIN_INTEGER.fullmatch(raw):
        return int(raw)  # nearly all are like this
    if _is_empty(raw):
        return NOT_GIVEN
    number = _decimal(raw)
    if number != number.to_integral_value():
        raise ValueError("this is not a whole number")
    return int(number)


def amount(raw: object) -> object:
    """Read an amount of money as units of 1/10,000."""
    if type(raw) is str and (plain := _PLAIN_AMOUNT.fullmatch(raw)) is not None:
        return int(plain[1]) * UNITS_PER_CURRENCY_UNIT + int(plain[2].ljust(4, "0"))  # nearly all are like this
    if _is_empty(raw):
        return NOT_GIVEN
    return units_of(_decimal(raw))


def per_cent(raw: object) -> object:
    """Read a percentage as 1/10,000."""
    if _is_empty(raw):
        return NOT_GIVEN
    hundredths = _decimal(str(raw).removesuffix("%")) * _PER_CENT
    if hundredths < 0 or hundredths != hundredths.to_integral_value():
        raise ValueError("this is not a percentage with at most two decimal places")
    return int(hundredths)


def boolean(raw: object) -> object:
    """Read true or false, yes or no, 1 or 0."""
    if raw in _PLAIN_BOOLEANS:
        return raw == "true"
    if _is_empty(raw):
        return NOT_GIVEN
    word = str(raw).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("this is neither true nor false")
    return word in _TRUE


def moment(raw: object) -> object:
    """Read a moment: ISO 8601; without a zone it is UTC."""
    if _is_empty(raw):
        return NOT_GIVEN
    try:
        read = raw if isinstance(raw, datetime) else datetime.fromisoformat(str(raw).strip())
        return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("this is not a date and time such as 2026-11-23T09:00:00Z") from None


def list_of(kind: type[Any]) -> Callable[[object], object]:
    """Return what reads a JSON list of `kind`, a struct; in a cell it is written as JSON."""
    wanted = list[kind]  # type: ignore[valid-type] # made at run time
    decoder = msgspec.json.Decoder(wanted)

    def read(raw: object) -> object:
        try:
            if isinstance(raw, str):
                decoded = decoder.decode(raw) if raw.strip() else []
                if decoded and (repeated := repeated_name(raw.encode())) is not None:
                    raise ValueError(f"the field {repeated} is there twice")
                return decoded
            return msgspec.convert(raw, wanted) if raw is not None else []
        except msgspec.ValidationError as error:
            raise ValueError(str(error).replace("`$", "`")) from None
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError(f"this is not JSON: {error}") from None

    return read


def units_of(decimal: Decimal) -> int:
    """Return an amount in units of 1/10,000.

    Raises:
        ValueError: it is negative, too large, or has more than four decimal places.
    """
    if not decimal.is_finite() or decimal.adjusted() > _MOST_EXPONENT:
        raise ValueError("this is not an amount, or too large a one")
    scaled = decimal * UNITS_PER_CURRENCY_UNIT
    units = int(scaled)
    if not 0 <= units <= MOST_PRICE_UNITS or scaled < 0:
        raise ValueError("this must not be negative" if scaled < 0 else "this is too large an amount")
    if units != scaled:
        raise ValueError("this has more than four decimal places")
    return units


def _is_empty(raw: object) -> bool:
    return raw is None or (isinstance(raw, str) and not raw.strip())


def _decimal(raw: object) -> Decimal:
    try:
        number = Decimal(str(raw).strip())
    except (InvalidOperation, ValueError):
        raise ValueError("this is not a number") from None
    if not number.is_finite() or abs(number) > _MOST_INTEGER:
        raise ValueError("this number is out of range")
    return number
