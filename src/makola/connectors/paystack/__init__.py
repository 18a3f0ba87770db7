"""Paystack: customers pay by card at its hosted page, to which they are redirected.

After the public documentation at paystack.com/docs/api: initialise, verify, refund, list, and webhooks signed with
HMAC-SHA512. A webhook is a hint: what it says is asked for again.
"""

from makola.connectors.paystack.provider import Paystack

__all__ = ["Paystack"]
