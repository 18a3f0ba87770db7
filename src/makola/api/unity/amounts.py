"""Amounts and numbers of the payment endpoints: exact, whatever a client's floating point has made of them."""

import re
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from makola.core.checkout.errors import InvalidCheckoutError
from makola.core.checkout.types import Checkout, Transaction, TransactionKind
from makola.kit.money import UNITS_PER_CURRENCY_UNIT, decimal_text

#: What 0.1 + 0.2 is off by in a client's binary numbers is far less; what somebody meant is far more.
_SLIP = Decimal("0.000000001")
_LARGEST = Decimal(100_000_000_000)
#: Texts that are read: Python's own rules take underscores and the digits of every script as well.
_NUMBER = re.compile(r"[+-]?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,4})?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")


def units(values: Mapping[str, object], *names: str, field: str, required: bool = True) -> int | None:
    """Return an amount in 1/10,000 of the currency's unit; None when it is missing and need not be there.

    Args:
        values: by lower-case name.
        names: that the amount may have; the first that is there counts.
        field: for the error.
        required: whether it must be there.

    Raises:
        InvalidCheckoutError: it is missing, no number, or has more than four decimals.
    """
    value = next((values[name] for name in names if not is_missing(values.get(name))), None)
    if value is None:
        if required:
            raise InvalidCheckoutError("An amount is needed.", field=field)
        return None
    return exact_units(value, field)


def is_missing(value: object) -> bool:
    """Say whether a field was left out, or left empty."""
    return value is None or value == ""


def exact_units(value: object, field: str) -> int:
    """Return an amount in 1/10,000: of a JSON number or a text, without rounding what was meant.

    Raises:
        InvalidCheckoutError: it is no number, or has more than four decimals.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InvalidCheckoutError("This must be a number.", field=field)
    # A float's shortest decimal is what the client wrote. What is too long to be an amount is not even read.
    text = value.strip() if isinstance(value, str) else repr(value)
    if not _NUMBER.fullmatch(text):
        raise InvalidCheckoutError("This must be a number.", field=field)
    amount = Decimal(text)
    if abs(amount) > _LARGEST:
        raise InvalidCheckoutError("This must be a number that can be an amount.", field=field)
    rounded = round(amount * UNITS_PER_CURRENCY_UNIT)
    if abs(Decimal(rounded) / UNITS_PER_CURRENCY_UNIT - amount) > _SLIP:
        raise InvalidCheckoutError("An amount has at most four decimals.", field=field)
    return rounded


def quantity(value: object, field: str) -> int:
    """Return a whole number of things; 1 where none is given.

    Raises:
        InvalidCheckoutError: it is not a whole number.
    """
    if value is None or value == "":
        return 1
    if (isinstance(value, str) and _WHOLE.fullmatch(value.strip())) or (
            isinstance(value, float) and value.is_integer()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 1_000_000_000:
        raise InvalidCheckoutError("This must be a whole number.", field=field)
    return value


def number(amount_units: int) -> msgspec.Raw:
    """Write an amount as an exact JSON number: no more decimals than it needs."""
    return msgspec.Raw(decimal_text(amount_units, decimals=0).encode())


def number_with_point(amount_units: int) -> msgspec.Raw:
    """Write an amount as the sample of an order does: 1.0."""
    return msgspec.Raw(decimal_text(amount_units, decimals=1).encode())


def amount_after_charges(transaction: Transaction) -> int:
    """Return what the merchant gets of a payment, or what the recipient gets of a payout."""
    if transaction.kind is TransactionKind.PAYMENT:
        return transaction.amount_units - transaction.charges_units
    return transaction.amount_units


def amount_asked(transaction: Transaction, checkout: Checkout | None) -> int:
    """Return what was asked for: of a payment without the fees that the customer paid on top."""
    if transaction.kind is TransactionKind.PAYMENT and checkout is not None:
        return checkout.total_units
    return transaction.amount_units
