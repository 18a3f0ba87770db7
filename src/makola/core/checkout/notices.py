"""Tell merchants how things have ended: whom, at which address. The words are an API family's."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from makola.core.callbacks.types import NewCallback
from makola.core.checkout.types import Checkout, CheckoutKind, Transaction

#: How an API family writes the end of a page's checkout, with the payment that won (else the last that was tried).
CheckoutFormat = Callable[[Checkout, Transaction | None], bytes]
#: How it writes the end of a direct call, with the checkout that it pays (of a receive).
TransactionFormat = Callable[[Transaction, Checkout | None], bytes]


@dataclass(frozen=True, slots=True)
class Notices:
    """Writes callbacks in the form that an API family gives them."""

    checkout_format: CheckoutFormat
    transaction_format: TransactionFormat

    def of_checkout(self, checkout: Checkout, payment: Transaction | None) -> list[NewCallback]:
        """Return the callback that tells how a checkout has ended; none where nobody asked for it.

        Args:
            checkout: in a final state.
            payment: that won; else the last one that was tried, if any.
        """
        if checkout.kind is CheckoutKind.DIRECT:
            return self.of_transaction(payment, checkout) if payment is not None else []
        if not checkout.callback_url:
            return []
        return [_callback(checkout, f"checkout.{checkout.state}", checkout.callback_url,
                          self.checkout_format(checkout, payment), checkout.checkout_id)]

    def of_transaction(self, transaction: Transaction, checkout: Checkout | None = None) -> list[NewCallback]:
        """Return the callbacks that tell how a direct call has ended: to the first address and the second.

        Args:
            transaction: decided.
            checkout: that it pays; of a direct receive.
        """
        urls = [url for url in dict.fromkeys((transaction.callback_url, transaction.secondary_callback_url)) if url]
        body = self.transaction_format(transaction, checkout) if urls else b""
        subject_id = checkout.checkout_id if checkout is not None else transaction.transaction_id
        return [_callback(transaction, f"payments.{transaction.kind}", url, body, subject_id) for url in urls]


def _callback(whose: Checkout | Transaction, event: str, url: str, body: bytes, subject_id: UUID) -> NewCallback:
    return NewCallback(organisation_id=whose.organisation_id, application_id=whose.application_id or None,
                       event=event, method="POST", url=url, body=body, subject_id=subject_id)
