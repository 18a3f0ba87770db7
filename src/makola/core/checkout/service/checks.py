"""What a checkout, a call to a wallet or a payout may say: each value is refused under the name that it has here."""

import re

from makola.core.checkout.desk import CheckoutPolicy
from makola.core.checkout.errors import (
    AmountTooLargeError,
    AmountTooSmallError,
    InvalidCheckoutError,
    ReferenceReusedError,
    SumMismatchError,
)
from makola.core.checkout.fees import MINOR_UNITS
from makola.core.checkout.types import NewCheckout
from makola.kit.money import decimal_text
from makola.kit.outgoing import InvalidUrlError, check_url, parse_url

_LONGEST_TEXT = 2_000
_MOST_ITEMS = 200
#: What cannot be stored, and what turns the text around it round on the page (Unicode Standard Annex 9: embeddings,
#: overrides and isolates): an item's name could make another price of its own.
_UNUSABLE = re.compile("[\0\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def check(new: NewCheckout, policy: CheckoutPolicy) -> None:
    """Refuse what cannot be a checkout, naming the field.

    Raises:
        InvalidCheckoutError: a value is missing or wrong, or the sums do not agree.
        AmountTooSmallError: the total is below the least.
    """
    if not new.items:
        raise InvalidCheckoutError("There must be at least one item.", field="items")
    if len(new.items) > _MOST_ITEMS:
        raise InvalidCheckoutError(f"There may be at most {_MOST_ITEMS} items.", field="items")
    for position, item in enumerate(new.items):
        where = f"items[{position}]"
        if not item.name.strip():
            raise InvalidCheckoutError("An item needs a name.", field=f"{where}.name")
        if item.quantity < 1:
            raise InvalidCheckoutError("A quantity is at least 1.", field=f"{where}.quantity")
        if item.unit_units < 0:
            raise InvalidCheckoutError("A price cannot be below zero.", field=f"{where}.unit_units")
        check_text(item.name, f"{where}.name")
        check_text(item.description, f"{where}.description")
        _link(item.image_url, f"{where}.image_url")
    check_amount(new.total_units, policy, "total_units")
    if new.taxes_units < 0:
        raise InvalidCheckoutError("Taxes cannot be below zero.", field="taxes_units")
    total = sum(item.quantity * item.unit_units for item in new.items) + new.taxes_units
    if total != new.total_units:
        raise SumMismatchError(
            f"The items come to {decimal_text(total)}, the total is {decimal_text(new.total_units)}: a difference of"
            f" {decimal_text(new.total_units - total)}.", field="total_units")
    check_text(new.description, "description", required=True)
    check_reference(new.client_reference, policy)
    for name, url in (("return_url", new.return_url), ("cancellation_url", new.cancellation_url),
                      ("logo_url", new.logo_url)):
        _link(url, name)
    check_callback(new.callback_url, policy, "callback_url")
    for name, text in (("payee_name", new.payee_name), ("payee_number", new.payee_number),
                       ("payee_email", new.payee_email)):
        check_text(text, name)


def check_amount(units: int, policy: CheckoutPolicy, field: str) -> None:
    """Refuse an amount that cannot be moved."""
    if units < policy.minimum_units:
        raise AmountTooSmallError(f"The least amount is {decimal_text(policy.minimum_units)}.", field=field)
    if units > policy.maximum_units:
        raise AmountTooLargeError(f"The greatest amount is {decimal_text(policy.maximum_units)}.", field=field)
    if units % MINOR_UNITS:
        raise InvalidCheckoutError("An amount has at most two decimals.", field=field)


def check_callback(url: str, policy: CheckoutPolicy, field: str) -> None:
    """Refuse an address to which no callback could go; none at all is permitted."""
    if not url:
        return
    try:
        check_url(url, policy=policy.addresses)
    except InvalidUrlError as error:
        raise InvalidCheckoutError(f"The URL {error.detail}.", field=field) from error


def check_reference(reference: str, policy: CheckoutPolicy) -> None:
    """Refuse a client reference that is too long, or that cannot be stored."""
    if len(reference) > policy.reference_length:
        raise InvalidCheckoutError(f"A reference has at most {policy.reference_length} characters.",
                                   field="client_reference")
    check_text(reference, "client_reference")


def check_same(before: bytes | None, content_sha256: bytes) -> None:
    """Refuse a client reference that names another request already.

    Args:
        before: the hash of what was asked under it; None where that cannot be the same.
        content_sha256: the hash of what is asked now.
    """
    if before != content_sha256:
        raise ReferenceReusedError("This reference was used for another request.", field="client_reference")


def check_text(text: str, field: str, *, required: bool = False) -> None:
    """Refuse a text that is too long, or that cannot be stored or shown.

    Raises:
        InvalidCheckoutError: naming the field.
    """
    if required and not text.strip():
        raise InvalidCheckoutError("This must not be empty.", field=field)
    if len(text) > _LONGEST_TEXT:
        raise InvalidCheckoutError(f"This may have at most {_LONGEST_TEXT} characters.", field=field)
    if _UNUSABLE.search(text):
        raise InvalidCheckoutError("This holds a character that cannot be stored or shown.", field=field)


def _link(url: str, field: str) -> None:
    """Refuse what a browser could not safely be sent to: only http and https are links."""
    if not url:
        return
    check_text(url, field)
    try:
        parse_url(url)
    except InvalidUrlError as error:
        raise InvalidCheckoutError(f"The URL {error.detail}.", field=field) from error
