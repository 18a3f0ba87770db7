"""Make a checkout."""

import re
from datetime import datetime, timedelta

from makola.core.checkout.desk import Desk
from makola.core.checkout.errors import (
    MerchantAccountUnavailableError,
    NotOwnerError,
    UnknownMerchantAccountError,
)
from makola.core.checkout.service.checks import check, check_same
from makola.core.checkout.store import invoices, merchants
from makola.core.checkout.types import Checkout, CheckoutKind, MerchantAccount, MerchantState, NewCheckout
from makola.core.organisations.types import Actor
from makola.kit.clock import now
from makola.kit.ids import new_id

_NUMBER = re.compile("HM[0-9]{1,30}")


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


async def own_account(desk: Desk, actor: Actor, number: str, *, active: bool = True) -> MerchantAccount:
    """Return the actor's own merchant account.

    Args:
        desk: the services' own.
        actor: whose it must be.
        number: `HM…`.
        active: it must be able to take payments; otherwise it is returned in whatever state it is, as it is stored.

    Raises:
        UnknownMerchantAccountError: there is no such account.
        NotOwnerError: it belongs to somebody else.
        MerchantAccountUnavailableError: it is not activated.
    """
    account = None
    if _NUMBER.fullmatch(number):
        account = await (desk.account(desk.database, number) if active else merchants.find(desk.database, number))
    if account is None:
        raise UnknownMerchantAccountError("There is no merchant account of this number.", field="account_number")
    if account.organisation_id != actor.organisation_id:
        raise NotOwnerError("This merchant account belongs to another organisation.", field="account_number")
    if active and account.state is not MerchantState.ACTIVE:
        raise MerchantAccountUnavailableError("Merchant account is not available.", field="account_number")
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
    check_same(before[1] if before[0].kind is kind else None, new.content_sha256)
    return before[0]


def stamp(at: datetime) -> str:
    """Write a moment as the documents' ids end: to the millisecond, without signs."""
    return at.strftime("%Y%m%d%H%M%S") + f"{at.microsecond // 1000:03}"
