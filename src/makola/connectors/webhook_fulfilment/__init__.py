"""A warehouse's program behind HTTP: orders go to its URL, and it tells of acceptance and shipments at ours.

Both directions are signed as Standard Webhooks asks, with one secret. Composition gives `WebhookFulfilment` to the
workers of ordering and mounts `create_fulfilment_router`. docs/reference/orders.md describes the messages.
"""

from makola.connectors.webhook_fulfilment.connector import WebhookFulfilment
from makola.connectors.webhook_fulfilment.http import create_fulfilment_router

__all__ = ["WebhookFulfilment", "create_fulfilment_router"]
