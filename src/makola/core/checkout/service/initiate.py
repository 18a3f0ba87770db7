"""Make a checkout."""

import re
from datetime import datetime, timedelta

from makola.core.checkout.desk import CheckoutPolicy, Desk
from makola.core.checkout.errors import (
    AmountTooLargeError,
    AmountTooSmallError,
    InvalidCheckoutError,
    MerchantAccountUnavailableError,
    NotOwnerError,
    ReferenceReusedError,
    SumMismatchError,
    UnknownMerchantAccountError,
)
from makola.core.checkout.fees import MINOR_UNITS
from makola.core.checkout.store import invoices
from makola.core.checkout.types import Checkout, CheckoutKind, MerchantAccount, MerchantState, NewCheckout
from makola.core.organisations.types import Actor
from makola.kit.clock import now
from makola.kit.ids import new_id
from makola.kit.outgoing import InvalidUrlError, check_url, parse_url

_LONGEST_TEXT = 2_000
_MOST_ITEMS = 200
_ONE = 10_000
_NUMBER = re.compile("HM[0-9]{1,30}")
#: What cannot be stored, and what turns the text around it round on the page (Unicode Standard Annex 9: embeddings,
#: overrides and isolates): an item's name could make another price of its own.
_UNUSABLE = re.compile("[\0\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


async def initiate(desk: Desk, actor: Actor, new: NewCheckout) -> Checkout:
    """Make a checkout for the page; the same request again returns the same checkout.

    Args:
        desk: the services' own.
        actor: whose merchant account it must be.
        new: what is asked for.

    Raises:
        UnknownMerchantAccountError: there is no such account.
        NotOwnerError: it belongs to somebody else.
        MerchantAccountUnavailableError: it is not activated.
        InvalidCheckoutError: a value is missing or wrong; the sums do not agree; the reference is used.
        AmountTooSmallError: the total is below the least.
    """
    account = await own_account(desk, actor, new.account_number)
    check(new, desk.policy)
    at = now()
    return await insert(desk, account, actor, new, CheckoutKind.PAGE, desk.policy.lifetime_s, at=at)


async def own_account(desk: Desk, actor: Actor, number: str) -> MerchantAccount:
    """Return the actor's own merchant account, which must be able to take payments.

    Raises:
        UnknownMerchantAccountError: there is no such account.
        NotOwnerError: it belongs to somebody else.
        MerchantAccountUnavailableError: it is not activated.
    """
    account = await desk.account(desk.database, number) if _NUMBER.fullmatch(number) else None
    if account is None:
        raise UnknownMerchantAccountError("There is no merchant account of this number.",
                                          field="merchant_account_number")
    if account.organisation_id != actor.organisation_id:
        raise NotOwnerError("This merchant account belongs to another organisation.",
                            field="merchant_account_number")
    if account.state is not MerchantState.ACTIVE:
        raise MerchantAccountUnavailableError("Merchant account is not available.", field="merchant_account_number")
    return account


async def insert(desk: Desk, account: MerchantAccount, actor: Actor, new: NewCheckout, kind: CheckoutKind,
                 lifetime_s: float, *, at: datetime) -> Checkout:
    """Store a checkout, or return the one that the same request made before.

    Raises:
        ReferenceReusedError: another request had this client reference.
    """
    checkout_id = new_id()
    sales_invoice_id = f"{new_id().hex}-{stamp(at)}"
    made = await invoices.insert(desk.database, checkout_id, account, actor.application_id, kind, new,
                                 sales_invoice_id, at + timedelta(seconds=lifetime_s), at)
    if made is not None:
        return made
    before = await invoices.find_by_reference(desk.database, account.merchant_account_id, new.client_reference)
    if before is None:
        raise LookupError("a checkout is never deleted")
    if before[1] != new.content_sha256 or before[0].kind is not kind:
        raise ReferenceReusedError("This reference was used for another request.", field="client_reference")
    return before[0]


def stamp(at: datetime) -> str:
    """Write a moment as the documents' ids end: to the millisecond, without signs."""
    return at.strftime("%Y%m%d%H%M%S") + f"{at.microsecond // 1000:03}"


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
            raise InvalidCheckoutError("A price cannot be below zero.", field=f"{where}.unit_price")
        check_text(item.name, f"{where}.name")
        check_text(item.description, f"{where}.description")
        _link(item.image_url, f"{where}.item_image_url")
    check_amount(new.total_units, policy, "total_amount")
    total = sum(item.quantity * item.unit_units for item in new.items) + new.taxes_units
    if total != new.total_units:
        raise SumMismatchError(
            f"The items come to {written(total)}, the total is {written(new.total_units)}: a difference of"
            f" {written(new.total_units - total)}.", field="total_amount")
    if new.taxes_units < 0:
        raise InvalidCheckoutError("Taxes cannot be below zero.", field="taxes")
    check_text(new.description, "description", required=True)
    check_reference(new.client_reference, policy)
    for name, url in (("return_url", new.return_url), ("cancellation_url", new.cancellation_url),
                      ("merchant_business_logo_url", new.logo_url)):
        _link(url, name)
    check_callback(new.callback_url, policy, "callback_url")
    for name, text in (("payee_name", new.payee_name), ("payee_mobile_number", new.payee_number),
                       ("payee_email", new.payee_email)):
        check_text(text, name)


def check_amount(units: int, policy: CheckoutPolicy, field: str) -> None:
    """Refuse an amount that cannot be moved."""
    if units < policy.minimum_units:
        raise AmountTooSmallError(f"The least amount is {written(policy.minimum_units)}.", field=field)
    if units > policy.maximum_units:
        raise AmountTooLargeError(f"The greatest amount is {written(policy.maximum_units)}.", field=field)
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


def written(units: int) -> str:
    """Write an amount for a person."""
    sign, units = ("-", -units) if units < 0 else ("", units)
    decimals = f"{units % _ONE:04}".rstrip("0").ljust(2, "0")
    return f"{sign}{units // _ONE}.{decimals}"


def check_reference(reference: str, policy: CheckoutPolicy) -> None:
    """Refuse a client reference that is too long, or that cannot be stored."""
    if len(reference) > policy.reference_length:
        raise InvalidCheckoutError(f"A reference has at most {policy.reference_length} characters.",
                                   field="client_reference")
    check_text(reference, "client_reference")


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
