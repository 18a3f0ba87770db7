"""The Unity API: its endpoints and what they work with."""

from makola.api.unity import account, checkout, merchants, messages, payment_status, payments, ussd
from makola.api.unity.app import UnityApp
from makola.api.unity.endpoint import UnityContext
from makola.core.checkout.desk import Desk
from makola.core.messaging.service.accept import AcceptQueue
from makola.wiring.messaging import Messaging, horizon
from makola.wiring.parts import Parts

#: The whole family.
UNITY_ENDPOINTS = (*messages.ENDPOINTS, *account.ENDPOINTS, *checkout.ENDPOINTS, *payments.ENDPOINTS,
                   *payment_status.ENDPOINTS, *merchants.ENDPOINTS, *ussd.ENDPOINTS)


def unity_app(parts: Parts, messaging: Messaging, accept_queue: AcceptQueue, desk: Desk) -> UnityApp:
    """Return the family as one ASGI application."""
    settings = parts.settings
    context = UnityContext(parts.database, messaging.preparation(), accept_queue, horizon(settings),
                           settings.callback_allow_private, desk)
    return UnityApp(context, parts.credentials, UNITY_ENDPOINTS, max_body_bytes=settings.max_body_bytes,
                    public_url=settings.public_url or "")
