"""Checkout: who takes payments, and what the services work with."""

from makola.api.unity.payment_notices import checkout_body, transaction_body
from makola.core.checkout import workers
from makola.core.checkout.desk import CheckoutPolicy, Desk
from makola.core.checkout.notices import Notices
from makola.core.checkout.workers import CHANNEL
from makola.kit.outgoing import AddressPolicy
from makola.settings import Settings
from makola.wiring.parts import Parts
from makola.wiring.payment_providers import payment_providers

#: How much longer a claimed payment is left to its process than its provider may take to answer twice: first how it
#: stands, then, where the provider has never heard of it, the request itself.
_LEASE_MARGIN_S = 5.0

#: What merchants are told, in the words of the API family whose calls there are for payments.
NOTICES = Notices(checkout_body, transaction_body)


def open_desk(parts: Parts) -> Desk:
    """Return what checkout's services work with; one for a process."""
    return Desk(parts.database, payment_providers(parts), NOTICES, policy_of(parts.settings))


def policy_of(settings: Settings) -> CheckoutPolicy:
    """Return how checkouts are dealt with."""
    return CheckoutPolicy(
        lifetime_s=settings.checkout_lifetime_s, grace_s=settings.checkout_grace_s,
        minimum_units=settings.checkout_minimum_units, maximum_units=settings.checkout_maximum_units,
        reference_length=settings.checkout_reference_length, attempts_limit=settings.checkout_attempts_limit,
        poll_delays_s=settings.payment_poll_delays_s, poll_for_s=settings.payment_poll_for_s,
        ask_timeout_s=settings.payment_ask_timeout_s, lease_s=2 * settings.payment_ask_timeout_s + _LEASE_MARGIN_S,
        document_limit_bytes=settings.kyc_document_limit_bytes,
        document_directory=settings.data_directory / "documents",
        addresses=AddressPolicy(allow_private=settings.callback_allow_private), remember_s=settings.actor_cache_s)



def start_worker(parts: Parts, desk: Desk) -> None:
    """Ask providers how payments stand, end what has expired, and compare the days that are over."""
    workers.run_in(parts.background, desk, parts.wake_ups.on(CHANNEL), parts.payment_hints)
